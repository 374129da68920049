package offsets

import (
	"fmt"

	"kafkactl/internal/broker"
)

// Whence is what a shift counts from.
type Whence int8

const (
	// FromStart spreads a shift over all partitions, from their log starts.
	FromStart Whence = 0
	// FromStored shifts each partition from its stored offset.
	FromStored Whence = 1
	// FromEnd spreads a shift over all partitions, from their ends.
	FromEnd Whence = 2
)

// SeekBy is where a shift of n takes partitions, in the order given. From the
// stored offsets each moves by n. From start or end, n is divided over all of
// them, rounded down, and the first ones take one more each until the remainder
// is used up: -13 from the end of two partitions is -6 and -7.
func SeekBy(tps []broker.TP, n int64, whence Whence) ([]Place, error) {
	places := make([]Place, len(tps))
	if len(tps) == 0 {
		return places, nil
	}
	base := map[Whence]Base{FromStart: Start, FromStored: Committed, FromEnd: End}[whence]
	if base == Unset {
		return nil, fmt.Errorf("whence %d: it is 0 (start), 1 (stored) or 2 (end)", whence)
	}
	share, rest := n, int64(0)
	if whence != FromStored {
		count := int64(len(tps))
		share, rest = n/count, n%count
		if rest < 0 {
			share, rest = share-1, rest+count
		}
	}
	for i, tp := range tps {
		shift := share
		if int64(i) < rest {
			shift++
		}
		places[i] = Place{TP: tp, Position: Position{Base: base, N: shift}}
	}
	return places, nil
}
