package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// Options of sealing.
type Options struct {
	Type        Type
	Level       int  // DefaultLevel or 0, or the compression's own scale: see CheckLevel
	SnappyRaw   bool // one raw snappy buffer in place of xerial framing
	SnappyBlock int  // bytes a xerial block holds before compression, 0 is 32768
	NoCRC       bool // leave a v2 batch's checksum to Stamp, which must then follow
}

// Compressor holds encoder state; make one per sealing goroutine. The zero
// value is ready.
type Compressor struct {
	deflater deflater
}

// Seal appends b's finished entry to dst: a v2 batch without producer id,
// checksum included, or a message set whose compressed form is one wrapper.
// Without compression and with an empty dst it may return b's own memory, so b
// must not be reset before the entry is done with. b itself stays as it was and
// can be sealed again. The compression asked for is kept even where it makes
// the batch larger. Errors: an empty builder,
// headers in magic < 2, a level or compression that the
// format cannot carry (ErrCompression), an entry past 2 GiB.
func (c *Compressor) Seal(dst []byte, b *Builder, o Options) ([]byte, error) {
	if b.count == 0 {
		return dst, fmt.Errorf("seal: no records")
	}
	if b.headers {
		return dst, fmt.Errorf("seal: message format v%d has no headers", b.Magic())
	}
	if len(b.buf) > math.MaxInt32 {
		return dst, fmt.Errorf("seal: %d bytes, more than an entry can hold", len(b.buf))
	}
	if err := CheckLevel(o.Type, o.Level); err != nil {
		return dst, err
	}
	if b.below != 0 {
		return c.sealMessages(dst, b, o)
	}
	start := len(dst)
	switch {
	case o.Type != Uncompressed:
		dst = append(dst, b.buf[:Head]...)
		var err error
		if dst, err = c.deflater.deflate(dst, b.buf[Head:], o, false); err != nil {
			return dst[:start], err
		}
		if len(dst)-start > math.MaxInt32 {
			return dst[:start], fmt.Errorf("seal: %d bytes, more than an entry can hold", len(dst)-start)
		}
	case start == 0:
		dst = b.buf
	default:
		dst = append(dst, b.buf...)
	}
	putBatchHead(dst[start:], b, o)
	return dst, nil
}

// putBatchHead writes the header of the v2 batch e, whose records are in place.
func putBatchHead(e []byte, b *Builder, o Options) {
	_ = e[Head-1]
	binary.BigEndian.PutUint64(e, 0)
	binary.BigEndian.PutUint32(e[8:], uint32(len(e)-lengthEnd))
	binary.BigEndian.PutUint32(e[atLeaderEpoch:], math.MaxUint32) // -1
	e[atMagic] = 2
	binary.BigEndian.PutUint32(e[atCRC:], 0)
	binary.BigEndian.PutUint16(e[atAttributes:], uint16(o.Type))
	binary.BigEndian.PutUint32(e[atLastDelta:], uint32(b.count-1))
	binary.BigEndian.PutUint64(e[atBaseTimestamp:], uint64(b.first))
	binary.BigEndian.PutUint64(e[atMaxTimestamp:], uint64(b.highest))
	binary.BigEndian.PutUint32(e[atCount:], uint32(b.count))
	if o.NoCRC {
		putProducer(e, -1, -1, -1)
		return
	}
	Stamp(e, -1, -1, -1, false)
}

// Stamp sets producer id, epoch, base sequence and the transactional bit of a
// sealed v2 batch and redoes its checksum. It is the one change allowed to a
// sealed batch, and may be repeated. A batch shorter than its header is left
// alone.
func Stamp(batch []byte, producerID int64, epoch int16, sequence int32, transactional bool) {
	if len(batch) < Head {
		return
	}
	putProducer(batch, producerID, epoch, sequence)
	batch[atAttributes+1] &^= attrTransactional
	if transactional {
		batch[atAttributes+1] |= attrTransactional
	}
	binary.BigEndian.PutUint32(batch[atCRC:], crc32.Checksum(batch[atAttributes:], castagnoli))
}

func putProducer(e []byte, id int64, epoch int16, sequence int32) {
	binary.BigEndian.PutUint64(e[atProducerID:], uint64(id))
	binary.BigEndian.PutUint16(e[atProducerEpoch:], uint16(epoch))
	binary.BigEndian.PutUint32(e[atSequence:], uint32(sequence))
}
