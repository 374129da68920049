package offsets

import (
	"context"
	"slices"

	"kafkactl/internal/broker"
)

// Lag is where a group stands in a partition.
type Lag struct {
	TP      broker.TP
	Stored  Stored
	Pending bool // an open transaction is about to change the stored offset
	Bounds  Bounds
	End     int64 // of the isolation level asked for
	// Records is how many offsets lie between the stored one and the end, -1 where
	// that is unknown: nothing is stored, or Err.
	Records int64
	// Oldest is the timestamp of the first record not read, in milliseconds since
	// the epoch; -1 where that is unknown or everything is read.
	Oldest int64
	Err    error // why the partition cannot be told of
}

// Past says that the stored offset lies behind the log's end: the log was
// truncated, or its topic made anew, since the group stored it.
func (l *Lag) Past() bool { return l.Err == nil && l.Stored.Offset > l.Bounds.HighWatermark }

// Lost is how many offsets the log has dropped before the group read them.
func (l *Lag) Lost() int64 {
	if l.Err != nil || l.Stored.Offset == NoOffset {
		return 0
	}
	return max(l.Bounds.Start-l.Stored.Offset, 0)
}

// LagOptions say how lag is measured.
type LagOptions struct {
	Isolation int8  // what counts as the end
	Ages      *Ages // nil: Oldest is not wanted
}

// FetchLags measures where groups stand, one slice for each of stored, sorted by
// topic and partition. Bounds are asked for once for all groups, after the
// offsets were read, so that no offset is ahead of its end for having been read
// late. The error is ctx's, or that metadata cannot be had.
func FetchLags(ctx context.Context, c *broker.Client, stored []*GroupStored, o LagOptions) ([][]Lag, error) {
	index := map[broker.TP]bool{}
	var tps []broker.TP
	for _, g := range stored {
		for tp := range g.Offsets {
			if !index[tp] {
				index[tp] = true
				tps = append(tps, tp)
			}
		}
	}
	slices.SortFunc(tps, compareTP)
	if len(tps) > 0 {
		if _, err := c.Refresh(ctx, nil, topicsOf(tps)...); err != nil {
			return nil, err
		}
	}
	bounds, err := FetchBounds(ctx, c, tps, o.Isolation)
	if err != nil {
		return nil, err
	}
	all := make([][]Lag, len(stored))
	for i, g := range stored {
		for tp, s := range g.Offsets {
			all[i] = append(all[i], lagOf(tp, s, g.Pending[tp], bounds[tp], o.Isolation))
		}
		slices.SortFunc(all[i], func(a, b Lag) int { return compareTP(a.TP, b.TP) })
	}
	if o.Ages == nil {
		return all, nil
	}
	return all, o.Ages.fill(ctx, c, all)
}

func lagOf(tp broker.TP, s Stored, pending bool, b Bounds, isolation int8) Lag {
	l := Lag{TP: tp, Stored: s, Pending: pending, Bounds: b, Records: -1, Oldest: -1, Err: s.Err}
	if l.Err == nil {
		l.Err = b.Err
	}
	if l.Err == nil {
		l.End = b.End(isolation)
	}
	if l.Err == nil && s.Offset != NoOffset {
		l.Records = max(l.End-s.Offset, 0)
	}
	return l
}

// fill asks for the oldest unread record of each partition that has any.
func (a *Ages) fill(ctx context.Context, c *broker.Client, all [][]Lag) error {
	ends := map[At]int64{}
	next := func(l *Lag) At { return At{l.TP, max(l.Stored.Offset, l.Bounds.Start)} }
	for i := range all {
		for j := range all[i] {
			if l := &all[i][j]; l.Records > 0 && next(l).Offset < l.End {
				ends[next(l)] = l.End
			}
		}
	}
	times, err := a.Oldest(ctx, c, ends)
	if err != nil {
		return err
	}
	for i := range all {
		for j := range all[i] {
			if t, ok := times[next(&all[i][j])]; ok && all[i][j].Records > 0 {
				all[i][j].Oldest = t
			}
		}
	}
	return nil
}
