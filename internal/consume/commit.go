package consume

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// Committer stores positions. Every Group is one.
type Committer interface {
	// Commit stores positions, each the next offset to read. A partition's error
	// comes back under its name; err is what went wrong with all.
	Commit(ctx context.Context, at map[broker.TP]offsets.Stored) (failed map[broker.TP]error, err error)
}

// Commit says where a session stores how far its sinks got, and how often beside
// the end and the times when a partition is given up.
type Commit struct {
	To       Committer     // nil: nothing is stored
	Progress *Progress     // what the sinks tell
	EveryT   time.Duration // 0: not by time. The clock's phase never moves
	EveryN   int64         // records delivered since the last commit; 0: not by count
}

// commits stores what Progress has. One commit is under way at a time.
type commits struct {
	s *Session
	Commit

	count atomic.Int64 // delivered since the last commit
	nth   sync.Mutex   // of the worker that commits because of it

	mu  sync.Mutex
	bad bool // the last one was not made, and this was said
}

// on says that anything is to be committed at all.
func (k *commits) on() bool { return k.To != nil }

// delivered counts one record that its sink accepted. At the n-th of EveryN it
// flushes the sink that got it and commits, so that n is exact.
func (s *Session) delivered(ctx context.Context, flush func(context.Context) error) error {
	k := &s.commits
	if !k.on() || k.EveryN <= 0 || k.count.Add(1) < k.EveryN || !k.nth.TryLock() {
		return nil
	}
	defer k.nth.Unlock()
	if err := flush(ctx); err != nil {
		return err
	}
	if err := k.all(ctx); err != nil {
		k.count.Store(0) // the next round makes it good
		k.tell(err)
	}
	return nil
}

// start runs the clock until work ends, and gives what waits for its end.
func (k *commits) start(work context.Context) (wait func()) {
	if !k.on() || k.EveryT <= 0 {
		return func() {}
	}
	work, stop := context.WithCancel(work)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		k.clock(work)
	}()
	return func() {
		stop()
		<-gone
	}
}

// clock commits every so often what is new, until ctx ends.
func (k *commits) clock(ctx context.Context) {
	tick := time.NewTicker(k.EveryT)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.tell(k.all(ctx))
		}
	}
}

// all commits everything that is new. One that is made starts the count anew,
// whoever asked for it.
func (k *commits) all(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	count := k.count.Load()
	marks := k.Progress.Take()
	if len(marks) == 0 {
		return nil
	}
	err := k.store(ctx, marks)
	if err == nil {
		k.count.Add(-count)
	}
	return err
}

// of commits what is new of some partitions.
func (k *commits) of(ctx context.Context, ps []*Partition) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.store(ctx, k.Progress.takeOf(ps))
}

// store sends marks, and puts back what was not stored: unless the partition is
// given up, the next commit tries again.
func (k *commits) store(ctx context.Context, marks map[broker.TP]Mark) error {
	if len(marks) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.s.o.Timeout)
	defer cancel()
	at := make(map[broker.TP]offsets.Stored, len(marks))
	for tp, m := range marks {
		at[tp] = offsets.Stored{Offset: m.Next, LeaderEpoch: m.Epoch, TopicID: m.P.topicID()}
	}
	failed, err := k.To.Commit(ctx, at)
	if err != nil && len(failed) == 0 {
		k.Progress.back(marks)
		return &CommitError{At: at, Err: err}
	}
	if len(failed) == 0 {
		k.bad = false
		return nil
	}
	left := make(map[broker.TP]Mark, len(failed))
	e := &CommitError{At: make(map[broker.TP]offsets.Stored, len(failed))}
	var causes []error
	for _, tp := range slices.SortedFunc(maps.Keys(failed), compareTP) {
		if failed[tp] == nil || errors.Is(failed[tp], offsets.ErrMadeAnew) { // that one is gone, with what was read
			continue
		}
		left[tp], e.At[tp] = marks[tp], at[tp]
		if !slices.ContainsFunc(causes, func(c error) bool { return c.Error() == failed[tp].Error() }) {
			causes = append(causes, failed[tp])
		}
	}
	if len(left) == 0 {
		return nil
	}
	if e.Err = err; err == nil {
		e.Err = errors.Join(causes...)
	}
	k.Progress.back(left)
	return e
}

// tell warns of a commit that was not made, once until one is. During a rebalance
// none is: the next one makes it good, or else whoever loses the partition warns.
func (k *commits) tell(err error) {
	if err == nil || errors.Is(err, wire.RebalanceInProgress) {
		return
	}
	k.mu.Lock()
	said := k.bad
	k.bad = true
	k.mu.Unlock()
	if !said {
		k.s.warn(err)
	}
}

// againAfter is the pause before a last commit that met a rebalance.
const againAfter = 100 * time.Millisecond

// last commits what is left at the end of a session, whatever ended it. While a
// rebalance is under way the coordinator takes none, so it is tried again.
func (k *commits) last(ctx context.Context) error {
	if !k.on() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.s.o.Timeout)
	defer cancel()
	for {
		err := k.all(ctx)
		if err == nil || !errors.Is(err, wire.RebalanceInProgress) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(againAfter):
		}
	}
}

// CommitError is positions that were not stored. The records from the stored
// ones on are read again by whoever reads next.
type CommitError struct {
	At  map[broker.TP]offsets.Stored // what was to be stored
	Err error
}

// Error names the first partitions and their offsets.
func (e *CommitError) Error() string {
	const most = 3
	tps := slices.SortedFunc(maps.Keys(e.At), compareTP)
	var b strings.Builder
	for i, tp := range tps[:min(most, len(tps))] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s:%d=%d", tp.Topic, tp.Partition, e.At[tp].Offset)
	}
	if n := len(tps) - most; n > 0 {
		fmt.Fprintf(&b, " and %d more", n)
	}
	return fmt.Sprintf("not committed: %s: %v", b.String(), e.Err)
}

// Unwrap is the cause.
func (e *CommitError) Unwrap() error { return e.Err }
