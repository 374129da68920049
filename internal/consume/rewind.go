package consume

import (
	"context"
	"maps"
	"slices"
	"sync"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// Rewind moves partitions to positions, back or forth, within ranges that end
// where they did. When it returns, what was fetched, what sinks hold, and what is
// still said of them from before is dropped, progress that nobody committed
// included, and they are read from there. A position that is no longer in the
// log becomes its start. Partitions the session does not hold are left out.
//
// It may be called while a session runs that follows, but not by a sink. Its
// error is ctx's, or a sink's that could not be flushed; then nothing was moved,
// and the partitions stay as Drop would leave them.
func (s *Session) Rewind(ctx context.Context, at map[broker.TP]int64) error {
	s.mu.Lock()
	var ps []*Partition
	for _, tp := range slices.SortedFunc(maps.Keys(at), compareTP) {
		p := s.held[tp]
		if p == nil {
			continue
		}
		for q := p; q != nil; q = q.before {
			q.gone.Store(true)
			q.stopped.Store(true)
		}
		ps = append(ps, p)
	}
	s.mu.Unlock()
	if err := s.barrier(ctx, ps); err != nil {
		return err
	}
	if s.commits.Progress != nil {
		s.commits.Progress.kill(ps)
	}
	s.mu.Lock()
	for _, p := range ps {
		if s.held[p.TP] != p {
			continue // dropped meanwhile
		}
		q := newPartition(p.TP, offsets.Range{From: at[p.TP], To: p.end.Load()}, p.fate)
		q.before, q.rewound = p, true
		s.held[p.TP] = q
		s.live++
		s.events = append(s.events, event{p: q, kind: rewound})
	}
	s.mu.Unlock()
	poke(s.wake)
	return nil
}

// rewind puts a Partition that was moved into its predecessor's place.
func (s *Session) rewind(ctx context.Context, q *Partition) {
	if old := s.router.parts[q.TP]; old != nil && old.state != ended {
		s.end(old, nil)
	}
	s.handle(ctx, &event{p: q, kind: added})
}

// Batch is a stretch of reading whose offsets count as a whole: what is marked
// in it is stored and gone on from, whatever is not is read again. An error
// undoes it all.
type Batch struct {
	s *Session

	mu    sync.Mutex
	from  map[broker.TP]int64
	marks map[broker.TP]int64
}

// Batch begins one where the session's partitions have got to.
func (s *Session) Batch() *Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &Batch{s: s, from: make(map[broker.TP]int64, len(s.held)), marks: make(map[broker.TP]int64)}
	for tp, p := range s.held {
		b.from[tp] = p.told.Load()
	}
	return b
}

// Mark says that everything up to and with offset is done. It never goes back.
func (b *Batch) Mark(tp broker.TP, offset int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marks[tp] = max(b.marks[tp], offset+1)
}

// Marked says that End would store something.
func (b *Batch) Marked() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.marks) > 0
}

// End stores what is marked and goes on behind it; partitions without a mark go
// back to where the batch began. With a failure, or where storing has one,
// nothing counts: all go back, and it is returned.
func (b *Batch) End(ctx context.Context, failure error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := maps.Clone(b.from)
	if failure == nil && len(b.marks) > 0 {
		failure = b.store(ctx)
	}
	if failure == nil {
		maps.Copy(at, b.marks)
	}
	if err := b.s.Rewind(ctx, at); failure == nil {
		failure = err
	}
	clear(b.marks)
	b.from = at
	return failure
}

func (b *Batch) store(ctx context.Context) error {
	k := &b.s.commits
	if !k.on() {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	at := make(map[broker.TP]offsets.Stored, len(b.marks))
	for tp, next := range b.marks {
		at[tp] = offsets.Stored{Offset: next, LeaderEpoch: -1}
	}
	failed, err := k.To.Commit(ctx, at)
	for _, tp := range slices.SortedFunc(maps.Keys(failed), compareTP) {
		if err == nil {
			err = failed[tp]
		}
	}
	if err != nil {
		return &CommitError{At: at, Err: err}
	}
	return nil
}
