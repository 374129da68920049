package produce

import (
	"sync"

	"kafkactl/internal/wire/codec"
)

// pool is the memory of a run: builders of open batches, sealed bytes, and the
// lines of receipts not printed yet. What is in use stays within a budget; what
// is idle is kept for later as far as it is no more than half of it beyond that,
// since making builders anew leaves twice their size as garbage.
type pool struct {
	freed chan struct{} // one token: something came back

	// spare is left free when a builder is made, so that it can grow to the size of
	// a full batch rather than wait half-grown for others to come back.
	spare int

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

func newPool(limit, batch int) *pool {
	p := &pool{freed: make(chan struct{}, 1)}
	p.bound(limit, batch)
	return p
}

// bound sets the budget, before anything is taken.
func (p *pool) bound(limit, batch int) {
	p.limit, p.spare = limit, max(firstBuffer, min(batch, limit/4))
}

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
	most := p.limit + p.limit/2
	for p.used+p.idle > most && len(p.buffers) > 0 {
		p.idle -= cap(p.buffers[len(p.buffers)-1])
		p.buffers = p.buffers[:len(p.buffers)-1]
	}
	for p.used+p.idle > most && len(p.builders) > 0 {
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
		if p.used+b.Cap() > p.limit && p.used > 0 {
			return nil, 0
		}
		p.builders = p.builders[:n-1]
		mem = b.Cap()
		p.idle -= mem
	} else {
		if p.used+p.spare > p.limit && p.used > 0 {
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

// buffer gives memory for n sealed bytes, and charges for it.
func (p *pool) buffer(n int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range p.buffers {
		if cap(b) >= n && cap(b) <= 2*n+4096 {
			last := len(p.buffers) - 1
			p.buffers[i] = p.buffers[last]
			p.buffers = p.buffers[:last]
			p.idle -= cap(b)
			p.used += cap(b)
			return b[:0]
		}
	}
	b := make([]byte, 0, n+n/8) // the next batch is of about this size
	p.used += cap(b)
	p.trim()
	return b
}

// putBuffer takes back sealed bytes that were charged for.
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
