package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"kafkactl/internal/record"
)

// maxNesting is how many compressed wrappers may lie inside one another.
const maxNesting = 2

// messages walks one top-level entry of message format v0 or v1, and down into
// compressed wrappers.
type messages struct {
	depth int
	sets  [maxNesting + 1]messageSet
	left  int // bytes that this entry may still inflate to
}

// messageSet is messages end to end: one at the top, what a wrapper holds below.
type messageSet struct {
	b        []byte // messages not read yet
	relative bool   // offsets count from base, as inside a v1 wrapper
	base     int64
	last     int64 // highest offset there is, relative
	appended bool  // a wrapper's LogAppendTime, which holds for all inside
	time     int64
}

// message is one message taken apart.
type message struct {
	offset     int64
	magic      int8
	attributes byte
	time       int64
	key, value []byte
}

// start begins on the entry b.
func (m *messages) start(b []byte, limit int) {
	m.depth, m.left = 0, limit
	m.sets[0] = messageSet{b: b}
}

// next fills rec with the next message that is no wrapper. ok is false at the
// end of the entry.
func (m *messages) next(rec *record.Record, r *Reader) (ok bool, err error) {
	for {
		set := &m.sets[m.depth]
		if size := plainMessage(set.b, rec, !r.NoCheck); size > 0 && set.settle(rec) {
			set.b = set.b[size:]
			if rec.Offset >= r.from {
				return true, nil
			}
			continue
		}
		b, err := set.cut()
		if err != nil {
			return false, err
		}
		if b == nil {
			// The end, or a message cut short, which brokers and producers of old leave
			// at the end of a set.
			if m.depth == 0 {
				return false, nil
			}
			m.depth--
			continue
		}
		offset, err := set.place(b)
		if err != nil {
			return false, err
		}
		if offset < r.from {
			continue
		}
		if !r.NoCheck {
			if err := checkMessage(b); err != nil {
				return false, err
			}
		}
		msg, err := parseMessage(b, offset)
		if err != nil {
			return false, err
		}
		if Type(msg.attributes&attrCompression) != Uncompressed {
			if err := m.unwrap(set, msg, r); err != nil {
				return false, err
			}
			continue
		}
		set.fill(rec, msg)
		return true, nil
	}
}

// plainMessage makes the message that b begins with a record, offset and
// timestamp as it has them itself, and tells its size. 0 is a message that is
// compressed, not whole or not sound: that takes a closer look.
func plainMessage(b []byte, rec *record.Record, check bool) (size int) {
	if len(b) < minMessage0 {
		return 0
	}
	magic := b[atMagic]
	size = int(int32(binary.BigEndian.Uint32(b[8:]))) + lengthEnd
	if magic > 1 || b[atMessageAttr]&attrCompression != 0 || size < minMessage0 || size > len(b) {
		return 0
	}
	b = b[:size:size]
	i := atMessageKeyV0
	rec.Timestamp, rec.TimestampType = record.NoTimestamp, record.NoTimestampType
	if magic == 1 {
		if size < minMessage1 {
			return 0
		}
		i = atMessageKeyV1
		rec.Timestamp, rec.TimestampType = int64(binary.BigEndian.Uint64(b[atMessageTime:])), record.CreateTime
		if b[atMessageAttr]&attrLogAppendTime != 0 {
			rec.TimestampType = record.LogAppendTime
		}
	}
	rec.Key = nil
	n := int(int32(binary.BigEndian.Uint32(b[i:])))
	i += 4
	if n != -1 {
		if uint(n) > uint(size-i-4) {
			return 0
		}
		rec.Key = b[i : i+n : i+n]
		i += n
	}
	rec.Value = nil
	n = int(int32(binary.BigEndian.Uint32(b[i:])))
	i += 4
	if n != -1 {
		if n < 0 || n != size-i {
			return 0
		}
		rec.Value = b[i:]
	} else if i != size {
		return 0
	}
	if check && crc32.ChecksumIEEE(b[atMagic:]) != binary.BigEndian.Uint32(b[atMessageCRC:]) {
		return 0
	}
	rec.Offset = int64(binary.BigEndian.Uint64(b))
	rec.LeaderEpoch = -1
	rec.Headers.Raw = nil
	return size
}

// settle gives rec, fresh from plainMessage, the offset and timestamp it has in
// this set. False is an offset that takes a closer look.
func (s *messageSet) settle(rec *record.Record) bool {
	offset := rec.Offset
	if s.relative {
		if offset < 0 || offset > s.last {
			return false
		}
		rec.Offset = s.base + offset
	} else if offset < 0 || offset == math.MaxInt64 {
		return false
	}
	if s.appended && rec.TimestampType != record.NoTimestampType {
		rec.Timestamp, rec.TimestampType = s.time, record.LogAppendTime
	}
	return true
}

// cut takes the next whole message off the set, nil at its end.
func (s *messageSet) cut() ([]byte, error) {
	if len(s.b) < lengthEnd {
		return nil, nil
	}
	size := int64(int32(binary.BigEndian.Uint32(s.b[8:]))) + lengthEnd
	if size < minMessage0 {
		return nil, malformed("length field %d of a message", size-lengthEnd)
	}
	if size > int64(len(s.b)) {
		return nil, nil
	}
	b := s.b[:size:size]
	s.b = s.b[size:]
	return b, nil
}

// place is the offset of the message b.
func (s *messageSet) place(b []byte) (int64, error) {
	offset := int64(binary.BigEndian.Uint64(b))
	if s.relative {
		if offset < 0 || offset > s.last {
			return 0, malformed("relative offset %d inside a wrapper whose last is %d", offset, s.last)
		}
		return s.base + offset, nil
	}
	if offset < 0 || offset == math.MaxInt64 {
		return 0, malformed("offset %d of a message", offset)
	}
	return offset, nil
}

// parseMessage takes the message b apart.
func parseMessage(b []byte, offset int64) (msg message, err error) {
	msg = message{offset: offset, magic: int8(b[atMagic]), attributes: b[atMessageAttr], time: record.NoTimestamp}
	switch msg.magic {
	case 0:
	case 1:
		if len(b) < minMessage1 {
			return msg, malformed("v1 message of %d bytes", len(b))
		}
		msg.time = int64(binary.BigEndian.Uint64(b[atMessageTime:]))
	default:
		return msg, malformed("magic %d inside a message set", msg.magic)
	}
	i := keyAt(msg.magic)
	if msg.key, i, err = bytesAt(b, i); err != nil {
		return msg, err
	}
	if msg.value, i, err = bytesAt(b, i); err != nil {
		return msg, err
	}
	if i != len(b) {
		return msg, malformed("%d bytes behind the value of a message", len(b)-i)
	}
	return msg, nil
}

// fill makes msg a record.
func (s *messageSet) fill(rec *record.Record, msg message) {
	rec.Offset = msg.offset
	rec.LeaderEpoch = -1
	rec.Key, rec.Value = msg.key, msg.value
	rec.Headers.Raw = nil
	switch {
	case msg.magic == 0:
		rec.Timestamp, rec.TimestampType = record.NoTimestamp, record.NoTimestampType
	case s.appended:
		rec.Timestamp, rec.TimestampType = s.time, record.LogAppendTime
	default:
		rec.Timestamp, rec.TimestampType = msg.time, record.CreateTime
		if msg.attributes&attrLogAppendTime != 0 {
			rec.TimestampType = record.LogAppendTime
		}
	}
}

// unwrap inflates the wrapper msg of set, and goes down into it. A wrapper's own
// key says nothing.
func (m *messages) unwrap(set *messageSet, msg message, r *Reader) error {
	if m.depth == maxNesting {
		return malformed("compressed messages nested deeper than %d", maxNesting)
	}
	if msg.value == nil {
		return malformed("compressed message with a null value")
	}
	t := Type(msg.attributes & attrCompression)
	b, err := r.inflater.inflate(m.depth, msg.value, t, m.left, msg.magic == 0)
	if err != nil {
		return err
	}
	m.left -= len(b)
	inner := messageSet{b: b, appended: set.appended, time: set.time}
	if msg.magic > 0 {
		if !inner.appended && msg.attributes&attrLogAppendTime != 0 {
			inner.appended, inner.time = true, msg.time
		}
		if err := inner.relate(msg.offset); err != nil {
			return err
		}
	}
	m.depth++
	m.sets[m.depth] = inner
	return nil
}

// relate makes the offsets of a set inside a v1 wrapper relative: the wrapper
// has the offset of its last (KIP-31). Where the last is cut short no offset in
// the set can be known.
func (s *messageSet) relate(wrapper int64) error {
	if len(s.b) == 0 {
		return nil
	}
	scan := messageSet{b: s.b}
	for len(scan.b) > 0 {
		b, err := scan.cut()
		if err != nil {
			return err
		}
		if b == nil {
			return malformed("v1 wrapper whose last message is cut short")
		}
		s.last = int64(binary.BigEndian.Uint64(b))
	}
	s.relative, s.base = true, wrapper-s.last
	if s.last < 0 || s.base < 0 {
		return malformed("last relative offset %d inside the wrapper at %d", s.last, wrapper)
	}
	return nil
}

// bytesAt reads a 32-bit length and so many bytes at b[i]; length -1 is null.
func bytesAt(b []byte, i int) (f []byte, next int, err error) {
	if len(b)-i < 4 {
		return nil, 0, malformed("key or value runs past its message")
	}
	n := int(int32(binary.BigEndian.Uint32(b[i:])))
	i += 4
	if n == -1 {
		return nil, i, nil
	}
	if n < 0 || n > len(b)-i {
		return nil, 0, malformed("key or value of %d bytes, %d are left in its message", n, len(b)-i)
	}
	return b[i : i+n : i+n], i + n, nil
}

// checkMessage verifies a message's checksum, which covers all behind it.
func checkMessage(b []byte) error {
	want := binary.BigEndian.Uint32(b[atMessageCRC:])
	if got := crc32.ChecksumIEEE(b[atMagic:]); got != want {
		return fmt.Errorf("%w: message says %08x, its bytes sum to %08x", ErrChecksum, want, got)
	}
	return nil
}
