package offsets

import (
	"strconv"
	"time"
)

// Base is what a Position counts from.
type Base int8

const (
	// Unset is no position at all; whoever reads it has a default.
	Unset Base = iota
	// Absolute is an offset as it stands.
	Absolute
	// Start is the log start offset.
	Start
	// End is the high watermark, or the last stable offset under read_committed.
	End
	// Committed is a group's stored offset.
	Committed
	// Time is the first record, in log order, whose timestamp is at or after a
	// point in time; the end if none is.
	Time
	// Left is the position on the left of the "..".
	Left
	// MaxTimestamp is the record with the largest timestamp (Kafka 3.0, KIP-734).
	MaxTimestamp
	// EarliestLocal is the first offset on the leader's own disk (KIP-405).
	EarliestLocal
	// LatestTiered is the last offset in tiered storage (KIP-1005).
	LatestTiered
	// EarliestPendingUpload is the first offset not yet in tiered storage (KIP-1023).
	EarliestPendingUpload
)

// names are the words of the grammar. A word that begins another stands after it.
var names = []struct {
	word string
	base Base
}{
	{"start", Start},
	{"end", End},
	{"stored", Committed},
	{"max-timestamp", MaxTimestamp},
	{"earliest-local", EarliestLocal},
	{"latest-tiered", LatestTiered},
	{"earliest-pending-upload", EarliestPendingUpload},
}

// Position is one POS of the grammar, not yet looked up. Positions compare with ==.
type Position struct {
	Base Base
	// N is the offset of Absolute, the milliseconds since the epoch of Time, and
	// for the rest how many offsets to add.
	N int64
}

// IsSet says that a position was given.
func (p Position) IsSet() bool { return p.Base != Unset }

// String is the position as the grammar has it: parsing it gives p again.
func (p Position) String() string {
	switch p.Base {
	case Unset:
		return ""
	case Absolute:
		return strconv.FormatInt(p.N, 10)
	case Left:
		return signed(p.N)
	case Time:
		return timeText(p.N)
	}
	for _, n := range names {
		if n.base == p.Base && p.N == 0 {
			return n.word
		}
		if n.base == p.Base {
			return n.word + signed(p.N)
		}
	}
	return "position " + strconv.Itoa(int(p.Base))
}

func signed(n int64) string {
	if n < 0 {
		return strconv.FormatInt(n, 10)
	}
	return "+" + strconv.FormatInt(n, 10)
}

// timeText is RFC 3339 in UTC, as long as a year has four digits.
func timeText(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	if t.Year() > 9999 {
		return strconv.FormatInt(ms, 10) + "ms"
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// Window is a RANGE of the grammar, not yet looked up: half-open, and either
// side may be unset. Windows compare with ==.
type Window struct{ From, To Position }

// IsSet says that at least one side was given.
func (w Window) IsSet() bool { return w.From.IsSet() || w.To.IsSet() }

// Backward says that the window ends before it begins whatever the log holds.
func (w Window) Backward() bool {
	return w.From.Base == w.To.Base && w.To.N < w.From.N
}

// String is the window as the grammar has it.
func (w Window) String() string {
	if !w.IsSet() {
		return ""
	}
	return w.From.String() + ".." + w.To.String()
}

// Or fills what w leaves open from def, but only if w is wholly unset: a range
// of a target's own is a whole one.
func (w Window) Or(def Window) Window {
	if w.IsSet() {
		return w
	}
	return def
}
