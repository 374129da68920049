package codec

import "errors"

// Head is how many bytes ParseSpan wants to see of an entry: the whole header
// of a v2 batch.
const Head = 61

// MinHead is how few bytes lead every format: offset, length, and magic at byte 16.
const MinHead = 17

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
func (s Span) Control() bool { return s.Magic >= 2 && s.Attributes&0x20 != 0 }

// Transactional says that the batch belongs to a transaction.
func (s Span) Transactional() bool { return s.Magic >= 2 && s.Attributes&0x10 != 0 }

// Compression is the entry's compression.
func (s Span) Compression() Type { return Type(s.Attributes & 7) }

// ParseSpan reads the header of the entry that begins at b[0]. ok is false when
// b is too short to tell; err says that the header makes no sense (a size too
// small for its format, an end not past its base).
func ParseSpan(b []byte) (s Span, ok bool, err error) {
	return Span{}, false, errors.New("codec: not written yet")
}
