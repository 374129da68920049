package consume

import (
	"context"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// lane is one connection to a leader, some of its partitions, and one fetch out.
// It ends when it has no partition left, and gives all back when its connection does.
type lane struct {
	s    *Session
	node int32
	wake chan struct{} // new partitions, or a wish for records
	// patience is how long the broker may be silent.
	patience time.Duration

	mu     sync.Mutex
	joined []*Partition // since the last round
	held   int          // partitions, joined ones included
	closed bool

	// Of the lane's goroutine.
	parts  []*Partition // those longest without records first
	addr   string       // of the node, once connected
	cutter cutter
	watch  *watchdog
	req    wire.FetchRequest
	resp   wire.FetchResponse
	asked  map[askKey]*asking
	topics map[askKey]int // where a topic stands in req
	idle   int            // rounds in a row that brought nothing and took no time
}

// askKey is how an answer names a partition: by topic id from Fetch version 13,
// by name below.
type askKey struct {
	name  string
	id    wire.UUID
	index int32
}

// asking is a partition within one round.
type asking struct {
	p        *Partition
	answered bool
	bytes    int32 // asked for
	cut      cutting
}

func newLane(s *Session, node int32, patience time.Duration) *lane {
	l := &lane{s: s, node: node, patience: patience, wake: make(chan struct{}, 1), asked: make(map[askKey]*asking), topics: make(map[askKey]int)}
	l.resp = wire.Default[wire.FetchResponse]()
	return l
}

// patience is how long a leader may be silent beside the wait it was asked for:
// at first a part of the time only, since the connection may be what is dead, and
// afterwards what is left of it.
func (s *Session) patience(p *Partition) time.Duration {
	d := s.o.Timeout / 3
	if !p.since.IsZero() {
		d = max(d, s.o.Timeout-time.Since(p.since))
	}
	return d + s.o.Fetch.Wait
}

// add gives the lane a partition; false when it has ended.
func (l *lane) add(p *Partition) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	p.lane.Store(l)
	l.joined = append(l.joined, p)
	l.held++
	poke(l.wake)
	return true
}

// load is how many partitions the lane has, -1 when it has ended.
func (l *lane) load() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return -1
	}
	return l.held
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// admit takes in who joined and lets go of who stopped. Without anybody left the
// lane ends.
func (l *lane) admit() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts = append(l.parts, l.joined...)
	l.joined = l.joined[:0]
	l.parts = slices.DeleteFunc(l.parts, func(p *Partition) bool {
		if p.stopped.Load() {
			return true
		}
		if p.through() { // an empty range, or its end was moved
			l.s.post(event{p: p, kind: fetched})
			return true
		}
		return false
	})
	l.held = len(l.parts)
	l.closed = l.held == 0
	return !l.closed
}

// run fetches until nothing is left, ctx ends or the connection fails.
func (l *lane) run(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l.watch = newWatchdog(l.patience, func() { cancel(errSilent) })
	defer l.watch.stop()
	l.cutter = cutter{
		out: l.s.out, committed: l.s.o.Isolation == ReadCommitted,
		arrived: l.watch.touch, blocked: l.watch.pause,
	}
	if err := l.fetchAll(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		l.lose(err)
	}
}

func (l *lane) fetchAll(ctx context.Context) error {
	conn, err := l.s.client.Open(ctx, l.node)
	if err != nil {
		return err
	}
	defer conn.Close()
	l.addr = conn.Addr()
	for l.admit() {
		began := time.Now()
		n := l.ask()
		if n == 0 {
			if err := l.rest(ctx, -1); err != nil {
				return err
			}
			continue
		}
		moved, err := l.round(ctx, conn)
		if err != nil {
			return err
		}
		if err := l.pace(ctx, moved, time.Since(began)); err != nil {
			return err
		}
	}
	return nil
}

// lose gives all partitions back, to be found a leader for.
func (l *lane) lose(err error) {
	l.mu.Lock()
	l.closed = true
	parts := append(l.parts, l.joined...)
	l.held = 0
	l.mu.Unlock()
	var silent time.Duration
	if err == errSilent { //nolint:errorlint // it is a cause of our own
		silent, err = l.patience, l.blame(err)
	}
	for _, p := range parts {
		switch {
		case p.stopped.Load():
		case p.through():
			l.s.post(event{p: p, kind: fetched})
		default:
			l.s.post(event{p: p, kind: lost, err: err, silent: silent})
		}
	}
}

// blame says who did it, and in answer to what.
func (l *lane) blame(err error) error {
	return &broker.RequestError{API: wire.Fetch, Version: -1, Broker: l.addr, Partition: -1, Err: err}
}

// pace keeps a leader that answers at once with nothing, whatever wait it was
// asked for, from being asked without end.
func (l *lane) pace(ctx context.Context, moved bool, took time.Duration) error {
	if moved || took > 10*time.Millisecond {
		l.idle = 0
		return nil
	}
	l.idle++
	return l.rest(ctx, min(time.Millisecond<<min(l.idle-1, 16), l.s.o.Fetch.Wait))
}

// rest waits for d, for ever if negative, or until there may be something to do.
func (l *lane) rest(ctx context.Context, d time.Duration) error {
	l.watch.pause(true)
	defer l.watch.pause(false)
	var due <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-l.wake:
	case <-due:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// ask fills in the request and says how many partitions it names. Those longest
// without records come first, for leaders fill an answer in order up to its limit.
func (l *lane) ask() int {
	o := &l.s.o
	l.req = fetchRequest(o, l.s.client.Config().Rack, l.req.Topics[:0])
	clear(l.asked)
	clear(l.topics)
	n := 0
	for _, p := range l.parts {
		if l.s.out.wants(p) {
			n++
		}
	}
	if n < len(l.parts) { // room for the others may come at any time
		l.req.MaxWaitMs = min(l.req.MaxWaitMs, int32(mergeFastWait.Milliseconds()))
	}
	for _, p := range l.parts {
		if !l.s.out.wants(p) {
			continue
		}
		fp := wire.Default[wire.FetchPartition]()
		fp.Index, fp.CurrentLeaderEpoch, fp.FetchOffset = p.Partition, p.route.epoch, p.next
		fp.MaxBytes = p.bytes(&o.Fetch, n)
		addPartition(&l.req, l.topics, p, fp)
		a := &asking{p: p, bytes: fp.MaxBytes}
		l.asked[askKey{name: p.Topic, index: p.Partition}] = a
		if p.route.topic != (wire.UUID{}) {
			l.asked[askKey{id: p.route.topic, index: p.Partition}] = a
		}
	}
	return n
}

// leaveAlone waits for as long as the broker asked for, which is no silence of
// its own. Who reads a range does not wait for longer than a range may stand still.
func (l *lane) leaveAlone(ctx context.Context, conn *broker.Conn) error {
	wait := conn.Resting()
	if wait > l.s.o.Timeout && !l.following() {
		return l.blame(&restError{wait})
	}
	l.watch.pause(true)
	defer l.watch.pause(false)
	return conn.Rest(ctx)
}

// following says that none of the lane's partitions ends by itself.
func (l *lane) following() bool {
	return !slices.ContainsFunc(l.parts, func(p *Partition) bool { return !l.s.follows(p) })
}

// round sends the request, cuts what comes and acts on it.
func (l *lane) round(ctx context.Context, conn *broker.Conn) (moved bool, err error) {
	if err := l.leaveAlone(ctx, conn); err != nil {
		return false, err
	}
	call, err := conn.Send(ctx, &l.req, -1)
	if err != nil {
		return false, err
	}
	err = call.Recv(ctx, &l.resp, func(path []any, body *wire.Body) error { return l.receive(ctx, path, body) })
	if err == errEnough { //nolint:errorlint // Recv returns it as it is
		return false, nil // nothing is left, so admit ends the lane
	}
	if err != nil {
		return false, err
	}
	return l.settle()
}
