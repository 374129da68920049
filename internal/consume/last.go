package consume

import (
	"container/heap"
	"context"
	"errors"
	"math"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
)

// errNoEnd is Last asked for the end of what has none.
var errNoEnd = errors.New("the last records of a range that follows are not known yet")

// Last narrows ranges to the last n records over all of them, as a merge by
// time puts them in order: run a session with Options.ByTime over the result to
// read exactly those. A partition none of them is in comes back empty. Ranges
// must have an end; whoever wants to go on starts at it. Options.Keep counts.
//
// Logs are read backwards, in windows that grow where holes, markers, aborted
// and unwanted records leave too few. It remembers sixteen bytes for each of
// about 2n records, whatever their size and the number of partitions.
func Last(ctx context.Context, client *broker.Client, o Options, ranges map[broker.TP]offsets.Range, n int64) (map[broker.TP]offsets.Range, error) {
	o.Max, o.Idle, o.Follow, o.ByTime = 0, 0, false, false
	o.Commit = Commit{}
	o.OnWarn, o.OnNote, o.OnFail = nil, nil, nil // reading the result says it again
	tails := make(map[broker.TP]*tailing, len(ranges))
	window := min(max(64, 2*n/int64(max(len(ranges), 1))), n+n/2+2)
	for tp, r := range ranges {
		if r.To == offsets.Follow {
			return nil, errNoEnd
		}
		tails[tp] = &tailing{tp: tp, from: r.From, to: r.To, low: r.To, window: window, key: math.MaxInt64, done: r.Empty() || n <= 0, broken: -1}
	}
	for {
		ask := make(map[broker.TP]offsets.Range)
		for tp, t := range tails {
			if !t.done {
				ask[tp] = t.next()
			}
		}
		if len(ask) == 0 {
			break
		}
		found := &stamps{of: make(map[broker.TP][]stamp)}
		report, err := Run(ctx, client, o, ask, found)
		if err != nil {
			return nil, err
		}
		for i := range report.Partitions {
			p := &report.Partitions[i]
			tails[p.TP].take(found.of[p.TP], p)
		}
		choose(tails, n)
	}
	narrow := make(map[broker.TP]offsets.Range, len(tails))
	for tp, t := range tails {
		narrow[tp] = offsets.Range{From: t.start(), To: t.to}
	}
	return narrow, nil
}

// stamp is a record as far as its place in time goes.
type stamp struct{ time, offset int64 }

// tailing is one partition's range, read from its end.
type tailing struct {
	tp       broker.TP
	from, to int64
	low      int64 // read down to here
	window   int64 // offsets to read next
	// list is newest first. Its times are what a merge goes by: a record cannot
	// go after one of its partition that is older by the clock and newer in the
	// log, so none is later than the one before it.
	list   []stamp
	key    int64 // the last of list's times
	done   bool  // no older record can be among the last
	broken int64 // where reading failed, -1 if it did not
}

func (t *tailing) next() offsets.Range {
	r := offsets.Range{From: max(t.from, t.low-t.window), To: t.low}
	if t.window < math.MaxInt64/4 {
		t.window *= 2
	}
	return r
}

// take adds what a window held, given oldest first.
func (t *tailing) take(found []stamp, p *Outcome) {
	t.low = p.From
	t.done = t.low <= t.from
	if p.Err != nil {
		t.done, t.broken = true, p.Next
		return
	}
	for i := len(found) - 1; i >= 0; i-- {
		t.key = min(t.key, found[i].time)
		t.list = append(t.list, stamp{t.key, found[i].offset})
	}
}

// start is where the chosen records begin. What could not be read is read
// again, for its error, unless enough is newer.
func (t *tailing) start() int64 {
	switch {
	case t.broken >= 0:
		return t.broken
	case len(t.list) == 0:
		return t.to
	}
	return t.list[len(t.list)-1].offset
}

// choose keeps the n newest of all tails, and marks as done whose older records
// cannot be among them.
func choose(tails map[broker.TP]*tailing, n int64) {
	h := make(newest, 0, len(tails))
	total := int64(0)
	for _, t := range tails {
		total += int64(len(t.list))
		if len(t.list) > 0 {
			h = append(h, &cursor{t, 0})
		}
	}
	if total < n {
		return
	}
	heap.Init(&h)
	least := int64(0)
	for range n {
		c := h[0]
		least = c.t.list[c.i].time
		if c.i++; c.i < len(c.t.list) {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	for _, c := range h { // these have records that were not chosen
		c.t.list = c.t.list[:c.i]
		c.t.done, c.t.broken = true, -1
	}
	for _, t := range tails {
		if t.key <= least {
			t.done = true
		}
	}
}

// cursor walks a tail, and newest is a heap of them.
type cursor struct {
	t *tailing
	i int
}

type newest []*cursor

func (h newest) Len() int      { return len(h) }
func (h newest) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *newest) Push(x any)   { *h = append(*h, x.(*cursor)) }
func (h *newest) Pop() any {
	n := len(*h) - 1
	c := (*h)[n]
	*h = (*h)[:n]
	return c
}

// Less puts the newest first, and of the same time the greater partition, which
// a merge puts last.
func (h newest) Less(i, j int) bool {
	a, b := h[i], h[j]
	if ta, tb := a.t.list[a.i].time, b.t.list[b.i].time; ta != tb {
		return ta > tb
	}
	return compareTP(a.t.tp, b.t.tp) > 0
}

// stamps is the sink that keeps times and offsets alone.
type stamps struct {
	of       map[broker.TP][]stamp
	progress Progress
}

func (s *stamps) Record(_ context.Context, r *record.Record, m Mark) error {
	s.of[m.P.TP] = append(s.of[m.P.TP], stamp{r.Timestamp, r.Offset})
	s.progress.Done(m)
	return nil
}

func (s *stamps) Skip(m Mark)                 { s.progress.Done(m) }
func (s *stamps) Flush(context.Context) error { return nil }
