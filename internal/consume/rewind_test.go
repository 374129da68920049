package consume

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// ledger is a Committer that keeps what it is given.
type ledger struct {
	mu  sync.Mutex
	at  map[broker.TP]int64
	err error
}

func (l *ledger) Commit(_ context.Context, at map[broker.TP]offsets.Stored) (map[broker.TP]error, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	if l.at == nil {
		l.at = make(map[broker.TP]int64)
	}
	for tp, s := range at {
		l.at[tp] = s.Offset
	}
	return nil, nil
}

// batching is a session that follows two partitions of four records each, once
// all were read.
func batching(t *testing.T, o Options) (c *cluster, s *Session, b *Batch, got *collector, to *ledger, end func()) {
	t.Helper()
	c = newCluster(t, 1)
	ranges := map[broker.TP]offsets.Range{}
	for i := range int32(2) {
		var entries []entry
		for base := range int64(4) {
			entries = append(entries, plain(base, numbered(base, 1)...))
		}
		ranges[c.log(i, entries...)] = offsets.Range{To: offsets.Follow}
	}
	got, to = newCollector(), &ledger{}
	o.Follow = true
	o.Commit = Commit{To: to, Progress: new(Progress)} // which the sink tells nothing
	s = NewSession(c.client(), o)
	s.Add(ranges)
	b = s.Batch()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := s.Run(ctx, got); !errors.Is(err, context.Canceled) {
			t.Errorf("run: %v", err)
		}
	}()
	got.await(t, 8)
	return c, s, b, got, to, func() {
		cancel()
		<-done
	}
}

func TestS33WhatIsMarkedIsStoredAndTheRestReadAgain(t *testing.T) {
	_, _, b, got, to, end := batching(t, quick())
	one, two := broker.TP{Topic: "t"}, broker.TP{Topic: "t", Partition: 1}
	if b.Marked() {
		t.Error("marked before any mark")
	}
	b.Mark(one, 1)
	b.Mark(one, 0) // never goes back
	if !b.Marked() {
		t.Error("not marked after a mark")
	}
	if err := b.End(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got.await(t, 8+2+4)
	if b.Marked() {
		t.Error("the next batch begins marked")
	}
	if err := b.End(t.Context(), nil); err != nil { // without marks all go back to where it began
		t.Fatal(err)
	}
	got.await(t, 14+2+4)
	end()
	got.wantOffsets(t, one, 0, 1, 2, 3, 2, 3, 2, 3)
	got.wantOffsets(t, two, slices.Concat(from(0, 4), from(0, 4), from(0, 4))...)
	if want := map[broker.TP]int64{one: 2}; !maps.Equal(to.at, want) {
		t.Errorf("stored %v, want %v", to.at, want)
	}
}

func TestS33AFailureUndoesTheBatch(t *testing.T) {
	_, _, b, got, to, end := batching(t, quick())
	one, two := broker.TP{Topic: "t"}, broker.TP{Topic: "t", Partition: 1}
	boom := errors.New("boom")
	b.Mark(one, 1)
	if err := b.End(t.Context(), boom); !errors.Is(err, boom) {
		t.Errorf("end: %v", err)
	}
	got.await(t, 16)
	to.mu.Lock()
	to.err = boom
	to.mu.Unlock()
	b.Mark(two, 3)
	if err := b.End(t.Context(), nil); !errors.Is(err, boom) {
		t.Errorf("end: %v", err)
	}
	got.await(t, 24)
	end()
	for _, tp := range []broker.TP{one, two} {
		got.wantOffsets(t, tp, slices.Concat(from(0, 4), from(0, 4), from(0, 4))...)
	}
	if len(to.at) != 0 {
		t.Errorf("stored %v", to.at)
	}
}

func TestS33APositionThatIsGoneBecomesTheStart(t *testing.T) {
	o := quick()
	o.Reset = ResetNone
	c, _, b, got, _, end := batching(t, o)
	one := broker.TP{Topic: "t"}
	c.set(func() { c.logs[one].start, c.logs[one].entries = 2, c.logs[one].entries[2:] })
	if err := b.End(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got.await(t, 8+2+4)
	end()
	got.wantOffsets(t, one, 0, 1, 2, 3, 2, 3)
}
