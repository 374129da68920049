package consume

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	"kafkactl/internal/wire/codec"
)

// at is records with these timestamps, one after the other.
func at(times ...int64) []rec {
	list := make([]rec, len(times))
	for i, ts := range times {
		list[i] = rec{i, ts, "v"}
	}
	return list
}

func byTime() Options {
	o := quick()
	o.ByTime = true
	return o
}

func (c *collector) wantOrder(t *testing.T, want string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := strings.Join(c.order, " "); got != want {
		t.Errorf("order %s, want %s", got, want)
	}
}

func TestByTimePartitionsAreMergedAndKeepTheirOrder(t *testing.T) {
	c := newCluster(t, 1)
	a := c.log(0, plain(0, at(10, 30)...), plain(2, at(50)...))
	b := c.log(1, plain(0, at(20, 5, 40)...)) // its second is late by the clock
	d := c.log(2, plain(0, at(20, 20)...))
	e := c.log(3)
	got := newCollector()
	report := c.read(byTime(), got, map[broker.TP]offsets.Range{a: {To: 3}, b: {To: 3}, d: {To: 2}, e: {}})
	got.wantOrder(t, "0:0 1:0 1:1 2:0 2:1 0:1 1:2 0:2")
	if report.Err() != nil || report.Records != 8 {
		t.Errorf("%+v", report)
	}
	for _, p := range report.Partitions {
		if p.Next != p.Records {
			t.Errorf("%v stands at %d", p.TP, p.Next)
		}
	}
}

// Many partitions of many small batches, so that each is asked for many times.
func TestAMergeOfManyBatchesLosesNothing(t *testing.T) {
	c := newCluster(t, 2)
	rnd := rand.New(rand.NewPCG(1, 2))
	ranges := make(map[broker.TP]offsets.Range)
	total := 0
	for i := range int32(7) {
		var list []entry
		next, clock := int64(0), int64(0)
		for range 40 {
			var recs []rec
			for j := range 1 + rnd.IntN(5) {
				clock += rnd.Int64N(20)
				recs = append(recs, rec{j, clock, strings.Repeat("x", rnd.IntN(20000))})
			}
			list = append(list, plain(next, recs...))
			next += int64(len(recs)) + 3 // and holes
			total += len(recs)
		}
		tp := c.log(i, list...)
		c.set(func() { c.logs[tp].leader = i % 2 })
		ranges[tp] = offsets.Range{To: list[len(list)-1].next}
	}
	got := newCollector()
	last := int64(0)
	got.each = func(r *record.Record) error {
		if r.Timestamp < last {
			return fmt.Errorf("%d after %d", r.Timestamp, last)
		}
		last = r.Timestamp
		return nil
	}
	report := c.read(byTime(), got, ranges)
	if report.Err() != nil || report.Records != int64(total) {
		t.Errorf("%d records of %d, %v", report.Records, total, report.Err())
	}
	for tp, list := range got.got {
		if !slices.IsSorted(list) {
			t.Errorf("%v is out of order", tp)
		}
	}
}

func TestAMergeGoesOnWithoutAPartitionThatFails(t *testing.T) {
	c := newCluster(t, 1)
	a := c.log(0, plain(0, at(10, 30)...))
	b := c.log(1, plain(0, at(5, 20)...), damaged(2, 0), plain(3, at(40)...))
	d := c.log(2, plain(0, at(1)...))
	c.set(func() { c.logs[d].err = wire.TopicAuthorizationFailed })
	ranges := map[broker.TP]offsets.Range{a: {To: 2}, b: {To: 4}, d: {To: 1}}
	got := newCollector()
	report := c.read(byTime(), got, ranges)
	got.wantOrder(t, "1:0 0:0 1:1 0:1")
	var corrupt *codec.CorruptError
	if !errors.As(report.Partitions[1].Err, &corrupt) || !errors.Is(report.Partitions[2].Err, wire.TopicAuthorizationFailed) {
		t.Errorf("%+v", report.Partitions)
	}
	o := byTime()
	o.KeepGoing = true
	got = newCollector()
	c.read(o, got, ranges)
	got.wantOrder(t, "1:0 0:0 1:1 0:1 1:3")
}

func TestAMergeStopsAtMax(t *testing.T) {
	c := newCluster(t, 1)
	a, b := c.log(0, plain(0, at(10, 30, 50)...)), c.log(1, plain(0, at(20, 40, 60)...))
	o := byTime()
	o.Max = 4
	got := newCollector()
	report := c.read(o, got, map[broker.TP]offsets.Range{a: {To: 3}, b: {To: 3}})
	got.wantOrder(t, "0:0 1:0 0:1 1:1")
	if !report.Full || report.Partitions[0].Next != 2 {
		t.Errorf("%+v", report)
	}
}

func TestAMergeThatFollowsWaitsForAQuietPartitionNoLongerThanTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		a, b := c.log(0, plain(0, at(10)...)), c.log(1)
		o := byTime()
		o.SortWait, o.Follow = 20*time.Millisecond, true
		s := NewSession(c.client(), o)
		s.Add(map[broker.TP]offsets.Range{a: {To: offsets.Follow}, b: {To: offsets.Follow}})
		got := newCollector()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := s.Run(ctx, got)
			done <- err
		}()
		got.await(t, 1)
		c.append(b, plain(0, at(20)...))
		got.await(t, 2)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		got.wantOrder(t, "0:0 1:0")
	})
}

// A partition whose records are still on their way is not quiet, however long
// they take: the first answer had no room for them.
func TestAMergeThatFollowsWaitsForRecordsThatAreOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		a, b := c.log(0, plain(0, at(20)...)), c.log(1, plain(0, at(10)...))
		var fetches atomic.Int32
		c.bend(func(_ int32, _ *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
			n := fetches.Add(1)
			if n == 1 {
				for i := range resp.Topics[0].Partitions {
					if p := &resp.Topics[0].Partitions[i]; p.Index == b.Partition {
						p.Records = nil
					}
				}
				return brokertest.Answer(resp), true
			}
			if n == 2 {
				<-time.After(5 * time.Second)
			}
			return brokertest.Reply{}, false
		})
		o := byTime()
		o.Timeout, o.SortWait, o.Follow = 20*time.Second, 20*time.Millisecond, true
		got := newCollector()
		c.follow(t, o, got, 2, a, b)
		got.wantOrder(t, "1:0 0:0")
	})
}

// A partition whose leader never answers holds the others up, but not for ever.
func TestAMergeThatFollowsGoesOnWithoutALeaderThatIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPiped(t)
		a, b := c.log(0, plain(0, at(20)...)), c.log(1, plain(0, at(10)...))
		c.set(func() { c.logs[b].err = wire.LeaderNotAvailable })
		o := byTime()
		o.Timeout, o.SortWait, o.Follow = 20*time.Second, 20*time.Millisecond, true
		got := newCollector()
		began := time.Now()
		c.follow(t, o, got, 1, a, b)
		got.wantOrder(t, "0:0")
		if waited := time.Since(began); waited < o.Timeout {
			t.Errorf("gave up on it after %v", waited)
		}
	})
}

// follow reads partitions until n records are there.
func (c *cluster) follow(t *testing.T, o Options, got *collector, n int, tps ...broker.TP) {
	t.Helper()
	s := NewSession(c.client(), o)
	ranges := make(map[broker.TP]offsets.Range)
	for _, tp := range tps {
		ranges[tp] = offsets.Range{To: offsets.Follow}
	}
	s.Add(ranges)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.Run(ctx, got)
		done <- err
	}()
	got.await(t, n)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func (c *cluster) last(o Options, ranges map[broker.TP]offsets.Range, n int64) (order string, report *Report) {
	c.t.Helper()
	client := c.client()
	narrow, at, err := Last(c.t.Context(), client, o, ranges, n)
	if err != nil {
		c.t.Fatal(err)
	}
	for tp, r := range ranges {
		if narrow[tp].To != r.To {
			c.t.Errorf("%v ends at %d", tp, narrow[tp].To)
		}
	}
	o.ByTime, o.At = true, at
	got := newCollector()
	report, err = Run(c.t.Context(), client, o, narrow, got)
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.Join(got.order, " "), report
}

func TestLastIsTheNewestOfAllPartitions(t *testing.T) {
	c := newCluster(t, 1)
	a := c.log(0, plain(0, at(10, 30, 50)...), plain(3, at(70)...))
	b := c.log(1, plain(0, at(20, 40, 60)...))
	d := c.log(2)
	ranges := map[broker.TP]offsets.Range{a: {To: 4}, b: {To: 3}, d: {}}
	for n, want := range []string{"", "0:3", "1:2 0:3", "0:2 1:2 0:3", "1:1 0:2 1:2 0:3"} {
		if got, _ := c.last(quick(), ranges, int64(n)); got != want {
			t.Errorf("last %d: %s, want %s", n, got, want)
		}
	}
	if got, _ := c.last(quick(), ranges, 100); got != "0:0 1:0 0:1 1:1 0:2 1:2 0:3" {
		t.Errorf("last 100: %s", got)
	}
	// The ends of ranges count, not those of logs.
	if got, _ := c.last(quick(), map[broker.TP]offsets.Range{a: {From: 1, To: 3}, b: {To: 1}}, 2); got != "0:1 0:2" {
		t.Errorf("of ranges: %s", got)
	}
}

func TestLastCountsRecordsAndNotOffsets(t *testing.T) {
	c := newCluster(t, 1)
	list := []entry{plain(0, at(1, 2, 3)...)}
	next := int64(3)
	for range 300 { // far more markers and aborted records than the first window
		list = append(list, batch(next, 1, transactional, 9, at(4, 4)...), marker(next+2, 9, 0))
		next += 3
	}
	tp := c.log(0, list...)
	c.set(func() {
		for base := int64(3); base < next; base += 3 {
			c.logs[tp].aborted = append(c.logs[tp].aborted, wire.AbortedTransaction{ProducerID: 9, FirstOffset: base})
		}
	})
	// A broker names the aborted transactions of what it returns.
	c.trimAborted(tp)
	o := quick()
	o.Isolation = ReadCommitted
	if got, _ := c.last(o, span(tp, 0, next), 2); got != "0:1 0:2" {
		t.Errorf("got %s", got)
	}
	o.Isolation = ReadUncommitted
	o.Keep = func(_ context.Context, r *record.Record) (bool, error) { return r.Timestamp < 3, nil }
	if got, _ := c.last(o, span(tp, 0, next), 5); got != "0:0 0:1" {
		t.Errorf("got %s", got)
	}
}

func TestLastAgreesWithReadingEverything(t *testing.T) {
	c := newCluster(t, 1)
	rnd := rand.New(rand.NewPCG(3, 4))
	ranges := make(map[broker.TP]offsets.Range)
	for i := range int32(5) {
		var list []entry
		next := int64(0)
		for range 60 {
			times := make([]int64, 1+rnd.IntN(4))
			for j := range times {
				times[j] = rnd.Int64N(1000) + 3*next*int64(i) // not in order
			}
			list = append(list, plain(next, at(times...)...))
			next += int64(len(times)) + rnd.Int64N(30)
		}
		ranges[c.log(i, list...)] = offsets.Range{To: list[len(list)-1].next}
	}
	for _, n := range []int64{1, 3, 10, 50, 200, 10_000} {
		order, report := c.last(quick(), ranges, n)
		all := newCollector()
		total := c.read(quick(), all, ranges).Records
		if report.Records != min(n, total) {
			t.Errorf("last %d: %d records", n, report.Records)
		}
		// What was chosen of a partition is its end, and nothing left out is newer
		// than everything behind what was chosen last.
		count := make(map[int32]int)
		for _, s := range strings.Fields(order) {
			var p int32
			var off int64
			fmt.Sscanf(s, "%d:%d", &p, &off)
			count[p]++
		}
		for tp, list := range all.got {
			k := count[tp.Partition]
			for _, off := range list[len(list)-k:] {
				if !slices.Contains(strings.Fields(order), fmt.Sprintf("%d:%d", tp.Partition, off)) {
					t.Errorf("last %d: %v has a gap at %d", n, tp, off)
				}
			}
		}
	}
}

func TestLastShowsDamageOnlyWhereItIsInTheWay(t *testing.T) {
	c := newCluster(t, 1)
	a := c.log(0, plain(0, at(10)...), damaged(1, 0), plain(2, at(30, 50)...))
	b := c.log(1, plain(0, at(20, 40, 60)...))
	ranges := map[broker.TP]offsets.Range{a: {To: 4}, b: {To: 3}}
	got, report := c.last(quick(), ranges, 6)
	var corrupt *codec.CorruptError
	if !errors.As(report.Err(), &corrupt) || corrupt.Offset != 1 || !strings.Contains(got, "1:0 1:1 1:2") {
		t.Errorf("%s, %v", got, report.Err())
	}
	o := quick()
	o.KeepGoing = true
	if got, report := c.last(o, ranges, 6); got != "0:0 1:0 0:2 1:1 0:3 1:2" || report.Err() != nil {
		t.Errorf("%s, %v", got, report.Err())
	}
}

func TestLastOfWhatFollowsIsRefused(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0)
	if _, _, err := Last(t.Context(), c.client(), quick(), span(tp, 0, offsets.Follow), 1); err == nil {
		t.Error("no error")
	}
}
