package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// failing accepts n bytes in all, then fails.
type failing struct {
	bytes.Buffer
	n   int
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	if len(p) <= f.n {
		f.n -= len(p)
		return f.Buffer.Write(p)
	}
	k, _ := f.Buffer.Write(p[:f.n])
	f.n = 0
	return k, f.err
}

func part(n int32) *consume.Partition {
	return &consume.Partition{TP: broker.TP{Topic: "t", Partition: n}}
}

func rec(value string) *record.Record { return &record.Record{Value: []byte(value)} }

func lines(p Plain) Append {
	p.Delim = []byte("\n")
	return p.Append()
}

// step is one call on a sink: a record, or with no value a skip.
type step struct {
	p     *consume.Partition
	value string
	next  int64
	skip  bool
}

// The whole of what may be told, for every number of bytes that get out: all
// records whose last byte is out, and skips with everything before them out.
func TestEveryShortWriteTellsExactlyTheRecordsThatWentOut(t *testing.T) {
	a, b := part(0), part(1)
	steps := []step{
		{p: a, next: 3, skip: true},
		{p: a, value: "one", next: 4},
		{p: a, value: "", next: 5},
		{p: b, value: "four", next: 1},
		{p: b, next: 7, skip: true},
		{p: b, next: 9, skip: true},
		{p: a, value: "a longer record", next: 6},
		{p: a, next: 8, skip: true},
		{p: b, value: "x", next: 10},
		{p: a, next: 11, skip: true},
	}
	total := 0
	for _, s := range steps {
		if !s.skip {
			total += len(s.value) + 1
		}
	}
	disk := errors.New("disk full")
	for _, page := range []int{1, 7, 1 << 10} {
		for n := range total + 1 {
			w := &failing{n: n, err: disk}
			told := map[*consume.Partition]int64{}
			s := NewStream(w, lines(Plain{}), func(m consume.Mark) {
				if m.Next <= told[m.P] {
					t.Fatalf("page %d, %d bytes: told %d after %d", page, n, m.Next, told[m.P])
				}
				told[m.P] = m.Next
			}, page)
			want := map[*consume.Partition]int64{}
			out := 0
			var err error
			for _, k := range steps {
				if !k.skip {
					out += len(k.value) + 1
				}
				if out <= n {
					want[k.p] = k.next
				}
				if k.skip {
					s.Skip(consume.Mark{P: k.p, Next: k.next})
					continue
				}
				if err = s.Record(context.Background(), rec(k.value), consume.Mark{P: k.p, Next: k.next}); err != nil {
					break
				}
			}
			if err == nil {
				err = s.Flush(context.Background())
			}
			if (err != nil) != (n < total) || err != nil && !errors.Is(err, disk) {
				t.Fatalf("page %d, %d bytes of %d: error %v", page, n, total, err)
			}
			if fmt.Sprint(told) != fmt.Sprint(want) {
				t.Fatalf("page %d, %d bytes: told %v, want %v", page, n, told, want)
			}
			if w.Len() != n {
				t.Fatalf("page %d: %d bytes out, want %d", page, w.Len(), n)
			}
		}
	}
}

func TestTheFirstWriteErrorSticks(t *testing.T) {
	p := part(0)
	w := &failing{n: 0, err: io.ErrClosedPipe}
	told := 0
	s := NewStream(w, lines(Plain{}), func(consume.Mark) { told++ }, 1)
	ctx := context.Background()
	if err := s.Record(ctx, rec("a"), consume.Mark{P: p, Next: 1}); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("first record: %v", err)
	}
	w.n = 100 // a writer that recovers must not get what follows the gap
	s.Skip(consume.Mark{P: p, Next: 2})
	if err := s.Record(ctx, rec("b"), consume.Mark{P: p, Next: 3}); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("second record: %v", err)
	}
	if err := s.Flush(ctx); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("flush: %v", err)
	}
	if told != 0 || w.Len() != 0 {
		t.Fatalf("told %d marks, wrote %q", told, w.String())
	}
}

func TestAWriterThatStopsShortWithoutAnErrorIsOne(t *testing.T) {
	s := NewStream(&failing{n: 1}, lines(Plain{}), func(consume.Mark) { t.Error("told") }, 1)
	if err := s.Record(context.Background(), rec("abc"), consume.Mark{P: part(0), Next: 1}); !errors.Is(err, io.ErrShortWrite) {
		t.Fatalf("got %v", err)
	}
}

func TestAClosedPipeIsEPIPE(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	s := NewStream(w, lines(Plain{}), func(consume.Mark) { t.Error("told") }, 0)
	_ = s.Record(context.Background(), rec("abc"), consume.Mark{P: part(0), Next: 1})
	if err := s.Flush(context.Background()); !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("got %v", err)
	}
}

func TestRecordsOfNoBytesDoNotFillMemoryWithMarks(t *testing.T) {
	p := part(0)
	var told int64
	s := NewStream(io.Discard, func(dst []byte, _ *record.Record) []byte { return dst },
		func(m consume.Mark) { told = m.Next }, 0)
	for i := range int64(10 * pageMarks) {
		if err := s.Record(context.Background(), rec(""), consume.Mark{P: p, Next: i + 1}); err != nil {
			t.Fatal(err)
		}
	}
	if told != 10*pageMarks || cap(s.marks) > 2*pageMarks {
		t.Fatalf("told %d, room for %d marks", told, cap(s.marks))
	}
}

func TestSkipsOfManyPartitionsBehindARecordDoNotFillMemory(t *testing.T) {
	a, b := part(0), part(1)
	s := NewStream(io.Discard, lines(Plain{}), func(consume.Mark) {}, 0)
	_ = s.Record(context.Background(), rec("x"), consume.Mark{P: a, Next: 1})
	for i := range int64(5 * pageMarks) {
		s.Skip(consume.Mark{P: a, Next: 2 + i})
		s.Skip(consume.Mark{P: b, Next: 2 + i})
	}
	if cap(s.marks) > 2*pageMarks {
		t.Fatalf("room for %d marks", cap(s.marks))
	}
}

func TestALargeRecordDoesNotKeepItsPage(t *testing.T) {
	p := part(0)
	s := NewStream(io.Discard, lines(Plain{}), func(consume.Mark) {}, 0)
	ctx := context.Background()
	if err := s.Record(ctx, &record.Record{Value: make([]byte, 10<<20)}, consume.Mark{P: p, Next: 1}); err != nil {
		t.Fatal(err)
	}
	_ = s.Record(ctx, rec("small"), consume.Mark{P: p, Next: 2})
	_ = s.Flush(ctx)
	if cap(s.page) > pageKeep+PageBytes {
		t.Fatalf("page of %d bytes kept", cap(s.page))
	}
}

func TestARecordCostsNoMemory(t *testing.T) {
	p := part(0)
	s := NewStream(io.Discard, lines(Plain{}), func(consume.Mark) {}, 0)
	r, next := rec("a hundred bytes or so"), int64(0)
	ctx := context.Background()
	one := func() {
		next++
		_ = s.Record(ctx, r, consume.Mark{P: p, Next: next})
	}
	for range 100_000 {
		one()
	}
	if n := testing.AllocsPerRun(10_000, one); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestPlain(t *testing.T) {
	empty, null := []byte{}, []byte(nil)
	for _, c := range []struct {
		name       string
		p          Plain
		key, value []byte
		want       string
	}{
		{"value and delimiter", Plain{Delim: []byte("\n")}, []byte("k"), []byte("v"), "v\n"},
		{"null prints nothing", Plain{Delim: []byte("\n")}, null, null, "\n"},
		{"long delimiter", Plain{Delim: []byte("--")}, null, []byte("v"), "v--"},
		{"no delimiter", Plain{}, null, []byte("v"), "v"},
		{"key before value", Plain{Delim: []byte("\n"), Keys: true, KeySep: []byte(": ")}, []byte("k"), []byte("v"), "k: v\n"},
		{"empty separator", Plain{Keys: true}, []byte("k"), []byte("v"), "kv"},
		{"null key prints nothing", Plain{Keys: true, KeySep: []byte(",")}, null, []byte("v"), ",v"},
		{"null token", Plain{Keys: true, KeySep: []byte(","), Null: []byte("NULL")}, null, null, "NULL,NULL"},
		{"empty is not null", Plain{Keys: true, KeySep: []byte(","), Null: []byte("NULL")}, empty, empty, ","},
		{"null token without keys", Plain{Delim: []byte("\n"), Null: []byte("NULL")}, null, null, "NULL\n"},
	} {
		got := c.p.Append()([]byte(">"), &record.Record{Key: c.key, Value: c.value})
		if string(got) != ">"+c.want {
			t.Errorf("%s: %q, want %q", c.name, got, ">"+c.want)
		}
	}
}

func BenchmarkStreamPlain100(b *testing.B) {
	p := part(0)
	s := NewStream(io.Discard, lines(Plain{}), func(consume.Mark) {}, 0)
	r := &record.Record{Value: bytes.Repeat([]byte("x"), 100)}
	ctx := context.Background()
	b.SetBytes(101)
	b.ReportAllocs()
	var next int64
	for b.Loop() {
		next++
		if err := s.Record(ctx, r, consume.Mark{P: p, Next: next}); err != nil {
			b.Fatal(err)
		}
	}
}
