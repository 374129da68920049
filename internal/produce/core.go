package produce

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Why a batch may end without an answer of the broker's own.
var (
	// ErrNotSent says of a record that it was not sent, because an earlier one
	// failed or the run was interrupted.
	ErrNotSent = errors.New("not sent")
	// ErrDeliveryTimeout says that a record was not acknowledged in time.
	ErrDeliveryTimeout = errors.New("not acknowledged within the delivery timeout")
	// ErrRetries says that a record failed more often than may be.
	ErrRetries = errors.New("given up after retries")

	errNoResult = errors.New("the broker's answer leaves it out")
)

// maxSequenced is how many batches of a partition may be on the wire with
// sequences: what a broker remembers to tell duplicates by.
const maxSequenced = 5

// maxRequest is where a request is full enough; one batch alone may be larger.
const maxRequest = 4 << 20

// rules are what the core needs to know of Config.
type rules struct {
	txn         bool // the id is a transaction's: there can be no other
	acks        int16
	maxInFlight int
	retries     int // -1: until the deadline
	backoff     time.Duration
	delivery    time.Duration
	flush       time.Duration // how long a halted run sees to what is on its way
	keepGoing   bool
	// timeoutsFinal: REQUEST_TIMED_OUT is no reason to try again.
	timeoutsFinal bool
}

// core decides what is sent where, in which order, and what became of it. It
// does no I/O, has no goroutine and knows no clock but what it is told, so that
// every order of events can be tried. Each partition is a lane: after any bad
// answer a lane sends nothing until all it has on the wire is answered; then the
// same bytes go again, in the order of their sequences.
type core struct {
	rules
	// settled takes every batch once: err nil is acknowledged, at base (-1
	// unknown); doubt says that it may stand in the log in spite of err.
	settled func(b *Batch, base int64, err error, doubt bool)
	// halve cuts a batch that is too large. without gives a batch without the
	// records at fault, which it settles; nil where it cannot.
	halve   func(b *Batch) (x, y *Batch, err error)
	without func(b *Batch) *Batch
	// repeating hears of a batch that will be sent again for a reason; nil: nobody does.
	repeating func(b *Batch)
	// simplified hears that sequences are done without, and why; nil: nobody does.
	simplified func(why error)

	dice func(n int64) int64 // for jitter

	lanes map[broker.TP]*lane
	busy  []*lane // lanes with batches
	turn  int     // where the next request begins among busy
	flown map[int32]int

	id      identity        // newest
	first   map[int32]int64 // the sequence a partition begins with, 0 where nothing is said
	wantID  bool            // a lane waits for one newer than id
	idErr   error           // why the last attempt to have one came to nothing
	stale   bool            // metadata has to be asked for
	halting error           // set: nothing more is sent but what is in doubt
	finish  time.Time
	now     time.Time
	took    time.Time      // when a batch was last stored
	killed  map[int32]bool // nodes whose connections must be cut
	twice   int64          // records sent again without idempotence, though the first may be stored
}

func newCore(r rules) *core {
	return &core{rules: r, dice: rand.Int64N, lanes: make(map[broker.TP]*lane), flown: make(map[int32]int), killed: make(map[int32]bool)}
}

// request is what goes to a leader at once, a batch per partition.
type request struct {
	node    int32
	topicID wire.UUID
	batches []*Batch
}

// lane gives a partition's lane, made when first asked for.
func (c *core) lane(tp broker.TP) *lane {
	l := c.lanes[tp]
	if l == nil {
		l = &lane{tp: tp, leader: -1, epoch: -1}
		c.lanes[tp] = l
	}
	return l
}

// enqueue takes a closed batch, whose bytes may not be sealed yet.
func (c *core) enqueue(b *Batch, now time.Time) {
	c.now = now
	l := c.lane(b.tp)
	b.seq, b.deadline = unsequenced, now.Add(c.delivery)
	l.queue = append(l.queue, b)
	c.work(l)
}

// ready says that a queued batch has its bytes.
func (c *core) ready(b *Batch) {
	b.sealed = true
	if c.halting != nil {
		c.unload(c.lanes[b.tp])
	}
}

// spoilt says that a queued batch could not be given its bytes.
func (c *core) spoilt(b *Batch, err error) {
	l := c.lanes[b.tp]
	l.queue = slices.DeleteFunc(l.queue, func(q *Batch) bool { return q == b })
	b.last = err
	c.refuse(b)
}

// work puts a lane among the busy.
func (c *core) work(l *lane) {
	if !l.busy {
		l.busy = true
		c.busy = append(c.busy, l)
	}
}

// done says that nothing is left to be settled.
func (c *core) done() bool {
	for _, l := range c.busy {
		if len(l.queue)+len(l.flight) > 0 {
			return false
		}
	}
	return true
}

// requests gives what may leave now. Every request given must be answered,
// through answered.
func (c *core) requests(now time.Time) []*request {
	c.now = now
	var out []*request
	at := make(map[int32]*request)
	size := make(map[int32]int)
	for more := true; more; {
		more = false
		clear(at)
		clear(size)
		for i := range c.busy {
			l := c.busy[(c.turn+i)%len(c.busy)]
			b := c.head(l)
			if b == nil {
				continue
			}
			r := at[l.leader]
			if r == nil {
				if c.flown[l.leader] >= c.maxInFlight {
					continue
				}
				r = &request{node: l.leader}
				at[l.leader] = r
				out = append(out, r)
				c.flown[l.leader]++
				more = true
			} else if size[l.leader]+len(b.wire) > maxRequest {
				more = true
				continue
			}
			size[l.leader] += len(b.wire)
			c.launch(l, b)
			r.batches = append(r.batches, b)
		}
		if len(c.busy) > 0 {
			c.turn = (c.turn + 1) % len(c.busy)
		}
	}
	return out
}

// launch puts the lane's first batch on the wire.
func (c *core) launch(l *lane, b *Batch) {
	l.queue = l.queue[1:]
	l.flight = append(l.flight, b)
	l.wire++
	b.waiting, b.bygone, b.node, b.answer = true, false, l.leader, answer{}
	if b.seq >= 0 || !l.id.sequenced() {
		b.id = l.id
		if b.doubt && !l.id.sequenced() {
			c.twice += int64(b.count)
		}
		return
	}
	b.id, b.seq, b.told = l.id, l.next, false
	l.next = b.end()
}

// answered takes the answers to a request, one each for its batches.
func (c *core) answered(r *request, answers []answer, now time.Time) {
	c.now = now
	c.flown[r.node]--
	for i, b := range r.batches {
		l := c.lanes[b.tp]
		b.waiting, b.answer = false, answers[i]
		l.wire--
		if answers[i].stale() {
			c.stale = true
		}
		c.hear(l, b)
	}
	for _, b := range r.batches {
		c.ashore(c.lanes[b.tp])
	}
}

// lost takes the news that a request will not be answered.
func (c *core) lost(r *request, err error, unsent bool, now time.Time) {
	answers := make([]answer, len(r.batches))
	for i := range answers {
		answers[i] = answer{lost: true, unsent: unsent, base: -1, err: err}
	}
	c.answered(r, answers, now)
}

// leads takes what metadata says of a partition. News older than what a
// broker hinted at are passed over.
func (c *core) leads(tp broker.TP, node, epoch int32) {
	l := c.lane(tp)
	if epoch >= 0 && epoch < l.epoch {
		return
	}
	if node >= 0 && (node != l.leader || epoch > l.epoch) {
		l.until = time.Time{} // the reason to wait has gone
	}
	l.leader, l.epoch = node, epoch
}

// identified takes the id that wantID asked for.
func (c *core) identified(id identity) {
	c.id, c.wantID, c.idErr = id, false, nil
	for _, l := range c.busy {
		c.renew(l)
	}
}

// halt stops sending for good: what cannot stand in the log is settled as not
// sent, what is on the wire or in doubt is seen to its end.
func (c *core) halt(err error) {
	if c.halting != nil {
		return
	}
	c.halting = err
	c.hurry()
	for _, l := range c.busy {
		c.unload(l)
	}
}

// hurry bounds the time left for all that is on its way.
func (c *core) hurry() {
	if c.finish.IsZero() {
		c.finish = c.now.Add(c.flush)
	}
}

// unload drops what a halted lane has no more use for.
func (c *core) unload(l *lane) {
	keep := l.queue[:0]
	for _, b := range l.queue {
		if b.doubt || !b.sealed { // a sealer's batch is dropped when it comes back
			keep = append(keep, b)
		} else {
			c.drop(b, ErrNotSent)
		}
	}
	clear(l.queue[len(keep):])
	l.queue = keep
}

// wake does what time demands: batches past their deadline are settled, or, on
// the wire, their connection is cut so that they can be. It gives the time of
// the next thing to do, zero for none.
func (c *core) wake(now time.Time) (next time.Time) {
	c.now = now
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	keep := c.busy[:0]
	for _, l := range c.busy {
		c.expire(l)
		if len(l.queue)+len(l.flight) == 0 {
			l.busy = false
			continue
		}
		keep = append(keep, l)
		if l.wire > 0 {
			if due := c.due(l.flight[0]); due.After(now) {
				sooner(due)
			} else {
				c.killed[l.flight[len(l.flight)-1].node] = true
			}
		}
		if len(l.queue) > 0 && l.queue[0].sealed {
			sooner(c.due(l.queue[0]))
			if l.until.After(now) {
				sooner(l.until)
			}
		}
	}
	clear(c.busy[len(keep):])
	c.busy = keep
	return next
}

// simplify goes on without sequences where the log has no place for them. Nothing
// of the lane was stored, is on the wire or in doubt.
func (c *core) simplify(l *lane) {
	first := c.id.sequenced()
	c.id, c.wantID = anonymous(), false
	l.id, l.next, l.proven, l.ghost, l.renew = c.id, 0, 0, false, false
	for _, b := range l.queue {
		b.unnumber()
	}
	if first && c.simplified != nil {
		c.simplified(l.queue[0].last)
	}
}

// due is when a batch must be settled.
func (c *core) due(b *Batch) time.Time {
	if !c.finish.IsZero() && c.finish.Before(b.deadline) {
		return c.finish
	}
	return b.deadline
}

// pause is how long to wait before the n-th attempt that follows a failure:
// doubling, up to a second or the first pause where that is longer, with a fifth
// of jitter.
func (c *core) pause(n int) time.Duration {
	d := c.backoff
	for range min(n-1, 10) {
		d = min(2*d, max(time.Second, c.backoff))
	}
	return d*4/5 + time.Duration(c.dice(int64(d)*2/5+1))
}

// drop settles a batch that is not in the log.
func (c *core) drop(b *Batch, why error) { c.settled(b, -1, because(why, b.last), false) }

// abandon settles a batch whose time or attempts are used up.
func (c *core) abandon(b *Batch, why error) {
	last := b.last
	if last == nil {
		last = c.idErr // what was never sent may have waited for that
	}
	err := because(why, last)
	c.fail(b, err)
	if !c.keepGoing && c.finish.IsZero() {
		c.halt(err)
	}
}

// refuse settles a batch that the broker will not have.
func (c *core) refuse(b *Batch) {
	c.fail(b, b.last)
	if !c.keepGoing {
		c.halt(b.last)
	}
}

// fail settles a batch with an error.
func (c *core) fail(b *Batch, err error) {
	if b.doubt {
		c.lanes[b.tp].ghost = true
	}
	c.settled(b, -1, err, b.doubt)
}

// hint takes a leader that a broker named in an answer (KIP-951).
func (c *core) hint(l *lane, at wire.LeaderAndEpoch) {
	if at.LeaderID >= 0 && at.LeaderEpoch > l.epoch {
		l.leader, l.epoch, l.moved = at.LeaderID, at.LeaderEpoch, true
	}
}
