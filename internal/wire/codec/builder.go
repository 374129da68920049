package codec

import (
	"errors"

	"kafkactl/internal/record"
)

// Builder encodes records into one open batch, in place, in the format of its
// magic. The zero value builds v2; Reset makes it ready again and keeps memory.
type Builder struct {
	Magic int8 // 2 record batch, 1 and 0 message sets; set before the first Append
}

// Reset empties the builder for a batch of that magic.
func (b *Builder) Reset(magic int8) {}

// Append adds rec's key, value, headers and timestamp (record.NoTimestamp: the
// caller sets now first). It reports false, with b unchanged, when the batch
// would pass max bytes and already holds a record; a record alone may be larger.
// Headers in magic < 2 are an error the caller prevents.
func (b *Builder) Append(rec *record.Record, max int) bool { return false }

// Size is how many bytes the batch would take uncompressed.
func (b *Builder) Size() int { return 0 }

// Count is how many records it holds.
func (b *Builder) Count() int32 { return 0 }

// Options of sealing.
type Options struct {
	Type        Type
	Level       int  // DefaultLevel, or the compression's own scale
	SnappyRaw   bool // one raw snappy buffer in place of xerial framing
	SnappyBlock int  // bytes a xerial block holds before compression, 0 is 32768
}

// Compressor holds encoder state; make one per sealing goroutine.
type Compressor struct{}

// Seal appends b's finished entry to dst: a v2 batch without producer id,
// checksum included, or a message set whose compressed form is one wrapper.
// Without compression and with an empty dst it may return b's own memory, so b
// must not be reset before the entry is done with.
func (c *Compressor) Seal(dst []byte, b *Builder, o Options) ([]byte, error) {
	return nil, errors.New("codec: not written yet")
}

// Stamp sets producer id, epoch, base sequence and the transactional bit of a
// sealed v2 batch and redoes its checksum. It is the one change allowed to a
// sealed batch, and may be repeated.
func Stamp(batch []byte, producerID int64, epoch int16, sequence int32, transactional bool) {}

// Split cuts a sealed v2 batch of several records in two of about the same
// size, each sealed with o, for a broker that finds it too large. left counts
// the records of a.
func (c *Compressor) Split(batch []byte, o Options) (a, b []byte, left int32, err error) {
	return nil, nil, 0, errors.New("codec: not written yet")
}
