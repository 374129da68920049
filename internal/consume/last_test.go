package consume

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
)

// served notes at which batches fetches of a partition begin, by their bases.
func (c *cluster) served(of broker.TP) (bases func() []int64) {
	var sent []int64
	c.bend(func(_ int32, r *brokertest.Request, _ *wire.FetchResponse) (brokertest.Reply, bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, t := range r.Body.(*wire.FetchRequest).Topics {
			for _, p := range t.Partitions {
				tp := broker.TP{Topic: "t", Partition: p.Index}
				for _, e := range c.logs[tp].entries {
					if e.next > p.FetchOffset { // whatever is sent with it lies behind
						if tp == of {
							sent = append(sent, e.base)
						}
						break
					}
				}
			}
		}
		return brokertest.Reply{}, false
	})
	return func() []int64 {
		c.mu.Lock()
		defer c.mu.Unlock()
		return slices.Clone(sent)
	}
}

// Batches are far larger than the first windows: each is read whole and once, and
// then those alone that hold what was chosen.
func TestLastReadsABatchOnceAndPassesWhatLiesBetween(t *testing.T) {
	c := newCluster(t, 1)
	const size, batches = 500, 40
	var list []entry
	for i := range int64(batches) {
		list = append(list, plain(i*size, numbered(i*size, size)...))
	}
	tp := c.log(0, list...)
	end := int64(size * batches)
	rare := []int64{end - 1, end - 20*size - 7, end - 30*size - 3}
	o := quick()
	looked := 0
	o.Keep = func(_ context.Context, r *record.Record) (bool, error) {
		looked++
		return slices.Contains(rare, r.Offset), nil
	}
	began := c.served(tp)
	client := c.client()
	narrow, at, err := Last(t.Context(), client, o, span(tp, 0, end), 3)
	if err != nil || !slices.Equal(at[tp], []int64{rare[2], rare[1], rare[0]}) || narrow[tp].From != rare[2] {
		t.Fatalf("%v at %v, %v", narrow, at, err)
	}
	if looked > int(end) {
		t.Errorf("it looked at %d records of %d", looked, end)
	}
	once := began()
	slices.Sort(once)
	if n := len(once); len(slices.Compact(once)) != n {
		t.Errorf("batches are begun at more than once: %d", began())
	}
	looked = 0
	o.ByTime, o.At = true, at
	got := newCollector()
	if _, err := Run(t.Context(), client, o, narrow, got); err != nil {
		t.Fatal(err)
	}
	got.wantOrder(t, fmt.Sprintf("0:%d 0:%d 0:%d", rare[2], rare[1], rare[0]))
	if looked > 3*size {
		t.Errorf("it decoded %d records for three in batches of %d", looked, size)
	}
	if got.skipped[tp] != end && !slices.ContainsFunc(got.marks, func(m Mark) bool { return m.Next == end }) {
		t.Errorf("what was passed over is not accounted for: %v, %d", got.skipped, len(got.marks))
	}
}

// A partition in which nothing is wanted is not read to its beginning where the
// brokers say that all of it is older than what was found elsewhere.
func TestLastLeavesLogsThatAreOlderAlone(t *testing.T) {
	c := newCluster(t, 1)
	const size = 1000
	var old, young []entry
	for i := range int64(100) {
		old = append(old, plain(i*size, numbered(i*size, size)...)) // times 1000 to 101000
		young = append(young, plain(i*size, numbered(200_000+i*size, size)...))
	}
	a, b := c.log(0, old...), c.log(1, young...)
	o := quick()
	looked := map[int32]int{}
	o.Keep = func(_ context.Context, r *record.Record) (bool, error) {
		looked[r.Partition]++
		return r.Partition == 1, nil
	}
	if got, _ := c.last(o, map[broker.TP]offsets.Range{a: {To: 100 * size}, b: {To: 100 * size}}, 2); got != "1:99998 1:99999" {
		t.Error(got)
	}
	if looked[0] > 3*size || looked[1] > 3*size {
		t.Errorf("it looked at %v", looked)
	}
}

// With filters, times in no order, holes and batches of any size, Last finds what
// reading everything backwards would.
func TestLastThatMatchAgreesWithReadingEverything(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		c := newCluster(t, 1)
		ranges := make(map[broker.TP]offsets.Range)
		times := make(map[broker.TP]map[int64]int64)
		share := 1 + rnd.Int64N(40)
		o := quick()
		o.Keep = func(_ context.Context, r *record.Record) (bool, error) {
			return (r.Offset*7919+int64(r.Partition))%share == 0, nil
		}
		for i := range int32(3) {
			var list []entry
			next := rnd.Int64N(3)
			at := make(map[int64]int64)
			for range 30 {
				recs := make([]rec, 1+rnd.IntN(200))
				for j := range recs {
					recs[j] = rec{j, 10*next + rnd.Int64N(200_000), "x"}
					at[next+int64(j)] = recs[j].timestamp
				}
				list = append(list, plain(next, recs...))
				next += int64(len(recs))
				if rnd.IntN(4) == 0 {
					next += rnd.Int64N(20_000)
				}
			}
			tp := c.log(i, list...)
			times[tp] = at
			end := list[len(list)-1].next
			ranges[tp] = offsets.Range{From: rnd.Int64N(end / 2), To: end - rnd.Int64N(end/4)}
		}
		for _, n := range []int64{1, 7, 60, 3000} {
			got, _ := c.last(o, ranges, n)
			have := strings.Fields(got)
			want := backwards(ranges, times, o, n)
			slices.Sort(have)
			if slices.Sort(want); !slices.Equal(have, want) {
				t.Fatalf("one in %d, last %d of %v:\n%v, want\n%v", share, n, ranges, have, want)
			}
		}
	}
}

// backwards merges the wanted records of ranges from their ends.
func backwards(ranges map[broker.TP]offsets.Range, times map[broker.TP]map[int64]int64, o Options, n int64) (out []string) {
	heads := make(map[broker.TP][]int64)
	for tp, r := range ranges {
		for off := range times[tp] {
			ok, _ := o.Keep(context.Background(), &record.Record{Partition: tp.Partition, Offset: off})
			if ok && off >= r.From && off < r.To {
				heads[tp] = append(heads[tp], off)
			}
		}
		slices.Sort(heads[tp])
	}
	for int64(len(out)) < n {
		var best broker.TP
		found := false
		for tp, list := range heads {
			if len(list) == 0 {
				continue
			}
			one, other := times[tp][list[len(list)-1]], int64(0)
			if found {
				other = times[best][heads[best][len(heads[best])-1]]
			}
			if !found || one > other || one == other && compareTP(tp, best) > 0 {
				best, found = tp, true
			}
		}
		if !found {
			break
		}
		list := heads[best]
		out = append(out, fmt.Sprintf("%d:%d", best.Partition, list[len(list)-1]))
		heads[best] = list[:len(list)-1]
	}
	return out
}
