package produce

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Report says what became of a run's records. Read = Acked + Refused + Unknown
// once Run has returned.
type Report struct {
	Read    int64 // records taken from the input, spoilt ones included
	Acked   int64 // acknowledged; with acks 0, written to a socket
	Refused int64 // not stored: spoilt, refused by the broker, or not sent
	Unknown int64 // perhaps stored
	// Twice counts records that were sent again without idempotence though the
	// first attempt may have been stored.
	Twice int64
	// FirstOpen is the first line that was not acknowledged, 0 for none.
	FirstOpen int64
	// Last is the last line taken from the input.
	Last int64
	// Cause is the first error of a record other than ErrNotSent, nil for none. It
	// concerns one of the lines CauseFirst to CauseLast, which are the same where
	// it is known which.
	Cause                 error
	CauseFirst, CauseLast int64
}

// Stats are counts that grow while Run works, to be read from any goroutine.
type Stats struct {
	Read  atomic.Int64 // records taken into batches that were shipped
	Bytes atomic.Int64 // bytes of those batches, before compression
	Acked atomic.Int64
}

// ledger settles records: the only place that knows what was acknowledged.
type ledger struct {
	stats    *Stats
	receipts *receipts // nil where nobody wants any
	release  func(b *Batch)
	settled  atomic.Int64 // records

	mu     sync.Mutex
	report Report
}

// settle takes a batch for good.
func (l *ledger) settle(b *Batch, base int64, err error, doubt bool) {
	n := int64(b.count)
	l.mu.Lock()
	switch {
	case err == nil:
		l.report.Acked += n
		l.stats.Acked.Add(n)
	case doubt:
		l.report.Unknown += n
	default:
		l.report.Refused += n
	}
	if err != nil {
		first, last := blamedLines(b)
		l.open(b.lines.first, err, first, last)
	}
	l.mu.Unlock()
	l.settled.Add(n)
	if l.receipts != nil {
		l.receipts.settle(b, base, err == nil)
	}
	l.release(b)
}

// bad settles a single record that was not sent.
func (l *ledger) bad(line int64, err error) {
	l.mu.Lock()
	l.report.Refused++
	l.open(line, err, line, line)
	l.mu.Unlock()
	l.settled.Add(1)
}

// open notes a line that was not acknowledged, and why.
func (l *ledger) open(line int64, err error, first, last int64) {
	r := &l.report
	if r.FirstOpen == 0 || line < r.FirstOpen {
		r.FirstOpen = line
	}
	if r.Cause == nil && !errors.Is(err, ErrNotSent) {
		r.Cause, r.CauseFirst, r.CauseLast = err, first, last
	}
}

// blame notes why the whole run fails, before records fail for it.
func (l *ledger) blame(err error) {
	l.mu.Lock()
	if l.report.Cause == nil {
		l.report.Cause = err
	}
	l.mu.Unlock()
}

// cut and replace keep receipts in step with batches that are made into others.
func (l *ledger) cut(b, x, y *Batch) {
	if l.receipts != nil {
		l.receipts.cut(b, x, y)
	}
}

func (l *ledger) replace(b, other *Batch) {
	if l.receipts != nil {
		l.receipts.replace(b, other)
	}
}

// blamedLines are the lines an error is about: the one the broker named, or all
// of the batch.
func blamedLines(b *Batch) (first, last int64) {
	if len(b.answer.blame) > 0 {
		if i := b.answer.blame[0].BatchIndex; i >= 0 && i < b.count {
			line := b.lines.at(i)
			return line, line
		}
	}
	return b.lines.first, b.lines.last
}
