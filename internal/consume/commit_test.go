package consume

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
)

// run reads ranges with commits to g.
func (c *cluster) run(o Options, g *fakeGroup, ranges map[broker.TP]offsets.Range, out *collector) (*Report, error) {
	c.t.Helper()
	s := c.session(g, out, o)
	s.Add(ranges)
	return s.Run(c.t.Context(), out)
}

// 195 records, every 20: the commit by count alone stands at 180 until the end
// brings the rest, so a run that is killed leaves 180.
func TestS25CommitsEveryTwentyOf195(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 195)...))
	out := newCollector()
	g := newFakeGroup(nil)
	o := quick()
	o.Commit.EveryN = 20
	out.each = func(r *record.Record) error {
		if r.Offset == 194 {
			g.want(t, map[broker.TP]int64{tp: 180})
		}
		return nil
	}
	if _, err := c.run(o, g, span(tp, 0, 195), out); err != nil {
		t.Fatal(err)
	}
	var at []int64
	for _, commit := range g.commits {
		at = append(at, commit[tp].Offset)
	}
	if len(at) != 10 || at[0] != 20 || at[8] != 180 || at[9] != 195 {
		t.Errorf("committed %v", at)
	}
}

// One counter for both triggers: a commit zeroes it, whoever asked, and the next
// tick finds nothing to commit.
func TestS26OneCommitForTwentyRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 20)...))
		out := newCollector()
		g := newFakeGroup(nil)
		o := quick()
		o.Follow, o.Idle = true, 18*time.Second
		o.Commit.EveryN, o.Commit.EveryT = 20, 5*time.Second
		if _, err := c.run(o, g, span(tp, 0, offsets.Follow), out); err != nil {
			t.Fatal(err)
		}
		if g.count() != 1 {
			t.Errorf("%d commits: %v", g.count(), g.commits)
		}
	})
}

// The clock's commit disarms the count, and the clock's phase does not move.
func TestS26ACommitByTimeStartsTheCountAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 15)...))
		out := newCollector()
		g := newFakeGroup(nil)
		o := quick()
		o.Follow, o.Idle = true, 8*time.Second
		o.Commit.EveryN, o.Commit.EveryT = 20, 5*time.Second
		began := time.Now()
		var times []time.Duration
		g.refuse = func(map[broker.TP]offsets.Stored) error {
			times = append(times, time.Since(began).Truncate(time.Second))
			return nil
		}
		go func() {
			time.Sleep(6 * time.Second)
			c.append(tp, plain(15, numbered(15, 15)...)) // 15 since the commit: no reason for one
		}()
		if _, err := c.run(o, g, span(tp, 0, offsets.Follow), out); err != nil {
			t.Fatal(err)
		}
		if len(times) != 2 || times[0] != 5*time.Second || times[1] != 10*time.Second {
			t.Errorf("commits at %v: %v", times, g.commits)
		}
	})
}

func TestS38TheCommitClockKeepsItsPhaseAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFakeGroup(nil)
		p := newPartition(broker.TP{Topic: "t"}, offsets.Range{To: 100}, newFate(0))
		var progress Progress
		s := &Session{o: Options{}.filled()}
		s.commits = commits{s: s, Commit: Commit{To: g, Progress: &progress, EveryT: 20 * time.Millisecond}}
		wait := s.commits.start(t.Context())
		for i := range int64(130) {
			progress.Done(Mark{p, i + 1, -1})
			time.Sleep(time.Millisecond)
		}
		wait()
		if g.count() != 6 {
			t.Errorf("%d commits in 130 ms of 20", g.count())
		}
		progress.Done(Mark{p, 200, -1})
		time.Sleep(time.Second)
		if g.count() != 6 {
			t.Error("it goes on after its end")
		}
	})
}

func TestACommitThatARebalanceHoldsUpIsMadeAfterIt(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 10)...))
	out := newCollector()
	g := newFakeGroup(nil)
	tries := 0
	g.refuse = func(map[broker.TP]offsets.Stored) error {
		if tries++; tries < 3 {
			return wire.RebalanceInProgress
		}
		return nil
	}
	o := quick()
	o.OnWarn = func(err error) { t.Errorf("warned: %v", err) }
	report, err := c.run(o, g, span(tp, 0, 10), out)
	if err != nil || report.Commit != nil {
		t.Fatal(err, report.Commit)
	}
	g.want(t, map[broker.TP]int64{tp: 10})
}

func TestALastCommitThatIsRefusedIsReported(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 10)...))
	g := newFakeGroup(nil)
	g.refuse = func(map[broker.TP]offsets.Stored) error { return wire.IllegalGeneration }
	warned := 0
	o := quick()
	o.Commit.EveryN = 2
	o.OnWarn = func(error) { warned++ }
	report, err := c.run(o, g, span(tp, 0, 10), newCollector())
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(report.Commit, wire.IllegalGeneration) || !strings.HasPrefix(report.Commit.Error(), "not committed: t:0=10: ") {
		t.Errorf("it reports %v", report.Commit)
	}
	if warned != 1 {
		t.Errorf("%d warnings of one trouble", warned)
	}
}

// Filtered records and whatever is none are done as well, or a group's lag would
// never go to 0.
func TestWhatDeliversNothingIsCommittedToo(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 5)...), marker(5, 7, 1), batch(6, 9, 0, -1, numbered(6, 2)...))
	g := newFakeGroup(nil)
	o := quick()
	o.Isolation = ReadCommitted
	o.Keep = func(_ context.Context, r *record.Record) (bool, error) { return r.Offset < 3, nil }
	if _, err := c.run(o, g, span(tp, 0, 16), newCollector()); err != nil {
		t.Fatal(err)
	}
	g.want(t, map[broker.TP]int64{tp: 16})
}

func TestASinkThatFailsLeavesExactlyWhatItDelivered(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 10)...))
	g := newFakeGroup(nil)
	out := newCollector()
	full := errors.New("disk full")
	out.each = func(r *record.Record) error {
		if r.Offset == 7 {
			for _, m := range out.marks { // what a short write got out
				if m.Next <= 4 {
					out.progress.Done(m)
				}
			}
			return full
		}
		return nil
	}
	if _, err := c.run(quick(), g, span(tp, 0, 10), out); !errors.Is(err, full) {
		t.Fatal(err)
	}
	g.want(t, map[broker.TP]int64{tp: 4})
}

func TestMaxRecordsCommitsThatMany(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 100)...))
	g := newFakeGroup(nil)
	o := quick()
	o.Max = 10
	if _, err := c.run(o, g, span(tp, 0, 100), newCollector()); err != nil {
		t.Fatal(err)
	}
	g.want(t, map[broker.TP]int64{tp: 10})
}

func TestAnInterruptedRunCommitsWhatIsDone(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 10)...))
	g := newFakeGroup(nil)
	out := newCollector()
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	out.each = func(r *record.Record) error {
		if r.Offset == 5 {
			cancel(stop)
		}
		return nil
	}
	s := c.session(g, out, quick())
	s.Add(span(tp, 0, offsets.Follow))
	if _, err := s.Run(ctx, out); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	n := int64(len(out.got[tp]))
	g.want(t, map[broker.TP]int64{tp: n})
}

// The epoch goes with the offset, as far as it is known (KIP-320).
func TestTheLeaderEpochIsCommitted(t *testing.T) {
	c := newCluster(t, 1)
	old, young := plain(0, numbered(0, 3)...), plain(3, numbered(3, 3)...)
	old.raw[15], young.raw[15] = 4, 9
	tp := c.log(0, old, young)
	for n, want := range map[int64]int32{2: 4, 3: 4, 4: 9, 6: 9} {
		g := newFakeGroup(nil)
		o := quick()
		o.Max = n
		if _, err := c.run(o, g, span(tp, 0, 6), newCollector()); err != nil {
			t.Fatal(err)
		}
		if s := g.commits[0][tp]; s.Offset != n || s.LeaderEpoch != want {
			t.Errorf("after %d records: %+v, want epoch %d", n, s, want)
		}
	}
}

// What was read of a topic is committed for that one alone, though another bears
// its name by then.
func TestACommitIsForTheTopicThatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		c.topicID = wire.UUID{1}
		tp := c.log(0, plain(0, numbered(0, 3)...))
		out, g, o := newCollector(), newFakeGroup(nil), quick()
		o.Commit.EveryN = 1
		s := c.session(g, out, o)
		s.Add(span(tp, 0, offsets.Follow))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := s.Run(ctx, out)
			done <- err
		}()
		out.await(t, 3)
		c.set(func() {
			c.topicID = wire.UUID{2}
			c.logs[tp] = &plog{stable: -1, entries: []entry{plain(0, numbered(0, 2)...)}}
		})
		out.await(t, 5)
		cancel()
		<-done
		of := map[wire.UUID][]int64{}
		for _, commit := range g.commits {
			of[commit[tp].TopicID] = append(of[commit[tp].TopicID], commit[tp].Offset)
		}
		if len(of) != 2 || !slices.Equal(of[wire.UUID{1}], []int64{1, 2, 3}) || !slices.Equal(of[wire.UUID{2}], []int64{1, 2}) {
			t.Errorf("committed %v", of)
		}
	})
}
