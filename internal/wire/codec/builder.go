package codec

import "kafkactl/internal/record"

// Builder encodes records into one open batch, in place, in the format of its
// magic: 2 is a record batch, 1 and 0 are message sets. The zero value builds
// v2; Reset makes it ready again and keeps memory.
type Builder struct {
	below   int8   // how far the magic is below 2, so that the zero value is v2
	buf     []byte // v2: room for the header, then records; v0, v1: messages
	count   int32
	first   int64 // timestamp of the first record
	highest int64 // timestamp
	headers bool  // a record had headers that the format cannot carry
}

// Buffers start small, because a producer may hold one per partition, and
// double.
const firstBuffer = 64 << 10

// Reset empties the builder for a batch of that magic, 0, 1 or 2.
func (b *Builder) Reset(magic int8) {
	*b = Builder{below: 2 - magic, buf: b.buf[:0]}
}

// Magic is the message format being built.
func (b *Builder) Magic() int8 { return 2 - b.below }

// Size is how many bytes the batch would take uncompressed, header included.
func (b *Builder) Size() int {
	if b.below == 0 {
		return max(Head, len(b.buf))
	}
	return len(b.buf)
}

// Count is how many records it holds.
func (b *Builder) Count() int32 { return b.count }

// Cap is how much memory the builder holds, for whoever keeps a budget.
func (b *Builder) Cap() int { return cap(b.buf) }

// MaxTimestamp is the highest timestamp of its records, record.NoTimestamp when
// it has none.
func (b *Builder) MaxTimestamp() int64 {
	if b.count == 0 {
		return record.NoTimestamp
	}
	return b.highest
}

// Append adds rec's key, value, headers and timestamp (record.NoTimestamp: the
// caller sets now first). It reports false, with b unchanged, when the batch
// would pass max bytes and already holds a record; a record alone may be larger.
// Headers in magic < 2 are an error the caller prevents; Seal refuses such a
// builder.
func (b *Builder) Append(rec *record.Record, max int) bool {
	if b.below != 0 {
		return b.appendMessage(rec, max)
	}
	first := b.first
	if b.count == 0 {
		first = rec.Timestamp
	}
	tdelta := zigzag(rec.Timestamp - first)
	odelta := zigzag(int64(b.count))
	headers := rec.Headers.Raw
	body := 1 + uvarintLen(tdelta) + uvarintLen(odelta) + fieldLen(rec.Key) + fieldLen(rec.Value) + len(headers)
	if len(headers) == 0 {
		body++
	}
	size := zigzag(int64(body))
	need := uvarintLen(size) + body
	i := b.Size()
	if b.count > 0 && i+need > max {
		return false
	}
	b.extend(i + need)
	buf := b.buf
	i = putUvarint(buf, i, size)
	buf[i] = 0 // attributes
	i = putUvarint(buf, i+1, tdelta)
	i = putUvarint(buf, i, odelta)
	i = putField(buf, i, rec.Key)
	i = putField(buf, i, rec.Value)
	if len(headers) == 0 {
		buf[i] = 0
	} else {
		copy(buf[i:], headers)
	}
	b.note(rec.Timestamp)
	return true
}

// note counts a record that was appended.
func (b *Builder) note(timestamp int64) {
	if b.count == 0 {
		b.first, b.highest = timestamp, timestamp
	}
	b.highest = max(b.highest, timestamp)
	b.count++
}

// extend makes b.buf n bytes long.
func (b *Builder) extend(n int) {
	if n > cap(b.buf) {
		grown := make([]byte, max(firstBuffer, 2*cap(b.buf), n))
		copy(grown, b.buf)
		b.buf = grown
	}
	b.buf = b.buf[:n]
}

// fieldLen is how many bytes putField writes.
func fieldLen(f []byte) int { return uvarintLen(uint64(len(f))<<1) + len(f) }

// putField writes f with its length at b[i], nil as null.
func putField(b []byte, i int, f []byte) int {
	if f == nil {
		b[i] = 1
		return i + 1
	}
	i = putUvarint(b, i, uint64(len(f))<<1)
	return i + copy(b[i:], f)
}
