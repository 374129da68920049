package consume

import (
	"context"
	"math"
	"time"
)

// flushEvery bounds how long a record waits in a sink's buffer while the log
// gives much that is filtered out.
const flushEvery = 100 * time.Millisecond

// worker decodes, filters and feeds the sink, in one goroutine: it met every
// speed floor on two cores.
type worker struct {
	s     *Session
	sink  Sink
	max   int64 // records to deliver
	count int64 // delivered
	err   error // the sink's

	dirty   bool // the sink has something to flush
	flushed time.Time
}

func newWorker(s *Session, sink Sink) *worker {
	w := &worker{s: s, sink: sink, max: s.o.Max}
	if w.max <= 0 {
		w.max = math.MaxInt64
	}
	return w
}

// full says that no more records are wanted.
func (w *worker) full() bool { return w.count >= w.max }

// work deals with chunks until there will be none, the sink fails, enough was
// delivered or the session is to quit. The sink is flushed whenever the queue
// is empty, so that a pipe sees each record at once.
func (w *worker) work(ctx context.Context, st *stream) error {
	f := &feed{s: w.s}
	for {
		var c *chunk
		select {
		case c = <-st.queue:
		default:
			if err := w.flush(ctx); err != nil {
				return err
			}
			c = <-st.queue
		}
		if c == nil {
			return nil // closed
		}
		if c.passed != nil {
			if err := w.flush(ctx); err != nil {
				return err
			}
			close(c.passed)
			continue
		}
		err := w.chunk(ctx, f, c)
		c.release()
		st.open.Add(-1)
		if err != nil {
			return err
		}
	}
}

// chunk delivers what a chunk holds of its partition's range.
func (w *worker) chunk(ctx context.Context, f *feed, c *chunk) error {
	f.open(c)
	quit, before := &w.s.quit, w.count
	defer func() { c.p.fate.records.Add(w.count - before) }()
	for f.step() {
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
	w.dirty = true
	if err := w.sink.Record(ctx, &f.rec, f.mark()); err != nil {
		w.err = err
		return err
	}
	w.count++
	if w.count >= w.max {
		return errFull
	}
	return w.s.delivered(ctx, w.flush)
}

// close accounts for a chunk whose last record was delivered.
func (w *worker) close(ctx context.Context, f *feed) error {
	if len(f.c.buf) > 0 {
		w.s.last.Store(time.Now().UnixNano())
	}
	if m, ok := f.rest(); ok {
		w.sink.Skip(m)
		w.dirty = true
	}
	if time.Since(w.flushed) >= flushEvery {
		return w.flush(ctx)
	}
	return nil
}

func (w *worker) flush(ctx context.Context) error {
	if !w.dirty {
		return nil
	}
	w.dirty, w.flushed = false, time.Now()
	if err := w.sink.Flush(ctx); err != nil {
		w.err = err
		return err
	}
	return nil
}

// finish flushes what is left, unless the sink has failed already.
func (w *worker) finish(ctx context.Context) error {
	if w.err != nil {
		return nil
	}
	w.dirty = true
	return w.flush(ctx)
}
