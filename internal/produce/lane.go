package produce

import (
	"context"
	"errors"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// lane is one partition's order of delivery. What is in flight and queued, in
// that order, is in the order of the input and of the sequences given; batches
// without a sequence come last.
type lane struct {
	tp     broker.TP
	leader int32 // -1 nobody known
	epoch  int32 // the leader's

	id     identity
	next   int64 // sequence of the next fresh batch
	proven int64 // all below it, under this id, is in the log
	proved bool  // something was stored under this id
	ghost  bool  // something was settled as unknown under this id
	renew  bool  // nothing can be sent but under a newer id

	flight   []*Batch // sent, and not settled since
	wire     int      // how many of them are unanswered
	draining bool     // an answer was bad: send nothing until none is unanswered
	queue    []*Batch // to be sent
	busy     bool

	moved    bool // a broker named another leader
	failures int  // in a row
	until    time.Time
	missing  time.Time // since when brokers say that the partition does not exist
}

// patience is how long a partition may be said not to exist: metadata of
// different brokers differ for a moment after a topic was made, and one that has
// just started knows none of its topics for a while.
const patience = 30 * time.Second

// electing bounds the pause after a leader said that it is none: metadata may name
// it already, and it takes its office at any moment.
const electing = 200 * time.Millisecond

// head is the batch the lane may send now, nil for none.
func (c *core) head(l *lane) *Batch {
	if len(l.queue) == 0 || l.draining || l.leader < 0 || l.until.After(c.now) {
		return nil
	}
	b := l.queue[0]
	if !b.sealed {
		return nil
	}
	if !l.id.known {
		l.id, l.next = c.id, c.first[l.tp.Partition]
		l.proven = l.next
	}
	switch {
	case !l.id.known, l.renew:
		return nil
	case l.wire > 0 && l.flight[len(l.flight)-1].node != l.leader:
		return nil // the old leader's answers first
	case !l.id.sequenced():
		// Without sequences only one on the wire at a time stays in order.
		if l.wire > 0 && c.acks != 0 {
			return nil
		}
	case l.wire >= maxSequenced:
		return nil
	case l.wire > 0 && !l.proved:
		// A broker that knows nothing of us takes any sequence, so that the second
		// batch could be stored though the first was not.
		return nil
	case b.seq < 0 && l.doubtful():
		return nil
	}
	return b
}

// doubtful says that some batch of the lane may or may not be in the log.
func (l *lane) doubtful() bool {
	for _, b := range l.flight {
		if b.doubt {
			return true
		}
	}
	return doubtful(l.queue)
}

func doubtful(list []*Batch) bool {
	for _, b := range list {
		if b.doubt {
			return true
		}
		if b.seq < 0 && b.id.sequenced() || !b.id.known {
			return false // never sent, nor is what follows
		}
	}
	return false
}

// hear takes one answer. What it means is decided once all are answered, but
// for success.
func (c *core) hear(l *lane, b *Batch) {
	if b.answer.code == wire.CorruptMessage {
		b.damaged++
	}
	var doubt bool
	b.fate, doubt = b.verdict()
	if b.fate == stored {
		c.stored(l, b)
		return
	}
	b.doubt = b.doubt || doubt && !b.bygone
	if b.last == nil || !errors.Is(b.answer.err, context.Canceled) { // our own doing, when the time is up
		b.last = b.answer.err
	}
	c.hint(l, b.answer.leader)
	// While something is in doubt, a wrong sequence is what to expect of the
	// batches around it: let all that is in doubt be sent and judged.
	if b.fate != sequence || !l.doubtful() {
		l.draining = true
	}
}

// stored settles a batch that is in the log, and those before it that can only
// have been refused because they are there already.
func (c *core) stored(l *lane, b *Batch) {
	l.failures, l.missing = 0, time.Time{}
	c.took = c.now
	if !b.bygone {
		if l.id.sequenced() {
			l.proven = max(l.proven, b.end())
		}
		l.proved = true
	}
	keep := l.flight[:0]
	before := true
	for _, f := range l.flight {
		switch {
		case f == b:
			before = false
			base := b.answer.base
			if b.answer.code != wire.None {
				base = -1
			}
			c.settled(b, base, nil, false)
		case before && !f.waiting && f.fate == sequence && f.doubt:
			c.settled(f, -1, nil, false)
		default:
			keep = append(keep, f)
		}
	}
	clear(l.flight[len(keep):])
	l.flight = keep
}

// ashore decides what becomes of the batches that were not stored, once all of
// the lane are answered.
func (c *core) ashore(l *lane) {
	if l.wire > 0 || len(l.flight) == 0 {
		return
	}
	if !l.draining && doubtful(l.queue) {
		return // those are sent first
	}
	list := l.flight
	l.flight, l.draining = nil, false
	t := triage{core: c, lane: l, hole: -1, doubt: doubtful(list) || doubtful(l.queue)}
	for _, b := range list {
		t.see(b)
	}
	l.queue = append(t.keep, l.queue...)
	switch {
	case t.unformed:
		c.simplify(l)
	case c.halting != nil && !t.moving && t.wrong:
		c.outOfOrder(l, len(t.keep))
	case t.hole >= 0:
		c.mend(l, t.hole, t.unknown)
	case t.wrong && !t.moving:
		c.outOfOrder(l, len(t.keep))
	}
	switch {
	case t.failed:
		l.failures++
		if !l.moved {
			d := c.pause(l.failures)
			if t.astray {
				d = min(d, max(electing, c.backoff))
			}
			l.until = c.now.Add(d)
		}
	case t.early:
		l.failures++
		l.until = c.now.Add(min(time.Millisecond<<min(l.failures, 10), c.backoff))
	}
	l.moved = false
	if c.halting != nil {
		c.unload(l)
	}
}

// mend closes the gap that a batch leaves in the sequences when it will never be
// stored. Nothing of the lane is on the wire. While another batch is in doubt
// nothing may be renumbered: it is sent as it is, and either is stored, or is
// told a wrong sequence, which outOfOrder then deals with.
func (c *core) mend(l *lane, hole int64, unknown bool) {
	if !l.id.sequenced() || doubtful(l.queue) {
		return
	}
	if unknown {
		// It may still arrive. A newer epoch bars it from arriving later.
		c.retire(l)
		return
	}
	for _, b := range l.queue {
		if b.seq >= hole {
			b.unnumber()
		}
	}
	l.next = hole
}

// outOfOrder deals with the first n batches of the queue when all of them were
// told that their sequence is wrong, and nothing before them failed: the broker
// has lost what it knew of us, or has more of us than it said.
func (c *core) outOfOrder(l *lane, n int) {
	if doubtful(l.queue[n:]) {
		return // not all are judged; send again
	}
	rest := l.queue[:0]
	var refused []*Batch // in the end: that may empty the queue
	for i, b := range l.queue {
		switch {
		case i >= n:
			rest = append(rest, b)
		case b.doubt && b.end() <= l.proven:
			c.settled(b, -1, nil, false)
		case b.end() <= l.proven:
			refused = append(refused, b) // something behind it is stored: it cannot be in order any more
		case b.doubt && (l.ghost || b.answer.code != wire.OutOfOrderSequenceNumber):
			// A broker that forgot us cannot tell. Nor does one that remembers, when a
			// lost batch before this one may still arrive, and this one's first attempt
			// behind it.
			refused = append(refused, b)
		default:
			// Had it been stored, then either it or one in doubt behind it would be the
			// last the broker has of us, and would have been known as a duplicate. And
			// it cannot arrive late, for what is before it in sequence never will.
			rest = append(rest, b)
		}
	}
	clear(l.queue[len(rest):])
	l.queue = rest
	for _, b := range refused {
		c.refuse(b)
	}
	c.retire(l)
	if len(l.queue) > 0 {
		l.failures++
		l.until = c.now.Add(c.pause(l.failures))
	}
}

// retire numbers the whole queue anew under a newer id, once there is one.
func (c *core) retire(l *lane) {
	for _, b := range l.queue {
		b.unnumber()
	}
	if c.halting == nil {
		l.renew = true
		c.renew(l)
	}
}

// renew gives a lane that waits for one the newest id.
func (c *core) renew(l *lane) {
	if !l.renew {
		return
	}
	if c.id == l.id {
		c.wantID = true
		return
	}
	l.id, l.next, l.proven, l.proved, l.ghost, l.renew = c.id, 0, 0, false, false, false
}

// expire settles what is past its deadline and not on the wire.
func (c *core) expire(l *lane) {
	if l.wire > 0 {
		return
	}
	if len(l.flight) > 0 && !c.due(l.flight[0]).After(c.now) {
		// Answered, and waiting for others in doubt that cannot be sent.
		l.queue = append(l.flight, l.queue...)
		l.flight, l.draining = nil, false
	}
	if len(l.flight) > 0 {
		return
	}
	hole, unknown := int64(-1), false
	for len(l.queue) > 0 && !c.due(l.queue[0]).After(c.now) {
		b := l.queue[0]
		if !b.sealed {
			break // its bytes are with a sealer
		}
		l.queue = l.queue[1:]
		if hole < 0 && b.seq >= 0 {
			hole = b.seq
		}
		unknown = unknown || b.doubt
		c.abandon(b, ErrDeliveryTimeout)
	}
	if hole >= 0 {
		c.mend(l, hole, unknown)
	}
}
