package consume

import (
	"context"
	"sync/atomic"
)

// stream is the outlet whose chunks are worked off in the order they come.
type stream struct {
	pool  *pool
	queue chan *chunk
	open  atomic.Int64 // chunks put and not dealt with
}

// queueLength bounds chunks without memory of the pool; the pool bounds the rest.
const queueLength = 64

func newStream() *stream { return &stream{pool: newPool(), queue: make(chan *chunk, queueLength)} }

func (s *stream) get(ctx context.Context, _ *Partition, n int) (*chunk, error) {
	return s.pool.get(ctx, n)
}

func (s *stream) put(ctx context.Context, c *chunk) error {
	s.open.Add(1)
	select {
	case s.queue <- c:
		return nil
	case <-ctx.Done():
		s.open.Add(-1)
		return context.Cause(ctx)
	}
}

func (s *stream) wants(*Partition) bool { return true }

func (s *stream) begin(*Partition) {}

func (s *stream) end(*Partition) {}

func (s *stream) quiet() bool { return s.open.Load() == 0 }

func (s *stream) lanes(n int) { s.pool.size(n) }
