package offsets

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Place is a position in a partition.
type Place struct {
	TP       broker.TP
	Position Position
}

// Found is what a Place comes to.
type Found struct {
	Offset int64
	// Outside says that the log does not hold the absolute offset asked for.
	Outside *OutsideError
	// Time is the timestamp of the record found, -1 where none was looked for,
	// and LeaderEpoch that of its batch, -1 where unknown.
	Time        int64
	LeaderEpoch int32
	None        bool // no such record or offset; Offset is the end
	Coarse      bool // see Resolved
	Err         error

	after int64 // coarse: where a range that ends at the time must end to lose nothing
}

// Look finds where places are, one Found for each, clamped to the log. "+N" on
// the right of a range has no place of its own.
func Look(ctx context.Context, c *broker.Client, places []Place, o Options) ([]Found, error) {
	index := map[broker.TP]int{}
	var tps []broker.TP
	for _, p := range places {
		if _, ok := index[p.TP]; !ok {
			index[p.TP] = len(tps)
			tps = append(tps, p.TP)
		}
	}
	f, err := lookUp(ctx, c, tps, places, o)
	if err != nil {
		return nil, err
	}
	all := make([]Found, len(places))
	for i, p := range places {
		b := f.bounds[index[p.TP]]
		if all[i] = (Found{Err: b.Err}); b.Err != nil {
			continue
		}
		all[i] = f.at(p, b, o)
		if all[i].Err != nil {
			continue
		}
		asked := all[i].Offset
		all[i].Offset = min(max(asked, b.Start), b.End(o.Isolation))
		if p.Position.Base == Absolute && all[i].Offset != asked {
			all[i].Outside = &OutsideError{TP: p.TP, Asked: asked, Taken: all[i].Offset, Past: asked > all[i].Offset}
		}
	}
	return all, nil
}

// found is what brokers said.
type found struct {
	bounds []Bounds // by index of the tps asked for
	places map[Place]Found
	stored map[broker.TP]Stored
}

// lookUp asks for bounds, times and stored offsets in as few requests as can be.
func lookUp(ctx context.Context, c *broker.Client, tps []broker.TP, places []Place, o Options) (*found, error) {
	f := &found{places: map[Place]Found{}}
	queries := boundQueries(tps, o.Isolation)
	n := len(queries)
	var asked []Place
	var grouped []broker.TP
	for _, p := range places {
		p.Position = p.Position.unshifted()
		if p.Position.Base == Committed {
			grouped = append(grouped, p.TP)
		}
		ts, ok := p.Position.timestamp()
		if _, dup := f.places[p]; ok && !dup {
			f.places[p] = Found{}
			asked = append(asked, p)
			queries = append(queries, query{tp: p.TP, time: ts})
		}
	}
	if len(grouped) > 0 && o.Group == "" {
		return nil, ErrNoGroup
	}
	answers, err := list(ctx, c, queries)
	if err != nil {
		return nil, err
	}
	if f.bounds, err = boundsOf(ctx, c, tps, answers[:n]); err != nil {
		return nil, err
	}
	if err := f.file(ctx, c, asked, answers[n:], o); err != nil {
		return nil, err
	}
	if len(grouped) > 0 {
		slices.SortFunc(grouped, compareTP)
		f.stored, err = FetchStored(ctx, c, o.Group, o.Storage, slices.Compact(grouped), true)
	}
	return f, err
}

// file keeps the answers to asked. Brokers before 0.10.1 answered with the start
// of the last segment that was finished by then; the segment after it has the
// records in question, so a range that ends there must take that whole. They go
// by their own clock: what is now to us may be past to them, and is the end.
func (f *found) file(ctx context.Context, c *broker.Client, asked []Place, answers []answer, o Options) error {
	var coarse []Place
	var queries []query
	for i, p := range asked {
		a := answers[i]
		f.places[p] = Found{Offset: a.offset, Time: a.time, LeaderEpoch: a.epoch, None: a.offset < 0, Err: a.err}
		if a.err == nil && a.version == 0 && !o.Now.IsZero() && p.Position.N >= o.Now.UnixMilli() {
			f.places[p] = Found{Offset: -1, Time: -1, LeaderEpoch: -1, None: true}
			continue
		}
		if a.err == nil && a.version == 0 {
			f.places[p] = Found{Offset: a.offset, Time: -1, LeaderEpoch: -1, Coarse: true}
			coarse = append(coarse, p)
			queries = append(queries, query{tp: p.TP, time: wire.LatestTimestamp, limit: allSegments})
		}
	}
	segments, err := list(ctx, c, queries)
	if err != nil {
		return err
	}
	for i, p := range coarse {
		at := f.places[p]
		at.Err = segments[i].err
		at.after = segmentAfter(segments[i].old, at.Offset)
		f.places[p] = at
	}
	return nil
}

// allSegments is more than a partition has; version 0 wants a limit.
const allSegments = 1 << 20

// segmentAfter is the end of the segment that follows the one that starts at
// offset, -1 being before the first. old has the log's end and then the starts of
// its segments, descending.
func segmentAfter(old []int64, offset int64) int64 {
	if len(old) == 0 {
		return offset
	}
	i, _ := slices.BinarySearchFunc(old, offset, func(e, t int64) int { return cmp.Compare(t, e) })
	return old[max(i-2, 0)]
}

// at is where a place is, shifted, not clamped.
func (f *found) at(p Place, b Bounds, o Options) Found {
	at := Found{Time: -1, LeaderEpoch: -1}
	switch pos := p.Position; pos.Base {
	case Absolute:
		at.Offset = pos.N
		return at
	case Start:
		at.Offset = b.Start
	case End:
		at.Offset = b.End(o.Isolation)
	case Committed:
		s := f.stored[p.TP]
		at.Offset, at.LeaderEpoch, at.Err = s.Offset, s.LeaderEpoch, s.Err
		if at.Err == nil && s.Offset == NoOffset {
			at.None, at.Err = true, &NoStoredError{Group: o.Group, TP: p.TP}
		}
	case Time:
		at = f.places[p]
		if at.None {
			at.Offset = b.End(o.Isolation)
		}
		return at
	default:
		at = f.places[Place{p.TP, pos.unshifted()}]
		switch {
		case !at.None || at.Err != nil:
		case pos.Base == MaxTimestamp:
			at.Offset = b.End(o.Isolation)
		case pos.Base == EarliestLocal:
			at.Offset = b.Start
		default:
			at.Err = &broker.RequestError{API: wire.ListOffsets, Version: -1, Topic: p.TP.Topic, Partition: p.TP.Partition, Err: ErrNotTiered}
		}
	}
	at.Offset = add(at.Offset, p.Position.N)
	return at
}

// ErrNotTiered is a position in tiered storage where a partition has none.
var ErrNotTiered = errors.New("nothing in tiered storage")

// unshifted is the position without its ±N.
func (p Position) unshifted() Position {
	if p.Base != Absolute && p.Base != Time {
		p.N = 0
	}
	return p
}

// timestamp is what to ask ListOffsets for, if it has to be asked at all.
func (p Position) timestamp() (int64, bool) {
	switch p.Base {
	case Time:
		return p.N, true
	case MaxTimestamp:
		return wire.MaxTimestamp, true
	case EarliestLocal:
		return wire.EarliestLocalTimestamp, true
	case LatestTiered:
		return wire.LatestTieredTimestamp, true
	case EarliestPendingUpload:
		return wire.EarliestPendingUpload, true
	}
	return 0, false
}
