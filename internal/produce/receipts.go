package produce

import (
	"container/heap"
	"sync"

	"kafkactl/internal/broker"
)

// Receipts are told, in the order of the input, where each acknowledged record
// stands. Offset -1 is unknown: acks 0, or a duplicate that the broker
// recognised without knowing its place. One goroutine calls.
type Receipts interface {
	Receipt(line int64, tp broker.TP, offset int64) error
	// Flush comes when no further receipt is at hand.
	Flush() error
}

// receipt is a batch among receipts: its next line, and once settled its offset.
type receipt struct {
	cursor
	tp      broker.TP
	offset  int64
	left    int32 // receipts still to be given
	mem     int
	settled bool
	acked   bool
}

// receipts merges batches back into the order of lines. A batch enters with its
// first line, before anything with a later line does, so that the one with the
// lowest next line is always known, whether settled or not.
type receipts struct {
	to   Receipts
	pool *pool
	wake chan struct{} // one token

	mu     sync.Mutex
	heap   receiptHeap
	closed bool
}

func newReceipts(to Receipts, p *pool) *receipts {
	return &receipts{to: to, pool: p, wake: make(chan struct{}, 1)}
}

// open enters a batch that begins at line.
func (r *receipts) open(b *Batch, line int64) {
	b.receipt = &receipt{cursor: cursor{at: line}, tp: b.tp}
	r.mu.Lock()
	heap.Push(&r.heap, b.receipt)
	r.mu.Unlock()
}

func (r *receipts) settle(b *Batch, base int64, acked bool) {
	r.mu.Lock()
	e := b.receipt
	e.cursor, e.offset, e.left, e.settled, e.acked = b.lines.walk(), base, b.count, true, acked
	e.mem = cap(b.lines.gaps)
	r.mu.Unlock()
	r.pool.charge(e.mem)
	r.signal()
}

// cut lets y enter beside x, which takes b's place.
func (r *receipts) cut(b, x, y *Batch) {
	x.receipt = b.receipt
	r.open(y, y.lines.first)
}

// replace lets another batch of later lines take b's place.
func (r *receipts) replace(b, other *Batch) {
	r.mu.Lock()
	other.receipt = b.receipt
	b.receipt.at = other.lines.first
	heap.Init(&r.heap)
	r.mu.Unlock()
	r.signal()
}

// close says that all batches are settled.
func (r *receipts) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.signal()
}

func (r *receipts) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run gives receipts until all are given. After an error it only empties the heap.
func (r *receipts) run(failed func(error)) {
	var broken bool
	check := func(err error) {
		if err != nil && !broken {
			broken = true
			failed(err)
		}
	}
	flushed := true
	for {
		e, bound, closed := r.next()
		if e == nil {
			if !broken && !flushed {
				check(r.to.Flush())
				flushed = true
			}
			if closed {
				return
			}
			<-r.wake
			continue
		}
		more := true
		for more && e.at < bound {
			if e.acked && !broken {
				flushed = false
				check(r.to.Receipt(e.at, e.tp, e.offset))
			}
			if e.offset >= 0 {
				e.offset++
			}
			e.left--
			more = e.left > 0 && e.cursor.next()
		}
		if more {
			r.mu.Lock()
			heap.Push(&r.heap, e)
			r.mu.Unlock()
		} else {
			r.pool.charge(-e.mem)
		}
	}
}

// next takes the batch with the lowest line off the heap, if it is settled, and
// tells up to which line it goes alone.
func (r *receipts) next() (e *receipt, bound int64, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.heap) == 0 || !r.heap[0].settled {
		return nil, 0, r.closed
	}
	e = heap.Pop(&r.heap).(*receipt)
	bound = 1<<63 - 1
	if len(r.heap) > 0 {
		bound = r.heap[0].at
	}
	return e, bound, false
}

// receiptHeap is a container/heap by next line.
type receiptHeap []*receipt

func (h receiptHeap) Len() int           { return len(h) }
func (h receiptHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h receiptHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *receiptHeap) Push(x any)        { *h = append(*h, x.(*receipt)) }
func (h *receiptHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return x
}
