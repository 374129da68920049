package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"kafkactl/internal/record"
)

// Where the fields of a v0 or v1 message lie.
const (
	atMessageCRC   = 12
	atMessageAttr  = 17
	atMessageTime  = 18 // v1 alone
	atMessageKeyV0 = 18
	atMessageKeyV1 = 26
)

// keyAt is where the key's length lies in a message of magic 0 or 1.
func keyAt(magic int8) int {
	if magic == 0 {
		return atMessageKeyV0
	}
	return atMessageKeyV1
}

// appendMessage is Append for message formats v0 and v1.
func (b *Builder) appendMessage(rec *record.Record, max int) bool {
	magic := b.Magic()
	start := len(b.buf)
	need := keyAt(magic) + 8 + len(rec.Key) + len(rec.Value)
	if b.count > 0 && start+need > max {
		return false
	}
	b.extend(start + need)
	m := b.buf[start:]
	var offset int64
	if magic > 0 {
		// What the broker expects of producers since 0.10, relative inside a wrapper;
		// those before it were sent zeros.
		offset = int64(b.count)
	}
	binary.BigEndian.PutUint64(m, uint64(offset))
	binary.BigEndian.PutUint32(m[8:], uint32(need-lengthEnd))
	m[atMessageAttr] = 0
	i := keyAt(magic)
	i = putBytes(m, i, rec.Key)
	putBytes(m, i, rec.Value)
	finishMessage(m, magic, rec.Timestamp)
	b.note(rec.Timestamp)
	b.headers = b.headers || len(rec.Headers.Raw) > 1
	return true
}

// finishMessage sets magic, timestamp and, last, the checksum of a message.
func finishMessage(m []byte, magic int8, timestamp int64) {
	m[atMagic] = byte(magic)
	if magic > 0 {
		binary.BigEndian.PutUint64(m[atMessageTime:], uint64(timestamp))
	}
	binary.BigEndian.PutUint32(m[atMessageCRC:], crc32.ChecksumIEEE(m[atMagic:]))
}

// putBytes writes f behind its 32-bit length at b[i], nil as null.
func putBytes(b []byte, i int, f []byte) int {
	if f == nil {
		binary.BigEndian.PutUint32(b[i:], math.MaxUint32)
		return i + 4
	}
	binary.BigEndian.PutUint32(b[i:], uint32(len(f)))
	return i + 4 + copy(b[i+4:], f)
}

// sealMessages is Seal for message formats v0 and v1. A compressed set is the
// value of one message, whose offset is that of the last inside and whose
// timestamp (v1) is the highest inside.
func (c *Compressor) sealMessages(dst []byte, b *Builder, o Options) ([]byte, error) {
	start := len(dst)
	if o.Type == Uncompressed {
		if start == 0 {
			return b.buf, nil
		}
		return append(dst, b.buf...), nil
	}
	if o.Type > LZ4 {
		return dst, fmt.Errorf("seal: %w: %v in message format v%d", ErrCompression, o.Type, b.Magic())
	}
	magic := b.Magic()
	value := keyAt(magic) + 8
	var head [atMessageKeyV1 + 8]byte
	dst = append(dst, head[:value]...)
	dst, err := c.deflater.deflate(dst, b.buf, o, magic == 0)
	if err != nil {
		return dst[:start], err
	}
	m := dst[start:]
	if len(m) > math.MaxInt32 {
		return dst[:start], fmt.Errorf("seal: %d bytes, more than an entry can hold", len(m))
	}
	if magic > 0 {
		binary.BigEndian.PutUint64(m, uint64(b.count-1))
	}
	binary.BigEndian.PutUint32(m[8:], uint32(len(m)-lengthEnd))
	m[atMessageAttr] = byte(o.Type)
	binary.BigEndian.PutUint32(m[keyAt(magic):], math.MaxUint32)
	binary.BigEndian.PutUint32(m[keyAt(magic)+4:], uint32(len(m)-value))
	finishMessage(m, magic, b.highest)
	return dst, nil
}
