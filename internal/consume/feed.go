package consume

import (
	"context"

	"kafkactl/internal/record"
	"kafkactl/internal/wire/codec"
)

// feed gives the records of one chunk after another that count: of the range,
// in order, and kept by the filter.
type feed struct {
	s      *Session
	reader codec.Reader
	rec    record.Record
	c      *chunk
	next   int64 // everything before was looked at
	end    int64 // of the partition's range
	dead   bool  // the partition stops here
	back   bool  // the chunk held an offset twice
}

// open starts on a chunk.
func (f *feed) open(c *chunk) {
	p := c.p
	f.c, f.next, f.end = c, c.from, p.end.Load()
	f.dead, f.back = p.stopped.Load(), false
	f.rec.Topic, f.rec.Partition = p.Topic, p.Partition
	f.reader.Reset(c.buf, c.from)
}

// step moves to the next record; false is the end of the chunk, or of its
// partition.
func (f *feed) step(ctx context.Context) bool {
	if f.dead {
		return false
	}
	for {
		for f.reader.Next(&f.rec) {
			off := f.rec.Offset
			if off >= f.end {
				return false
			}
			if off < f.next {
				if f.again(off); f.dead {
					return false
				}
				continue
			}
			if stop := f.s.o.Stop; stop != nil && stop(&f.rec) {
				f.dead = true
				f.c.p.stopped.Store(true)
				f.s.post(event{p: f.c.p, kind: stopped})
				return false
			}
			if keep := f.s.o.Keep; keep != nil {
				wanted, err := keep(ctx, &f.rec)
				if err != nil {
					f.fail(ctx, err)
					return false
				}
				if !wanted {
					f.next = off + 1
					continue
				}
			}
			f.next = off + 1
			return true
		}
		damage := f.reader.Err()
		if damage == nil {
			return false
		}
		if f.dead = !f.s.pass(f.c.p, damage); f.dead {
			return false
		}
		f.next = max(f.next, damage.Resume)
		f.reader.Skip()
	}
}

// fail ends the partition before the record step came to. Where it is the run
// that ends, nothing is the matter with the record.
func (f *feed) fail(ctx context.Context, err error) {
	f.dead = true
	if ctx.Err() != nil {
		return
	}
	p := f.c.p
	p.stopped.Store(true)
	f.s.post(event{p: p, kind: failed, err: &PartitionError{p.TP, f.rec.Offset, err}})
}

// again deals with a log that goes back, which is damage: once a chunk.
func (f *feed) again(off int64) {
	if !f.back {
		f.back = true
		f.dead = !f.s.pass(f.c.p, &codec.CorruptError{Offset: off, Resume: f.next, Err: errBack})
	}
}

// mark accounts for the record step stands on.
func (f *feed) mark() Mark { return Mark{f.c.p, f.rec.Offset + 1, f.rec.LeaderEpoch} }

// rest accounts for the chunk once step has given its last record; ok is false
// where its partition stopped within.
func (f *feed) rest() (m Mark, ok bool) {
	m = Mark{f.c.p, min(f.c.next, f.end), -1}
	switch m.Next {
	case f.c.next:
		m.Epoch = f.c.epoch
	case f.next:
		m.Epoch = f.rec.LeaderEpoch
	}
	return m, !f.dead
}

// pass says whether to go on behind damage, and tells of it either way.
func (s *Session) pass(p *Partition, damage *codec.CorruptError) bool {
	err := &PartitionError{p.TP, damage.Offset, damage}
	if !s.o.KeepGoing {
		p.stopped.Store(true)
		s.post(event{p: p, kind: failed, err: err})
		return false
	}
	p.fate.corrupt.Add(1)
	s.warn(err)
	return true
}
