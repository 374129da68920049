// Package offsets knows where in a partition to read: the grammar of targets,
// ranges and positions that every command shares, and what they resolve to on a
// cluster. It reads no records and knows no members of groups.
package offsets

import "math"

// Follow as Range.To never comes: whoever reads the range goes on for ever.
const Follow int64 = math.MaxInt64

// Range is a half-open run of offsets in one partition. From >= To is empty.
type Range struct{ From, To int64 }

// Empty says that the range holds no offset.
func (r Range) Empty() bool { return r.From >= r.To }
