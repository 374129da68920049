package consume

import (
	"context"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// gather is an outlet that keeps what it gets.
type gather struct{ chunks []*chunk }

func (g *gather) get(context.Context, *Partition, int) (*chunk, error) {
	return &chunk{buf: make([]byte, 0, 300)}, nil
}
func (g *gather) put(_ context.Context, c *chunk) error { g.chunks = append(g.chunks, c); return nil }
func (g *gather) wants(*Partition) bool                 { return true }
func (g *gather) begin(*Partition)                      {}
func (g *gather) end(*Partition)                        {}
func (g *gather) quiet() bool                           { return true }
func (g *gather) lanes(int)                             {}

// cutAll cuts a records field and gives the offsets in the chunks.
func cutAll(raw []byte, committed bool, r offsets.Range, res *wire.FetchPartitionResult) (p *Partition, got []int64, g *gather, c cutting, err error) {
	g = &gather{}
	k := cutter{out: g, committed: committed, arrived: func() {}, blocked: func(bool) {}}
	p = newPartition(broker.TP{Topic: "t"}, r, newFate(0))
	body := wire.NewBody(wire.NewBytesReader(raw), len(raw))
	c, err = k.cut(context.Background(), p, res, body)
	f := &feed{s: &Session{o: Options{}.filled(), wake: make(chan struct{}, 1)}}
	for _, c := range g.chunks {
		for f.open(c); f.step(context.Background()); {
			got = append(got, f.rec.Offset)
		}
	}
	return p, got, g, c, err
}

func TestATailCutAnywhereGivesTheWholeEntriesBeforeIt(t *testing.T) {
	entries := []entry{plain(0, numbered(0, 2)...), marker(2, 1, 1), plain(3, numbered(3, 2)...), plain(7, numbered(7, 1)...)}
	var raw []byte
	var ends []int
	for _, e := range entries {
		raw = append(raw, e.raw...)
		ends = append(ends, len(raw))
	}
	for n := range len(raw) + 1 {
		res := wire.Default[wire.FetchPartitionResult]()
		p, got, _, c, err := cutAll(raw[:n], false, offsets.Range{From: 1, To: 100}, &res)
		var want []int64
		next := int64(1)
		for i, e := range entries {
			if ends[i] <= n {
				next = e.next
				if i != 1 {
					want = append(want, from(max(e.base, 1), e.next)...)
				}
			}
		}
		if err != nil || c.corrupt != nil || p.next != next || len(got) != len(want) {
			t.Fatalf("%d bytes: %v, %v at %d, want %v at %d", n, err, got, p.next, want, next)
		}
		if (c.small > 0) != (n > 0 && n < ends[0]) {
			t.Errorf("%d bytes: too small %d", n, c.small)
		}
	}
}

// What was dropped is accounted for by the chunks, up to the last offset.
func TestChunksAccountForEverythingCut(t *testing.T) {
	var raw []byte
	for _, e := range []entry{
		batch(0, 4, transactional, 7, numbered(0, 5)...), plain(5, numbered(5, 5)...), marker(10, 7, 0),
		plain(11, numbered(11, 5)...), plain(16, numbered(16, 5)...), batch(21, 4, transactional, 8, numbered(21, 5)...), marker(26, 8, 0),
	} {
		raw = append(raw, e.raw...)
	}
	res := wire.Default[wire.FetchPartitionResult]()
	res.AbortedTransactions = []wire.AbortedTransaction{{ProducerID: 7, FirstOffset: 0}, {ProducerID: 8, FirstOffset: 21}}
	p, got, g, _, err := cutAll(raw, true, offsets.Range{From: 0, To: 100}, &res)
	if err != nil || p.next != 27 || len(got) != 15 || len(g.chunks) < 2 {
		t.Fatalf("%v at %d in %d chunks, %v", got, p.next, len(g.chunks), err)
	}
	at := int64(0)
	for i, c := range g.chunks {
		if c.from < at || c.next < c.from {
			t.Errorf("chunk %d goes from %d to %d, after %d", i, c.from, c.next, at)
		}
		at = c.next
	}
	if at != 27 {
		t.Errorf("the chunks end at %d", at)
	}
	// All of it dropped: one chunk without records says so.
	p, got, g, _, _ = cutAll(raw, true, offsets.Range{From: 21, To: 100}, &res)
	if len(got) != 0 || p.next != 27 || len(g.chunks) != 1 || g.chunks[0].next != 27 {
		t.Errorf("%v at %d in %d chunks", got, p.next, len(g.chunks))
	}
}

func FuzzCut(f *testing.F) {
	good := append(append([]byte(nil), plain(0, numbered(0, 3)...).raw...), marker(3, 1, 0).raw...)
	good = append(good, damaged(4, 2).raw...)
	f.Add(good, int64(0), int64(10))
	f.Add(good[:100], int64(2), int64(5))
	f.Add(plain(1<<40, numbered(0, 1)...).raw, int64(0), int64(5))
	f.Fuzz(func(t *testing.T, raw []byte, a, b int64) {
		if a < 0 {
			return
		}
		res := wire.Default[wire.FetchPartitionResult]()
		res.HighWatermark = 1 << 30
		res.AbortedTransactions = []wire.AbortedTransaction{{ProducerID: 1, FirstOffset: 0}}
		for _, committed := range []bool{false, true} {
			p, got, g, c, err := cutAll(raw, committed, offsets.Range{From: a, To: b}, &res)
			if err != nil {
				t.Fatal(err)
			}
			if p.next < a || c.moved != (p.next > a) {
				t.Fatalf("from %d to %d, moved %v", a, p.next, c.moved)
			}
			if c.corrupt != nil && (c.corrupt.Offset != p.next || c.corrupt.Resume <= c.corrupt.Offset) {
				t.Fatalf("at %d: %v", p.next, c.corrupt)
			}
			at := a
			for _, c := range g.chunks {
				if c.from < at || c.next < c.from || len(c.buf) > len(raw) {
					t.Fatalf("chunk from %d to %d after %d", c.from, c.next, at)
				}
				at = c.next
			}
			last := a - 1
			for _, off := range got {
				if off <= last || off >= b {
					t.Fatalf("offsets %v of %d..%d", got, a, b)
				}
				last = off
			}
		}
	})
}
