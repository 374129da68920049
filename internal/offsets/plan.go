package offsets

import (
	"maps"
	"slices"

	"kafkactl/internal/broker"
)

// None is what stands where a group has stored nothing, and as the aim of a
// Change that takes an offset away.
func None() Stored { return Stored{Offset: NoOffset, LeaderEpoch: -1} }

// Change is what happens to one partition's stored offset.
type Change struct {
	TP   broker.TP
	From Stored
	To   Stored // None: it is taken away
}

// Same says that there is nothing to do: offset, leader epoch and metadata are
// what they shall be. Brokers keep no metadata and empty metadata alike.
func (c Change) Same() bool { return same(c.From, c.To) }

func same(a, b Stored) bool {
	return a.Offset == b.Offset && (a.Offset == NoOffset || a.LeaderEpoch == b.LeaderEpoch && a.Note() == b.Note())
}

// Note is the metadata, or "".
func (s Stored) Note() string {
	if s.Metadata == nil {
		return ""
	}
	return *s.Metadata
}

// New says that the partition had no offset.
func (c Change) New() bool { return c.From.Offset == NoOffset }

// Deletes says that the partition is to lose its offset.
func (c Change) Deletes() bool { return c.To.Offset == NoOffset }

// Records is how far the offset moves: positive ones are skipped, negative ones
// replayed. It is 0 where one side is none.
func (c Change) Records() int64 {
	if c.New() || c.Deletes() {
		return 0
	}
	return c.To.Offset - c.From.Offset
}

// Plan sets what a group has stored against what it shall have: one Change for
// each partition of want, sorted, those with nothing to do included. Partitions
// that cur does not have count as None, and offsets below 0 of want too. An
// offset that stays keeps its leader epoch and metadata unless want has others.
func Plan(cur, want map[broker.TP]Stored) []Change {
	changes := make([]Change, 0, len(want))
	for _, tp := range slices.SortedFunc(maps.Keys(want), compareTP) {
		c := Change{TP: tp, From: None(), To: want[tp]}
		if from, ok := cur[tp]; ok && from.Offset >= 0 {
			c.From = from
		}
		if c.To.Offset < 0 {
			c.To = None()
		}
		if c.To.Offset == c.From.Offset {
			if c.To.LeaderEpoch < 0 {
				c.To.LeaderEpoch = c.From.LeaderEpoch
			}
			if c.To.Metadata == nil {
				c.To.Metadata = c.From.Metadata
			}
		}
		changes = append(changes, c)
	}
	return changes
}

// Mismatch lists the partitions whose stored offset, as read back, is not what
// the changes made it. Leader epochs are compared where both sides know one:
// old brokers keep none.
func Mismatch(changes []Change, now map[broker.TP]Stored) []Change {
	var off []Change
	for _, c := range changes {
		got, ok := now[c.TP]
		if !ok {
			got = None()
		}
		epochs := got.LeaderEpoch == c.To.LeaderEpoch || got.LeaderEpoch < 0 || c.To.LeaderEpoch < 0
		if got.Err != nil || got.Offset != c.To.Offset || !epochs || c.To.Offset != NoOffset && got.Note() != c.To.Note() {
			off = append(off, Change{TP: c.TP, From: got, To: c.To})
		}
	}
	return off
}
