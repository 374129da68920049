//go:build unix

package main

import (
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"kafkactl/internal/badnet"
	"kafkactl/internal/wire"
)

var (
	againLine   = regexp.MustCompile(`(?m)^warning: ([\d,]+) records? sent again after a lost answer; without idempotence they may stand twice$`)
	settledLine = regexp.MustCompile(`(?m)^([\d,]+) records? (acknowledged|sent)$`)
)

// TestRealAcksOneAndNoneSayWhatIsKept has connections break under produce --acks 1
// and 0, which promise less. With 1 nothing that was acknowledged is missing, and
// what may stand twice is counted beforehand. With 0 nothing is called
// acknowledged: what was on its way is gone, or arrives behind what a new
// connection brings, but nothing stands twice.
func TestRealAcksOneAndNoneSayWhatIsKept(t *testing.T) {
	s := newSea(t)
	var all sync.WaitGroup
	slots := make(chan struct{}, 6)
	for _, acks := range []string{"1", "0"} {
		for _, w := range weathers() {
			if w.silent && acks == "0" {
				continue // nothing comes back in good weather either
			}
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				s.weakly(t, acks, w)
			})
		}
	}
	all.Wait()
}

func (s *sea) weakly(t *testing.T, acks string, w weather) {
	n := badnet.New(t)
	f := w.fault
	f.API, f.Skip, f.Times = wire.Produce, 3, 1
	hits := n.Strike(f)
	topic := s.topic(t)
	// A leader that has not heard of its partition yet drops what comes with acks 0.
	if got := s.sail(t, nil, "", "offsets", "get", topic); got.code != exitDone {
		t.Errorf("%+v", got)
	}
	got := s.sail(t, n, cargo(), "produce", "-v", "--acks", acks, "-K", ":", "--batch-bytes", "1000",
		"--ack-timeout", "100ms", "--delivery-timeout", unhurried(25), topic)
	if acks == "0" {
		n.Drain() // the run did not wait for it
	}
	parts, err := s.log(topic)
	whole := func() bool { c, bad := reckon(parts); return bad != nil || c.lines >= cargoLines }
	breaks := f.Kind == badnet.ResetRequest || f.Kind == badnet.ResetResponse
	for late := time.Now().Add(patience / 3); acks == "0" && !breaks && err == nil && !whole() && time.Now().Before(late); {
		parts, err = s.log(topic) // it has arrived, but nobody says when the broker is done with it
	}
	c, bad := reckon(parts)
	complain := func(format string, args ...any) {
		t.Errorf("acks %s, %s: %s\nthe log has %+v; exit %d after %v, said:\n%.1500s", acks, w.name, fmt.Sprintf(format, args...), c, got.code, got.took, got.said)
	}
	if err != nil || bad != nil || hits() == 0 {
		complain("%v, %v, struck %d times", err, bad, hits())
		return
	}
	said := settledLine.FindStringSubmatch(got.said)
	if got.code != exitDone || said == nil || number32(said[1]) != cargoLines {
		complain("it should end well and count %d", cargoLines)
		return
	}
	again := 0
	if m := againLine.FindStringSubmatch(got.said); m != nil {
		again = number32(m[1])
	}
	t.Logf("acks %s, %s: %d %s, kept %d, lost %d, twice %d, sent again %d", acks, w.name, cargoLines, said[2], c.lines, cargoLines-c.lines+c.twice, c.twice, again)
	switch {
	case c.disordered > 0 && acks == "1":
		complain("out of order")
	case c.twice > again:
		complain("%d are twice, it spoke of %d", c.twice, again)
	case acks == "1" && (said[2] != "acknowledged" || c.lines-c.twice != cargoLines):
		complain("not all that was acknowledged is there")
	case acks == "0" && said[2] != "sent":
		complain("nobody acknowledged anything")
	case acks == "0" && !breaks && c.lines != cargoLines:
		complain("nothing broke, and not all is there")
	}
}
