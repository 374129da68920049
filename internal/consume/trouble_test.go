package consume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
)

// warnings collects what a session says while it runs.
func warnings(o *Options) *[]string {
	var list []string
	o.OnWarn = func(err error) { list = append(list, err.Error()) }
	return &list
}

func TestAPositionBelowTheLogStartGoesOnAtTheStart(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(10, numbered(10, 5)...), plain(15, numbered(15, 5)...))
	c.set(func() { c.logs[tp].start = 10 })
	o := quick()
	warned := warnings(&o)
	got := newCollector()
	report := c.read(o, got, span(tp, 4, 17))
	got.wantOffsets(t, tp, from(10, 17)...)
	if want := []string{"t:0: offset 4 is gone from the log: going on at 10, 6 offsets lost"}; !slices.Equal(*warned, want) {
		t.Errorf("warned of %q", *warned)
	}
	if report.Err() != nil || report.Partitions[0].Next != 17 || report.Partitions[0].From != 4 {
		t.Errorf("%+v", report.Partitions)
	}
	// All of the range may be gone.
	*warned = nil
	report = c.read(o, got, span(tp, 4, 8))
	if report.Err() != nil || !strings.Contains(fmt.Sprint(*warned), "4 offsets lost") {
		t.Errorf("%v, warned of %q", report.Err(), *warned)
	}
}

func TestResetNoneAndStrictFailWhereAPositionIsLost(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(10, numbered(10, 5)...))
	c.set(func() { c.logs[tp].start = 10 })
	o := quick()
	o.Reset = ResetNone
	got := newCollector()
	report := c.read(o, got, span(tp, 4, 15))
	if !errors.Is(report.Err(), wire.OffsetOutOfRange) || len(got.got) > 0 {
		t.Errorf("none: %v", report.Err())
	}
	o = quick()
	o.Strict = true
	report = c.read(o, got, span(tp, 4, 15))
	var gone *LostError
	if !errors.As(report.Err(), &gone) || gone.Lost != 6 || len(got.got) > 0 {
		t.Errorf("strict: %v", report.Err())
	}
	o = quick()
	o.Reset = ResetEnd
	warned := warnings(&o)
	report = c.read(o, got, span(tp, 4, 15))
	if report.Err() != nil || len(got.got) > 0 || len(*warned) != 1 {
		t.Errorf("end: %v, warned of %q", report.Err(), *warned)
	}
}

func TestATruncatedLogIsFollowedFromItsNewEnd(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 10)...))
	o := quick()
	warned := make(chan error, 10)
	o.OnWarn = func(err error) { warned <- err }
	s := NewSession(c.client(), o)
	s.Add(span(tp, 0, offsets.Follow))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	got := newCollector()
	go func() {
		_, err := s.Run(ctx, got)
		done <- err
	}()
	got.await(t, 10)
	c.set(func() { c.logs[tp].entries = []entry{plain(0, numbered(0, 6)...)} })
	if err := <-warned; err.Error() != "t:0: the log was truncated: it ends at offset 6, where it had been read up to 10: 4 offsets lost" {
		t.Errorf("warned of %v", err)
	}
	c.append(tp, plain(6, rec{0, 2000, "new"}))
	got.await(t, 11)
	cancel()
	<-done
	got.wantOffsets(t, tp, append(from(0, 10), 6)...)
}

func TestATruncatedLogEndsARange(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 10)...))
	var cut atomic.Bool
	c.bend(func(_ int32, _ *brokertest.Request, _ *wire.FetchResponse) (brokertest.Reply, bool) {
		if !cut.Swap(true) {
			c.set(func() { c.logs[tp].entries = []entry{plain(0, numbered(0, 6)...)} })
		}
		return brokertest.Reply{}, false
	})
	o := quick()
	warned := warnings(&o)
	got := newCollector()
	report := c.read(o, got, span(tp, 0, 20))
	got.wantOffsets(t, tp, from(0, 10)...)
	if report.Err() != nil || len(*warned) != 1 {
		t.Errorf("%v, warned of %q", report.Err(), *warned)
	}
}

// No trouble at all, but the log ends before the range does.
func TestARangePastTheEndEndsWithAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 10)...))
		o := quick()
		o.Timeout = 30 * time.Millisecond
		warned := warnings(&o)
		got := newCollector()
		report := c.read(o, got, span(tp, 0, 20))
		got.wantOffsets(t, tp, from(0, 10)...)
		if report.Err() != nil || len(*warned) != 1 || !strings.Contains((*warned)[0], "ends at offset 10, before the end of the range at 20") {
			t.Errorf("%v, warned of %q", report.Err(), *warned)
		}
		o.Strict = true
		report = c.read(o, newCollector(), span(tp, 0, 20))
		var short *TruncatedError
		if !errors.As(report.Err(), &short) {
			t.Errorf("strict: %v", report.Err())
		}
	})
}

func TestARangeThatGetsNoFurtherTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 10)...))
		c.bend(func(_ int32, _ *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
			if p := &resp.Topics[0].Partitions[0]; len(p.Records) == 0 {
				p.HighWatermark = 10
			}
			return brokertest.Reply{}, false
		})
		o := quick()
		o.Timeout = 30 * time.Millisecond
		c.set(func() { c.logs[tp].stable = -1 })
		got := newCollector()
		list := c.logs[tp]
		// The log claims to go on to 20 and has nothing there.
		c.set(func() { list.entries = append(list.entries, entry{base: 19, next: 20}) })
		report := c.read(o, got, span(tp, 0, 20))
		var stalled *StalledError
		if !errors.As(report.Err(), &stalled) || !errors.Is(report.Err(), context.DeadlineExceeded) {
			t.Errorf("error %v", report.Err())
		}
		got.wantOffsets(t, tp, from(0, 10)...)
	})
}

func TestAnExplicitEndIsWaitedForWhenFollowing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...))
		o := quick()
		o.Follow, o.Timeout = true, 10*time.Millisecond
		got := newCollector()
		done := make(chan *Report)
		go func() {
			report, err := Run(t.Context(), c.client(), o, span(tp, 0, 5), got)
			if err != nil {
				t.Error(err)
			}
			done <- report
		}()
		got.await(t, 3)
		n := len(c.asking())
		c.servers[0].Await(wire.Fetch, n+3) // several empty answers, for longer than the timeout
		c.append(tp, plain(3, numbered(3, 4)...))
		if report := <-done; report.Err() != nil {
			t.Error(report.Err())
		}
		got.wantOffsets(t, tp, from(0, 5)...)
	})
}

func TestALeaderlessPartitionTimesOutAndTheOthersFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		a, b := c.log(0, plain(0, numbered(0, 3)...)), c.log(1, plain(0, numbered(0, 3)...))
		c.set(func() { c.logs[b].leader = -1 })
		o := quick()
		o.Timeout = 30 * time.Millisecond
		got := newCollector()
		report := c.read(o, got, map[broker.TP]offsets.Range{a: {To: 3}, b: {To: 3}})
		got.wantOffsets(t, a, from(0, 3)...)
		if report.Partitions[0].Err != nil || !errors.Is(report.Partitions[1].Err, context.DeadlineExceeded) ||
			!errors.Is(report.Partitions[1].Err, wire.LeaderNotAvailable) {
			t.Errorf("%+v", report.Partitions)
		}
	})
}

func TestAnOutageIsWaitedOutWithOneNoteAtEachEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		a, b := c.log(0, plain(0, numbered(0, 3)...)), c.log(1, plain(0, numbered(0, 3)...))
		o := quick()
		notes := make(chan error, 100)
		o.OnNote = func(err error) { notes <- err }
		o.Timeout = time.Millisecond // following has none
		s := NewSession(c.client(func(cfg *broker.Config) { cfg.Timeout = time.Minute }), o)
		s.Add(map[broker.TP]offsets.Range{a: {To: offsets.Follow}, b: {To: offsets.Follow}})
		ctx, cancel := context.WithCancel(t.Context())
		got := newCollector()
		done := make(chan error)
		go func() {
			_, err := s.Run(ctx, got)
			done <- err
		}()
		got.await(t, 6)
		var back atomic.Bool
		c.bend(func(int32, *brokertest.Request, *wire.FetchResponse) (brokertest.Reply, bool) {
			return brokertest.Hangup(), !back.Load()
		})
		c.append(a, plain(3, numbered(3, 1)...))
		c.append(b, plain(3, numbered(3, 1)...))
		first := <-notes
		back.Store(true)
		got.await(t, 8)
		second := <-notes
		var retry *RetryNote
		var healed *BackNote
		if !errors.As(first, &retry) || !errors.As(second, &healed) || len(notes) > 0 {
			t.Errorf("notes %v, %v and %d more", first, second, len(notes))
		}
		cancel()
		<-done
		got.wantOffsets(t, a, from(0, 4)...)
		got.wantOffsets(t, b, from(0, 4)...)
	})
}

func TestASilentBrokerIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...))
		var n atomic.Int32
		c.bend(func(int32, *brokertest.Request, *wire.FetchResponse) (brokertest.Reply, bool) {
			return brokertest.Silence(), n.Add(1) == 1
		})
		o := quick()
		o.Follow, o.Timeout = true, 30*time.Millisecond
		got := newCollector()
		if report := c.read(o, got, span(tp, 0, 3)); report.Err() != nil {
			t.Error(report.Err())
		}
		got.wantOffsets(t, tp, from(0, 3)...)
	})
}

// The time before silence is noticed counts: it is no progress either.
func TestASilentBrokerCostsTheTimeoutOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...))
		c.bend(func(int32, *brokertest.Request, *wire.FetchResponse) (brokertest.Reply, bool) {
			return brokertest.Silence(), true
		})
		o := quick()
		o.Timeout, o.Fetch.Wait = 9*time.Second, 500*time.Millisecond
		start := time.Now()
		if report := c.read(o, newCollector(), span(tp, 0, 3)); report.Err() == nil {
			t.Error("no error")
		}
		if took, most := time.Since(start), o.Timeout+2*o.Fetch.Wait; took > most {
			t.Errorf("took %v, want %v at most", took, most)
		}
	})
}

func TestAnswersThatMakeNoSenseAreAskedForAgain(t *testing.T) {
	for name, change := range map[string]func(resp *wire.FetchResponse){
		"left out":        func(resp *wire.FetchResponse) { resp.Topics = resp.Topics[:0] },
		"somebody else's": func(resp *wire.FetchResponse) { resp.Topics[0].Partitions[0].Index = 77 },
		"twice":           func(resp *wire.FetchResponse) { resp.Topics = append(resp.Topics, resp.Topics[0]) },
		"an error on top": func(resp *wire.FetchResponse) { resp.ErrorCode = wire.UnknownServerError },
		"server error":    func(resp *wire.FetchResponse) { resp.Topics[0].Partitions[0].ErrorCode = wire.UnknownServerError },
		"disk error":      func(resp *wire.FetchResponse) { resp.Topics[0].Partitions[0].ErrorCode = wire.KafkaStorageError },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 1)
			tp := c.log(0, plain(0, numbered(0, 3)...))
			var n atomic.Int32
			c.bend(func(_ int32, _ *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
				if n.Add(1) <= 2 {
					change(resp)
					return brokertest.Answer(resp), true
				}
				return brokertest.Reply{}, false
			})
			got := newCollector()
			if report := c.read(quick(), got, span(tp, 0, 3)); report.Err() != nil {
				t.Error(report.Err())
			}
			got.wantOffsets(t, tp, from(0, 3)...)
		})
	}
}

func TestADeletedTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		c.topicID = wire.UUID{1}
		tp := c.log(0, plain(0, numbered(0, 3)...))
		o := quick()
		s := NewSession(c.client(), o)
		s.Add(span(tp, 0, offsets.Follow))
		ctx, cancel := context.WithCancel(t.Context())
		got := newCollector()
		done := make(chan error)
		go func() {
			_, err := s.Run(ctx, got)
			done <- err
		}()
		got.await(t, 3)
		c.set(func() { delete(c.logs, tp) })
		c.servers[0].Await(wire.Metadata, 4)
		c.set(func() { // another topic of that name
			c.topicID = wire.UUID{2}
			c.logs[tp] = &plog{stable: -1, entries: []entry{plain(0, numbered(0, 2)...)}}
		})
		got.await(t, 5)
		cancel()
		<-done
		got.wantOffsets(t, tp, 0, 1, 2, 0, 1)

		// A range ends with it.
		o.Timeout = 30 * time.Millisecond
		c.set(func() { c.topicID = wire.UUID{3}; c.logs[tp].err = wire.UnknownTopicID })
		report, err := Run(t.Context(), c.client(), o, span(tp, 0, 5), newCollector())
		if err != nil || !errors.Is(report.Err(), wire.UnknownTopicID) {
			t.Errorf("%v, %v", err, report.Err())
		}
	})
}

// The lane of a range notices that the topic is not the one it began with.
func TestATopicMadeAnewEndsARange(t *testing.T) {
	c := newCluster(t, 1)
	c.topicID = wire.UUID{1}
	tp := c.log(0, plain(0, numbered(0, 3)...))
	client := c.client()
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	c.set(func() { c.topicID = wire.UUID{2} })
	report, err := Run(t.Context(), client, quick(), span(tp, 0, 3), newCollector())
	if err != nil || !errors.Is(report.Err(), ErrRecreated) {
		t.Errorf("%v, %v", err, report.Err())
	}
}

// S27: an answer too small for one entry is asked for again at twice the size.
func TestS27ATooSmallFetchIsDoubledUpToTheLimit(t *testing.T) {
	c := newCluster(t, 1)
	c.servers[0].Window(wire.Fetch, 0, 1)
	tp := c.log(0, plain(0, rec{0, 1000, strings.Repeat("x", 5000)}), plain(1, numbered(1, 1)...))
	o := quick()
	o.Fetch.PartitionBytes, o.Fetch.PartitionLimit = 4096, 32768
	got := newCollector()
	if report := c.read(o, got, span(tp, 0, 2)); report.Err() != nil {
		t.Error(report.Err())
	}
	got.wantOffsets(t, tp, 0, 1)
	var sizes []int32
	for _, f := range c.asking() {
		sizes = append(sizes, f.bytes)
	}
	if !slices.Equal(sizes, []int32{4096, 8192}) {
		t.Errorf("asked for %v", sizes)
	}
	o.Fetch.PartitionBytes, o.Fetch.PartitionLimit = 1000, 3000
	report := c.read(o, newCollector(), span(tp, 0, 2))
	var small *TooSmallError
	if !errors.As(report.Err(), &small) || small.Limit != 3000 || small.Size < 5000 {
		t.Errorf("error %v", report.Err())
	}
	// The growth is not remembered.
	sizes = nil
	for _, f := range c.asking() {
		sizes = append(sizes, f.bytes)
	}
	if want := []int32{4096, 8192, 1000, 2000, 3000}; !slices.Equal(sizes, want) {
		t.Errorf("asked for %v, want %v", sizes, want)
	}
}

// S10: what a fetch asks for is what it was told.
func TestS10FetchSettingsReachTheBroker(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 3)...))
	o := quick()
	o.Isolation = ReadCommitted
	o.Fetch = Fetch{Wait: 70 * time.Millisecond, MinBytes: 5, MaxBytes: 1 << 21, PartitionBytes: 1 << 19}
	c.read(o, newCollector(), span(tp, 1, 3))
	req := c.servers[0].Await(wire.Fetch, 1).Body.(*wire.FetchRequest)
	p := req.Topics[0].Partitions[0]
	if req.MaxWaitMs != 70 || req.MinBytes != 5 || req.MaxBytes != 1<<21 || req.IsolationLevel != 1 || req.ReplicaID != -1 ||
		req.SessionID != 0 || req.SessionEpoch != -1 || p.MaxBytes != 1<<19 || p.FetchOffset != 1 || p.CurrentLeaderEpoch != 0 {
		t.Errorf("%+v", req)
	}
}

func TestALargeRecordPasses(t *testing.T) {
	c := newCluster(t, 1)
	huge := strings.Repeat("x", 10<<20)
	tp := c.log(0, plain(0, numbered(0, 2)...), plain(2, rec{0, 1000, huge}), plain(3, numbered(3, 2)...))
	got := newCollector()
	if report := c.read(quick(), got, span(tp, 0, 5)); report.Err() != nil {
		t.Fatal(report.Err())
	}
	got.wantOffsets(t, tp, from(0, 5)...)
	if v := got.values[tp][2]; v != huge {
		t.Errorf("%d bytes came", len(v))
	}
}

// The sink does not move, and the log has much more than chunks may hold.
func TestASlowReaderHoldsTheBrokerBackAtAFixedAmountOfMemory(t *testing.T) {
	c := newCluster(t, 1)
	ranges := make(map[broker.TP]offsets.Range)
	var tps []broker.TP
	for i := range int32(4) {
		var list []entry
		for j := range int64(8) {
			list = append(list, plain(j, rec{0, 1000, strings.Repeat("x", 600_000)}))
		}
		tp := c.log(i, list...)
		tps = append(tps, tp)
		ranges[tp] = offsets.Range{To: 8}
	}
	s := NewSession(c.client(), quick())
	s.Add(ranges)
	got := newCollector()
	release, stuck := make(chan struct{}), make(chan struct{})
	got.each = func(r *record.Record) error {
		select {
		case <-stuck:
		default:
			close(stuck)
		}
		<-release
		return nil
	}
	done := make(chan *Report)
	go func() {
		report, err := s.Run(t.Context(), got)
		if err != nil {
			t.Error(err)
		}
		done <- report
	}()
	<-stuck
	l := s.out.(*stream).pool
	for len(l.tokens) > 0 { // until every chunk is filled or waits
		select {
		case <-t.Context().Done():
			t.Fatal("the pool never emptied")
		case <-time.After(time.Millisecond):
		}
	}
	l.mu.Lock()
	made, spare := l.made, len(l.spare)
	l.mu.Unlock()
	if made != minChunks || spare != 0 {
		t.Errorf("%d chunks made, %d to spare", made, spare)
	}
	close(release)
	report := <-done
	for _, tp := range tps {
		got.wantOffsets(t, tp, from(0, 8)...)
	}
	if report.Err() != nil || l.made != minChunks || len(l.tokens) != minChunks {
		t.Errorf("%v; in the end %d chunks, %d free", report.Err(), l.made, len(l.tokens))
	}
}

// An answer has room for one partition only, and all get their turn.
func TestPartitionsTakeTurns(t *testing.T) {
	c := newCluster(t, 1)
	ranges := make(map[broker.TP]offsets.Range)
	for i := range int32(5) {
		var list []entry
		for j := range int64(8) {
			list = append(list, plain(j, rec{0, 1000, strings.Repeat("x", 3000)}))
		}
		ranges[c.log(i, list...)] = offsets.Range{To: 8}
	}
	o := quick()
	o.Fetch.MaxBytes, o.Fetch.PartitionBytes = 2000, 2000
	got := newCollector()
	report := c.read(o, got, ranges)
	if report.Err() != nil || report.Records != 40 {
		t.Errorf("%+v", report)
	}
	// With three in a lane, none asks often for the same in vain.
	vain := make(map[asking1]int)
	for _, a := range c.asking() {
		if vain[a]++; vain[a] > 4 {
			t.Errorf("%+v for the %dth time", a, vain[a])
		}
	}
}

// The end of a short range is not paid for with the rest of the answer.
func TestTheRestOfAnAnswerIsLeft(t *testing.T) {
	c := newCluster(t, 1)
	var list []entry
	for j := range int64(20) {
		list = append(list, plain(j, rec{0, 1000, strings.Repeat("x", 50_000)}))
	}
	tp := c.log(0, list...)
	got := newCollector()
	if report := c.read(quick(), got, span(tp, 3, 5)); report.Err() != nil {
		t.Error(report.Err())
	}
	got.wantOffsets(t, tp, 3, 4)
}

// KIP-392: the leader names a replica near us; where that one fails, the leader
// is asked again.
func TestANearReplicaIsReadUntilItFails(t *testing.T) {
	c := newCluster(t, 2)
	tp := c.log(0, plain(0, numbered(0, 3)...))
	var behind atomic.Bool
	c.bend(func(node int32, r *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
		p := &resp.Topics[0].Partitions[0]
		req := r.Body.(*wire.FetchRequest)
		if req.RackID != "here" {
			t.Errorf("rack %q", req.RackID)
		}
		if node == 0 {
			if !behind.Load() {
				p.PreferredReadReplica, p.Records = 1, wire.Records{}
				return brokertest.Answer(resp), true
			}
			return brokertest.Reply{}, false
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		p.ErrorCode, p.HighWatermark = wire.None, 6
		if at := req.Topics[0].Partitions[0].FetchOffset; at >= 3 {
			behind.Store(true)
			p.ErrorCode = wire.OffsetOutOfRange
			return brokertest.Answer(resp), true
		}
		p.Records = c.logs[tp].entries[0].raw
		return brokertest.Answer(resp), true
	})
	client := c.client(func(cfg *broker.Config) { cfg.Rack = "here" })
	o := quick()
	warned := warnings(&o)
	got := newCollector()
	c.append(tp, plain(3, numbered(3, 3)...))
	report, err := Run(t.Context(), client, o, span(tp, 0, 6), got)
	if err != nil || report.Err() != nil || len(*warned) > 0 {
		t.Errorf("%v, %v, warned of %q", err, report.Err(), *warned)
	}
	got.wantOffsets(t, tp, from(0, 6)...)
	if c.servers[1].Count(wire.Fetch) == 0 {
		t.Error("the replica was not asked")
	}
}

func TestATopicThatStaysUnknownEndsItsRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...))
		other := broker.TP{Topic: "u"}
		began := time.Now()
		got := newCollector()
		report := c.read(quick(), got, map[broker.TP]offsets.Range{tp: {To: 3}, other: {To: 3}})
		if err := report.Partitions[1].Err; !errors.Is(err, wire.UnknownTopicOrPartition) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began); took < goneAfter || took > goneAfter+3*time.Second {
			t.Errorf("it took %v", took)
		}
		got.wantOffsets(t, tp, from(0, 3)...)
	})
}

// Dialling and waiting for the first answer do not count.
func TestASilentLogIsIdleOnlyOnceItsLeaderHasAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...))
		slow := make(chan struct{})
		time.AfterFunc(3*time.Second, func() { close(slow) })
		var n atomic.Int32
		c.bend(func(_ int32, _ *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
			return brokertest.Answer(resp).After(slow), n.Add(1) == 1
		})
		o := quick()
		o.Follow, o.Idle = true, time.Second
		began := time.Now()
		got := newCollector()
		report := c.read(o, got, span(tp, 0, offsets.Follow))
		got.wantOffsets(t, tp, from(0, 3)...)
		if took := time.Since(began); !report.Idle || took < 4*time.Second || took > 5*time.Second {
			t.Errorf("it took %v, %+v", took, report)
		}
	})
}

func TestWhatErrorsSay(t *testing.T) {
	tp := broker.TP{Topic: "t", Partition: 3}
	for want, err := range map[string]error{
		"t:3 at offset 5: UNKNOWN_TOPIC_ID (100): " + strings.SplitN(wire.UnknownTopicID.Error(), ": ", 2)[1]:      &PartitionError{tp, 5, wire.UnknownTopicID},
		"no record up to the end at offset 9 in 3s":                                                                &StalledError{After: 3 * time.Second, End: 9},
		"no progress in 3s: no leader is known":                                                                    &StalledError{After: 3 * time.Second, End: 9, Err: errLeader},
		"t:3: no leader is known; trying again":                                                                    &RetryNote{tp, errLeader},
		"back after 1.5s":                                                                                          &BackNote{1532 * time.Millisecond},
		"t:3: the topic was deleted and made anew; reading it from offset 0, it was read up to 7 before":           &LostError{tp, 7, 0, 7, ErrRecreated},
		"a batch of 70 bytes or more is larger than the limit of 50 bytes a partition (max-partition-bytes-limit)": &TooSmallError{70, 50},
	} {
		if err.Error() != want {
			t.Errorf("it says %q, want %q", err, want)
		}
	}
	if err := (&RetryNote{tp, errLeader}); !errors.Is(err, errLeader) {
		t.Error("the trouble is hidden")
	}
}

func TestProgressNeverGoesBack(t *testing.T) {
	p := newPartition(broker.TP{Topic: "t"}, offsets.Range{From: 3, To: 100}, newFate(0))
	var g Progress
	g.Done(Mark{p, 3, -1})
	if at := g.Take(); len(at) > 0 {
		t.Errorf("the start is no progress: %v", at)
	}
	g.Done(Mark{p, 7, -1})
	g.Done(Mark{p, 5, -1})
	if at := g.Take(); at[p.TP].Next != 7 || len(at) != 1 {
		t.Errorf("took %v", at)
	}
	if at := g.Take(); len(at) > 0 {
		t.Errorf("took %v twice", at)
	}
}
