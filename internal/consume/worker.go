package consume

import (
	"context"
	"sync/atomic"
	"time"
)

// flushEvery bounds how long a record waits in a sink's buffer while the log
// gives much that is filtered out.
const flushEvery = 100 * time.Millisecond

// Lingerer is a Sink that would rather wait for more records than deliver a few.
type Lingerer interface {
	Sink
	// Lull is called in place of Flush when no record waits: it delivers what would
	// wait in vain, and says when to be asked again, 0 once all is delivered.
	Lull(ctx context.Context) (again time.Duration, err error)
}

// Releaser is a Sink that can deliver what it has of partitions that are to be
// given up, and keep the rest.
type Releaser interface {
	Sink
	// Release is called in place of Flush before partitions are given up, those
	// whose marks are Stopped.
	Release(ctx context.Context) error
}

// worker decodes, filters and feeds one sink, in one goroutine: a single one met
// every speed floor on two cores. Others are for sinks that take their time, and
// for what is dear to decode.
type worker struct {
	s      *Session
	sink   Sink
	linger Lingerer // the sink, if it is one
	count  int64    // delivered
	asks   asks

	failed  bool // the sink did
	dirty   bool // the sink has something to flush
	flushed time.Time
}

func newWorker(s *Session, sink Sink) *worker {
	w := &worker{s: s, sink: sink, asks: asks{news: make(chan struct{}, 1)}}
	w.linger, _ = sink.(Lingerer)
	return w
}

// run works and then delivers what is left. ctx is that of Session.Run, for a
// sink is to know an interruption from a session that has read enough.
func (w *worker) run(ctx context.Context, work func(context.Context) error) {
	if err := work(ctx); err != nil {
		w.s.halt(err)
	}
	if err := w.finish(ctx); err != nil {
		w.s.halt(err)
	}
	w.asks.end()
}

// work deals with chunks until there will be none, the sink fails, enough was
// delivered or the session is to quit. The sink is flushed whenever the queue
// is empty, so that a pipe sees each record at once.
func (w *worker) work(ctx context.Context, st *stream, q *queue) error {
	f := &feed{s: w.s}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		c, err := w.next(ctx, q, timer)
		if c == nil || err != nil {
			return err
		}
		err = w.chunk(ctx, f, c)
		st.release(q, c)
		if err != nil {
			return err
		}
	}
}

// next waits for a chunk, nil when there will be none, and answers barriers.
func (w *worker) next(ctx context.Context, q *queue, timer *time.Timer) (*chunk, error) {
	for {
		if err := w.answer(ctx); err != nil {
			return nil, err
		}
		select {
		case c := <-q.chunks:
			return c, nil
		default:
		}
		again, err := w.lull(ctx)
		if err != nil {
			return nil, err
		}
		var due <-chan time.Time
		if again > 0 {
			timer.Reset(again)
			due = timer.C
		}
		select {
		case c := <-q.chunks:
			return c, nil
		case <-w.asks.news:
		case <-due:
		}
	}
}

// chunk delivers what a chunk holds of its partition's range.
func (w *worker) chunk(ctx context.Context, f *feed, c *chunk) error {
	f.open(c)
	quit, before := &w.s.quit, w.count
	defer func() { c.p.fate.records.Add(w.count - before) }()
	for f.step(ctx) {
		if err := w.answer(ctx); err != nil {
			return err
		}
		if quit.Load() || c.p.stopped.Load() {
			return nil
		}
		if err := w.deliver(ctx, f); err != nil {
			return err
		}
	}
	return w.close(ctx, f)
}

// deliver hands the record a feed stands on to the sink.
func (w *worker) deliver(ctx context.Context, f *feed) error {
	last, err := w.s.ticket()
	if err != nil {
		return err
	}
	w.dirty = true
	if err := w.sink.Record(ctx, &f.rec, f.mark()); err != nil {
		w.failed = true
		return err
	}
	w.count++
	if last {
		return errFull
	}
	return w.s.delivered(ctx, w.flush)
}

// close accounts for a chunk whose last record was delivered.
func (w *worker) close(ctx context.Context, f *feed) error {
	if len(f.c.buf) > 0 {
		w.s.noteLast(time.Now())
	}
	if m, ok := f.rest(); ok {
		w.sink.Skip(m)
		w.dirty = true
	}
	if w.linger == nil && time.Since(w.flushed) >= flushEvery {
		return w.flush(ctx)
	}
	return nil
}

// lull delivers what waits in the sink; again is when to do it once more.
func (w *worker) lull(ctx context.Context) (again time.Duration, err error) {
	if w.linger == nil {
		return 0, w.flush(ctx)
	}
	if !w.dirty {
		return 0, nil
	}
	if again, err = w.linger.Lull(ctx); err != nil {
		w.failed = true
		return 0, err
	}
	w.dirty = again > 0
	return again, nil
}

func (w *worker) flush(ctx context.Context) error {
	if !w.dirty {
		return nil
	}
	w.dirty, w.flushed = false, time.Now()
	if err := w.sink.Flush(ctx); err != nil {
		w.failed = true
		return err
	}
	return nil
}

// finish flushes what is left, unless the sink has failed already.
func (w *worker) finish(ctx context.Context) error {
	if w.failed {
		return nil
	}
	w.dirty = true
	return w.flush(ctx)
}

// tally counts the records that sinks were given, over all workers.
type tally struct{ taken atomic.Int64 }

// ticket admits one more record; last says that it fills Options.Max. Where that
// many were given already, it is errFull.
func (s *Session) ticket() (last bool, err error) {
	if s.o.Max <= 0 {
		return false, nil
	}
	n := s.tally.taken.Add(1)
	if n > s.o.Max {
		return false, errFull
	}
	return n == s.o.Max, nil
}

// full says that Options.Max was reached.
func (s *Session) full() bool { return s.o.Max > 0 && s.tally.taken.Load() >= s.o.Max }
