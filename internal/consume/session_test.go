package consume

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

func TestARangeIsReadExactly(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 10)...), plain(10, numbered(10, 10)...), plain(20, numbered(20, 10)...))
	for _, r := range []offsets.Range{{From: 0, To: 30}, {From: 3, To: 27}, {From: 10, To: 20}, {From: 14, To: 15}, {From: 29, To: 30}, {From: 5, To: 5}, {From: 7, To: 3}} {
		got := newCollector()
		report := c.read(quick(), got, map[broker.TP]offsets.Range{tp: r})
		got.wantOffsets(t, tp, from(r.From, r.To)...)
		if err := report.Err(); err != nil {
			t.Errorf("%v: %v", r, err)
		}
		if next := report.Partitions[0].Next; next != max(r.To, r.From) {
			t.Errorf("%v: position %d", r, next)
		}
		if n := report.Records; n != max(r.To-r.From, 0) {
			t.Errorf("%v: %d records reported", r, n)
		}
	}
}

func TestNothingToReadEndsAtOnce(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0)
	got := newCollector()
	report := c.read(quick(), got, span(tp, 0, 0))
	if report.Err() != nil || report.Records != 0 || c.servers[0].Count(wire.Fetch) != 0 {
		t.Errorf("report %+v after %d fetches", report, c.servers[0].Count(wire.Fetch))
	}
	if report := c.read(quick(), got, nil); report.Err() != nil {
		t.Error(report.Err())
	}
}

func TestATopicThatEndsInMarkersEnds(t *testing.T) {
	for _, isolation := range []int8{ReadUncommitted, ReadCommitted} {
		c := newCluster(t, 1)
		tp := c.log(0, batch(0, 4, transactional, 7, numbered(0, 5)...), marker(5, 7, 1), marker(6, 8, 0))
		o := quick()
		o.Isolation = isolation
		got := newCollector()
		report := c.read(o, got, span(tp, 0, 7))
		got.wantOffsets(t, tp, from(0, 5)...)
		if report.Err() != nil || report.Partitions[0].Next != 7 {
			t.Errorf("isolation %d: %+v", isolation, report.Partitions)
		}
		// And one that holds nothing else.
		got = newCollector()
		report = c.read(o, got, span(tp, 5, 7))
		if report.Err() != nil || report.Partitions[0].Next != 7 || len(got.got[tp]) > 0 {
			t.Errorf("isolation %d: %+v, %v", isolation, report.Partitions, got.got)
		}
	}
}

func TestHolesEndARangeWithinThem(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0,
		batch(0, 9, 0, -1, rec{2, 1000, "a"}, rec{5, 1000, "b"}),
		batch(30, 9, 0, -1, rec{0, 1000, "c"}, rec{9, 1000, "d"}),
		batch(60, 5, 0, -1)) // emptied by compaction, kept for its sequence numbers
	for _, x := range []struct {
		to   int64
		want []int64
	}{{5, []int64{2}}, {6, []int64{2, 5}}, {8, []int64{2, 5}}, {20, []int64{2, 5}}, {31, []int64{2, 5, 30}}, {50, []int64{2, 5, 30, 39}}, {66, []int64{2, 5, 30, 39}}} {
		got := newCollector()
		report := c.read(quick(), got, span(tp, 1, x.to))
		got.wantOffsets(t, tp, x.want...)
		if report.Err() != nil || report.Partitions[0].Next != x.to {
			t.Errorf("to %d: %+v", x.to, report.Partitions)
		}
	}
}

// Two producers' transactions overlap, and the list of the aborted is in no order.
func TestAbortedRecordsAreLeftOutUnderReadCommitted(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0,
		batch(0, 1, transactional, 7, numbered(0, 2)...),
		batch(2, 1, transactional, 8, numbered(2, 2)...),
		plain(4, numbered(4, 1)...),
		marker(5, 7, 0),
		batch(6, 1, transactional, 7, numbered(6, 2)...), // committed
		marker(8, 8, 0),
		marker(9, 7, 1),
		batch(10, 0, transactional, 9, numbered(10, 1)...), // open
		plain(11, numbered(11, 1)...))
	c.set(func() {
		c.logs[tp].stable = 10
		c.logs[tp].aborted = []wire.AbortedTransaction{{ProducerID: 8, FirstOffset: 2}, {ProducerID: 7, FirstOffset: 0}}
	})
	got := newCollector()
	o := quick()
	o.Isolation = ReadCommitted
	if err := c.read(o, got, span(tp, 0, 10)).Err(); err != nil {
		t.Error(err)
	}
	got.wantOffsets(t, tp, 4, 6, 7)
	got = newCollector()
	if err := c.read(quick(), got, span(tp, 0, 12)).Err(); err != nil {
		t.Error(err)
	}
	got.wantOffsets(t, tp, 0, 1, 2, 3, 4, 6, 7, 10, 11)
}

// The connection breaks after every number of bytes of an answer about two partitions.
func TestAConnectionThatBreaksAnywhereLosesAndRepeatsNothing(t *testing.T) {
	c := newCluster(t, 1)
	a := c.log(0, plain(0, numbered(0, 3)...), plain(3, numbered(3, 2)...))
	b := c.log(1, plain(0, numbered(0, 2)...), marker(2, 1, 1), plain(3, numbered(3, 2)...))
	ranges := map[broker.TP]offsets.Range{a: {From: 1, To: 5}, b: {From: 0, To: 5}}
	for i := range int32(2) { // two lanes share them
		ranges[c.log(2+i, plain(0, numbered(0, 1)...))] = offsets.Range{To: 1}
	}
	size := 0
	for n := 0; n == 0 || n <= size; n++ {
		var broken atomic.Bool
		c.bend(func(_ int32, r *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
			if broken.Swap(true) {
				return brokertest.Reply{}, false
			}
			var f wire.Frame
			if err := wire.AppendResponse(&f, resp, r.Version, 0); err != nil {
				t.Error(err)
			}
			all := 0
			for _, p := range f.Buffers(nil) {
				all += len(p)
			}
			size = max(size, all)
			return brokertest.Answer(resp).Short(n), true
		})
		got := newCollector()
		if err := c.read(quick(), got, ranges).Err(); err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		got.wantOffsets(t, a, from(1, 5)...)
		got.wantOffsets(t, b, 0, 1, 3, 4)
		for i := range int32(2) {
			got.wantOffsets(t, broker.TP{Topic: "t", Partition: 2 + i}, 0)
		}
		if t.Failed() {
			t.Fatalf("after %d bytes", n)
		}
	}
	if size < 350 {
		t.Errorf("the answer has %d bytes only", size)
	}
}

func TestALeaderThatMovesIsFollowed(t *testing.T) {
	for _, hint := range []bool{false, true} {
		c := newCluster(t, 2)
		tp := c.log(0, plain(0, numbered(0, 5)...))
		client := c.client()
		got := newCollector()
		o := quick()
		s := NewSession(client, o)
		s.Add(span(tp, 0, 10))
		done := make(chan *Report)
		go func() {
			report, err := s.Run(context.Background(), got)
			if err != nil {
				t.Error(err)
			}
			done <- report
		}()
		got.await(t, 5)
		if hint {
			c.bend(func(node int32, _ *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
				if node == 0 {
					resp.Topics[0].Partitions[0].CurrentLeader = wire.LeaderAndEpoch{LeaderID: 1, LeaderEpoch: 3}
				}
				return brokertest.Reply{}, false
			})
		}
		c.set(func() {
			l := c.logs[tp]
			l.leader, l.epoch = 1, 3
			l.entries = append(l.entries, plain(5, numbered(5, 5)...))
		})
		report := <-done
		got.wantOffsets(t, tp, from(0, 10)...)
		if report.Err() != nil {
			t.Error(report.Err())
		}
		last := c.asking()[len(c.asking())-1]
		if last.node != 1 || last.epoch != 3 || last.offset != 5 {
			t.Errorf("the last fetch was %+v", last)
		}
	}
}

// A broker that lags behind metadata, then one that is ahead of it.
func TestEpochsOutOfStepAreWaitedOut(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 5)...))
	client := c.client()
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	c.set(func() { c.logs[tp].epoch = 2 }) // FENCED_LEADER_EPOCH until metadata is fetched
	got := newCollector()
	report, err := Run(t.Context(), client, quick(), span(tp, 0, 5), got)
	if err != nil || report.Err() != nil {
		t.Error(err, report.Err())
	}
	got.wantOffsets(t, tp, from(0, 5)...)
	c.set(func() { c.logs[tp].epoch = 1 }) // UNKNOWN_LEADER_EPOCH until it catches up
	var n atomic.Int32
	c.bend(func(_ int32, _ *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
		if n.Add(1) == 3 {
			c.set(func() { c.logs[tp].epoch = 2 })
		}
		return brokertest.Reply{}, false
	})
	got = newCollector()
	report, err = Run(t.Context(), client, quick(), span(tp, 0, 5), got)
	if err != nil || report.Err() != nil {
		t.Error(err, report.Err())
	}
	got.wantOffsets(t, tp, from(0, 5)...)
}

// damaged is a batch whose checksum is right and whose lz4 records are not.
func damaged(base int64, last int) entry {
	e := batch(base, last, int16(codec.LZ4), -1)
	e.raw = append(e.raw, "\x04\x22\x4d\x18 this is no frame"...)
	e.raw[11] = byte(len(e.raw) - 12)
	e.raw[60] = byte(last + 1)
	seal(e.raw)
	return e
}

func TestDamageStopsItsPartitionAlone(t *testing.T) {
	c := newCluster(t, 1)
	good := c.log(0, plain(0, numbered(0, 5)...), plain(5, numbered(5, 5)...))
	bad := c.log(1, plain(0, numbered(0, 5)...), damaged(5, 2), plain(8, numbered(8, 2)...))
	ranges := map[broker.TP]offsets.Range{good: {To: 10}, bad: {To: 10}}
	got := newCollector()
	report := c.read(quick(), got, ranges)
	got.wantOffsets(t, good, from(0, 10)...)
	got.wantOffsets(t, bad, from(0, 5)...)
	var corrupt *codec.CorruptError
	var at *PartitionError
	err := report.Partitions[1].Err
	if !errors.As(err, &corrupt) || !errors.As(err, &at) || corrupt.Offset != 5 || corrupt.Resume != 8 || at.TP != bad {
		t.Errorf("error %v", err)
	}
	if report.Partitions[0].Err != nil || report.Partitions[1].Next != 5 {
		t.Errorf("%+v", report.Partitions)
	}
	if !strings.HasPrefix(fmt.Sprint(err), "t:1: corrupt records at offset 5") {
		t.Errorf("it says %q", err)
	}

	o := quick()
	o.KeepGoing = true
	var warned []error
	o.OnWarn = func(err error) { warned = append(warned, err) }
	got = newCollector()
	report = c.read(o, got, ranges)
	got.wantOffsets(t, bad, 0, 1, 2, 3, 4, 8, 9)
	if report.Err() != nil || report.Corrupt != 1 || len(warned) != 1 || report.Partitions[1].Next != 10 {
		t.Errorf("%+v, warned of %v", report, warned)
	}
}

// Headers are read before any checksum is looked at, so they must not lead astray.
func TestHeadersThatLieAreDamage(t *testing.T) {
	lie := func(change func(b []byte)) entry {
		e := plain(5, numbered(5, 2)...)
		change(e.raw)
		return e
	}
	for name, bad := range map[string]entry{
		"an end before the base": lie(func(b []byte) { b[23] = 0xff }),
		"no magic":               lie(func(b []byte) { b[16] = 9 }),
		"far in the future":      lie(func(b []byte) { b[1] = 1 }),
		"negative base":          lie(func(b []byte) { b[0] = 0x80 }),
		"a small size":           lie(func(b []byte) { b[11] = 3 }),
		"a negative size":        lie(func(b []byte) { b[8] = 0xff }),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 1)
			good := c.log(0, plain(0, numbered(0, 9)...))
			tp := c.log(1, plain(0, numbered(0, 5)...), bad, plain(7, numbered(7, 2)...))
			ranges := map[broker.TP]offsets.Range{good: {To: 9}, tp: {To: 9}}
			got := newCollector()
			report := c.read(quick(), got, ranges)
			got.wantOffsets(t, good, from(0, 9)...)
			got.wantOffsets(t, tp, from(0, 5)...)
			var corrupt *codec.CorruptError
			if err := report.Err(); !errors.As(err, &corrupt) || corrupt.Offset != 5 {
				t.Errorf("error %v", err)
			}
			o := quick()
			o.KeepGoing = true
			got = newCollector()
			report = c.read(o, got, ranges)
			got.wantOffsets(t, tp, 0, 1, 2, 3, 4, 7, 8)
			if report.Err() != nil || report.Corrupt == 0 {
				t.Errorf("%+v", report)
			}
		})
	}
}

func TestALogThatGoesBackIsDamage(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 5)...), plain(3, numbered(3, 5)...))
	got := newCollector()
	report := c.read(quick(), got, span(tp, 0, 8))
	var corrupt *codec.CorruptError
	if err := report.Err(); !errors.As(err, &corrupt) {
		t.Errorf("error %v", err)
	}
	got.wantOffsets(t, tp, from(0, 5)...)
	o := quick()
	o.KeepGoing = true
	got = newCollector()
	if report := c.read(o, got, span(tp, 0, 8)); report.Err() != nil || report.Corrupt != 1 {
		t.Errorf("%+v", report)
	}
	got.wantOffsets(t, tp, from(0, 8)...)
}

func TestAnotherPartitionsFailureIsItsOwn(t *testing.T) {
	c := newCluster(t, 1)
	good, bad := c.log(0, plain(0, numbered(0, 5)...)), c.log(1, plain(0, numbered(0, 5)...))
	c.set(func() { c.logs[bad].err = wire.TopicAuthorizationFailed })
	got := newCollector()
	o := quick()
	var failed []broker.TP
	o.OnFail = func(tp broker.TP, _ error) { failed = append(failed, tp) }
	report := c.read(o, got, map[broker.TP]offsets.Range{good: {To: 5}, bad: {To: 5}})
	if len(failed) != 1 || failed[0] != bad {
		t.Errorf("heard of %v", failed)
	}
	got.wantOffsets(t, good, from(0, 5)...)
	if !errors.Is(report.Partitions[1].Err, wire.TopicAuthorizationFailed) || report.Partitions[0].Err != nil {
		t.Errorf("%+v", report.Partitions)
	}
}

func TestMaxIsExactOverAllPartitions(t *testing.T) {
	c := newCluster(t, 1)
	ranges := make(map[broker.TP]offsets.Range)
	for i := range int32(3) {
		ranges[c.log(i, plain(0, numbered(0, 20)...), plain(20, numbered(20, 20)...))] = offsets.Range{To: 40}
	}
	for _, n := range []int64{1, 19, 20, 21, 119, 120, 121} {
		o := quick()
		o.Max = n
		got := newCollector()
		report := c.read(o, got, ranges)
		sum := 0
		for _, list := range got.got {
			sum += len(list)
		}
		if want := min(n, 120); int64(sum) != want || report.Records != want {
			t.Errorf("max %d: %d records, %d reported", n, sum, report.Records)
		}
		if report.Full != (n <= 120) {
			t.Errorf("max %d: full %v", n, report.Full)
		}
		for _, p := range report.Partitions {
			if p.Next != p.Records && n < 120 {
				t.Errorf("max %d: %v stands at %d after %d records", n, p.TP, p.Next, p.Records)
			}
		}
	}
}

func TestMaxCountsWhatIsKept(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 20)...))
	o := quick()
	o.Max = 3
	o.Keep = func(_ context.Context, r *record.Record) (bool, error) { return r.Offset%5 == 4, nil }
	got := newCollector()
	report := c.read(o, got, span(tp, 0, 20))
	got.wantOffsets(t, tp, 4, 9, 14)
	if report.Partitions[0].Next != 15 {
		t.Errorf("position %d", report.Partitions[0].Next)
	}
	// What is filtered out is accounted for as well.
	o.Max = 0
	report = c.read(o, newCollector(), span(tp, 0, 18))
	if report.Partitions[0].Next != 18 || report.Records != 3 {
		t.Errorf("%+v", report)
	}
}

func TestAFailingSinkEndsTheSession(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 20)...))
	got := newCollector()
	got.each = func(r *record.Record) error {
		if r.Offset == 7 {
			return &wrapped{syscall.EPIPE}
		}
		return nil
	}
	report, err := Run(t.Context(), c.client(), quick(), span(tp, 0, offsets.Follow), got)
	if !errors.Is(err, syscall.EPIPE) || report.Records != 7 {
		t.Errorf("%d records, %v", report.Records, err)
	}
}

type wrapped struct{ error }

func (w *wrapped) Unwrap() error { return w.error }

func TestCancelReturnsWithEverythingFlushed(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 20)...))
	got := newCollector()
	ctx, cancel := context.WithCancelCause(t.Context())
	o := quick()
	o.Fetch.Wait = time.Hour // the long poll must not hold it up
	interrupted := errors.New("interrupted")
	got.each = func(r *record.Record) error {
		if r.Offset == 12 {
			cancel(interrupted)
		}
		return nil
	}
	report, err := Run(ctx, c.client(), o, span(tp, 0, offsets.Follow), got)
	if !errors.Is(err, interrupted) {
		t.Errorf("error %v", err)
	}
	n := report.Records
	got.wantOffsets(t, tp, from(0, n)...)
	if n < 13 || report.Partitions[0].Next != n {
		t.Errorf("%d records, position %d", n, report.Partitions[0].Next)
	}
}

func TestIdleEndsAQuietSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 20)...))
		o := quick()
		o.Follow, o.Idle = true, 50*time.Millisecond
		got := newCollector()
		report := c.read(o, got, span(tp, 0, offsets.Follow))
		got.wantOffsets(t, tp, from(0, 20)...)
		if !report.Idle || report.Err() != nil {
			t.Errorf("%+v", report)
		}
	})
}

func TestASinkThatTakesItsTimeIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		tp := c.log(0, plain(0, numbered(0, 3)...), plain(3, numbered(3, 3)...))
		o := quick()
		o.Follow, o.Idle = true, 10*time.Millisecond
		o.Fetch.PartitionBytes = 1 // one batch an answer
		got := newCollector()
		got.each = func(r *record.Record) error {
			<-time.After(5 * time.Millisecond)
			return nil
		}
		report := c.read(o, got, span(tp, 0, offsets.Follow))
		got.wantOffsets(t, tp, from(0, 6)...)
		if !report.Idle {
			t.Errorf("%+v", report)
		}
	})
}

func TestPartitionsJoinARunningSession(t *testing.T) {
	c := newCluster(t, 1)
	a := c.log(0, plain(0, numbered(0, 3)...))
	o := quick()
	o.Follow = true
	s := NewSession(c.client(), o)
	got := newCollector()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.Run(ctx, got)
		done <- err
	}()
	s.Add(span(a, 0, offsets.Follow))
	got.await(t, 3)
	b := c.log(1, plain(0, numbered(0, 2)...))
	s.Add(map[broker.TP]offsets.Range{a: {From: 0, To: offsets.Follow}, b: {From: 0, To: offsets.Follow}})
	got.await(t, 5)
	c.append(a, plain(3, numbered(3, 1)...))
	got.await(t, 6)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	got.wantOffsets(t, a, from(0, 4)...)
	got.wantOffsets(t, b, from(0, 2)...)
}

func TestStopAndSetEndEndAPartition(t *testing.T) {
	c := newCluster(t, 1)
	a := c.log(0, plain(0, numbered(0, 10)...))
	b := c.log(1, plain(0, numbered(0, 5)...))
	o := quick()
	o.Stop = func(r *record.Record) bool { return r.Partition == 0 && r.Timestamp >= 1006 }
	s := NewSession(c.client(), o)
	s.Add(map[broker.TP]offsets.Range{a: {To: offsets.Follow}, b: {To: offsets.Follow}})
	got := newCollector()
	done := make(chan *Report)
	go func() {
		report, err := s.Run(t.Context(), got)
		if err != nil {
			t.Error(err)
		}
		done <- report
	}()
	got.await(t, 11)
	s.SetEnd(b, 5)
	report := <-done
	got.wantOffsets(t, a, from(0, 6)...)
	got.wantOffsets(t, b, from(0, 5)...)
	if report.Partitions[0].Next != 6 || report.Partitions[1].Next != 5 || report.Err() != nil {
		t.Errorf("%+v", report.Partitions)
	}
}

func (c *cluster) asking() []asking1 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]asking1(nil), c.fetches...)
}
