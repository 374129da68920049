package consume

import (
	"context"
	"errors"
	"fmt"

	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// cutting is what became of one partition's records in one response.
type cutting struct {
	moved   bool // the position did
	bygone  bool // entries came, and all of them lie before it
	small   int  // size of an entry that came first and not whole
	corrupt *codec.CorruptError
}

// outlet is where chunks come from and go to.
type outlet interface {
	// get waits for a chunk with room for n bytes; nil asks to take no more of p
	// from this response.
	get(ctx context.Context, p *Partition, n int) (*chunk, error)
	// put hands a chunk on, waiting if it must.
	put(ctx context.Context, c *chunk) error
	// wants says whether to ask for p at all just now.
	wants(p *Partition) bool
	// begin says that records of p are to come, and end that no more will.
	begin(p *Partition)
	end(p *Partition)
	// quiet says that everything put was dealt with.
	quiet() bool
	// lanes says how many lanes there are now.
	lanes(n int)
}

// cutter takes whole entries off responses as they arrive. It looks at headers
// alone, so that positions are known, and the next request can leave, before
// anything is decoded.
type cutter struct {
	out       outlet
	committed bool
	arrived   func()     // bytes came
	blocked   func(bool) // the reader of our output holds us up, or no longer
	aborted   codec.Aborted
	ranges    []codec.AbortedRange
}

// cut moves p.next over the entries of body up to p's end and hands on those
// that hold something to show. Its error is the connection's or ctx's; entries
// that were whole by then are handed on all the same.
func (k *cutter) cut(ctx context.Context, p *Partition, res *wire.FetchPartitionResult, body *wire.Body) (c cutting, err error) {
	k.reset(res)
	p.hear(res, k.committed)
	start, sent := p.next, p.next
	var ch *chunk
	for c.corrupt == nil && err == nil && !p.through() && !p.stopped.Load() {
		var s codec.Span
		var ok bool
		if s, ok, c.corrupt, err = k.span(p, res.HighWatermark, body); c.corrupt != nil || err != nil {
			break
		}
		if left := body.Left(); !ok || s.Size > left {
			if p.next == start && left > 0 {
				c.small = max(s.Size, left+1) // at least: the header may be cut too
			}
			break
		}
		var drop bool
		if drop, err = k.drop(p, s, body); err != nil {
			break
		}
		if drop {
			c.bygone = c.bygone || s.Next <= p.next
			if err = k.skip(body, s.Size); err == nil && s.Next > p.next {
				p.reach(s.Next, s.LeaderEpoch)
				if ch != nil {
					ch.next, ch.epoch = p.next, p.epoch
				}
			}
			continue
		}
		if ch != nil && len(ch.buf)+s.Size > cap(ch.buf) {
			if err = k.put(ctx, ch); err != nil {
				return c, err
			}
			sent, ch = ch.next, nil
		}
		if ch == nil {
			if ch, err = k.get(ctx, p, s); ch == nil {
				break
			}
		}
		if err = ch.take(body, s.Size, k.arrived); err == nil {
			p.fate.took(ch.from, s.Size)
			p.reach(s.Next, s.LeaderEpoch)
			ch.next, ch.epoch = p.next, p.epoch
		}
	}
	c.moved = p.next != start
	return c, errors.Join(err, k.last(ctx, p, ch, sent))
}

// last hands on the chunk in hand, or one without records when what was passed
// since the last one, at sent, held none: who follows positions must hear of it.
func (k *cutter) last(ctx context.Context, p *Partition, ch *chunk, sent int64) error {
	switch {
	case ch == nil && p.next == sent:
		return nil
	case ch == nil:
		ch = &chunk{p: p, from: p.next, next: p.next, epoch: p.epoch}
	case len(ch.buf) == 0 && ch.next == ch.from:
		ch.release()
		return nil
	}
	return k.put(ctx, ch)
}

func (k *cutter) put(ctx context.Context, ch *chunk) error {
	k.blocked(true)
	defer k.blocked(false)
	return k.out.put(ctx, ch)
}

func (k *cutter) reset(res *wire.FetchPartitionResult) {
	if !k.committed {
		return
	}
	k.ranges = k.ranges[:0]
	for _, a := range res.AbortedTransactions {
		k.ranges = append(k.ranges, codec.AbortedRange{ProducerID: a.ProducerID, First: a.FirstOffset})
	}
	k.aborted.Reset(k.ranges)
}

func (k *cutter) get(ctx context.Context, p *Partition, s codec.Span) (*chunk, error) {
	k.blocked(true)
	ch, err := k.out.get(ctx, p, s.Size)
	k.blocked(false)
	if ch != nil {
		ch.p, ch.from, ch.next, ch.epoch = p, p.begin(s), p.next, -1
	}
	return ch, err
}

// farAhead is how many offsets past the high watermark an entry may claim to
// begin. Leaders note the watermark before they read, so a little is honest.
const farAhead = 1 << 24

// span reads the header of the next entry; ok is false at a tail too short for one.
// Nothing in it is covered by a checksum that was looked at.
func (k *cutter) span(p *Partition, high int64, body *wire.Body) (s codec.Span, ok bool, corrupt *codec.CorruptError, err error) {
	if body.Left() < codec.MinHead {
		return s, false, nil, nil
	}
	head, err := body.Peek(min(codec.Head, body.Left()))
	if err != nil {
		return s, false, nil, err
	}
	s, ok, lie := codec.ParseSpan(head)
	if lie == nil && ok && high >= 0 && s.Base-high > farAhead {
		lie = fmt.Errorf("%w: offset %d with a high watermark of %d", codec.ErrFormat, s.Base, high)
	}
	if lie == nil {
		return s, ok, nil, nil
	}
	corrupt = &codec.CorruptError{Offset: p.next, Resume: p.next + 1, Err: lie}
	if s.Size == 0 || s.Size > body.Left() {
		return s, false, corrupt, nil
	}
	if err := k.skip(body, s.Size); err != nil {
		return s, false, corrupt, err
	}
	// The entry behind it, where there is one, knows where it begins.
	head, err = body.Peek(min(codec.Head, body.Left()))
	if err != nil {
		return s, false, corrupt, err
	}
	if next, ok, lie := codec.ParseSpan(head); ok && lie == nil && next.Magic >= 2 {
		corrupt.Resume = max(corrupt.Resume, next.Base)
	}
	return s, false, corrupt, nil
}

// drop says that the entry has nothing to show: markers, aborted records, or all
// of it below the position.
func (k *cutter) drop(p *Partition, s codec.Span, body *wire.Body) (bool, error) {
	if !k.committed {
		return s.Control() || s.Next <= p.next, nil
	}
	marker := int16(-1)
	if s.Control() {
		head, err := body.Peek(min(codec.MarkerHead, s.Size))
		if err != nil {
			return false, err
		}
		marker = codec.MarkerType(head)
	}
	return k.aborted.Drop(s, marker) || s.Next <= p.next, nil
}

// skip drops n bytes, in steps so that a slow line is seen to be alive.
func (k *cutter) skip(body *wire.Body, n int) error {
	const step = 256 << 10
	for n > 0 {
		m := min(n, step)
		if err := body.Skip(m); err != nil {
			return err
		}
		k.arrived()
		n -= m
	}
	return nil
}
