package consume

import "context"

// barrier waits until the worker has passed everything queued before and flushed
// its sink.
func (s *Session) barrier(ctx context.Context, _ []*Partition) error {
	st, ok := s.out.(*stream)
	if !ok {
		return nil
	}
	c := &chunk{passed: make(chan struct{})}
	select {
	case st.queue <- c:
	case <-s.over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-c.passed:
		return nil
	case <-s.over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
