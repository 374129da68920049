package produce

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// A lane whose leader failed it waits, but not for longer than it takes to learn
// of another leader, or that the same one leads anew.
func TestALaneThatWaitsForItsLeaderGoesOnWithNewsOfOne(t *testing.T) {
	for name, news := range map[string]struct{ node, epoch int32 }{"another leader": {2, 6}, "the same, leading anew": {1, 6}} {
		now := time.Unix(1000, 0)
		c := newCore(rules{acks: AcksAll, maxInFlight: 5, retries: -1, backoff: time.Minute, delivery: time.Hour})
		c.settled = func(*Batch, int64, error, bool) {}
		c.id = anonymous()
		tp := broker.TP{Topic: "t"}
		c.leads(tp, 1, 5)
		c.enqueue(&Batch{tp: tp, count: 1, sealed: true}, now)
		sent := c.requests(now)
		if len(sent) != 1 || c.leaderless() {
			t.Fatalf("%s: %d requests; leaderless %v", name, len(sent), c.leaderless())
		}
		c.lost(sent[0], errors.New("connection refused"), true, now)
		if !c.leaderless() {
			t.Errorf("%s: nobody asks who leads", name)
		}
		c.leads(tp, 1, 5)
		if again := c.requests(now); len(again) != 0 {
			t.Errorf("%s: sent again to a leader that has just failed", name)
		}
		c.leads(tp, news.node, news.epoch)
		again := c.requests(now)
		if len(again) != 1 || again[0].node != news.node || c.leaderless() {
			t.Errorf("%s: %d requests; leaderless %v", name, len(again), c.leaderless())
		}
	}
}

// A leader that metadata name already may not know it for a moment.
func TestALeaderThatSaysItIsNoneIsAskedAgainSoon(t *testing.T) {
	for code, longest := range map[wire.Code]time.Duration{wire.NotLeaderOrFollower: electing, wire.NotEnoughReplicas: 2 * time.Second} {
		now := time.Unix(1000, 0)
		c := newCore(rules{acks: AcksAll, maxInFlight: 5, retries: -1, backoff: 100 * time.Millisecond, delivery: time.Hour})
		c.settled = func(*Batch, int64, error, bool) {}
		c.id = anonymous()
		tp := broker.TP{Topic: "t"}
		c.leads(tp, 1, 5)
		c.enqueue(&Batch{tp: tp, count: 1, sealed: true}, now)
		var pause time.Duration
		for range 6 {
			sent := c.requests(now)
			if len(sent) != 1 {
				t.Fatalf("%v: %d requests", code, len(sent))
			}
			c.answered(sent[0], []answer{{code: code, err: code, leader: nobody()}}, now)
			pause = c.lanes[tp].until.Sub(now)
			now = now.Add(pause + time.Millisecond)
		}
		if pause > longest || code == wire.NotEnoughReplicas && pause <= electing {
			t.Errorf("%v: the sixth pause is %v", code, pause)
		}
	}
}

// A connection that is cut when the time is up says nothing of why it was.
func TestWhatEndsTheTimeIsNotItsCause(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCore(rules{acks: AcksAll, maxInFlight: 5, retries: -1, delivery: time.Hour})
	var said error
	c.settled = func(_ *Batch, _ int64, err error, _ bool) { said = err }
	c.id = anonymous()
	tp := broker.TP{Topic: "t"}
	c.leads(tp, 1, 5)
	c.enqueue(&Batch{tp: tp, count: 1, sealed: true}, now)
	c.lost(c.requests(now)[0], broker.ErrMalformed, false, now)
	now = now.Add(time.Hour)
	again := c.requests(now.Add(-time.Second))
	c.wake(now)
	c.lost(again[0], fmt.Errorf("node 1: %w", context.Canceled), true, now)
	c.wake(now)
	if !errors.Is(said, ErrDeliveryTimeout) || !errors.Is(said, broker.ErrMalformed) {
		t.Error(said)
	}
}
