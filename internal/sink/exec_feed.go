package sink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

const (
	// feedPage is how many bytes gather before they go to a child that lives on.
	feedPage = 64 << 10
	// feedLook is how often children are looked after that nothing is written to.
	feedLook = 200 * time.Millisecond
)

// FeedSink gives each partition a child of its own, which lives on and is fed
// all its records. They are delivered once it exited 0 with its input closed, and
// nothing is known before. It is used by one goroutine.
type FeedSink struct {
	x      *Exec
	format Append
	of     map[place]*feeding
	err    error
}

var (
	_ consume.Lingerer = (*FeedSink)(nil)
	_ consume.Releaser = (*FeedSink)(nil)
)

// Feed gives another sink whose children live on, for one worker.
func (x *Exec) Feed() *FeedSink {
	return &FeedSink{x: x, format: x.c.Format(), of: make(map[place]*feeding)}
}

// Record implements consume.Sink. It waits for a child that is slow to read.
func (s *FeedSink) Record(ctx context.Context, r *record.Record, m consume.Mark) error {
	if err := s.stopped(ctx); err != nil {
		return s.last(ctx, err)
	}
	at := placeOf(m.P)
	f := s.of[at]
	if f == nil {
		var err error
		if f, err = s.x.nourish(r, m); err != nil {
			return s.lost(ctx, &feeding{place: at, first: r.Offset, last: r.Offset, mark: m, count: 1}, err)
		}
		s.of[at] = f
	}
	f.page = s.format(f.page, r)
	f.mark, f.last = m, r.Offset
	f.count++
	switch {
	case s.x.c.Batch > 0 && f.count >= s.x.c.Batch:
		return s.close(ctx, f)
	case len(f.page) >= feedPage:
		return s.send(ctx, f)
	}
	return nil
}

// Skip implements consume.Sink. Behind records that a child has it is done with
// them.
func (s *FeedSink) Skip(m consume.Mark) {
	if f := s.of[placeOf(m.P)]; f != nil {
		f.mark = m
		return
	}
	s.x.c.Done(m)
}

// Flush implements consume.Sink: the input of all children ends, and they are
// waited for.
func (s *FeedSink) Flush(ctx context.Context) error {
	return s.close(ctx, s.those(func(*feeding) bool { return true })...)
}

// Release implements consume.Releaser: children of partitions of which no more
// comes are waited for, others live on.
func (s *FeedSink) Release(ctx context.Context) error {
	return s.close(ctx, s.those(func(f *feeding) bool { return f.mark.Stopped() })...)
}

func (s *FeedSink) those(want func(*feeding) bool) []*feeding {
	var list []*feeding
	for _, f := range s.of {
		if want(f) {
			list = append(list, f)
		}
	}
	return list
}

// Lull implements consume.Lingerer: children get what waits for them.
func (s *FeedSink) Lull(ctx context.Context) (again time.Duration, err error) {
	if err := s.stopped(ctx); err != nil {
		return 0, s.last(ctx, err)
	}
	for _, f := range s.those(func(*feeding) bool { return true }) {
		if err := s.send(ctx, f); err != nil {
			return 0, err
		}
	}
	if len(s.of) > 0 {
		again = feedLook
	}
	return again, nil
}

func (s *FeedSink) stopped(ctx context.Context) error {
	if s.err != nil {
		return s.err
	}
	return s.x.stopped(ctx)
}

// last settles what children have when why ends the run.
func (s *FeedSink) last(ctx context.Context, why error) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	return why
}

// send hands f's page over. Where the run ends before its child has taken those
// before, the page stays and goes with the last.
func (s *FeedSink) send(ctx context.Context, f *feeding) error {
	var free []byte
	select {
	case <-f.gone:
		return s.close(ctx, f)
	case free = <-f.free:
	default:
	}
	if len(f.page) == 0 {
		return nil
	}
	select {
	case f.pages <- f.page:
		f.page = free[:0]
		return nil
	case <-f.gone:
		return s.close(ctx, f)
	case <-ctx.Done():
	case <-s.x.failed:
	}
	return nil
}

// close ends the input of children and settles what they had.
func (s *FeedSink) close(ctx context.Context, list ...*feeding) error {
	for _, f := range list {
		delete(s.of, f.place)
		f.rest = f.page
		f.closing.Store(true)
		close(f.pages)
	}
	for _, f := range list {
		err := s.x.await(ctx, f.pid, f, f.ended)
		if errors.Is(err, exec.ErrWaitDelay) {
			err = nil // somebody it left behind holds its output
		}
		if err == nil && f.early {
			err = errEarly
		}
		if err == nil || s.lost(ctx, f, err) == nil {
			s.x.c.Done(f.mark)
		}
	}
	return s.err
}

// lost settles records whose child failed; an error is the end of the run.
func (s *FeedSink) lost(ctx context.Context, f *feeding, err error) error {
	failure := &ExecError{Topic: f.topic, Partition: f.partition, First: f.first, Last: f.last, Tries: 1, Err: err}
	err = s.x.afterAll(ctx, failure, f.count, nil)
	if s.err == nil {
		s.err = err
	}
	return err
}

// feeding is a child that is being fed.
type feeding struct {
	place
	mark  consume.Mark
	first int64
	last  int64
	count int
	page  []byte

	pid     int
	pages   chan []byte // closed: its input ends, with rest
	rest    []byte
	free    chan []byte // pages that were written
	closing atomic.Bool
	early   bool          // its input was not wanted to its end; true or not once ended tells
	gone    chan struct{} // closed when it has ended
	ended   chan error
}

// nourish starts the child that r is the first record of.
func (x *Exec) nourish(r *record.Record, m consume.Mark) (*feeding, error) {
	f := &feeding{
		place: placeOf(m.P), mark: m, first: r.Offset, last: r.Offset,
		pages: make(chan []byte, 1), free: make(chan []byte, 1), gone: make(chan struct{}), ended: make(chan error, 1),
	}
	in, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := shell(x.c.Command)
	cmd.Env = append(placeEnv(x.base, f.place, r.Timestamp), "RECORD_OFFSET="+strconv.FormatInt(r.Offset, 10))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, x.c.Stdout, x.c.Stderr
	cmd.WaitDelay = stdinWait
	err = x.start(cmd)
	_ = in.Close() // the child has its own
	if err != nil {
		_ = out.Close() // nothing was written
		return nil, err
	}
	f.pid = cmd.Process.Pid
	wrote := make(chan bool, 1)
	go func() { wrote <- f.write(out) }()
	go func() {
		err := cmd.Wait()
		closing := f.closing.Load()
		close(f.gone)
		_ = out.Close() // ends a write that whoever it left behind does not read
		x.mu.Lock()
		delete(x.groups, f.pid)
		x.mu.Unlock()
		if !closing {
			f.early = true
		} else if !<-wrote {
			f.early = true
		}
		f.ended <- err
	}()
	return f, nil
}

// write gives out all pages; false is a child that did not take them all.
func (f *feeding) write(out *os.File) bool {
	whole := true
	put := func(page []byte) {
		if whole && len(page) > 0 {
			_, err := out.Write(page)
			whole = err == nil
		}
	}
	for page := range f.pages {
		put(page)
		select {
		case f.free <- page:
		default:
		}
	}
	put(f.rest)
	_ = out.Close() // pipes keep nothing back
	return whole
}

// String names the records, as messages do.
func (f *feeding) String() string {
	return fmt.Sprintf("%s:%d from offset %d on", f.topic, f.partition, f.first)
}
