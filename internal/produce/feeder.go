package produce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/record"
)

// maxBatch is as large as a batch can be: its length is 32 bits.
const maxBatch = 1<<31 - 1

// port is what the core lets the feeder know of a partition.
type port struct {
	limit atomic.Int32 // largest batch in bytes
	// hold: batches of the partition wait for their turn already, so that shipping
	// a small one now would not bring it there any sooner.
	hold atomic.Bool
}

func (p *port) lower(limit int32) {
	for {
		now := p.limit.Load()
		if now <= limit || limit <= 0 || p.limit.CompareAndSwap(now, limit) {
			return
		}
	}
}

// slot is a partition as the feeder sees it.
type slot struct {
	id   int32
	open *Batch
	port *port
}

// feeder moves records from the input into open batches and ships those that
// are full or have waited for the linger. All of it is one goroutine's.
type feeder struct {
	e     *engine
	in    Input
	slots []*slot         // by partition id, nil for none
	far   map[int32]*slot // of ids from near on, which no broker of our time has
	opens []*Batch
	held  int // bytes of the budget that open batches hold

	now    time.Time
	nowMs  int64
	pinned int64 // records since the last look at the clock
	heavy  int   // bytes since then
	line   int64 // last one read
	taken  int64 // records, spoilt ones included
	timer  *time.Timer
}

// near is up to which id a partition has its place in a list.
const near = 1 << 16

// overhead is more than a record's frame takes in any format.
const overhead = 64

// run reads until the input ends, fails, or the run is stopped; then it ships
// what is open. A nil error is the input's end.
func (f *feeder) run(ctx context.Context) error {
	f.timer = time.NewTimer(time.Hour)
	f.timer.Stop()
	f.clock()
	err := f.read(ctx)
	for _, b := range f.opens {
		f.ship(b)
	}
	return err
}

func (f *feeder) read(ctx context.Context) error {
	var rec record.Record
	for {
		if err := f.room(ctx); err != nil {
			return err
		}
		line, err := f.in.Next(&rec)
		switch {
		case err == nil:
			f.line = line
			f.taken++
			if err = f.add(ctx, &rec, line); err != nil && !isBad(err) {
				f.e.ledger.bad(line, ErrNotSent) // taken, and stopped before it had a place
			}
		case errors.Is(err, ErrIdle):
			err = f.wait(ctx, f.in.Ready())
		case errors.Is(err, io.EOF):
			return nil
		}
		if err != nil {
			var bad *RecordError
			if !errors.As(err, &bad) {
				return err
			}
			if f.line < bad.Line { // the input's; one of ours has been counted
				f.line = bad.Line
				f.taken++
			}
			f.e.ledger.bad(bad.Line, bad.Err)
			if !f.e.cfg.KeepGoing {
				return err
			}
		}
		if f.pinned++; f.pinned >= 256 || f.heavy >= 256<<10 {
			f.clock()
			f.overdue()
			if err := f.e.stopped(ctx); err != nil {
				return err
			}
		}
	}
}

// room waits while as many records as may be are not settled. What is open is
// sent then, full or not: it would wait for records that cannot come.
func (f *feeder) room(ctx context.Context) error {
	most := int64(f.e.cfg.QueueRecords)
	if most <= 0 {
		return nil
	}
	for f.taken-f.e.ledger.settled.Load() >= most {
		for _, b := range f.opens {
			f.ship(b)
		}
		clear(f.opens)
		f.opens = f.opens[:0]
		if err := f.wait(ctx, f.e.pool.freed); err != nil {
			return err
		}
	}
	return nil
}

func isBad(err error) bool {
	var bad *RecordError
	return errors.As(err, &bad)
}

// clock looks at the time, which a record's timestamp may lag behind by as much
// as it takes to read 256 records that are there already.
func (f *feeder) clock() {
	f.now = time.Now()
	f.nowMs = f.now.UnixMilli()
	f.pinned, f.heavy = 0, 0
}

// add puts one record into its partition's open batch.
func (f *feeder) add(ctx context.Context, rec *record.Record, line int64) error {
	s, err := f.slot(rec)
	if err != nil {
		return &RecordError{Line: line, Err: err}
	}
	switch {
	case rec.Timestamp != record.NoTimestamp:
		if f.e.magic < 1 {
			return &RecordError{Line: line, Err: f.e.tooOld("a timestamp", 2)}
		}
	case rec.TimestampType != record.NoTimestampType:
		rec.Timestamp = f.nowMs
	}
	if len(rec.Headers.Raw) > 0 && f.e.magic < 2 {
		return &RecordError{Line: line, Err: f.e.tooOld("a header", 3)}
	}
	need := len(rec.Key) + len(rec.Value) + len(rec.Headers.Raw) + overhead
	f.heavy += need
	for {
		b := s.open
		if b == nil {
			if b = f.open(s); b == nil {
				if err := f.squeeze(ctx); err != nil {
					return err
				}
				continue
			}
		}
		limit := int(s.port.limit.Load())
		size := b.builder.Size() + need
		if size > b.builder.Cap() {
			if b.builder.Count() > 0 && size > limit {
				f.ship(b)
				continue
			}
			if !f.grow(b, size) {
				if err := f.squeeze(ctx); err != nil {
					return err
				}
				continue
			}
		}
		if !b.builder.Append(rec, limit) {
			f.ship(b)
			continue
		}
		if r := f.e.ledger.receipts; r != nil && b.receipt == nil {
			r.open(b, line)
		}
		b.lines.add(line)
		if n := f.e.cfg.BatchRecords; n > 0 && b.builder.Count() >= int32(n) {
			f.ship(b)
		}
		return nil
	}
}

// slot finds where a record goes.
func (f *feeder) slot(rec *record.Record) (*slot, error) {
	ps := f.e.parts.Load()
	id := rec.Partition
	if id < 0 {
		id = f.e.cfg.Partitioner.Pick(rec, ps)
	}
	if int(id) < len(f.slots) && f.slots[id] != nil {
		return f.slots[id], nil
	}
	if s := f.far[id]; s != nil {
		return s, nil
	}
	if !slices.Contains(ps.All, id) {
		return nil, fmt.Errorf("%s:%d: no such partition, there are %d", f.e.topic, id, len(ps.All))
	}
	s := &slot{id: id, port: new(port)}
	s.port.limit.Store(int32(f.e.cfg.BatchBytes))
	if id >= near {
		if f.far == nil {
			f.far = make(map[int32]*slot)
		}
		f.far[id] = s
		return s, nil
	}
	for len(f.slots) <= int(id) {
		f.slots = append(f.slots, nil)
	}
	f.slots[id] = s
	return s, nil
}

// open begins a batch, if there is memory for one.
func (f *feeder) open(s *slot) *Batch {
	builder, mem := f.e.pool.builder(f.e.magic)
	if builder == nil {
		return nil
	}
	b := &Batch{tp: broker.TP{Topic: f.e.topic, Partition: s.id}, magic: f.e.magic, builder: builder, mem: mem, opened: f.now, slot: s, port: s.port, seq: unsequenced}
	b.lines.gaps = f.e.pool.gap()
	f.held += mem
	s.open = b
	f.opens = append(f.opens, b)
	return b
}

// grow asks for the memory that a builder is about to take.
func (f *feeder) grow(b *Batch, size int) bool {
	more := max(firstBuffer, 2*b.builder.Cap(), size) - b.mem
	if more <= 0 {
		return true
	}
	if !f.e.pool.take(more, b.mem) {
		return false
	}
	b.mem += more
	f.held += more
	return true
}

// ship closes a batch and hands it on.
func (f *feeder) ship(b *Batch) {
	if b.slot == nil {
		return // shipped already
	}
	s := b.slot
	s.open, b.slot = nil, nil
	f.held -= b.mem
	b.count, b.size = b.builder.Count(), b.builder.Size()
	if b.count == 0 {
		f.e.release(b)
		return
	}
	f.e.cfg.Partitioner.Shipped(s.id)
	f.e.ship(b)
}

// overdue ships what has waited for the linger, but for partitions where it
// would only wait elsewhere. It gives the time of the next, zero for none.
func (f *feeder) overdue() time.Time {
	n := 0
	var next time.Time
	for i, b := range f.opens {
		if b.slot == nil {
			continue
		}
		if due := b.opened.Add(f.e.cfg.Linger); due.After(f.now) {
			if next.IsZero() {
				next = due
			}
			if n == 0 && i == 0 {
				return next
			}
		} else if !b.port.hold.Load() {
			f.ship(b)
			continue
		}
		f.opens[n] = b
		n++
	}
	clear(f.opens[n:])
	f.opens = f.opens[:n]
	return next
}

// wait lets time pass until a token comes, shipping what is overdue.
func (f *feeder) wait(ctx context.Context, token <-chan struct{}) error {
	for {
		f.clock()
		next := f.overdue()
		var due <-chan time.Time
		if !next.IsZero() {
			f.timer.Reset(next.Sub(f.now))
			due = f.timer.C
		}
		select {
		case <-token:
			f.clock()
			return nil
		case <-due:
		case <-f.e.unheld:
		case <-f.e.stop:
			return f.e.stopped(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// squeeze makes progress when the budget is used up: it waits for what is on its
// way, or ships the fullest open batch when nothing is.
func (f *feeder) squeeze(ctx context.Context) error {
	if f.e.pool.inUse() > f.held {
		return f.wait(ctx, f.e.pool.freed)
	}
	var fullest *Batch
	for _, b := range f.opens {
		if b.slot != nil && b.builder.Count() > 0 && (fullest == nil || b.builder.Size() > fullest.builder.Size()) {
			fullest = b
		}
	}
	if fullest == nil {
		return f.wait(ctx, f.e.pool.freed)
	}
	f.ship(fullest)
	return nil
}
