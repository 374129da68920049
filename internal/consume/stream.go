package consume

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"kafkactl/internal/broker"
)

// stream is the outlet whose chunks are worked off in the order they come, each
// partition's by the same worker.
type stream struct {
	pool   *pool
	queues []*queue
	apart  bool // no worker may keep another waiting for chunks

	mu    sync.Mutex
	homes map[broker.TP]*queue // of every partition that ever was
}

// queue is what waits for one worker.
type queue struct {
	chunks chan *chunk
	open   atomic.Int64 // chunks put and not dealt with
	full   atomic.Bool  // it has its share of the pool

	// Of the stream's lock.
	parts map[*Partition]bool // those that more may come of
}

const (
	// queueLength bounds chunks without memory of the pool; the pool bounds the rest.
	queueLength = 64
	// share is how many chunks a worker may have where it may keep nobody waiting:
	// one to work on, and the next.
	share = 2
)

// newStream makes the session's outlet for so many workers.
func (s *Session) newStream(workers int) *stream {
	st := &stream{apart: s.o.Apart && workers > 1, homes: make(map[broker.TP]*queue)}
	for range workers {
		st.queues = append(st.queues, &queue{chunks: make(chan *chunk, queueLength), parts: make(map[*Partition]bool)})
	}
	large := 1
	if st.apart {
		large = workers
		if s.o.Fetch.PartitionBytes <= 0 {
			s.o.Fetch.PartitionBytes = chunkBytes // what finds no room is fetched again
		}
	}
	st.pool = newPool(large)
	st.lanes(0)
	s.mu.Lock()
	s.out = st
	s.mu.Unlock()
	return st
}

func (s *stream) get(ctx context.Context, p *Partition, n int) (*chunk, error) {
	if s.apart && s.home(p).full.Load() {
		return nil, nil //nolint:nilnil // no chunk, and no error either
	}
	return s.pool.get(ctx, n)
}

func (s *stream) put(ctx context.Context, c *chunk) error {
	q := s.home(c.p)
	if q.open.Add(1) >= share {
		q.full.Store(true)
	}
	select {
	case q.chunks <- c:
		return nil
	case <-ctx.Done():
		q.open.Add(-1)
		return context.Cause(ctx)
	}
}

// release gives back a chunk that q's worker is done with, and has its partitions
// asked for again if they were not.
func (s *stream) release(q *queue, c *chunk) {
	c.release()
	if q.open.Add(-1) >= share || !q.full.CompareAndSwap(true, false) || !s.apart {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range q.parts {
		if l := p.lane.Load(); l != nil {
			poke(l.wake)
		}
	}
}

func (s *stream) wants(p *Partition) bool { return !s.apart || !s.home(p).full.Load() }

// begin gives p to the worker that had its topic-partition before, else to the
// one with the fewest: of partitions that begin one after another, the i-th goes
// to worker i mod N.
func (s *stream) begin(p *Partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.homes[p.TP]
	if q == nil {
		q = slices.MinFunc(s.queues, func(a, b *queue) int { return len(a.parts) - len(b.parts) })
		s.homes[p.TP] = q
	}
	q.parts[p] = true
}

func (s *stream) end(p *Partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.homes[p.TP]; q != nil {
		delete(q.parts, p)
	}
}

func (s *stream) home(p *Partition) *queue {
	if len(s.queues) == 1 {
		return s.queues[0]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homes[p.TP]
}

// has says whether the i-th worker has had one of ps.
func (s *stream) has(i int, ps []*Partition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(ps, func(p *Partition) bool { return s.homes[p.TP] == s.queues[i] })
}

func (s *stream) quiet() bool {
	return !slices.ContainsFunc(s.queues, func(q *queue) bool { return q.open.Load() != 0 })
}

func (s *stream) lanes(n int) {
	if s.apart {
		n += share * len(s.queues)
	} else if k := len(s.queues); k > 1 {
		n += k
	}
	s.pool.size(n)
}

func (s *stream) close() {
	for _, q := range s.queues {
		close(q.chunks)
	}
}
