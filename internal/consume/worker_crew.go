package consume

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// crew is the workers of a session.
type crew struct {
	workers []*worker
	stop    context.CancelCauseFunc // ends the session's work

	mu  sync.Mutex
	err error // the first of a sink
}

// errSinks is no sink, or several for what is merged into one order.
var errSinks = errors.New("a session has one sink, or several where no order goes over all partitions")

// startCrew starts a worker for each sink, and says who puts chunks where. drain
// returns once all that was put is dealt with and flushed.
func (s *Session) startCrew(ctx context.Context, stop context.CancelCauseFunc, sinks []Sink) (drain func()) {
	workers := make([]*worker, len(sinks))
	for i := range sinks {
		workers[i] = newWorker(s, sinks[i])
	}
	s.mu.Lock()
	s.crew.workers, s.crew.stop = workers, stop
	s.mu.Unlock()
	var gone sync.WaitGroup
	if s.o.ByTime {
		m := s.newMerge()
		gone.Go(func() { workers[0].run(ctx, func(ctx context.Context) error { return m.run(ctx, workers[0]) }) })
		return func() {
			m.close()
			gone.Wait()
		}
	}
	st := s.newStream(len(sinks))
	for i, w := range workers {
		gone.Go(func() { w.run(ctx, func(ctx context.Context) error { return w.work(ctx, st, st.queues[i]) }) })
	}
	return func() {
		st.close()
		gone.Wait()
	}
}

// halt ends the session for err, a sink's or errFull.
func (s *Session) halt(err error) {
	s.quit.Store(true)
	if !errors.Is(err, errFull) {
		s.crew.mu.Lock()
		if s.crew.err == nil {
			s.crew.err = err
		}
		s.crew.mu.Unlock()
	}
	s.crew.stop(err)
}

// failure is the first error of a sink.
func (s *Session) failure() error {
	s.crew.mu.Lock()
	defer s.crew.mu.Unlock()
	return s.crew.err
}

// delivered is how many records sinks were given.
func (c *crew) delivered() (n int64) {
	for _, w := range c.workers {
		n += w.count
	}
	return n
}

// asks are barriers that wait for a worker to stand between two records.
type asks struct {
	some atomic.Bool
	news chan struct{}

	mu   sync.Mutex
	list []chan<- error
	over bool // the worker is gone
}

// add gives where the answer will come.
func (a *asks) add() <-chan error {
	answer := make(chan error, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		answer <- nil
		return answer
	}
	a.list = append(a.list, answer)
	a.some.Store(true)
	poke(a.news)
	return answer
}

func (a *asks) take() []chan<- error {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.list
	a.list = nil
	a.some.Store(false)
	return list
}

// end answers all that wait, and will.
func (a *asks) end() {
	a.mu.Lock()
	a.over = true
	a.mu.Unlock()
	for _, answer := range a.take() {
		answer <- nil
	}
}

// answer lets those pass who wait for the sink to hold nothing.
func (w *worker) answer(ctx context.Context) error {
	if !w.asks.some.Load() {
		return nil
	}
	list := w.asks.take()
	w.dirty = true
	err := w.release(ctx)
	for _, answer := range list {
		answer <- err
	}
	return err
}

// release delivers at least what the sink has of partitions that are given up.
func (w *worker) release(ctx context.Context) error {
	r, ok := w.sink.(Releaser)
	if !ok {
		return w.flush(ctx)
	}
	err := r.Release(ctx)
	w.failed = w.failed || err != nil
	return err
}

// barrier returns when nothing of ps, which are stopped, is in a worker or its
// sink any more: what was accepted is delivered and told. It waits for the record
// at hand only, not for the queue before it, or for ctx, whose cause it gives.
func (s *Session) barrier(ctx context.Context, ps []*Partition) error {
	var answers []<-chan error
	for _, w := range s.workersOf(ps) {
		answers = append(answers, w.asks.add())
	}
	var errs []error
	for _, answer := range answers {
		select {
		case err := <-answer:
			errs = append(errs, err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return errors.Join(errs...)
}

// workersOf are those whose sinks records of ps went to.
func (s *Session) workersOf(ps []*Partition) []*worker {
	s.mu.Lock()
	workers, out := s.crew.workers, s.out
	s.mu.Unlock()
	st, ok := out.(*stream)
	if !ok {
		return workers
	}
	var some []*worker
	for i, w := range workers {
		if st.has(i, ps) {
			some = append(some, w)
		}
	}
	return some
}
