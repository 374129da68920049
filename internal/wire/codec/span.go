package codec

import (
	"encoding/binary"
	"math"
)

// Head is how many bytes ParseSpan wants to see of an entry: the whole header
// of a v2 batch.
const Head = 61

// MinHead is how few bytes lead every format: offset, length, and magic at byte 16.
const MinHead = 17

// lengthEnd is where the length field of every format ends and the bytes it
// counts begin.
const lengthEnd = 12

// Smallest sizes of whole v0 and v1 messages: both key and value null.
const (
	minMessage0 = 26
	minMessage1 = 34
)

// Where the fields of a v2 batch header lie.
const (
	atLeaderEpoch   = 12
	atMagic         = 16
	atCRC           = 17
	atAttributes    = 21
	atLastDelta     = 23
	atBaseTimestamp = 27
	atMaxTimestamp  = 35
	atProducerID    = 43
	atProducerEpoch = 51
	atSequence      = 53
	atCount         = 57
)

// Attribute bits of a v2 batch; the low three, and bit 3, mean the same in v1.
const (
	attrCompression   = 0x07
	attrLogAppendTime = 0x08
	attrTransactional = 0x10
	attrControl       = 0x20
)

// Span is what an entry's header tells: enough to cut it off a stream, to
// position and to drop it without decompressing. An entry is one v2 batch, or
// one top-level v0/v1 message (perhaps a compressed wrapper). Nothing here is
// covered by a checksum that was verified.
type Span struct {
	Base        int64 // first offset; for magic < 2 the entry's own offset, which for a wrapper is its last inner's
	Next        int64 // offset after the last, as the header says: compaction keeps it
	Size        int   // bytes, offset and length fields included
	Magic       int8
	Attributes  int16
	LeaderEpoch int32 // -1 for magic < 2
	ProducerID  int64 // -1 when none
	Epoch       int16
	Sequence    int32
	Count       int32 // records claimed; -1 for magic < 2
}

// Control says that the batch holds transaction markers, not records.
func (s Span) Control() bool { return s.Magic >= 2 && s.Attributes&attrControl != 0 }

// Transactional says that the batch belongs to a transaction.
func (s Span) Transactional() bool { return s.Magic >= 2 && s.Attributes&attrTransactional != 0 }

// Compression is the entry's compression.
func (s Span) Compression() Type { return Type(s.Attributes & attrCompression) }

// ParseSpan reads the header of the entry that begins at b[0]. ok is false when
// b is too short to tell; err says that the header makes no sense (a size too
// small for its format, an end not past its base). With an err, s.Size is what
// to pass over when the size itself is plausible and 0 when it is not, in which
// case nothing behind the entry can be found; s.Next is then past s.Base by one.
func ParseSpan(b []byte) (s Span, ok bool, err error) {
	if len(b) < MinHead {
		return Span{}, false, nil
	}
	base := int64(binary.BigEndian.Uint64(b))
	size := int64(int32(binary.BigEndian.Uint32(b[8:])))
	s = Span{
		Base: base, Next: base, Magic: int8(b[atMagic]),
		LeaderEpoch: -1, ProducerID: -1, Epoch: -1, Sequence: -1, Count: -1,
	}
	if base < math.MaxInt64 {
		s.Next++
	}
	least := int64(minMessage0)
	switch s.Magic {
	case 1:
		least = minMessage1
	case 2:
		least = Head
	}
	if size+lengthEnd < least || size > math.MaxInt32-lengthEnd {
		return s, true, malformed("length field %d of an entry in format v%d", size, s.Magic)
	}
	s.Size = int(size) + lengthEnd
	if s.Magic < 0 || s.Magic > 2 {
		return s, true, malformed("magic %d, not 0, 1 or 2", s.Magic)
	}
	if base < 0 || base == math.MaxInt64 {
		return s, true, malformed("base offset %d", base)
	}
	if s.Magic < 2 {
		if len(b) <= MinHead {
			return Span{}, false, nil
		}
		s.Attributes = int16(b[MinHead])
		return s, true, nil
	}
	if len(b) < Head {
		return Span{}, false, nil
	}
	return parseBatchHead(b, s)
}

// parseBatchHead fills in what only a v2 batch has.
func parseBatchHead(b []byte, s Span) (Span, bool, error) {
	_ = b[Head-1]
	s.LeaderEpoch = int32(binary.BigEndian.Uint32(b[atLeaderEpoch:]))
	s.Attributes = int16(binary.BigEndian.Uint16(b[atAttributes:]))
	s.ProducerID = int64(binary.BigEndian.Uint64(b[atProducerID:]))
	s.Epoch = int16(binary.BigEndian.Uint16(b[atProducerEpoch:]))
	s.Sequence = int32(binary.BigEndian.Uint32(b[atSequence:]))
	s.Count = int32(binary.BigEndian.Uint32(b[atCount:]))
	delta := int64(int32(binary.BigEndian.Uint32(b[atLastDelta:])))
	if delta < 0 || s.Base > math.MaxInt64-1-delta {
		return s, true, malformed("last offset delta %d from base offset %d", delta, s.Base)
	}
	s.Next = s.Base + delta + 1
	if s.Count < 0 {
		return s, true, malformed("record count %d", s.Count)
	}
	return s, true, nil
}
