package consume

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// eventKind is what the router can be told.
type eventKind int8

const (
	nothing    eventKind = iota
	added                // a partition to read
	endMoved             // Session.SetEnd
	dropped              // Session.Drop
	rewound              // Session.Rewind
	fetched              // its end is reached, by header
	stopped              // Options.Stop ended it
	failed               // for good
	lost                 // its leader is elsewhere, or cannot be reached
	moved                // the leader names a replica to ask
	outOfRange           // its position is not in the log
	stalled              // the log seems to end before the range
	recovered            // an outage that was noted is over
)

// event is news of one partition.
type event struct {
	kind eventKind
	p    *Partition
	err  error
	hint wire.LeaderAndEpoch // where the broker says the leader is (KIP-951)
	tp   broker.TP           // of endMoved
	end  int64
	// silent is how long the broker had been so when it was lost.
	silent time.Duration
}

// leaves says that the lane gave the partition back with it.
func (e *event) leaves() bool {
	switch e.kind {
	case fetched, failed, lost, moved, outOfRange, stalled:
		return true
	}
	return false
}

// post tells the router. It never waits.
func (s *Session) post(e event) {
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	poke(s.wake)
}

// router knows which lane has each partition, and what those without one wait
// for. All of it belongs to the goroutine of Session.Run.
type router struct {
	parts  map[broker.TP]*Partition
	past   []Outcome // of partitions that failed and were dropped then
	waits  map[*Partition]*wait
	byNode map[int32][]*lane
	lanes  sync.WaitGroup // lanes and the repair under way
	repair chan []fix     // its result; nil without one
	began  time.Time
	idle   bool

	down  map[*Partition]bool // unreadable for a while
	since time.Time           // the first of them
	noted bool                // and this was said
}

// wait is a partition that no lane has.
type wait struct {
	kind eventKind
	due  time.Time
	err  error
	hint wire.LeaderAndEpoch
	busy bool // in the repair under way
}

// route hands partitions to lanes and helps those in trouble until all have
// ended, ctx ends, or no record has come for Options.Idle.
func (s *Session) route(ctx context.Context) error {
	s.router = router{
		parts: make(map[broker.TP]*Partition), waits: make(map[*Partition]*wait),
		byNode: make(map[int32][]*lane), down: make(map[*Partition]bool), began: time.Now(),
	}
	r := &s.router
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		s.takeEvents(ctx)
		if s.through() {
			return nil
		}
		s.help(ctx)
		now := time.Now()
		wake := s.idleCheck(now)
		if r.idle {
			return nil
		}
		for _, w := range r.waits {
			if !w.busy && r.repair == nil {
				wake = min(wake, w.due.Sub(now))
			}
		}
		wake = min(wake, s.noteTrouble(now))
		timer.Reset(max(wake, 0))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case fixes := <-r.repair:
			r.repair = nil
			for i := range fixes {
				s.apply(ctx, &fixes[i])
			}
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// through says that nothing is left to read and nothing more will come.
func (s *Session) through() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live == 0 && !s.open && (len(s.held) > 0 || !s.o.Follow)
}

// idleCheck sets idle when no record has come for long enough, or says when to
// look again. The clock of a session runs from the first answer of each leader,
// or the start of a slow connection would count as silence of the log.
func (s *Session) idleCheck(now time.Time) (again time.Duration) {
	const long = time.Hour
	if s.o.Idle <= 0 {
		return long
	}
	r := &s.router
	if !s.ready.Load() {
		s.noteLast(now)
		return s.o.Idle
	}
	if left := s.o.Idle - now.Sub(s.born.Add(time.Duration(s.last.Load()))); left > 0 {
		return left
	}
	soon := min(s.o.Idle, 50*time.Millisecond)
	if !s.out.quiet() {
		return soon
	}
	if now.Sub(r.began) < s.o.Timeout {
		for _, p := range r.parts {
			if p.state != ended && !p.heard.Load() {
				return soon
			}
		}
	}
	r.idle = true
	return 0
}

func (s *Session) takeEvents(ctx context.Context) {
	s.mu.Lock()
	events := s.events
	s.events = nil
	s.mu.Unlock()
	for i := range events {
		s.handle(ctx, &events[i])
	}
}

// takeLast hears of damage that was found after everything was fetched.
func (s *Session) takeLast() {
	s.mu.Lock()
	events := s.events
	s.events = nil
	s.mu.Unlock()
	for i := range events {
		if e := &events[i]; e.kind == failed {
			s.fail(e.p, e.err)
		}
	}
}

func (s *Session) handle(ctx context.Context, e *event) {
	r, p := &s.router, e.p
	switch e.kind {
	case added:
		if p.stopped.Load() {
			s.ended() // dropped meanwhile
			return
		}
		r.parts[p.TP] = p
		s.out.begin(p)
		s.hold(p, e, 0)
		return
	case rewound:
		s.rewind(ctx, p)
		return
	case dropped:
		s.forget(p)
		return
	case endMoved:
		if p = r.parts[e.tp]; p != nil && e.end < p.end.Load() {
			p.end.Store(e.end)
			if p.state == waiting && p.through() {
				s.end(p, nil)
			}
		}
		return
	}
	if p.state == ended || r.parts[p.TP] != p {
		// Damage is found late: after the last header, or after the log was cut back.
		if e.kind == failed {
			s.fail(p, e.err)
		}
		return
	}
	switch e.kind {
	case fetched, stopped:
		s.end(p, nil)
	case failed:
		s.end(p, e.err)
	case moved:
		p.route.node, p.route.away = e.hint.LeaderID, true
		s.dispatch(ctx, p)
	case recovered:
		s.up(p)
	default:
		s.trouble(p, e)
	}
}

// goneAfter is how long a topic may be unknown before it counts as deleted: a
// broker that has just started may not have heard of all topics.
const goneAfter = 5 * time.Second

// trouble decides whether there is still hope for p.
func (s *Session) trouble(p *Partition, e *event) {
	now := time.Now()
	p.state = waiting
	p.trouble(now.Add(-e.silent))
	if e.kind == outOfRange && p.route.away {
		e.kind = lost // the replica may lag behind; the leader knows
	}
	if e.err != nil {
		if err := s.hopeless(p, e.err, now.Sub(p.since)); err != nil {
			s.end(p, err)
			return
		}
	}
	if e.err != nil {
		s.client.Retrying(fmt.Sprintf("%s:%d", p.Topic, p.Partition), e.err)
	}
	p.tries++
	s.hold(p, e, s.backoff(p.tries))
}

// hopeless is the error p ends with after trouble for so long, nil to go on trying.
func (s *Session) hopeless(p *Partition, err error, since time.Duration) error {
	switch {
	case !passing(err):
		return err
	case s.follows(p):
		return nil
	case since >= goneAfter && errors.Is(err, wire.UnknownTopicOrPartition):
		return err
	case since >= s.o.Timeout:
		return &StalledError{After: s.o.Timeout, End: p.end.Load(), Err: err}
	}
	return nil
}

// hold keeps p until it is due for help.
func (s *Session) hold(p *Partition, e *event, d time.Duration) {
	p.state = waiting
	s.router.waits[p] = &wait{kind: e.kind, due: time.Now().Add(d), err: e.err, hint: e.hint}
	if p.through() {
		s.end(p, nil)
	}
}

// backoff is the pause before the n-th try: none before the first, for most
// often a leader has moved and metadata knows where to.
func (s *Session) backoff(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	d := min(s.client.Config().RetryBackoff<<min(n-2, 10), time.Second)
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// passing says that an error may go away by itself.
func passing(err error) bool {
	var code wire.Code
	switch {
	case errors.Is(err, wire.ErrVersion):
		return false
	case !errors.As(err, &code):
		return true // the network's
	case code == wire.UnknownServerError, code == wire.UnknownTopicOrPartition, code == wire.OffsetOutOfRange:
		return true // a leader that has not caught up says these
	}
	return code.Retriable()
}

// end is the end of p, by err unless that is nil.
func (s *Session) end(p *Partition, err error) {
	r := &s.router
	p.state = ended
	delete(r.waits, p)
	if delete(r.down, p); len(r.down) == 0 {
		r.noted = false
	}
	if err != nil {
		s.fail(p, err)
	}
	s.out.end(p)
	s.ended()
}

// ended counts one partition less to read.
func (s *Session) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live--; s.live == 0 {
		poke(s.calm)
	}
}

// fail keeps the first error of a partition, and tells of it.
func (s *Session) fail(p *Partition, err error) {
	if p.fate.err != nil || !s.holds(p) {
		return
	}
	p.fate.err = located(p, err)
	s.speak.Lock()
	defer s.speak.Unlock()
	s.o.OnFail(p.TP, p.fate.err)
}

// located says where err happened, unless it does itself.
func located(p *Partition, err error) error {
	var at *PartitionError
	var gone *LostError
	if errors.As(err, &at) || errors.As(err, &gone) {
		return err
	}
	return &PartitionError{p.TP, p.next, err}
}

// manyNodes is from how many leaders on each gets one lane only.
const manyNodes = 16

// dispatch gives p to a lane to the node of its route: two lanes where a node
// has several partitions, so that its work and ours overlap.
func (s *Session) dispatch(ctx context.Context, p *Partition) {
	r := &s.router
	delete(r.waits, p)
	p.state = fetching
	lanes := slices.DeleteFunc(r.byNode[p.route.node], func(l *lane) bool { return l.load() < 0 })
	var best *lane
	for _, l := range lanes {
		if best == nil || l.load() < best.load() {
			best = l
		}
	}
	most := 2
	if len(r.byNode) > manyNodes {
		most = 1
	}
	if best == nil || len(lanes) < most && best.load() > 0 || !best.add(p) {
		l := newLane(s, p.route.node, s.patience(p))
		l.add(p)
		lanes = append(lanes, l)
		r.lanes.Go(func() { l.run(ctx) })
	}
	r.byNode[p.route.node] = lanes
	n := 0
	for _, lanes := range r.byNode {
		n += len(lanes)
	}
	s.out.lanes(n)
}
