package produce

import (
	"errors"
	"fmt"

	"kafkactl/internal/record"
	"kafkactl/internal/wire/codec"
)

// sealing is what one sealer keeps.
type sealing struct {
	codec.Compressor
	scratch []byte // a compressed batch before it is known how large it is
}

// seal gives a batch its bytes and lets go of its builder where they are not the
// builder's own. Checksums are left to stamp.
func (e *engine) seal(s *sealing, b *Batch) (err error) {
	if e.seals.Type == codec.Uncompressed {
		b.wire, err = s.Seal(nil, b.builder, e.seals)
		return err
	}
	if s.scratch, err = s.Seal(s.scratch[:0], b.builder, e.seals); err != nil {
		return err
	}
	e.pool.putBuilder(b.builder, b.mem)
	b.builder, b.mem = nil, 0
	b.wire = append(e.pool.buffer(len(s.scratch)), s.scratch...)
	if cap(s.scratch) > keepBuffer {
		s.scratch = nil
	}
	return nil
}

// release gives back all that a settled batch held.
func (e *engine) release(b *Batch) {
	if b.builder != nil {
		e.pool.putBuilder(b.builder, b.mem)
	} else {
		e.pool.putBuffer(b.wire)
	}
	if e.ledger.receipts == nil {
		e.pool.putGap(b.lines.gaps)
	}
	b.builder, b.wire, b.mem = nil, nil, 0
}

// halve cuts a batch in two that the broker found too large, and keeps further
// batches of the partition below its size.
func (e *engine) halve(b *Batch) (x, y *Batch, err error) {
	var first, second []byte
	left := b.count / 2
	if b.magic >= 2 {
		first, second, left, err = e.compressor.Split(b.wire, e.seals)
	} else {
		first, err = e.rebuild(b, func(i int32) bool { return i < left })
		if err == nil {
			second, err = e.rebuild(b, func(i int32) bool { return i >= left })
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if b.port != nil {
		b.port.lower(int32(b.size / 2))
	}
	x, y = b.cut(left)
	x.wire, y.wire = first, second
	e.pool.charge(cap(first) + cap(second))
	e.ledger.cut(b, x, y)
	b.lines = lines{} // x and y share its memory
	e.release(b)
	return x, y, nil
}

// without gives a batch that leaves out the records a broker blamed, and settles
// those; nil, with nothing done, where all are to blame.
func (e *engine) without(b *Batch) *Batch {
	bad := make(map[int32]bool)
	for _, r := range b.answer.blame {
		if r.BatchIndex >= 0 && r.BatchIndex < b.count {
			bad[r.BatchIndex] = true
		}
	}
	if len(bad) == 0 || len(bad) == int(b.count) {
		return nil
	}
	sealed, err := e.rebuild(b, func(i int32) bool { return !bad[i] })
	if err != nil {
		return nil
	}
	rest := *b
	rest.builder, rest.mem, rest.wire = nil, 0, sealed
	rest.lines, rest.count = lines{}, 0
	i := int32(0)
	for c := b.lines.walk(); i < b.count; i++ {
		if bad[i] {
			e.ledger.bad(c.at, blamed(b, i))
		} else {
			rest.lines.add(c.at)
			rest.count++
		}
		c.next()
	}
	rest.unnumber()
	e.pool.charge(cap(sealed))
	e.ledger.replace(b, &rest)
	e.release(b)
	return &rest
}

var errRebuild = errors.New("batch cannot be read back")

// rebuild seals those records of a batch anew that keep says.
func (e *engine) rebuild(b *Batch, keep func(i int32) bool) ([]byte, error) {
	r := codec.Reader{NoCheck: true}
	r.Reset(b.wire, 0)
	var to codec.Builder
	to.Reset(b.magic)
	var rec record.Record
	i := int32(0)
	for ; r.Next(&rec); i++ {
		if keep(i) {
			to.Append(&rec, maxBatch)
		}
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", errRebuild, err)
	}
	if i != b.count {
		return nil, errRebuild
	}
	return e.compressor.Seal(nil, &to, e.seals)
}
