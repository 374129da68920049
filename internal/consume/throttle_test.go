package consume

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// putOff has the first n fetches answered as a broker does whose quota is exceeded.
func (c *cluster) putOff(n int32, pause time.Duration) {
	var seen atomic.Int32
	c.bend(func(_ int32, _ *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
		if seen.Add(1) > n {
			return brokertest.Reply{}, false
		}
		resp.ThrottleMs, resp.Topics = int32(pause.Milliseconds()), nil
		return brokertest.Answer(resp), true
	})
}

// A quota is honoured on the connection that it was told on, and is no trouble:
// nothing is noted or asked elsewhere, and the time of the range does not run.
func TestAQuotaIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...))
		c.putOff(63, time.Second)
		o := quick()
		o.Timeout = 10 * time.Second
		o.OnNote = func(err error) { t.Errorf("noted: %v", err) }
		client := c.client()
		s := NewSession(client, o)
		s.Add(span(tp, 0, 3))
		got := newCollector()
		began := time.Now()
		report, err := s.Run(t.Context(), got)
		if took := time.Since(began).Round(time.Second); err != nil || report.Err() != nil || took != 63*time.Second {
			t.Errorf("after %v: %v, %v", took, err, report.Err())
		}
		got.wantOffsets(t, tp, from(0, 3)...)
		if n := client.Ordeal().Retries(); n != 0 || client.Ordeal().Throttled() != 63*time.Second {
			t.Errorf("%d retries, throttled for %v", n, client.Ordeal().Throttled())
		}
	})
}

// But not without end, nor for hours.
func TestAQuotaDoesNotHoldARangeForEver(t *testing.T) {
	for name, pause := range map[string]time.Duration{"again and again": 9 * time.Second, "for hours": 5 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c := newPiped(t)
			tp := c.log(0, plain(0, numbered(0, 3)...))
			c.putOff(1<<30, pause)
			o := quick()
			o.Timeout = 10 * time.Second
			began := time.Now()
			s := NewSession(c.client(), o)
			s.Add(span(tp, 0, 3))
			report, err := s.Run(t.Context(), newCollector())
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			if err := report.Err(); !errors.Is(err, context.DeadlineExceeded) || took > (maxRests+3)*o.Timeout {
				t.Errorf("%s: after %v: %v", name, took, err)
			}
			if pause > o.Timeout && (took > 2*o.Timeout || !strings.Contains(report.Err().Error(), "throttles this client for 5h0m0s")) {
				t.Errorf("%s: after %v: %v", name, took, report.Err())
			}
		})
	}
}

// Who follows waits for as long as it is asked to.
func TestWhoFollowsWaitsForHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...))
		c.putOff(1, 5*time.Hour)
		o := quick()
		o.OnNote = func(err error) { t.Errorf("noted: %v", err) }
		s := NewSession(c.client(), o)
		s.Add(map[broker.TP]offsets.Range{tp: {To: offsets.Follow}})
		ctx, cancel := context.WithCancel(t.Context())
		got := newCollector()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = s.Run(ctx, got)
		}()
		time.Sleep(5 * time.Hour) // of the bubble
		got.await(t, 3)
		cancel()
		<-done
		got.wantOffsets(t, tp, from(0, 3)...)
		if n := c.servers[0].Count(wire.Fetch); n > 4 {
			t.Errorf("%d requests", n)
		}
	})
}
