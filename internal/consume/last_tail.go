package consume

import (
	"container/heap"
	"context"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
)

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
	bytes  int64 // of what was read
	done   bool  // no older record can be among the last
	broken int64 // where reading failed, -1 if it did not
}

func (t *tailing) next() offsets.Range {
	return offsets.Range{From: max(t.from, t.low-t.window), To: t.low}
}

// take adds what a window held, given oldest first.
func (t *tailing) take(found []stamp, p *Outcome) {
	t.low = p.From
	t.bytes += p.bytes
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

// choose keeps the n newest of all tails, where there are as many, and marks as
// done whose older records cannot be among them. least is the time of the oldest.
func choose(tails map[broker.TP]*tailing, n int64) (least int64, enough bool) {
	h := make(newest, 0, len(tails))
	total := int64(0)
	for _, t := range tails {
		total += int64(len(t.list))
		if len(t.list) > 0 {
			h = append(h, &cursor{t, 0})
		}
	}
	if total < n {
		return 0, false
	}
	heap.Init(&h)
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
	return least, true
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
