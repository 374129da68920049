package consume

import (
	"context"
	"errors"
	"math"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// errNoEnd is Last asked for the end of what has none.
var errNoEnd = errors.New("the last records of a range that follows are not known yet")

// Last narrows ranges to the last n records over all of them, as a merge by
// time puts them in order: run a session with Options.ByTime over the result to
// read exactly those, and with Options.At, where Keep leaves much out between
// them. A partition none of them is in comes back empty. Ranges must have an end;
// whoever wants to go on starts at it. Options.Keep counts.
//
// Logs are read backwards, batch by batch once, in windows as large as what was
// found lets expect, or as large again as all before where nothing was. Once
// there are n, the rest of a log is only read from where, by the brokers' word, a
// record is not older than all of them. It remembers sixteen bytes for each of
// about 2n records, whatever their size and the number of partitions.
func Last(ctx context.Context, client *broker.Client, o Options, ranges map[broker.TP]offsets.Range, n int64) (narrow map[broker.TP]offsets.Range, at map[broker.TP][]int64, err error) {
	o.Max, o.Idle, o.Follow, o.ByTime = 0, 0, false, false
	o.Commit = Commit{}
	o.OnWarn, o.OnNote, o.OnFail = nil, nil, nil // reading the result says it again
	b := backward{client: client, o: o, n: n, tails: make(map[broker.TP]*tailing, len(ranges))}
	b.window = min(max(64, 2*n/int64(max(len(ranges), 1))), n+n/2+2)
	for tp, r := range ranges {
		if r.To == offsets.Follow {
			return nil, nil, errNoEnd
		}
		b.tails[tp] = &tailing{tp: tp, from: r.From, to: r.To, low: r.To, window: b.window, key: math.MaxInt64, done: r.Empty() || n <= 0, broken: -1}
	}
	for more := true; more; {
		if more, err = b.round(ctx); err != nil {
			return nil, nil, err
		}
	}
	narrow = make(map[broker.TP]offsets.Range, len(b.tails))
	at = make(map[broker.TP][]int64)
	for tp, t := range b.tails {
		narrow[tp] = offsets.Range{From: t.start(), To: t.to}
		if o.Keep != nil && t.broken < 0 {
			for i := len(t.list) - 1; i >= 0; i-- {
				at[tp] = append(at[tp], t.list[i].offset)
			}
		}
	}
	return narrow, at, nil
}

// backward is one Last.
type backward struct {
	client *broker.Client
	o      Options
	n      int64
	window int64 // the first, and the least
	tails  map[broker.TP]*tailing
	share  int32 // bytes to ask for of a partition, 0 the usual
}

// round reads a window of each tail that is not done, false when all are.
func (b *backward) round(ctx context.Context) (more bool, err error) {
	o := b.o
	o.floor = make(map[broker.TP]int64)
	ask := make(map[broker.TP]offsets.Range)
	for tp, t := range b.tails {
		if !t.done {
			ask[tp], o.floor[tp] = t.next(), t.from
		}
	}
	if len(ask) == 0 {
		return false, nil
	}
	if o.Fetch.PartitionBytes == 0 {
		o.Fetch.PartitionBytes = b.share
	}
	found := &stamps{of: make(map[broker.TP][]stamp)}
	report, err := Run(ctx, b.client, o, ask, found)
	if err != nil {
		return false, err
	}
	for i := range report.Partitions {
		p := &report.Partitions[i]
		b.tails[p.TP].take(found.of[p.TP], p)
	}
	if least, enough := choose(b.tails, b.n); enough {
		if err := b.bound(ctx, least); err != nil {
			return false, err
		}
	}
	b.stretch()
	return true, nil
}

// worthAsking is how many offsets to read on are dearer than to ask a leader
// where a time begins.
const worthAsking = 1 << 14

// bound raises the floor of tails that are not done to where the first record
// stands that is not older than the n that were found. Brokers guarantee that
// those before it are, in whatever order their times are. Where they cannot tell,
// all is read.
func (b *backward) bound(ctx context.Context, least int64) error {
	var places []offsets.Place
	for tp, t := range b.tails {
		if !t.done && t.low-t.from > worthAsking && least >= 0 {
			places = append(places, offsets.Place{TP: tp, Position: offsets.Position{Base: offsets.Time, N: least}})
		}
	}
	if len(places) == 0 {
		return nil
	}
	all, err := offsets.Look(ctx, b.client, places, offsets.Options{Isolation: b.o.Isolation})
	if err != nil {
		return ctx.Err()
	}
	for i, f := range all {
		if t := b.tails[places[i].TP]; f.Err == nil && !f.Coarse {
			t.from = min(max(t.from, f.Offset), t.low)
			t.done = t.low <= t.from
		}
	}
	return nil
}

// stretch chooses the next windows by what was found in all that was read.
func (b *backward) stretch() {
	var found, read, bytes, active, widest int64
	for _, t := range b.tails {
		found, read, bytes = found+int64(len(t.list)), read+t.to-t.low, bytes+t.bytes
		if !t.done {
			active++
		}
	}
	for _, t := range b.tails {
		if t.done {
			continue
		}
		t.window = max(b.window, t.to-t.low)
		if 0 < found && found < b.n {
			const spare = 1.125
			likely := spare * float64(b.n-found) * float64(read) / float64(found*active)
			t.window = min(t.window, max(b.window, int64(likely)+1))
		}
		widest = max(widest, min(t.window, t.low-t.from))
	}
	if read > 0 {
		const spare = 1.25
		share := min(spare*float64(bytes)/float64(read)*float64(widest), float64(b.o.filled().Fetch.MaxBytes)/float64(max(active, 1)))
		b.share = max(int32(share), fewBytes)
	}
}
