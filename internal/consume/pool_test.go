package consume

import (
	"bufio"
	"bytes"
	"context"
	"testing"

	"kafkactl/internal/wire"
)

func TestAPoolGivesOutNoMoreThanItHas(t *testing.T) {
	l := newPool(1)
	ctx, cancel := context.WithCancel(t.Context())
	var out []*chunk
	for range minChunks {
		c, err := l.get(ctx, 1000)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	cancel()
	if _, err := l.get(ctx, 1000); err == nil {
		t.Fatal("one more than there are")
	}
	first := out[0]
	first.release()
	if c, err := l.get(t.Context(), 1000); err != nil || c != first {
		t.Errorf("got %p, %v: want the one used last", c, err)
	}
	l.size(10) // more lanes
	for range 12 - minChunks {
		if _, err := l.get(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
	}
	l.size(0) // fewer
	for _, c := range out {
		c.release()
	}
	if len(l.tokens) != 0 || l.made != 12-minChunks {
		t.Errorf("%d free of %d", len(l.tokens), l.made)
	}
}

func TestOneLargeBatchAtATimeWhoseMemoryIsGivenBack(t *testing.T) {
	l := newPool(1)
	large, err := l.get(t.Context(), 10<<20)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.get(ctx, 5<<20); err == nil {
		t.Error("two at once")
	}
	raw := bytes.Repeat([]byte("x"), 10<<20)
	body := wire.NewBody(wire.NewReader(bufio.NewReader(bytes.NewReader(raw)), len(raw)), len(raw))
	if err := large.take(body, len(raw), func() {}); err != nil || !bytes.Equal(large.buf, raw) {
		t.Errorf("%d bytes taken, %v", len(large.buf), err)
	}
	large.release()
	if l.big == nil {
		t.Error("the next large batch has to make it anew")
	}
	for range largeRest {
		c, err := l.get(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		c.release()
	}
	if l.big != nil {
		t.Error("it is kept for good")
	}
}

// What a header claims and nobody sends costs no more memory than what came.
func TestAChunkGrowsNoFasterThanBytesArrive(t *testing.T) {
	raw := make([]byte, 3<<20)
	body := wire.NewBody(wire.NewReader(bufio.NewReader(bytes.NewReader(raw)), 1<<30), 1<<30)
	c := &chunk{buf: []byte("kept")}
	if err := c.take(body, 1<<30, func() {}); err == nil {
		t.Fatal("no error")
	}
	if string(c.buf) != "kept" || cap(c.buf) > trustBytes {
		t.Errorf("%d bytes with room for %d", len(c.buf), cap(c.buf))
	}
}
