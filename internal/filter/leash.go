package filter

import (
	"context"
	"fmt"
	"runtime/metrics"
	"time"
)

// EndlessError is an expression that did not come to an end over a record. It is
// no fault of the record's: every later one is answered the same at once.
type EndlessError struct{ Limit string }

// Error says which limit it went past.
func (e *EndlessError) Error() string { return "the expression does not end within " + e.Limit }

// What an expression may take for one record.
const (
	mostTime   = 30 * time.Second
	mostMemory = 256 << 20
	lookEvery  = 1 << 10 // steps, any of which may take a megabyte
)

// leash is the context of one run of an expression. jq's language knows loops
// without end, and some of them take memory at every turn. The interpreter asks
// its context before each step whether it is over; that is counted here, and now
// and then the clock and the heap are looked at.
type leash struct {
	context.Context
	x     *Expr
	steps int
	began time.Time // of the first look
	heap  uint64    // at the first look
	err   error
	done  chan struct{}
}

// Done implements context.Context.
func (l *leash) Done() <-chan struct{} {
	if l.steps++; l.steps%lookEvery == 0 && l.err == nil {
		l.look()
	}
	if l.err != nil {
		return l.done
	}
	return l.Context.Done()
}

// Err implements context.Context.
func (l *leash) Err() error {
	if l.err != nil {
		return l.err
	}
	return l.Context.Err()
}

func (l *leash) look() {
	now, heap := time.Now(), liveHeap()
	if l.began.IsZero() {
		l.began, l.heap = now, heap
	}
	switch {
	case now.Sub(l.began) >= l.x.time:
		l.end(l.x.time.String())
	case heap > l.heap && heap-l.heap >= l.x.memory:
		l.end(fmt.Sprintf("%d MB of memory", l.x.memory>>20))
	}
}

func (l *leash) end(limit string) {
	l.err = &EndlessError{limit}
	l.x.endless.CompareAndSwap(nil, &l.err)
	l.done = make(chan struct{})
	close(l.done)
}

// liveHeap is what the last garbage collection left.
func liveHeap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
