package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"kafkactl/internal/record"
)

// sealed builds and seals one entry.
func sealed(tb testing.TB, magic int8, o Options, recs ...record.Record) []byte {
	tb.Helper()
	var b Builder
	b.Reset(magic)
	for i := range recs {
		if !b.Append(&recs[i], math.MaxInt) {
			tb.Fatalf("append %d refused", i)
		}
	}
	var c Compressor
	e, err := c.Seal(nil, &b, o)
	if err != nil {
		tb.Fatalf("seal v%d %v: %v", magic, o.Type, err)
	}
	return e
}

// drain copies out every record up to the end or the first damage.
func drain(r *Reader) (got []record.Record, err *CorruptError) {
	var rec record.Record
	for r.Next(&rec) {
		c := rec
		c.Key, c.Value = bytes.Clone(rec.Key), bytes.Clone(rec.Value)
		c.Headers.Raw = bytes.Clone(rec.Headers.Raw)
		got = append(got, c)
	}
	return got, r.Err()
}

// read drains a fresh reader.
func read(entries []byte, from int64) ([]record.Record, *CorruptError) {
	var r Reader
	r.Reset(entries, from)
	return drain(&r)
}

// show is a record with nulls told from empty ones.
func show(r record.Record) string {
	null := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return fmt.Sprintf("%q", b)
	}
	s := fmt.Sprintf("%d @%d type %d epoch %d key %s value %s", r.Offset, r.Timestamp, r.TimestampType, r.LeaderEpoch, null(r.Key), null(r.Value))
	for name, value := range r.Headers.All() {
		s += fmt.Sprintf(" %q=%s", name, null(value))
	}
	return s
}

// same fails unless got shows as want.
func same(tb testing.TB, got, want []record.Record) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range got {
		if g, w := show(got[i]), show(want[i]); g != w {
			tb.Fatalf("record %d:\n got %.300s\nwant %.300s", i, g, w)
		}
	}
}

// offsets lists the offsets of recs.
func offsets(recs []record.Record) []int64 {
	var o []int64
	for i := range recs {
		o = append(o, recs[i].Offset)
	}
	return o
}

// randomRecords are records as the reader of such a magic yields them: null and
// empty and long fields, repeated headers, timestamps out of order.
func randomRecords(r *rand.Rand, n int, magic int8) []record.Record {
	blob := func(most int) []byte {
		switch r.IntN(5) {
		case 0:
			return nil
		case 1:
			return []byte{}
		}
		b := make([]byte, r.IntN(most)+1)
		text := r.IntN(2) == 0
		for i := range b {
			b[i] = byte(r.Uint32())
			if text {
				b[i] = 'a' + b[i]%4
			}
		}
		return b
	}
	recs := make([]record.Record, n)
	for i := range recs {
		rec := &recs[i]
		rec.Key, rec.Value = blob(40), blob(400)
		if r.IntN(50) == 0 {
			rec.Value = blob(100_000)
		}
		rec.LeaderEpoch = -1
		switch magic {
		case 2:
			rec.Offset = int64(i)
			for range max(0, r.IntN(6)-3) {
				name := blob(10)
				if name == nil {
					name = []byte{}
				}
				rec.Headers = rec.Headers.Append(name, blob(200))
			}
			rec.Timestamp = 1_700_000_000_000 + r.Int64N(100_000) - 50_000
		case 1:
			rec.Offset = int64(i)
			rec.Timestamp = 1_700_000_000_000 + r.Int64N(100_000) - 50_000
		case 0:
			rec.Timestamp, rec.TimestampType = record.NoTimestamp, record.NoTimestampType
		}
	}
	return recs
}

// everyFormat runs f for each magic and each compression it can carry.
func everyFormat(t *testing.T, f func(t *testing.T, magic int8, o Options)) {
	for _, magic := range []int8{2, 1, 0} {
		for _, typ := range typesOf(magic) {
			t.Run(fmt.Sprintf("v%d %v", magic, typ), func(t *testing.T) { f(t, magic, Options{Type: typ}) })
		}
	}
}

// rebase moves a v2 batch to another first offset, as a broker does.
func rebase(e []byte, base int64) []byte {
	e = bytes.Clone(e)
	binary.BigEndian.PutUint64(e, uint64(base))
	return e
}

// resum sets the checksum of a v2 batch that a test has changed, and its length.
func resum(e []byte) []byte {
	binary.BigEndian.PutUint32(e[8:], uint32(len(e)-lengthEnd))
	s, _, _ := ParseSpan(e)
	Stamp(e, s.ProducerID, s.Epoch, s.Sequence, s.Transactional())
	return e
}

// values are records of just these values.
func values(vs ...string) []record.Record {
	var recs []record.Record
	for i, v := range vs {
		recs = append(recs, record.Record{Offset: int64(i), LeaderEpoch: -1, Value: []byte(v), Timestamp: 1000 + int64(i)})
	}
	return recs
}

func TestRecordsComeBackInEveryFormat(t *testing.T) {
	everyFormat(t, func(t *testing.T, magic int8, o Options) {
		r := rand.New(rand.NewPCG(uint64(magic), uint64(o.Type)))
		for _, n := range []int{1, 2, 3, 63, 64, 65, 300} {
			want := randomRecords(r, n, magic)
			got, err := read(sealed(t, magic, o, want...), 0)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, want)
		}
	})
}

func TestLevels(t *testing.T) {
	want := randomRecords(rand.New(rand.NewPCG(7, 7)), 300, 2)
	var b Builder
	for i := range want {
		b.Append(&want[i], math.MaxInt)
	}
	var c Compressor
	levels := []int{0, 1, 2, 3, 5, 9, 12, 22}
	for typ, highest := range map[Type]int{Gzip: 9, LZ4: 12, Zstd: 22} {
		sizes := make([]int, highest+1)
		for _, level := range levels {
			if level > highest {
				continue
			}
			e, err := c.Seal(nil, &b, Options{Type: typ, Level: level})
			if err != nil {
				t.Fatalf("%v level %d: %v", typ, level, err)
			}
			sizes[level] = len(e)
			got, damage := read(e, 0)
			if damage != nil {
				t.Fatalf("%v level %d: %v", typ, level, damage)
			}
			same(t, got, want)
		}
		if sizes[highest] >= sizes[1] {
			t.Errorf("%v: level 1 gives %d bytes, %d gives %d", typ, sizes[1], highest, sizes[highest])
		}
		for _, level := range []int{-1, highest + 1} {
			if err := CheckLevel(typ, level); err == nil {
				t.Errorf("%v has a level %d", typ, level)
			}
		}
		if CheckLevel(typ, DefaultLevel) != nil || CheckLevel(typ, 0) != nil {
			t.Errorf("%v has no default level", typ)
		}
	}
	if CheckLevel(Snappy, 1) == nil || CheckLevel(Uncompressed, 1) == nil {
		t.Error("snappy or none has levels")
	}
	if err := CheckLevel(9, 1); !errors.Is(err, ErrCompression) {
		t.Errorf("compression 9: %v", err)
	}
}
