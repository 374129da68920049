package produce

import (
	"errors"
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
