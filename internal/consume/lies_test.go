package consume

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// always has every answer to a fetch changed.
func (c *cluster) always(change func(resp *wire.FetchResponse)) {
	c.bend(func(_ int32, _ *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
		change(resp)
		return brokertest.Answer(resp), true
	})
}

// A broker that never gets it right is named with what it was asked, and the
// range ends by its time.
func TestAnAnswerThatMakesNoSenseIsLaidToItsBroker(t *testing.T) {
	old := plain(0, numbered(0, 1)...)
	for name, change := range map[string]func(resp *wire.FetchResponse){
		"left out":        func(resp *wire.FetchResponse) { resp.Topics = resp.Topics[:0] },
		"somebody else's": func(resp *wire.FetchResponse) { resp.Topics[0].Partitions[0].Index = 77 },
		"of before":       func(resp *wire.FetchResponse) { resp.Topics[0].Partitions[0].Records = old.raw },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newPiped(t)
			tp := c.log(0, plain(0, numbered(0, 3)...))
			c.always(change)
			report := c.read(quick(), newCollector(), span(tp, 1, 3))
			err := report.Err()
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Fetch to "+c.servers[0].Addr()) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// Who follows is told, and the broker is not asked without end.
func TestRecordsOfBeforeAreToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...))
		old := plain(0, numbered(0, 1)...)
		c.always(func(resp *wire.FetchResponse) { resp.Topics[0].Partitions[0].Records = old.raw })
		o := quick()
		var notes []string
		o.OnNote = func(err error) { notes = append(notes, err.Error()) }
		s := NewSession(c.client(func(cfg *broker.Config) { cfg.Timeout, cfg.RetryBackoff = time.Minute, 100*time.Millisecond }), o)
		s.Add(map[broker.TP]offsets.Range{tp: {From: 1, To: offsets.Follow}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, _ = s.Run(ctx, newCollector())
		if n := c.servers[0].Count(wire.Fetch); len(notes) != 1 || !strings.Contains(notes[0], errBygone.Error()) || n > 100 {
			t.Errorf("%d requests in a minute, notes %q", n, notes)
		}
	})
}
