//go:build unix

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kafkactl/internal/badnet"
	"kafkactl/internal/wire"
)

// unhealing are faults that do not end.
func unhealing() []weather {
	const all = 1 << 30
	return []weather{
		{"black hole", badnet.Fault{Kind: badnet.BlackHole}, true},
		{"requests lost", badnet.Fault{Kind: badnet.LostRequests}, true},
		{"responses lost", badnet.Fault{Kind: badnet.LostResponses}, true},
		{"half open", badnet.Fault{Kind: badnet.HalfOpen}, true},
		{"reset in the request", badnet.Fault{Kind: badnet.ResetRequest, Bytes: 9}, false},
		{"reset after the request", badnet.Fault{Kind: badnet.ResetRequest, Bytes: all}, false},
		{"reset in the response", badnet.Fault{Kind: badnet.ResetResponse, Bytes: 9}, false},
		{"reset before the response's last byte", badnet.Fault{Kind: badnet.ResetResponse, Bytes: -1}, false},
	}
}

// TestRealNetworksThatDoNotHealEndTheRun has faults strike every connection from
// some request on. The command ends by itself within its time, with the exit code
// of what was done, and says exactly how much that was.
func TestRealNetworksThatDoNotHealEndTheRun(t *testing.T) {
	s := newSea(t)
	full := s.topic(t)
	if got := s.sail(t, nil, cargo(), "produce", "-K", ":", full); got.code != exitDone {
		t.Fatalf("%+v", got)
	}
	slots := make(chan struct{}, abreast(20))
	var all sync.WaitGroup
	for i, w := range unhealing() {
		for j, r := range routes() {
			if raceEnabled && (i+j)%18 != 0 {
				continue // processes under the race detector take many times as long
			}
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				voyage{s: s, t: t, full: full, route: r, w: w}.sinks()
			})
		}
	}
	all.Wait()
}

func (v voyage) sinks() {
	n := badnet.New(v.t)
	f := v.w.fault
	if f.API, f.Skip = v.route.api, v.route.skip; f.API == wire.APIVersions {
		// No network tells that one from others, and a broker that answers all but
		// that one is of before 0.10.
		f.API = badnet.Any
	}
	hits := n.Strike(f)
	got, complaint := v.founder(n)
	if hits() == 0 && got.code == exitUnreachable && !v.again {
		v.again = true // a machine can be too busy to come as far as the fault
		v.sinks()
		return
	}
	done := got.code == exitDone && (v.spared() || complaint == whole)
	switch {
	case hits() == 0:
		complaint = "the fault never struck"
	case complaint == whole:
		complaint = ""
		if !done {
			complaint = "all was done, and it was not said"
		}
	case complaint != "":
	case got.code != exitUnreachable && got.code != exitPartial && !done:
		complaint = "that is no way to end"
	}
	if complaint != "" {
		v.t.Errorf("%v: %s\nexit %d after %v, said:\n%.1500s", v, complaint, got.code, got.took.Round(time.Millisecond), got.said)
	}
}

// spared says that the run does not need the request: all that LeaveGroup and a
// last heartbeat do is to tell others sooner.
func (v voyage) spared() bool {
	return v.route.api == wire.LeaveGroup || v.route.api == wire.ConsumerGroupHeartbeat && v.route.skip > 0
}

// whole is no complaint: everything was done in spite of the fault.
const whole = "all was done"

// founder runs the route's command and says what is wrong with what it did.
func (v voyage) founder(n *badnet.Net) (sailed, string) {
	flags := []string{"--timeout", v.seconds(3), "--ack-timeout", "100ms"}
	switch v.route.what {
	case "metadata":
		return v.s.sail(v.t, n, "", append(flags, "metadata", v.full)...), ""
	case "produce":
		topic := v.s.topic(v.t)
		got := v.s.sail(v.t, n, cargo(), append(flags, "produce", "-K", ":", "--batch-bytes", "1000", "--delivery-timeout", v.seconds(4), topic)...)
		return got, v.counted(topic, got)
	case "offsets get":
		group := v.s.name("got")
		v.s.sail(v.t, nil, "", "offsets", "commit", "-g", group, v.full+":0=7")
		return v.s.sail(v.t, n, "", append(flags, "offsets", "get", "-g", group)...), ""
	case "offsets commit":
		group := v.s.name("set")
		got := v.s.sail(v.t, n, "", append(flags, "offsets", "commit", "-g", group, v.full+":1=8")...)
		if at, err := v.s.committed(group, v.full); err != nil || got.code == exitDone && at[1] != 8 {
			return got, fmt.Sprintf("committed is %v; %v", at, err)
		}
		if got.code == exitDone { // the request arrived, and the offset was read back
			return got, whole
		}
		return got, ""
	}
	return v.halfRead(n, flags)
}

var (
	ackedLine = regexp.MustCompile(`(?m)^error: ([\d,]+) records? acknowledged, ([\d,]+) not(?: \(([\d,]+) of them may be stored all the same\))?; the first that was not: stdin:(\d+)`)
	digits    = strings.NewReplacer(",", "")
)

// counted compares what produce said with what the log has: everything that was
// acknowledged, perhaps some of what may be stored, nothing else, in order.
func (v voyage) counted(topic string, got sailed) string {
	parts, err := v.s.log(topic)
	if err != nil {
		return err.Error()
	}
	c, err := reckon(parts)
	if err != nil || c.twice > 0 || c.disordered > 0 || c.lost > 0 {
		return fmt.Sprintf("the log has %+v; %v", c, err)
	}
	m := ackedLine.FindStringSubmatch(got.said)
	if m == nil {
		if c.lines == 0 && got.code == exitUnreachable {
			return ""
		}
		return fmt.Sprintf("it said nothing of the %d records that are in the log", c.lines)
	}
	acked, perhaps := number32(m[1]), number32(m[3])
	if c.lines < acked || c.lines > acked+perhaps {
		return fmt.Sprintf("%d records are in the log, it said %d, and perhaps %d more", c.lines, acked, perhaps)
	}
	if want := map[bool]int{true: exitPartial, false: exitUnreachable}[acked > 0]; got.code != want {
		return fmt.Sprintf("the exit code should be %d", want)
	}
	return ""
}

func number32(s string) int {
	n, _ := strconv.Atoi(digits.Replace(s))
	return n
}

// halfRead is the routes of consume: what was printed is a beginning of each
// partition, and nothing behind it is committed.
func (v voyage) halfRead(n *badnet.Net, flags []string) (sailed, string) {
	args := append(flags, "consume", "-f", `%p %o %k:%s\n`, "--fetch-max-bytes", "2000", "--max-partition-bytes", "1000", v.full)
	group := v.s.name("group")
	switch v.route.what {
	case "standalone":
		args = append(args, "-g", group, "--standalone")
	case "classic", "modern":
		protocol := map[string]string{"classic": "classic", "modern": "consumer"}[v.route.what]
		args = append(args, "-g", group, "--group-protocol", protocol)
	}
	got := v.s.sail(v.t, n, "", args...)
	parts, next, err := printed(got.out)
	if err != nil {
		return got, err.Error()
	}
	c, err := reckon(parts)
	if err != nil || c.twice > 0 || c.disordered > 0 || c.lost > 0 {
		return got, fmt.Sprintf("it printed %+v; %v", c, err)
	}
	if c.lines == cargoLines && got.code == exitDone && v.route.what == "consume" {
		return got, whole // the byte that never came is none of a record
	}
	at, err := v.s.committed(group, v.full)
	if err != nil {
		return got, err.Error()
	}
	if c.lines == cargoLines && got.code == exitDone && slices.Equal(at, next) {
		return got, whole
	}
	for p := range at {
		if at[p] > next[p] {
			return got, fmt.Sprintf("committed is %v, printed were the records before %v", at, next)
		}
		if v.route.api == wire.Fetch && v.route.what == "classic" && at[p] != next[p] && next[p] > 0 {
			return got, fmt.Sprintf("committed is %v, though %v could be", at, next)
		}
	}
	return got, ""
}
