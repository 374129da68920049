package consume

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
)

// fakeGroup is a group whose rebalances a test writes by hand. It stores what is
// committed, and remembers each commit.
type fakeGroup struct {
	mu      sync.Mutex
	stored  map[broker.TP]int64
	commits []map[broker.TP]offsets.Stored
	refuse  func(at map[broker.TP]offsets.Stored) error // before it is stored
	left    bool

	play func(ctx context.Context, h Handler) error // what Run does; then it waits for ctx
}

func newFakeGroup(play func(ctx context.Context, h Handler) error) *fakeGroup {
	return &fakeGroup{stored: make(map[broker.TP]int64), play: play}
}

func (g *fakeGroup) Run(ctx context.Context, h Handler) error {
	if g.play != nil {
		if err := g.play(ctx, h); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func (g *fakeGroup) Stored(_ context.Context, tps []broker.TP) (map[broker.TP]offsets.Stored, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	got := make(map[broker.TP]offsets.Stored)
	for _, tp := range tps {
		at, ok := g.stored[tp]
		if !ok {
			at = offsets.NoOffset
		}
		got[tp] = offsets.Stored{Offset: at, LeaderEpoch: -1}
	}
	return got, nil
}

func (g *fakeGroup) Commit(_ context.Context, at map[broker.TP]offsets.Stored) (map[broker.TP]error, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refuse != nil {
		if err := g.refuse(at); err != nil {
			failed := make(map[broker.TP]error)
			for tp := range at {
				failed[tp] = err
			}
			return failed, nil
		}
	}
	g.commits = append(g.commits, maps.Clone(at))
	for tp, s := range at {
		g.stored[tp] = s.Offset
	}
	return nil, nil
}

func (g *fakeGroup) Leave(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = true
	return nil
}

// want fails unless the group has exactly these offsets.
func (g *fakeGroup) want(t *testing.T, want map[broker.TP]int64) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !maps.Equal(g.stored, want) {
		t.Errorf("the group has stored %v, want %v", g.stored, want)
	}
}

func (g *fakeGroup) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.commits)
}

// resume begins at the stored offset, or at 0, and ends at end.
func resume(end int64) func(context.Context, map[broker.TP]offsets.Stored) (Beginning, error) {
	return func(_ context.Context, stored map[broker.TP]offsets.Stored) (Beginning, error) {
		b := Beginning{Ranges: make(map[broker.TP]offsets.Range)}
		for tp, s := range stored {
			b.Ranges[tp] = offsets.Range{From: max(s.Offset, 0), To: end}
		}
		return b, nil
	}
}

// refusing fails with bad where tp is assigned, and begins as begin does elsewhere.
func refusing(tp broker.TP, bad error, begin func(context.Context, map[broker.TP]offsets.Stored) (Beginning, error)) func(context.Context, map[broker.TP]offsets.Stored) (Beginning, error) {
	return func(ctx context.Context, stored map[broker.TP]offsets.Stored) (Beginning, error) {
		if _, ok := stored[tp]; ok {
			return Beginning{}, bad
		}
		return begin(ctx, stored)
	}
}

// given assigns and settles.
func given(ctx context.Context, h Handler, tps ...broker.TP) error {
	return errors.Join(h.Assigned(ctx, tps), h.Settled(ctx))
}

func (c *cluster) member(o Options, g *fakeGroup, begin func(context.Context, map[broker.TP]offsets.Stored) (Beginning, error), out *collector) (*Report, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	if o.Commit.To == nil {
		o.Commit.To = g
	}
	o.Commit.Progress = &out.progress
	return NewSession(c.client(), o).RunMember(ctx, Member{Group: g, Begin: begin}, out)
}

func TestAMemberReadsItsPartitionsCommitsAndLeaves(t *testing.T) {
	c := newCluster(t, 1)
	a, b := c.log(0, plain(0, numbered(0, 10)...)), c.log(1, plain(0, numbered(0, 4)...))
	g := newFakeGroup(func(ctx context.Context, h Handler) error { return given(ctx, h, a, b) })
	g.stored[a] = 6
	out := newCollector()
	report, err := c.member(quick(), g, func(ctx context.Context, stored map[broker.TP]offsets.Stored) (Beginning, error) {
		r, err := resume(10)(ctx, stored)
		r.Ranges[b] = offsets.Range{From: 0, To: 4}
		return r, err
	}, out)
	if err != nil || report.Commit != nil || report.Err() != nil {
		t.Fatalf("run: %v, %+v", err, report)
	}
	out.wantOffsets(t, a, from(6, 10)...)
	out.wantOffsets(t, b, from(0, 4)...)
	g.want(t, map[broker.TP]int64{a: 10, b: 4})
	if !g.left || g.count() != 1 {
		t.Errorf("left %v after %d commits", g.left, g.count())
	}
}

func TestAMemberWithNothingEndsAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		c.log(0)
		g := newFakeGroup(func(ctx context.Context, h Handler) error { return given(ctx, h) })
		began := time.Now()
		if _, err := c.member(quick(), g, resume(0), newCollector()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 3*time.Second || took > 4*time.Second || !g.left {
			t.Errorf("it took %v, left %v", took, g.left)
		}
	})
}

// A member that has read everything must not leave while partitions are still on
// their way to it.
func TestAMemberDoesNotEndInARebalance(t *testing.T) {
	c := newCluster(t, 1)
	a, b := c.log(0, plain(0, numbered(0, 3)...)), c.log(1, plain(0, numbered(0, 3)...))
	out := newCollector()
	g := newFakeGroup(func(ctx context.Context, h Handler) error {
		if err := errors.Join(h.Assigned(ctx, []broker.TP{a}), h.Revoked(ctx, nil, false), h.Settled(ctx)); err != nil {
			return err
		}
		if err := h.Revoked(ctx, nil, false); err != nil {
			return err
		}
		out.await(t, 3)
		return given(ctx, h, b)
	})
	if _, err := c.member(quick(), g, resume(3), out); err != nil {
		t.Fatal(err)
	}
	g.want(t, map[broker.TP]int64{a: 3, b: 3})
}

// What was fetched and not written when a partition is taken away is neither
// printed nor committed; given again, it goes on there.
func TestARevokedPartitionIsCommittedUpToWhatWasWritten(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 5)...), plain(5, numbered(5, 5)...))
	out := newCollector()
	var g *fakeGroup
	revoke := make(chan struct{})
	g = newFakeGroup(func(ctx context.Context, h Handler) error {
		if err := given(ctx, h, tp); err != nil {
			return err
		}
		<-revoke
		if err := h.Revoked(ctx, []broker.TP{tp}, false); err != nil {
			return err
		}
		g.want(t, map[broker.TP]int64{tp: 3})
		return given(ctx, h, tp)
	})
	s := c.session(g, out, quick())
	out.each = func(r *record.Record) error {
		if r.Offset == 2 && len(out.got[tp]) == 2 { // the third record, the first time
			close(revoke)
			for s.holds1(tp) {
				runtime.Gosched()
			}
		}
		return nil
	}
	report, err := s.RunMember(t.Context(), Member{Group: g, Begin: resume(10)}, out)
	if err != nil {
		t.Fatal(err)
	}
	out.wantOffsets(t, tp, from(0, 10)...)
	g.want(t, map[broker.TP]int64{tp: 10})
	if report.Records != 10 {
		t.Errorf("%d records", report.Records)
	}
}

func (c *cluster) session(g *fakeGroup, out *collector, o Options) *Session {
	o.Commit.To, o.Commit.Progress = g, &out.progress
	return NewSession(c.client(), o)
}

func (s *Session) holds1(tp broker.TP) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[tp] != nil
}

// Lost is lost: another member has the partition, and its commits must stand.
func TestOfALostPartitionNothingIsCommitted(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 5)...))
	out := newCollector()
	g := newFakeGroup(func(ctx context.Context, h Handler) error {
		if err := given(ctx, h, tp); err != nil {
			return err
		}
		out.await(t, 5)
		return errors.Join(h.Revoked(ctx, []broker.TP{tp}, true), h.Settled(ctx))
	})
	var warned []error
	o := quick()
	o.OnWarn = func(err error) { warned = append(warned, err) }
	if _, err := c.member(o, g, resume(100), out); err != nil {
		t.Fatal(err)
	}
	g.want(t, map[broker.TP]int64{})
	var left *LeftError
	if len(warned) != 1 || !errors.As(warned[0], &left) || left.Next != 5 {
		t.Errorf("warned of %v", warned)
	}
}

// A write that hangs cannot be called back. The others in the group wait for us
// only so long, so what it writes in the end is written twice.
func TestAStuckWriterMakesARevocationALoss(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 5)...))
	out := newCollector()
	stuck, free := make(chan struct{}), make(chan struct{})
	out.each = func(r *record.Record) error {
		if r.Offset == 2 {
			close(stuck)
			<-free
		}
		return nil
	}
	g := newFakeGroup(func(ctx context.Context, h Handler) error {
		if err := given(ctx, h, tp); err != nil {
			return err
		}
		<-stuck
		soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		err := errors.Join(h.Revoked(soon, []broker.TP{tp}, false), h.Settled(ctx))
		close(free)
		return err
	})
	if _, err := c.member(quick(), g, resume(100), out); err != nil {
		t.Fatal(err)
	}
	g.want(t, map[broker.TP]int64{})
}

func TestAMembershipThatIsOverEndsTheSession(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 5)...))
	out := newCollector()
	g := newFakeGroup(func(ctx context.Context, h Handler) error {
		if err := given(ctx, h, tp); err != nil {
			return err
		}
		out.await(t, 5)
		return wire.FencedInstanceID
	})
	_, err := c.member(quick(), g, resume(100), out)
	if !errors.Is(err, wire.FencedInstanceID) {
		t.Fatalf("run: %v", err)
	}
	g.want(t, map[broker.TP]int64{})
	if g.left {
		t.Error("it left a group that it is no member of")
	}
}

func TestADamagedBeginningEndsTheRunUnlessToldToGoOn(t *testing.T) {
	c := newCluster(t, 1)
	a, b := c.log(0, plain(0, numbered(0, 3)...)), c.log(1, plain(0, numbered(0, 3)...))
	bad := &offsets.NoStoredError{Group: "g", TP: a}
	begin := func(context.Context, map[broker.TP]offsets.Stored) (Beginning, error) {
		return Beginning{Ranges: span(b, 0, 3)}, bad
	}
	play := func(ctx context.Context, h Handler) error { return given(ctx, h, a, b) }
	if _, err := c.member(quick(), newFakeGroup(play), begin, newCollector()); !errors.Is(err, bad) {
		t.Errorf("run: %v", err)
	}
	o := quick()
	o.KeepGoing = true
	g := newFakeGroup(play)
	report, err := c.member(o, g, begin, newCollector())
	if err != nil || len(report.Failed) != 1 || !errors.Is(report.Failed[0], bad) {
		t.Errorf("run: %v, %+v", err, report)
	}
	g.want(t, map[broker.TP]int64{b: 3})
}

// Who ends by its own decision without a word keeps its partitions from everybody
// for a session timeout: the next run would read nothing and call it done.
func TestAMemberThatRefusesABeginningCommitsWhatIsDoneAndLeaves(t *testing.T) {
	c := newCluster(t, 1)
	a, b := c.log(0, plain(0, numbered(0, 5)...)), c.log(1, plain(0, numbered(0, 5)...))
	bad := &offsets.NoStoredError{Group: "g", TP: b}
	out := newCollector()
	g := newFakeGroup(func(ctx context.Context, h Handler) error {
		if err := given(ctx, h, a); err != nil {
			return err
		}
		out.await(t, 5)
		return given(ctx, h, b)
	})
	o := quick()
	o.Follow = true
	// Past the end: what is read is never all.
	if _, err := c.member(o, g, refusing(b, bad, resume(6)), out); !errors.Is(err, bad) {
		t.Errorf("run: %v", err)
	}
	g.want(t, map[broker.TP]int64{a: 5})
	if !g.left {
		t.Error("it did not leave the group")
	}
}

// A rebalance that comes while the session ends by itself changes neither how it
// ends nor that it leaves.
func TestAMemberThatIsDoneLeavesThoughItsLastBeginningIsRefused(t *testing.T) {
	c := newCluster(t, 1)
	a, b := c.log(0, plain(0, numbered(0, 5)...)), c.log(1, plain(0, numbered(0, 5)...))
	bad := &offsets.NoStoredError{Group: "g", TP: b}
	g := newFakeGroup(func(ctx context.Context, h Handler) error {
		if err := given(ctx, h, a); err != nil {
			return err
		}
		<-ctx.Done()
		return given(ctx, h, b)
	})
	if _, err := c.member(quick(), g, refusing(b, bad, resume(5)), newCollector()); err != nil {
		t.Errorf("run: %v", err)
	}
	g.want(t, map[broker.TP]int64{a: 5})
	if !g.left {
		t.Error("it did not leave the group")
	}
}

// Who begins at the end of a log and reads nothing would, the next time, begin at
// a later end.
func TestAClaimedBeginningIsCommittedThoughNothingComes(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 5)...))
	g := newFakeGroup(func(ctx context.Context, h Handler) error { return given(ctx, h, tp) })
	begin := func(context.Context, map[broker.TP]offsets.Stored) (Beginning, error) {
		return Beginning{Ranges: span(tp, 5, 5), Claims: []broker.TP{tp}}, nil
	}
	if _, err := c.member(quick(), g, begin, newCollector()); err != nil {
		t.Fatal(err)
	}
	g.want(t, map[broker.TP]int64{tp: 5})
}
