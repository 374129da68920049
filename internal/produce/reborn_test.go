package produce

import (
	"errors"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// laneOf is a core with one lane, whose leader has stored a first batch, and has
// two more on the wire.
func laneOf(t *testing.T, now time.Time) (c *core, sent []*request, fates map[*Batch]error) {
	t.Helper()
	c = newCore(rules{acks: AcksAll, maxInFlight: 5, retries: -1, backoff: time.Millisecond, delivery: time.Hour})
	fates = map[*Batch]error{}
	c.settled = func(b *Batch, _ int64, err error, _ bool) { fates[b] = err }
	c.identified(identity{known: true, producer: 7})
	tp := broker.TP{Topic: "t"}
	c.leads(tp, 1, 5)
	c.enqueue(&Batch{tp: tp, count: 1, sealed: true}, now)
	first := c.requests(now)
	c.answered(first[0], []answer{{base: 0, leader: nobody()}}, now)
	for range 2 {
		c.enqueue(&Batch{tp: tp, count: 1, seq: unsequenced, sealed: true}, now)
		sent = append(sent, c.requests(now)...)
	}
	if len(sent) != 2 {
		t.Fatalf("%d requests on the wire", len(sent))
	}
	return c, sent, fates
}

// A topic that is made anew takes any sequence of a producer it does not know, so
// that a batch could be stored though the one before it was not, and would make
// that look stored.
func TestNothingIsInferredFromALogThatWasMadeAnew(t *testing.T) {
	for name, answers := range map[string][]answer{
		"both lost":                 {{lost: true, err: errors.New("reset")}, {lost: true, err: errors.New("reset")}},
		"one lost, one not known":   {{lost: true, err: errors.New("reset")}, {code: wire.UnknownTopicID, leader: nobody()}},
		"no leader, then not known": {{code: wire.NotLeaderOrFollower, leader: nobody()}, {code: wire.UnknownTopicID, leader: nobody()}},
	} {
		for _, early := range []bool{true, false} {
			now := time.Unix(1000, 0)
			c, sent, fates := laneOf(t, now)
			if early { // before the answers come
				c.reborn()
			}
			for i, r := range sent {
				c.answered(r, answers[i:i+1], now)
			}
			if !early {
				c.reborn()
			}
			tp := broker.TP{Topic: "t"}
			c.leads(tp, 1, 0)
			now = now.Add(time.Minute)
			again := c.requests(now)
			again = append(again, c.requests(now)...)
			if len(again) != 1 || again[0].batches[0] != sent[0].batches[0] {
				t.Fatalf("%s, %v: %d requests go to the new log", name, early, len(again))
			}
			c.answered(again[0], []answer{{base: 0, leader: nobody()}}, now)
			again = c.requests(now)
			if len(again) != 1 || again[0].batches[0] != sent[1].batches[0] {
				t.Fatalf("%s, %v: then %d requests", name, early, len(again))
			}
			c.answered(again[0], []answer{{base: 1, leader: nobody()}}, now)
			if len(fates) != 3 || !c.done() {
				t.Errorf("%s, %v: %d batches settled", name, early, len(fates))
			}
		}
	}
}

// What was stored in the old log, and is told so late, says nothing of the new one.
func TestALateAnswerOfADeletedLogProvesNothing(t *testing.T) {
	now := time.Unix(1000, 0)
	c, sent, fates := laneOf(t, now)
	c.reborn()
	c.answered(sent[0], []answer{{base: 1, leader: nobody()}}, now)
	if err, ok := fates[sent[0].batches[0]]; !ok || err != nil {
		t.Errorf("what was acknowledged is not: %v", err)
	}
	if l := c.lanes[broker.TP{Topic: "t"}]; l.proved || l.proven != 0 {
		t.Errorf("proved %v, up to %d", l.proved, l.proven)
	}
}

// A batch that can be in order no more is refused, and that empties the queue it
// stands in.
func TestARefusedBatchAmongOthersEndsTheRunInOrder(t *testing.T) {
	now := time.Unix(1000, 0)
	c, sent, fates := laneOf(t, now)
	tp := broker.TP{Topic: "t"}
	for range 3 {
		c.enqueue(&Batch{tp: tp, count: 1, seq: unsequenced, sealed: true}, now)
	}
	c.answered(sent[0], []answer{{code: wire.NotEnoughReplicas, err: wire.NotEnoughReplicas, leader: nobody()}}, now)
	c.answered(sent[1], []answer{{base: 1, leader: nobody()}}, now) // though the one before is not there
	now = now.Add(time.Minute)
	again := c.requests(now)
	if len(again) != 4 {
		t.Fatalf("%d requests", len(again))
	}
	for _, r := range again {
		c.answered(r, []answer{{code: wire.OutOfOrderSequenceNumber, err: wire.OutOfOrderSequenceNumber, leader: nobody()}}, now)
	}
	if err := fates[sent[0].batches[0]]; !errors.Is(err, wire.OutOfOrderSequenceNumber) {
		t.Errorf("the batch out of order: %v", err)
	}
	unsent := 0
	for _, err := range fates {
		if errors.Is(err, ErrNotSent) {
			unsent++
		}
	}
	if unsent != 3 || !c.done() || c.halting == nil {
		t.Errorf("%d batches were not sent, %d settled, halting %v", unsent, len(fates), c.halting)
	}
}
