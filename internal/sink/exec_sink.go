package sink

import (
	"context"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// ExecSink gathers records into batches and gives each to a child on its standard
// input. What a child got is delivered once it exited 0, and told once all
// before it in its partition is. One goroutine uses it; its children have others.
type ExecSink struct {
	x      *Exec
	format Append

	mu      sync.Mutex
	ended   sync.Cond // some batch was settled, or a child's goroutine ended
	err     error     // the first of this sink's own
	open    []*batch  // gathering; those begun first are first
	lines   map[lane][]*batch
	ready   []*batch // nothing is before them
	running map[*batch]bool
	hands   int // goroutines that run children
	waiting int // records in lines behind others
	records int // in batches that are not settled
	size    int // bytes they hold
	parts   map[place]*prefix
	spare   []byte
}

var (
	_ consume.Lingerer = (*ExecSink)(nil)
	_ consume.Releaser = (*ExecSink)(nil)
)

// Sink gives another sink that starts children, for one worker.
func (x *Exec) Sink() *ExecSink {
	s := &ExecSink{
		x: x, format: x.c.Format(), lines: make(map[lane][]*batch),
		running: make(map[*batch]bool), parts: make(map[place]*prefix),
	}
	s.ended.L = &s.mu
	return s
}

// Record implements consume.Sink. It returns when there is room for another child,
// with what a child of this sink failed for.
func (s *ExecSink) Record(ctx context.Context, r *record.Record, m consume.Mark) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.x.stopped(ctx); err != nil {
		s.quiet()
		return err
	}
	b := s.gather(r, m)
	if b.count >= s.x.c.Batch || len(b.stdin) >= execBytes {
		s.submit(ctx, b)
	}
	for s.size >= execTotal && s.x.stopped(ctx) == nil {
		if s.hands > 0 {
			s.ended.Wait()
			continue
		}
		s.submit(ctx, slices.MaxFunc(s.open, func(a, b *batch) int { return a.size - b.size }))
	}
	return s.room()
}

// room waits until another record is of use, and gives this sink's failure once
// none of its children runs any more.
func (s *ExecSink) room() error {
	for s.hands >= s.x.c.Parallel || s.hands > 0 && s.waiting >= execAhead {
		s.ended.Wait()
	}
	if s.err != nil {
		s.quiet()
	}
	return s.err
}

// quiet waits until no child runs.
func (s *ExecSink) quiet() {
	for s.hands > 0 {
		s.ended.Wait()
	}
}

// Skip implements consume.Sink. Behind records that are not delivered it is done
// with them.
func (s *ExecSink) Skip(m consume.Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.part(placeOf(m.P)).pass(m)
	s.tell(placeOf(m.P))
}

// Flush implements consume.Sink: what waits goes to children now, full or not. No
// child is started once ctx ended, for that is an interruption.
func (s *ExecSink) Flush(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.open) > 0 && s.x.stopped(ctx) == nil {
		s.submit(ctx, s.open[0])
		if err := s.room(); err != nil {
			return err
		}
	}
	s.quiet()
	if s.err == nil && s.records > 0 {
		return s.x.stopped(ctx)
	}
	return s.err
}

// Lull implements consume.Lingerer: a batch that is not full goes to its child
// when the log has no more of its partition, and after a second at the latest.
func (s *ExecSink) Lull(ctx context.Context) (again time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.x.stopped(ctx); err != nil && s.records > 0 {
		s.quiet()
		return 0, err
	}
	for _, b := range slices.Clone(s.open) {
		age := time.Since(b.begun)
		if age < execWait && s.x.c.more(s.part(b.place).last) {
			again = sooner(again, execWait-age)
			continue
		}
		s.submit(ctx, b)
		if err := s.room(); err != nil {
			return 0, err
		}
	}
	if s.hands > 0 {
		again = sooner(again, execLook)
	}
	return again, s.err
}

func sooner(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// Release implements consume.Releaser. Of partitions that are taken away, children
// that run are waited for; what has not gone to one comes to whoever gets them.
func (s *ExecSink) Release(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := make(map[place]bool)
	keep := func(list []*batch) []*batch {
		return slices.DeleteFunc(list, func(b *batch) bool {
			if !s.x.c.leaving(b.mark) {
				return false
			}
			left[b.place] = true
			s.forget(b)
			return true
		})
	}
	s.open = keep(s.open)
	for l, list := range s.lines {
		for _, b := range list {
			if s.x.c.leaving(b.mark) {
				s.waiting -= b.count
			}
		}
		s.lines[l] = keep(list)
	}
	for _, b := range s.ready {
		if s.x.c.leaving(b.mark) {
			delete(s.lines, b.lane) // those behind are of the same partition
		}
	}
	s.ready = keep(s.ready)
	for s.leavingRuns() {
		s.ended.Wait()
	}
	for p := range left {
		delete(s.parts, p)
	}
	return s.err
}

func (s *ExecSink) leavingRuns() bool {
	for b := range s.running {
		if s.x.c.leaving(b.mark) {
			return true
		}
	}
	return false
}

// gather puts r into the open batch of its lane.
func (s *ExecSink) gather(r *record.Record, m consume.Mark) *batch {
	l := s.x.lane(r, m)
	p := s.part(l.place)
	i := slices.IndexFunc(s.open, func(b *batch) bool { return b.lane == l })
	if i < 0 {
		b := &batch{lane: l, span: p.begin(), begun: time.Now(), first: r.Offset, timestamp: r.Timestamp, stdin: s.spare[:0]}
		s.spare = nil
		if r.Key != nil {
			b.key = append([]byte{}, r.Key...)
		}
		i = len(s.open)
		s.open = append(s.open, b)
	}
	b := s.open[i]
	p.pass(m)
	s.records++
	s.size += b.add(r, m, s.format, s.x.c.Dead != nil)
	return b
}

// submit closes an open batch and lets it run when those before it in its lane
// have.
func (s *ExecSink) submit(ctx context.Context, b *batch) {
	s.open = slices.DeleteFunc(s.open, func(o *batch) bool { return o == b })
	switch line, busy := s.lines[b.lane]; {
	case b.free:
		s.ready = append(s.ready, b)
	case busy:
		s.lines[b.lane] = append(line, b)
		s.waiting += b.count
	default:
		s.lines[b.lane] = nil
		s.ready = append(s.ready, b)
	}
	if len(s.ready) > 0 && s.hands < s.x.c.Parallel {
		s.hands++
		go s.work(ctx, s.take())
	}
}

func (s *ExecSink) take() *batch {
	b := s.ready[0]
	s.ready = s.ready[1:]
	s.running[b] = true
	return b
}

// work runs one child after another while there is something for them.
func (s *ExecSink) work(ctx context.Context, b *batch) {
	for b != nil {
		err := s.x.deliver(ctx, b)
		s.mu.Lock()
		s.settle(b, err)
		if b = nil; len(s.ready) > 0 && s.x.stopped(ctx) == nil {
			b = s.take()
		} else {
			s.hands--
		}
		s.ended.Broadcast()
		s.mu.Unlock()
	}
}

// settle accounts for a batch that ran. Behind one that failed its lane stands
// still, and its partition's prefix too.
func (s *ExecSink) settle(b *batch, err error) {
	delete(s.running, b)
	if err != nil {
		if s.err == nil {
			s.err = err
		}
		return
	}
	if p := s.parts[b.place]; p != nil {
		p.end(b.span)
		s.tell(b.place)
	}
	if line := s.lines[b.lane]; len(line) > 0 {
		s.waiting -= line[0].count
		s.ready = append(s.ready, line[0])
		s.lines[b.lane] = line[1:]
	} else {
		delete(s.lines, b.lane)
	}
	s.forget(b)
}

// forget gives back what b held.
func (s *ExecSink) forget(b *batch) {
	s.records -= b.count
	s.size -= b.size
	if cap(b.stdin) <= execKeep {
		s.spare = b.stdin
	}
}

// part is what is known of the order in which a partition is delivered.
func (s *ExecSink) part(at place) *prefix {
	p := s.parts[at]
	if p == nil {
		p = new(prefix)
		s.parts[at] = p
	}
	return p
}

// tell passes on how far a partition is delivered without a gap, and keeps nothing
// of one that is delivered wholly. A mark of a run that was given up says nothing
// of the one that took its place.
func (s *ExecSink) tell(at place) {
	p := s.parts[at]
	if m, moved := p.news(); moved && !m.Gone() {
		s.x.c.Done(m)
	}
	if !p.open() {
		delete(s.parts, at)
	}
}
