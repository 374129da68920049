package codec

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// AbortedRange is one aborted transaction: ProducerID's batches from First up to
// its abort marker.
type AbortedRange struct{ ProducerID, First int64 }

// Aborted tells, batch by batch in log order, what read_committed must not show
// (KIP-98). Make one for each partition of each response (or Reset it). The zero
// value knows no aborted transaction.
type Aborted struct {
	list []AbortedRange // by First
	next int            // the first of list not reached yet
	open []int64        // producers whose transaction at hand is an aborted one
}

// Reset starts on the list that came with a response, in any order. The list is
// copied.
func (a *Aborted) Reset(list []AbortedRange) {
	a.list = append(a.list[:0], list...)
	a.next = 0
	slices.SortFunc(a.list, func(x, y AbortedRange) int { return cmp.Compare(x.First, y.First) })
	a.open = a.open[:0]
}

// Drop reports whether the batch holds nothing to show: a control batch, or a
// batch of an aborted transaction. marker is the control record's type (0 abort,
// 1 commit, -1 unknown) and counts only when s.Control(); see MarkerType. Every batch has to
// be told, in log order, those that the caller drops for other reasons included.
func (a *Aborted) Drop(s Span, marker int16) bool {
	// The same producer may have aborted more than once in one response. Its next
	// transaction begins behind the marker of the one before, so opening by the
	// batch's end and closing at the marker keeps them apart.
	for ; a.next < len(a.list) && a.list[a.next].First < s.Next; a.next++ {
		if id := a.list[a.next].ProducerID; !slices.Contains(a.open, id) {
			a.open = append(a.open, id)
		}
	}
	if s.Control() {
		// A marker that could not be read is taken for the abort that has to come:
		// taking it for nothing would hide the producer's next transaction too.
		if i := slices.Index(a.open, s.ProducerID); i >= 0 && marker <= abortMarker {
			a.open = slices.Delete(a.open, i, i+1)
		}
		return true
	}
	return s.Transactional() && slices.Contains(a.open, s.ProducerID)
}

// abortMarker is the control record type that ends an aborted transaction.
const abortMarker = 0

// MarkerHead is how many bytes of a control batch MarkerType wants to see.
const MarkerHead = Head + 16

// MarkerType reads the type of the control record of a batch from its first
// bytes; -1 when they do not tell. 0 is abort, 1 commit; brokers write others
// for themselves.
func MarkerType(b []byte) int16 {
	s, ok, err := ParseSpan(b)
	if !ok || err != nil || !s.Control() || s.Compression() != Uncompressed || s.Count < 1 {
		return -1
	}
	b = b[Head:min(len(b), s.Size)]
	_, i := uvarint(b, 0) // length
	if i < 0 {
		return -1
	}
	_, i = uvarint(b, i+1) // timestamp delta, behind the attributes
	_, i = uvarint(b, i)   // offset delta
	size, i := uvarint(b, i)
	// The key is a 16-bit version, then the type.
	if i < 0 || size&1 != 0 || size>>1 < 4 || len(b)-i < 4 {
		return -1
	}
	return int16(binary.BigEndian.Uint16(b[i+2:]))
}
