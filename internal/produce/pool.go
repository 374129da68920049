package produce

import (
	"sync"

	"kafkactl/internal/wire/codec"
)

// pool is the memory of a run: builders of open batches, sealed bytes, and the
// lines of receipts not printed yet, within a budget. What is idle counts too,
// but is let go of first.
type pool struct {
	freed chan struct{} // one token: something came back

	mu       sync.Mutex
	limit    int
	used     int
	idle     int
	builders []*codec.Builder
	buffers  [][]byte
	gaps     [][]byte // of lines, about a hundredth of the rest
}

const (
	// firstBuffer is what a builder takes for its first record.
	firstBuffer = 64 << 10
	// keepBuffer is the largest buffer worth keeping: one for a huge record is not.
	keepBuffer = 4 << 20
)

func newPool(limit int) *pool { return &pool{limit: limit, freed: make(chan struct{}, 1)} }

// take asks for n bytes for someone who holds own. Someone who holds all there
// is in use may pass the budget: a record can be larger.
func (p *pool) take(n, own int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used+n > p.limit && p.used > own {
		return false
	}
	p.used += n
	p.trim()
	return true
}

// charge takes n bytes that are there already; n may be negative.
func (p *pool) charge(n int) {
	p.mu.Lock()
	p.used += n
	p.trim()
	p.mu.Unlock()
	if n < 0 {
		p.signal()
	}
}

// trim lets idle memory go where it is needed.
func (p *pool) trim() {
	for p.used+p.idle > p.limit && len(p.buffers) > 0 {
		p.idle -= cap(p.buffers[len(p.buffers)-1])
		p.buffers = p.buffers[:len(p.buffers)-1]
	}
	for p.used+p.idle > p.limit && len(p.builders) > 0 {
		p.idle -= p.builders[len(p.builders)-1].Cap()
		p.builders = p.builders[:len(p.builders)-1]
	}
}

// builder gives an empty builder and what it counts for, nil where the budget
// has no room.
func (p *pool) builder(magic int8) (b *codec.Builder, mem int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.builders); n > 0 {
		b = p.builders[n-1]
		p.builders = p.builders[:n-1]
		mem = b.Cap()
		p.idle -= mem
	} else {
		if p.used+firstBuffer > p.limit && p.used > 0 {
			return nil, 0
		}
		b, mem = new(codec.Builder), firstBuffer
	}
	p.used += mem
	p.trim()
	b.Reset(magic)
	return b, mem
}

// putBuilder takes back a builder that counted for mem.
func (p *pool) putBuilder(b *codec.Builder, mem int) {
	p.mu.Lock()
	p.used -= mem
	if size := b.Cap(); size > 0 && size <= keepBuffer {
		p.idle += size
		p.builders = append(p.builders, b)
	}
	p.trim()
	p.mu.Unlock()
	p.signal()
}

// buffer gives memory for sealed bytes, which does not count until it is
// charged for.
func (p *pool) buffer() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.buffers)
	if n == 0 {
		return nil
	}
	b := p.buffers[n-1]
	p.buffers = p.buffers[:n-1]
	p.idle -= cap(b)
	return b[:0]
}

// putBuffer takes back a buffer that was charged for.
func (p *pool) putBuffer(b []byte) {
	p.mu.Lock()
	p.used -= cap(b)
	if cap(b) > 0 && cap(b) <= keepBuffer {
		p.idle += cap(b)
		p.buffers = append(p.buffers, b)
	}
	p.trim()
	p.mu.Unlock()
	p.signal()
}

// gap gives memory for the lines of a batch.
func (p *pool) gap() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.gaps)
	if n == 0 {
		return nil
	}
	b := p.gaps[n-1]
	p.gaps = p.gaps[:n-1]
	return b
}

// putGap takes it back.
func (p *pool) putGap(b []byte) {
	p.mu.Lock()
	if cap(b) > 0 && cap(b) <= firstBuffer && len(p.gaps) < 32 {
		p.gaps = append(p.gaps, b[:0])
	}
	p.mu.Unlock()
}

// roomy says that n bytes more would leave half of the budget free.
func (p *pool) roomy(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used+n <= p.limit/2
}

// inUse is how much is not idle.
func (p *pool) inUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

func (p *pool) signal() {
	select {
	case p.freed <- struct{}{}:
	default:
	}
}
