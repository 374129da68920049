package consume

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// merge is the outlet that puts partitions in one order by timestamp. It needs
// a record of each before it can give the smallest, so a shared pool would
// deadlock: each partition has room for one chunk of its own, and lanes ask only
// for those whose chunk is used up.
type merge struct {
	s    *Session
	room int           // bytes of a chunk, unless one entry is larger
	news chan struct{} // something below changed

	mu     sync.Mutex
	slots  map[*Partition]*slot
	closed bool
}

// slot is one partition's place in a merge.
type slot struct {
	p    *Partition
	busy bool   // its chunk is being filled, waits or is read
	got  *chunk // waits
	over bool   // nothing more comes
	buf  []byte // of its chunk while that is not busy

	// Of the merging goroutine.
	feed  feed
	next  int64     // everything before was in a chunk
	empty time.Time // without a record since; zero while it has one
	quiet time.Time // known since then to have no more; zero while it may have
}

// Bounds of what a merge asks for and keeps of each partition.
const (
	mergeBytes    = 16 << 20 // shared out
	mergeMost     = 1 << 20
	mergeLeast    = 64 << 10
	mergeFastWait = 100 * time.Millisecond // one partition's silence must not hold up its lane's others for long
)

func newMerge(s *Session, partitions int) *merge {
	return &merge{
		s: s, news: make(chan struct{}, 1), slots: make(map[*Partition]*slot),
		room: min(max(mergeBytes/max(partitions, 1), mergeLeast), mergeMost),
	}
}

func (m *merge) begin(p *Partition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slots[p] = &slot{p: p, feed: feed{s: m.s}, next: p.told.Load(), empty: time.Now()}
	poke(m.news)
}

func (m *merge) end(p *Partition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if sl := m.slots[p]; sl != nil {
		sl.over = true
	}
	poke(m.news)
}

func (m *merge) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	poke(m.news)
}

func (m *merge) wants(p *Partition) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	sl := m.slots[p]
	return sl != nil && !sl.busy
}

func (m *merge) get(_ context.Context, p *Partition, n int) (*chunk, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sl := m.slots[p]
	if sl == nil || sl.busy {
		return nil, nil //nolint:nilnil // no chunk, and no error either
	}
	sl.busy = true
	if cap(sl.buf) < min(n, m.room) {
		sl.buf = make([]byte, 0, m.room)
	}
	return &chunk{buf: sl.buf[:0], back: m.back}, nil
}

// back makes room for p's next chunk.
func (m *merge) back(c *chunk) {
	m.mu.Lock()
	sl := m.slots[c.p]
	if sl != nil {
		sl.busy = false
		if sl.buf = c.buf[:0]; cap(sl.buf) > 2*mergeMost {
			sl.buf = nil
		}
	}
	m.mu.Unlock()
	if l := c.p.lane.Load(); l != nil {
		poke(l.wake)
	}
}

func (m *merge) put(_ context.Context, c *chunk) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if sl := m.slots[c.p]; sl != nil {
		sl.busy, sl.got = true, c
		c.back = m.back
	}
	poke(m.news)
	return nil
}

func (m *merge) quiet() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sl := range m.slots {
		if sl.got != nil || sl.empty.IsZero() {
			return false
		}
	}
	return true
}

func (m *merge) lanes(int) {}

// run gives the sink one record after another, the oldest of all partitions
// each time, until nothing more comes.
func (m *merge) run(ctx context.Context, w *worker) error {
	var heap []*slot
	timer := time.NewTimer(0)
	defer timer.Stop()
	complete := false
	for !w.s.quit.Load() {
		if err := w.answer(ctx); err != nil {
			return err
		}
		if !complete {
			var wait time.Duration
			var err error
			if heap, wait, err = m.gather(ctx, w, heap); err != nil || wait < 0 && len(heap) == 0 {
				return err
			}
			if wait > 0 {
				if err := m.await(ctx, w, timer, wait); err != nil {
					return err
				}
				continue
			}
			if len(heap) == 0 {
				continue
			}
		}
		sl := heap[0]
		if sl.p.stopped.Load() { // taken from us
			sl.feed.dead = true
			heap, complete = pop(heap), false
			if err := m.used(ctx, w, sl); err != nil {
				return err
			}
			continue
		}
		n := w.count
		err := w.deliver(ctx, &sl.feed)
		sl.p.fate.records.Add(w.count - n)
		if err != nil {
			return err
		}
		if complete = sl.feed.step(ctx); complete {
			sink(heap, 0)
			continue
		}
		heap = pop(heap)
		if err := m.used(ctx, w, sl); err != nil {
			return err
		}
	}
	return nil
}

// await waits for news, and delivers what would wait with it.
func (m *merge) await(ctx context.Context, w *worker, timer *time.Timer, wait time.Duration) error {
	again, err := w.lull(ctx)
	if err != nil {
		return err
	}
	if again > 0 {
		wait = min(wait, again)
	}
	timer.Reset(wait)
	select {
	case <-m.news:
	case <-w.asks.news:
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// gather takes chunks that have come in. wait is how long to wait for more
// before the heap's first may go, 0 if it may, negative when nothing will come.
func (m *merge) gather(ctx context.Context, w *worker, heap []*slot) ([]*slot, time.Duration, error) {
	m.mu.Lock()
	var fresh []*slot
	for p, sl := range m.slots {
		switch {
		case sl.got != nil:
			fresh = append(fresh, sl)
		case sl.over && !sl.empty.IsZero():
			delete(m.slots, p)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(fresh, func(a, b *slot) int { return compareTP(a.p.TP, b.p.TP) })
	for _, sl := range fresh {
		m.mu.Lock()
		c := sl.got
		sl.got, sl.empty = nil, time.Time{}
		m.mu.Unlock()
		sl.feed.open(c)
		if sl.feed.step(ctx) {
			heap = push(heap, sl)
			continue
		}
		if err := m.used(ctx, w, sl); err != nil {
			return heap, 0, err
		}
	}
	return heap, m.missing(time.Now()), nil
}

// missing is for how long the merge has to wait for partitions without a record.
func (m *merge) missing(now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	wait := time.Duration(0)
	if len(m.slots) == 0 {
		wait = time.Hour // for a partition to begin, or the end
	}
	for p, sl := range m.slots {
		switch {
		case sl.got != nil:
			return 1 // came in meanwhile
		case sl.empty.IsZero(), sl.over:
		case m.s.follows(p):
			wait = max(wait, m.patience(sl, now))
		default:
			wait = time.Hour
		}
	}
	if m.closed {
		return -1
	}
	return wait
}

// patience is for how long a partition without a record is still waited for while
// following. It is quiet once its leader has said that there is no more; before
// that a fetch is on its way, and its record may be older than any other's. Where
// none comes for Options.Timeout, the leader is out, and the others go on.
func (m *merge) patience(sl *slot, now time.Time) time.Duration {
	if !sl.p.heard.Load() || sl.next < sl.p.high.Load() {
		sl.quiet = time.Time{}
		return min(m.s.o.Timeout-now.Sub(sl.empty), mergeFastWait) // then it may have become quiet
	}
	if sl.quiet.IsZero() {
		sl.quiet = now
	}
	return m.s.o.SortWait - now.Sub(sl.quiet)
}

// used accounts for a chunk and asks for the next.
func (m *merge) used(ctx context.Context, w *worker, sl *slot) error {
	c := sl.feed.c
	err := w.close(ctx, &sl.feed)
	m.mu.Lock()
	sl.next, sl.empty, sl.quiet = c.next, time.Now(), time.Time{}
	m.mu.Unlock()
	c.release()
	return err
}

// before says that a's record goes first: older, or of the lesser partition.
func before(a, b *slot) bool {
	return cmp.Or(cmp.Compare(a.feed.rec.Timestamp, b.feed.rec.Timestamp), compareTP(a.p.TP, b.p.TP)) < 0
}

// push, pop and sink keep heap a binary heap with the first to go in front.
func push(heap []*slot, sl *slot) []*slot {
	heap = append(heap, sl)
	for i := len(heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !before(heap[i], heap[up]) {
			break
		}
		heap[i], heap[up] = heap[up], heap[i]
		i = up
	}
	return heap
}

func pop(heap []*slot) []*slot {
	n := len(heap) - 1
	heap[0], heap[n] = heap[n], nil
	heap = heap[:n]
	sink(heap, 0)
	return heap
}

func sink(heap []*slot, i int) {
	for {
		least := i
		for _, k := range [2]int{2*i + 1, 2*i + 2} {
			if k < len(heap) && before(heap[k], heap[least]) {
				least = k
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// newMerge makes the session's outlet.
func (s *Session) newMerge() *merge {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := newMerge(s, len(s.held))
	s.out = m
	s.o.Fetch.PartitionBytes = int32(m.room)
	s.o.Fetch.Wait = min(s.o.Fetch.Wait, mergeFastWait)
	return m
}
