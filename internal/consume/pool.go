package consume

import (
	"context"
	"sync"

	"kafkactl/internal/wire"
)

// chunkBytes holds the largest batch a broker takes with its default
// message.max.bytes (1 MiB and 12 bytes).
const chunkBytes = 1<<20 + 4<<10

// minChunks is how few chunks a pool has.
const minChunks = 4

// trustBytes is up to what a header's claim of a size is believed before the
// bytes are there.
const trustBytes = 16 << 20

// largeRest is how many ordinary chunks are handed out before the buffer of a
// batch that fitted none is given back.
const largeRest = 64

// chunk is whole entries of one partition, their checksums not yet looked at.
// Whoever takes it off the queue releases it.
type chunk struct {
	p     *Partition
	from  int64 // records below are passed over
	next  int64 // the position behind it, whatever was dropped included
	epoch int32 // leader epoch of the record before next, -1 unknown
	buf   []byte
	back  func(*chunk) // nil: it has no memory of anyone's

}

// release gives the memory back; buf must not be used any more.
func (c *chunk) release() {
	if c.back != nil {
		c.back(c)
	}
}

// take appends the next n bytes of body. Where that is more than the chunk has
// room for, and a lot, memory grows as bytes arrive, for n is only what a header
// claims. arrived is called now and then.
func (c *chunk) take(body *wire.Body, n int, arrived func()) error {
	const step = 256 << 10
	whole := len(c.buf)
	for goal := whole + n; len(c.buf) < goal; {
		k := len(c.buf)
		m := min(step, goal-k)
		if k+m > cap(c.buf) {
			grown := make([]byte, k, min(goal, max(2*cap(c.buf), trustBytes)))
			copy(grown, c.buf)
			c.buf = grown
		}
		c.buf = c.buf[:k+m]
		if err := body.Take(c.buf[k:]); err != nil {
			c.buf = c.buf[:whole]
			return err
		}
		arrived()
	}
	return nil
}

// pool is the bound on memory: lanes wait here, in mid-response if need be, and
// TCP holds the broker back. Chunks last used are used first, so a quiet
// session touches few.
type pool struct {
	tokens chan struct{} // one a chunk that may be taken
	large  chan struct{} // for a batch that fits no chunk; one, unless workers must not wait for each other

	mu     sync.Mutex
	spare  []*chunk
	goal   int    // how many chunks there should be
	made   int    // how many there are, tokens and taken
	big    []byte // kept for the next large batch
	bigAge int
}

func newPool(large int) *pool {
	l := &pool{tokens: make(chan struct{}, 1<<14), large: make(chan struct{}, large)}
	for range large {
		l.large <- struct{}{}
	}
	l.size(0)
	return l
}

// size makes the pool fit for so many lanes: each may hold a chunk it fills, and
// the worker must not starve for it.
func (l *pool) size(lanes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.goal = min(max(minChunks, lanes+2), cap(l.tokens))
	for ; l.made < l.goal; l.made++ {
		l.tokens <- struct{}{}
	}
}

// get waits for a chunk that an entry of n bytes can go into.
func (l *pool) get(ctx context.Context, n int) (*chunk, error) {
	from, back := l.tokens, l.put
	if n > chunkBytes {
		from, back = l.large, l.putLarge
	}
	select {
	case <-from:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n > chunkBytes {
		l.bigAge = 0
		buf := l.big[:0]
		l.big = nil // another may be out at the same time
		return &chunk{buf: buf, back: back}, nil
	}
	if l.bigAge++; l.bigAge >= largeRest {
		l.big = nil
	}
	if k := len(l.spare) - 1; k >= 0 {
		c := l.spare[k]
		l.spare = l.spare[:k]
		return c, nil
	}
	return &chunk{buf: make([]byte, 0, chunkBytes), back: back}, nil
}

func (l *pool) put(c *chunk) {
	c.p, c.buf = nil, c.buf[:0]
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made > l.goal {
		l.made--
		return
	}
	l.spare = append(l.spare, c)
	l.tokens <- struct{}{}
}

func (l *pool) putLarge(c *chunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.big = c.buf[:0]
	l.large <- struct{}{}
}
