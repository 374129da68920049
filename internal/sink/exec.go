package sink

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// Order says which records wait for a child that has others before them.
type Order int8

const (
	// ByPartition has the batches of a partition wait for one another.
	ByPartition Order = iota
	// ByKey has records with the same key in one partition wait for one another.
	// Those without a key wait for nobody.
	ByKey
	// Unordered has nothing wait.
	Unordered
)

// ExecConfig says what children are started, and with what. Zero fields take
// defaults, Command, Format and Done are needed.
type ExecConfig struct {
	Command  string // for /bin/sh -c, or cmd /C on Windows
	Batch    int    // records one child gets at most, all of one partition; default 1, of Feeds no bound
	Parallel int    // children of one sink at once; default 1
	Order    Order
	Format   func() Append
	Done     func(consume.Mark) // told of what is dealt with, in order within a partition
	Retries  int                // how often a batch whose child failed is given to another
	Backoff  time.Duration      // before the first of them; it doubles, up to 10 s; default 100 ms
	// Skip counts batches that failed for good and goes on, where otherwise nothing more is
	// started. A command that cannot be run at all ends the run even so.
	Skip bool
	// Dead takes the records of a batch that failed for good. They count as dealt with
	// once it returns nil; its error ends the run. nil: there is no such place.
	Dead func(context.Context, *ExecError, []record.Record) error
	// Over is asked about a child that failed: an error says that the run is over, though
	// it may not have heard so yet, as where nobody reads what children write. Then the
	// failure says nothing about the records, and that error ends the run.
	Over func() error
	// Grace is how long a child may go on once the run was interrupted or another
	// child failed, before its process group is killed; default 30 s.
	Grace          time.Duration
	Stdout, Stderr io.Writer            // the children's own; best files, which they write to themselves
	Note           func(string, ...any) // hears of retries, and of children that are waited for or killed

	more    func(consume.Mark) bool // in place of Mark.More, in tests
	leaving func(consume.Mark) bool // in place of Mark.Leaving, in tests
}

const (
	// execBytes is at what size of its input a batch goes though it has not as many
	// records as it may, and execTotal what all batches of a sink may hold.
	execBytes = 16 << 20
	execTotal = 64 << 20
	// execAhead is how many records may wait for a child that has others before them,
	// while there is still room for more children.
	execAhead = 10_000
	// execKeep is up to what size the memory of an input is kept for the next.
	execKeep = 1 << 20
	// execWait is how long a batch that is not full waits for records that the log
	// is known to have.
	execWait = time.Second
	// execLook is how often somebody who waits for records looks what became of
	// children.
	execLook = 50 * time.Millisecond

	execGrace   = 30 * time.Second
	execBackoff = 100 * time.Millisecond
	execMost    = 10 * time.Second
)

// Exec gives records to children of one command. Once a child has failed for good
// none of its sinks starts another, unless ExecConfig says where to go on.
type Exec struct {
	c    ExecConfig
	base []string // the environment all children have
	seed maphash.Seed

	mu     sync.Mutex
	groups map[int]bool // of children that run, by process id
	killed bool         // Kill was called: none may start
	err    error        // the first failure
	failed chan struct{}
	total  ExecTotal
}

// ExecTotal counts records whose children failed for good while the run went on.
type ExecTotal struct {
	Skipped int64        // left out
	Dead    int64        // taken by ExecConfig.Dead
	Failed  int64        // children
	First   []*ExecError // of the first few such children
}

// execNamed is how many failures ExecTotal names.
const execNamed = 5

// NewExec makes an Exec that has started nothing yet.
func NewExec(c ExecConfig) *Exec {
	c.Parallel = max(c.Parallel, 1)
	if c.Backoff <= 0 {
		c.Backoff = execBackoff
	}
	if c.Grace <= 0 {
		c.Grace = execGrace
	}
	if c.Note == nil {
		c.Note = func(string, ...any) {}
	}
	if c.Over == nil {
		c.Over = func() error { return nil }
	}
	if c.more == nil {
		c.more = consume.Mark.More
	}
	if c.leaving == nil {
		c.leaving = consume.Mark.Leaving
	}
	return &Exec{
		c: c, base: baseEnv(os.Environ()), seed: maphash.MakeSeed(),
		groups: make(map[int]bool), failed: make(chan struct{}),
	}
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

// Total says what failed without ending the run.
func (x *Exec) Total() ExecTotal {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.total
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

// stopped says why no child may be started any more.
func (x *Exec) stopped(ctx context.Context) error {
	if err := x.failure(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// deliver gives b to a child, and to others where that fails and Retries lets it.
// nil is a batch that is dealt with.
func (x *Exec) deliver(ctx context.Context, b *batch) error {
	if b.mark.Gone() {
		return nil // it comes to whoever has the partition now
	}
	pause := x.c.Backoff
	for tries := 1; ; tries++ {
		err := x.child(ctx, b)
		if err == nil {
			return nil
		}
		failure := b.failure(tries, err)
		if tries > x.c.Retries || x.c.Over() != nil {
			return x.afterAll(ctx, failure, b.count, b.kept)
		}
		if !x.wait(ctx, pause, failure) {
			x.fail(failure)
			return failure
		}
		pause = min(2*pause, execMost)
	}
}

// afterAll settles count records of a child that failed for good; an error is the end of the run.
// A run that is ending already settles nothing this way: its children may have
// been killed for that, and the batch comes again.
func (x *Exec) afterAll(ctx context.Context, failure *ExecError, count int, kept []record.Record) error {
	if over := x.c.Over(); over != nil {
		x.fail(over)
		return over
	}
	if x.stopped(ctx) != nil || !x.c.Skip && x.c.Dead == nil || !failure.ofRecords() {
		x.fail(failure)
		return failure
	}
	if x.c.Dead != nil {
		if err := x.c.Dead(ctx, failure, kept); err != nil {
			err = errors.Join(failure, err)
			x.fail(err)
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.c.Dead != nil {
		x.total.Dead += int64(count)
	} else {
		x.total.Skipped += int64(count)
	}
	x.total.Failed++
	if len(x.total.First) < execNamed {
		x.total.First = append(x.total.First, failure)
	}
	return nil
}

// ofRecords says that the records may be what the child failed for: it ran, and
// its shell found the command. Else no record would fare better.
func (e *ExecError) ofRecords() bool {
	var exit *exec.ExitError
	if !errors.As(e.Err, &exit) {
		return errors.Is(e.Err, errEarly)
	}
	return exit.ExitCode() != notFound && exit.ExitCode() != notExecutable
}

// wait says whether, after a pause, a batch that failed may be tried again.
func (x *Exec) wait(ctx context.Context, pause time.Duration, failure *ExecError) bool {
	if x.stopped(ctx) != nil {
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
