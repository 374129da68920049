package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"kafkactl/internal/record"
)

func TestAppendStopsBeforeMax(t *testing.T) {
	everyFormat(t, func(t *testing.T, magic int8, o Options) {
		if o.Type != Uncompressed {
			return
		}
		var b Builder
		b.Reset(magic)
		const most = 1000
		for i := 0; ; i++ {
			before, count := b.Size(), b.Count()
			ok := b.Append(&record.Record{Key: []byte("k"), Value: make([]byte, 10+i)}, most)
			if ok {
				if b.Size() > most || b.Count() != count+1 {
					t.Fatalf("%d bytes, %d records", b.Size(), b.Count())
				}
				continue
			}
			if b.Size() != before || b.Count() != count {
				t.Fatal("a refused record changed the builder")
			}
			break
		}
		size, count := b.Size(), b.Count()
		e, err := new(Compressor).Seal(nil, &b, Options{})
		if err != nil || len(e) != size {
			t.Fatalf("size said %d, sealed are %d, %v", size, len(e), err)
		}
		if got, err := read(e, 0); err != nil || len(got) != int(count) {
			t.Fatalf("%d of %d records, %v", len(got), count, err)
		}
		// Alone, a record may be larger.
		b.Reset(magic)
		if !b.Append(&record.Record{Value: make([]byte, 2*most)}, most) || b.Append(&record.Record{}, most) {
			t.Error("a record alone is refused, or one behind it is not")
		}
	})
}

func TestZeroBuilderBuildsV2(t *testing.T) {
	var b Builder
	if b.Magic() != 2 || b.Size() != Head || b.Count() != 0 || b.MaxTimestamp() != record.NoTimestamp {
		t.Errorf("magic %d, %d bytes, %d records", b.Magic(), b.Size(), b.Count())
	}
	for _, magic := range []int8{0, 1, 2} {
		b.Reset(magic)
		if b.Magic() != magic {
			t.Errorf("magic %d after Reset(%d)", b.Magic(), magic)
		}
		if _, err := new(Compressor).Seal(nil, &b, Options{}); err == nil {
			t.Errorf("v%d: sealed without a record", magic)
		}
	}
}

func TestBuilderGrowsFromSmallAndKeepsMemory(t *testing.T) {
	var b Builder
	b.Append(&record.Record{Value: []byte("x")}, math.MaxInt)
	if b.Cap() != firstBuffer {
		t.Errorf("starts with %d bytes", b.Cap())
	}
	rec := record.Record{Value: make([]byte, 10_000)}
	for b.Append(&rec, 1_000_000) {
	}
	if b.Cap() != 1<<20 {
		t.Errorf("grew to %d bytes", b.Cap())
	}
	b.Reset(2)
	if b.Cap() != 1<<20 {
		t.Errorf("Reset left %d bytes", b.Cap())
	}
	// What an earlier batch left in the buffer is in no later one.
	b.Append(&record.Record{Value: []byte("x")}, math.MaxInt)
	e, err := new(Compressor).Seal(nil, &b, Options{})
	if err != nil || !bytes.Equal(e, sealed(t, 2, Options{}, record.Record{Value: []byte("x")})) {
		t.Errorf("a reused buffer seals % x, %v", e, err)
	}
}

func TestSealAppendsAndLeavesTheBuilder(t *testing.T) {
	everyFormat(t, func(t *testing.T, magic int8, o Options) {
		var b Builder
		b.Reset(magic)
		for _, r := range values("a", "b", "c") {
			b.Append(&r, math.MaxInt)
		}
		var c Compressor
		first, err := c.Seal(nil, &b, o)
		if err != nil {
			t.Fatal(err)
		}
		first = bytes.Clone(first)
		both, err := c.Seal([]byte("head"), &b, o)
		if err != nil || string(both[:4]) != "head" {
			t.Fatalf("%.4q %v", both, err)
		}
		if got, err := read(both[4:], 0); err != nil || len(got) != 3 {
			t.Errorf("sealed again: %d records, %v", len(got), err)
		}
		if o.Type != Gzip && !bytes.Equal(both[4:], first) {
			t.Error("sealed again it is another entry")
		}
	})
}

func TestSealRefusesBadOptions(t *testing.T) {
	var b Builder
	b.Append(&values("a")[0], math.MaxInt)
	for _, o := range []Options{{Type: 5}, {Type: -1}, {Type: Gzip, Level: 10}, {Type: Zstd, Level: 23}, {Type: LZ4, Level: -3}, {Type: Snappy, Level: 4}} {
		dst, err := new(Compressor).Seal([]byte("head"), &b, o)
		if err == nil || string(dst) != "head" {
			t.Errorf("%+v: %q, %v", o, dst, err)
		}
	}
}

func TestStampChangesTheProducerAlone(t *testing.T) {
	for _, typ := range typesOf(2) {
		recs := values("a", "b")
		plain := sealed(t, 2, Options{Type: typ}, recs...)
		s, _, _ := ParseSpan(plain)
		if s.ProducerID != -1 || s.Epoch != -1 || s.Sequence != -1 || s.Transactional() {
			t.Fatalf("sealed as %+v", s)
		}
		unsummed := sealed(t, 2, Options{Type: typ, NoCRC: true}, recs...)
		if _, err := read(unsummed, 0); !errors.Is(errOf(err), ErrChecksum) {
			t.Errorf("%v: NoCRC has a checksum: %v", typ, err)
		}
		for _, e := range [][]byte{bytes.Clone(plain), unsummed} {
			for seq := range int32(3) {
				Stamp(e, 1<<40, 7, seq, seq == 1)
				s, _, _ := ParseSpan(e)
				if s.ProducerID != 1<<40 || s.Epoch != 7 || s.Sequence != seq || s.Transactional() != (seq == 1) || s.Compression() != typ {
					t.Errorf("%v: stamped %+v", typ, s)
				}
				got, err := read(e, 0)
				if err != nil {
					t.Fatalf("%v: %v", typ, err)
				}
				same(t, got, recs)
			}
			Stamp(e, -1, -1, -1, false)
			if typ != Gzip && !bytes.Equal(e, plain) {
				t.Errorf("%v: stamping back gives another batch", typ)
			}
		}
	}
	Stamp(nil, 1, 1, 1, true)
}

func TestSplitKeepsEveryRecord(t *testing.T) {
	var c Compressor
	for _, typ := range typesOf(2) {
		for seed := range uint64(10) {
			r := newRand(seed)
			want := randomRecords(r, 2+r.IntN(100), 2)
			o := Options{Type: typ, NoCRC: seed%2 == 0}
			e := sealed(t, 2, o, want...)
			o.NoCRC = false
			a, b, left, err := c.Split(e, o)
			if err != nil || left < 1 || int(left) >= len(want) {
				t.Fatalf("%v: %d of %d records, %v", typ, left, len(want), err)
			}
			first, errA := read(a, 0)
			second, errB := read(b, 0)
			if errA != nil || errB != nil || len(first) != int(left) {
				t.Fatalf("%v: %d records left, want %d, %v %v", typ, len(first), left, errA, errB)
			}
			if s, _, _ := ParseSpan(b); s.Base != 0 || s.Next != int64(len(want))-int64(left) || s.ProducerID != -1 {
				t.Fatalf("%v: second half %+v", typ, s)
			}
			for i := range second {
				second[i].Offset += int64(left)
			}
			same(t, append(first, second...), want)
		}
	}
}

func TestSplitHalvesBySize(t *testing.T) {
	var recs []record.Record
	for range 100 {
		recs = append(recs, record.Record{Value: make([]byte, 100)})
	}
	recs[0].Value = make([]byte, 10_000)
	var c Compressor
	a, b, left, err := c.Split(sealed(t, 2, Options{}, recs...), Options{})
	if err != nil || max(len(a), len(b)) > 11_000 {
		t.Errorf("%d and %d bytes, %d records left, %v", len(a), len(b), left, err)
	}
	// The last record is larger than all before it: it goes alone.
	recs[0], recs[99] = recs[99], recs[0]
	recs[99].Value = make([]byte, 1<<20)
	if _, _, left, err = c.Split(sealed(t, 2, Options{}, recs...), Options{}); err != nil || left != 99 {
		t.Errorf("%d records left, %v", left, err)
	}
}

func TestSplitRefusesWhatHasNoHalves(t *testing.T) {
	two := sealed(t, 2, Options{}, values("a", "b")...)
	damaged := bytes.Clone(two)
	damaged[Head] += 2
	lying := bytes.Clone(two)
	binary.BigEndian.PutUint32(lying[atLastDelta:], 1<<31)
	for name, e := range map[string][]byte{
		"one record":  sealed(t, 2, Options{}, values("a")...),
		"message set": sealed(t, 1, Options{}, values("a", "b")...),
		"nothing":     nil,
		"half":        two[:len(two)-1],
		"two batches": append(bytes.Clone(two), two...),
		"damaged":     damaged,
		"lying":       lying,
	} {
		if _, _, _, err := new(Compressor).Split(e, Options{}); err == nil {
			t.Errorf("%s: split", name)
		}
	}
}

func TestHotPathsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("counts allocations")
	}
	everyFormat(t, func(t *testing.T, magic int8, o Options) {
		e, records, _ := fullBatch(t, magic, 200_000, o)
		var r Reader
		var rec record.Record
		if n := testing.AllocsPerRun(20, func() {
			r.Reset(e, 0)
			n := 0
			for r.Next(&rec) {
				n++
			}
			if n != records {
				t.Fatalf("%d of %d records, %v", n, records, r.Err())
			}
		}); n > 0 {
			t.Errorf("reading %d records allocates %v times", records, n)
		}
		var b Builder
		var c Compressor
		var dst []byte
		rec = record.Record{Value: make([]byte, 100), Timestamp: 1}
		if n := testing.AllocsPerRun(20, func() {
			b.Reset(magic)
			for b.Append(&rec, 200_000) {
			}
			e, err := c.Seal(dst[:0], &b, o)
			if err != nil {
				t.Fatal(err)
			}
			if o.Type != Uncompressed {
				dst = e
			}
		}); n > 0 {
			t.Errorf("building and sealing allocates %v times", n)
		}
	})
}
