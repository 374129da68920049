package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"kafkactl/internal/record"
)

// castagnoli is the polynomial of v2 checksums; building the table is what
// selects the processor's own instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batch walks the records of one v2 batch.
type batch struct {
	b         []byte // the records, inflated
	at        int    // those before it are read
	count     int32  // records the header claims
	left      int32  // of them, those not read yet
	base      int64
	lastDelta int64
	delta     int64 // of the record read last, -1 before the first
	timestamp int64 // that deltas count from; for LogAppendTime the one every record has
	kind      record.TimestampType
	epoch     int32
}

// open starts on a batch whose records are b, inflated.
func (t *batch) open(s Span, head, b []byte) {
	*t = batch{
		b: b, count: s.Count, left: s.Count, base: s.Base, lastDelta: s.Next - 1 - s.Base, delta: -1,
		epoch: s.LeaderEpoch, kind: record.CreateTime,
		// With the delete horizon flag (bit 6, KIP-534) this field is the horizon,
		// and the deltas of the records count from it all the same.
		timestamp: int64(binary.BigEndian.Uint64(head[atBaseTimestamp:])),
	}
	if s.Attributes&attrLogAppendTime != 0 {
		t.kind = record.LogAppendTime
		t.timestamp = int64(binary.BigEndian.Uint64(head[atMaxTimestamp:]))
	}
}

// quick fills rec with the next record if that is one as nearly all are: its
// numbers of up to three bytes, the key's length of one, and not so near the end
// of the batch that whole words could not be loaded. It makes the checks that
// next makes; where false, at the end and at damage too, nothing is read yet and
// next tells.
func (t *batch) quick(rec *record.Record) bool {
	b, i := t.b, t.at
	if t.left == 0 || len(b)-i < 16 {
		return false
	}
	// Length, attributes (which have no meaning yet) and timestamp delta are seven
	// bytes at most.
	size, w, n := shortUvarint(binary.LittleEndian.Uint64(b[i:]))
	i += n
	end := i + int(size>>1)
	if n == 0 || size&1 != 0 || end > len(b) {
		return false
	}
	tdelta, _, n := shortUvarint(w >> 8)
	i += 1 + n
	if n == 0 || len(b)-i < 8 {
		return false
	}
	// So are offset delta, length of the key and, with a null key, length of the
	// value.
	odelta, w, n := shortUvarint(binary.LittleEndian.Uint64(b[i:]))
	delta := unzigzag(odelta)
	if n == 0 || delta <= t.delta || delta > t.lastDelta {
		return false
	}
	i += n + 1
	var key []byte
	if k := w & 0xff; k == 1 {
		w >>= 8
	} else {
		from := i
		i += int(k >> 1)
		if k&0x81 != 0 || len(b)-i < 8 {
			return false
		}
		key = b[from:i:i]
		w = binary.LittleEndian.Uint64(b[i:])
	}
	length, _, n := shortUvarint(w)
	if n == 0 {
		return false
	}
	i += n
	var value []byte
	if length != 1 {
		from := i
		i += int(length >> 1)
		if length&1 != 0 || i >= end {
			return false
		}
		value = b[from:i:i]
	}
	// Every index so far is below this one, so that it alone shows that all lies
	// within the record.
	if i >= end {
		return false
	}
	var raw []byte
	if i != end-1 || b[i] != 0 {
		raw = b[i:end:end]
		if !validHeaders(raw) {
			return false
		}
	}
	t.at = end
	t.left--
	t.delta = delta
	rec.Offset = t.base + delta
	rec.Timestamp = t.timestamp
	if t.kind == record.CreateTime {
		rec.Timestamp += unzigzag(tdelta)
	}
	rec.TimestampType = t.kind
	rec.LeaderEpoch = t.epoch
	rec.Key = key
	rec.Value = value
	rec.Headers.Raw = raw
	return true
}

// next fills rec with the next record. ok is false at the end, where err tells
// whether the batch ended as its header said.
func (t *batch) next(rec *record.Record) (ok bool, err error) {
	if t.left == 0 {
		if t.at != len(t.b) {
			return false, malformed("%d bytes behind the last of the records counted", len(t.b)-t.at)
		}
		return false, nil
	}
	size, i := uvarint(t.b, t.at)
	// The length is zigzag: odd is negative. No record has fewer than six bytes.
	if i < 0 || size&1 != 0 || size>>1 > uint64(len(t.b)-i) || size>>1 < 6 {
		return false, t.badLength()
	}
	end := i + int(size>>1)
	b := t.b[:end:end]
	i++ // attributes of a record have no meaning yet
	tdelta := uint64(b[i])
	if tdelta < 0x80 {
		i++
	} else {
		tdelta, i = uvarint(b, i)
	}
	odelta, i := uvarint(b, i)
	delta := unzigzag(odelta)
	if delta <= t.delta || delta > t.lastDelta {
		return false, malformed("record %d: offset delta %d between %d and the batch's last, %d", t.index(), delta, t.delta, t.lastDelta)
	}
	var key []byte
	if uint(i) < uint(len(b)) && b[i] == 1 {
		i++
	} else {
		key, i = field(b, i)
	}
	value, i := field(b, i)
	if uint(i) >= uint(len(b)) {
		return false, malformed("record %d: key or value runs past its end", t.index())
	}
	raw := b[i:]
	if len(raw) != 1 || raw[0] != 0 {
		if !validHeaders(raw) {
			return false, malformed("record %d: headers do not end with it", t.index())
		}
	} else {
		raw = nil
	}
	t.at = end
	t.left--
	t.delta = delta
	rec.Offset = t.base + delta
	rec.Timestamp = t.timestamp
	if t.kind == record.CreateTime {
		rec.Timestamp += unzigzag(tdelta)
	}
	rec.TimestampType = t.kind
	rec.LeaderEpoch = t.epoch
	rec.Key = key
	rec.Value = value
	rec.Headers.Raw = raw
	return true, nil
}

// index of the record at hand, from 0, for messages.
func (t *batch) index() int32 { return t.count - t.left }

func (t *batch) badLength() error {
	if t.at == len(t.b) {
		return malformed("%d records fewer than counted", t.left)
	}
	return malformed("record %d: its length does not fit in the %d bytes left", t.index(), len(t.b)-t.at)
}

// field reads a length and so many bytes at b[i]; length -1 is null. What does
// not fit gives index -1.
func field(b []byte, i int) ([]byte, int) {
	size, i := uvarint(b, i)
	if size == 1 || i < 0 {
		return nil, i
	}
	end := i + int(size>>1)
	if size&1 != 0 || size>>1 > uint64(len(b)-i) {
		return nil, -1
	}
	return b[i:end:end], end
}

// validHeaders walks headers to check that their lengths fill b exactly.
func validHeaders(b []byte) bool {
	count, i := uvarint(b, 0)
	// A header takes two bytes at least.
	if i < 0 || count&1 != 0 || count>>1 > uint64(len(b)-i)/2 {
		return false
	}
	for range count >> 1 {
		var name []byte
		if name, i = field(b, i); name == nil {
			return false
		}
		if _, i = field(b, i); i < 0 {
			return false
		}
	}
	return i == len(b)
}

// checkBatch verifies a v2 batch's checksum, which covers all behind it.
func checkBatch(b []byte) error {
	want := binary.BigEndian.Uint32(b[atCRC:])
	if got := crc32.Checksum(b[atAttributes:], castagnoli); got != want {
		return fmt.Errorf("%w: batch says %08x, its bytes sum to %08x", ErrChecksum, want, got)
	}
	return nil
}
