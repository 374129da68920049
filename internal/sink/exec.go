package sink

import (
	"context"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// ExecConfig says what children are started, and with what. Zero fields take
// defaults, Command, Format and Done are needed.
type ExecConfig struct {
	Command string // for /bin/sh -c, or cmd /C on Windows
	Batch   int    // records one child gets at most, all of one partition; default 1
	Format  func() Append
	Done    func(consume.Mark) // told of what went to a child that exited 0, in order within a partition
	Retries int                // how often a batch whose child failed is given to another
	Backoff time.Duration      // before the first of them; it doubles, up to 10 s; default 100 ms
	// Grace is how long a child may go on once the run was interrupted or another
	// child failed, before its process group is killed; default 30 s.
	Grace          time.Duration
	Stdout, Stderr io.Writer            // the children's own; best files, which they write to themselves
	Note           func(string, ...any) // hears of retries, and of children that are waited for or killed

	more func(consume.Mark) bool // in place of Mark.More, in tests
}

const (
	// execBytes is at what size of its input a batch goes though it has not as many
	// records as it may, and execTotal what all open batches of a sink may hold.
	execBytes = 16 << 20
	execTotal = 64 << 20
	// execKeep is up to what size the memory of an input is kept for the next.
	execKeep = 1 << 20
	// execWait is how long a batch that is not full waits for records that the log
	// is known to have.
	execWait = time.Second

	execGrace   = 30 * time.Second
	execBackoff = 100 * time.Millisecond
	execMost    = 10 * time.Second
)

// Exec gives records to children of one command. Each of its sinks has one child
// at a time; once a child has failed for good none of them starts another.
type Exec struct {
	c    ExecConfig
	base []string // the environment all children have

	mu     sync.Mutex
	groups map[int]bool // of children that run, by process id
	killed bool         // Kill was called: none may start
	err    error        // the first failure
	failed chan struct{}
}

// NewExec makes an Exec that has started nothing yet.
func NewExec(c ExecConfig) *Exec {
	c.Batch = max(c.Batch, 1)
	if c.Backoff <= 0 {
		c.Backoff = execBackoff
	}
	if c.Grace <= 0 {
		c.Grace = execGrace
	}
	if c.Note == nil {
		c.Note = func(string, ...any) {}
	}
	if c.more == nil {
		c.more = consume.Mark.More
	}
	return &Exec{c: c, base: baseEnv(os.Environ()), groups: make(map[int]bool), failed: make(chan struct{})}
}

// Kill ends every child that runs, with all it started, and lets no other begin.
func (x *Exec) Kill() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.killed = true
	for pid := range x.groups {
		killGroup(pid)
	}
}

// fail keeps the first failure and tells the other sinks.
func (x *Exec) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
		close(x.failed)
	}
}

// failure is the first child's that failed for good.
func (x *Exec) failure() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

// Sink gives another sink that starts children, for one worker.
func (x *Exec) Sink() *ExecSink {
	return &ExecSink{x: x, format: x.c.Format(), of: make(map[*consume.Partition]*batch)}
}

// ExecSink gathers records of each partition and gives them to a child on its
// standard input. What a child got is delivered once it exited 0. It is used by
// one goroutine.
type ExecSink struct {
	x      *Exec
	format Append
	open   []*batch // those begun first are first
	of     map[*consume.Partition]*batch
	size   int // bytes they hold
	spare  []byte
}

var _ consume.Lingerer = (*ExecSink)(nil)

// batch is what one child gets: records of one partition, one after another.
type batch struct {
	mark      consume.Mark // what is done with it
	begun     time.Time
	count     int
	first     int64 // offset of the first record
	last      int64
	timestamp int64 // of the first record
	key       []byte
	stdin     []byte
}

// Record implements consume.Sink. It returns when the record waits in a batch, or
// when the child that the batch went to has ended.
func (s *ExecSink) Record(ctx context.Context, r *record.Record, m consume.Mark) error {
	if err := s.stopped(ctx); err != nil {
		return err
	}
	b := s.of[m.P]
	if b == nil {
		b = s.begin(r, m.P)
	}
	before := len(b.stdin)
	b.stdin = s.format(b.stdin, r)
	b.count++
	b.last, b.mark = r.Offset, m
	s.size += len(b.stdin) - before
	if b.count >= s.x.c.Batch || len(b.stdin) >= execBytes {
		return s.run(ctx, b)
	}
	for s.size >= execTotal {
		if err := s.run(ctx, slices.MaxFunc(s.open, func(a, b *batch) int { return len(a.stdin) - len(b.stdin) })); err != nil {
			return err
		}
	}
	return nil
}

// Skip implements consume.Sink. Behind records that wait it is done with them.
func (s *ExecSink) Skip(m consume.Mark) {
	if b := s.of[m.P]; b != nil {
		b.mark = m
		return
	}
	s.x.c.Done(m)
}

// Flush implements consume.Sink: what waits goes to children now, full or not. No
// child is started once ctx ended, for that is an interruption.
func (s *ExecSink) Flush(ctx context.Context) error {
	for len(s.open) > 0 {
		if err := s.run(ctx, s.open[0]); err != nil {
			return err
		}
	}
	return nil
}

// Lull implements consume.Lingerer: a batch that is not full goes to its child
// when the log has no more of its partition, and after a second at the latest.
func (s *ExecSink) Lull(ctx context.Context) (again time.Duration, err error) {
	for _, b := range slices.Clone(s.open) {
		age := time.Since(b.begun)
		if age < execWait && s.x.c.more(b.mark) {
			if left := execWait - age; again == 0 || left < again {
				again = left
			}
			continue
		}
		if err := s.run(ctx, b); err != nil {
			return 0, err
		}
	}
	return again, nil
}

// begin opens a batch with r as its first record.
func (s *ExecSink) begin(r *record.Record, p *consume.Partition) *batch {
	b := &batch{begun: time.Now(), first: r.Offset, timestamp: r.Timestamp, stdin: s.spare[:0]}
	s.spare = nil
	if r.Key != nil {
		b.key = append([]byte{}, r.Key...)
	}
	s.open = append(s.open, b)
	s.of[p] = b
	return b
}

// stopped says why no child may be started any more.
func (s *ExecSink) stopped(ctx context.Context) error {
	if err := s.x.failure(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// run gives b to a child, and to others where that fails and Retries lets it.
func (s *ExecSink) run(ctx context.Context, b *batch) error {
	if err := s.stopped(ctx); err != nil {
		return err
	}
	if b.mark.Gone() {
		s.drop(b) // it comes to whoever has the partition now
		return nil
	}
	x, pause := s.x, s.x.c.Backoff
	for tries := 1; ; tries++ {
		err := x.child(ctx, b)
		if err == nil {
			s.drop(b)
			x.c.Done(b.mark)
			return nil
		}
		failure := &ExecError{Topic: b.mark.P.Topic, Partition: b.mark.P.Partition, First: b.first, Last: b.last, Tries: tries, Err: err}
		if tries > x.c.Retries || !x.wait(ctx, pause, failure) {
			x.fail(failure)
			return failure
		}
		pause = min(2*pause, execMost)
	}
}

// wait says whether, after a pause, a batch that failed may be tried again.
func (x *Exec) wait(ctx context.Context, pause time.Duration, failure *ExecError) bool {
	if ctx.Err() != nil || x.failure() != nil {
		return false
	}
	x.c.Note("%v; try %d of %d follows in %v", failure, failure.Tries+1, x.c.Retries+1, pause)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-x.failed:
	}
	return false
}

// drop takes b out of the open ones.
func (s *ExecSink) drop(b *batch) {
	s.open = slices.DeleteFunc(s.open, func(o *batch) bool { return o == b })
	delete(s.of, b.mark.P)
	s.size -= len(b.stdin)
	if cap(b.stdin) <= execKeep {
		s.spare = b.stdin
	}
}
