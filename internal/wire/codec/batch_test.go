package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"kafkactl/internal/record"
)

func TestSpanTellsTheHeader(t *testing.T) {
	e := rebase(sealed(t, 2, Options{}, values("a", "b", "c")...), 40)
	binary.BigEndian.PutUint32(e[atLeaderEpoch:], 6)
	Stamp(e, 77, 3, 12, true)
	s, ok, err := ParseSpan(e[:Head])
	want := Span{Base: 40, Next: 43, Size: len(e), Magic: 2, Attributes: attrTransactional, LeaderEpoch: 6, ProducerID: 77, Epoch: 3, Sequence: 12, Count: 3}
	if !ok || err != nil || s != want {
		t.Fatalf("got %+v %v %v, want %+v", s, ok, err, want)
	}
	if !s.Transactional() || s.Control() || s.Compression() != Uncompressed {
		t.Error("attributes misread")
	}
	for n := range Head {
		if _, ok, err := ParseSpan(e[:n]); ok || err != nil {
			t.Errorf("%d bytes: ok %v, %v", n, ok, err)
		}
	}
	e = sealed(t, 1, Options{Type: LZ4}, values("a", "b")...)
	s, ok, err = ParseSpan(e)
	want = Span{Base: 1, Next: 2, Size: len(e), Magic: 1, Attributes: 3, LeaderEpoch: -1, ProducerID: -1, Epoch: -1, Sequence: -1, Count: -1}
	if !ok || err != nil || s != want {
		t.Fatalf("got %+v %v %v, want %+v", s, ok, err, want)
	}
}

func TestSpanRefusesHeadersThatLie(t *testing.T) {
	whole := sealed(t, 2, Options{}, values("a", "b")...)
	for name, c := range map[string]struct {
		change func(e []byte)
		size   int // what can be passed over
	}{
		"length 0":               {func(e []byte) { binary.BigEndian.PutUint32(e[8:], 0) }, 0},
		"length one too few":     {func(e []byte) { binary.BigEndian.PutUint32(e[8:], Head-lengthEnd-1) }, 0},
		"length negative":        {func(e []byte) { binary.BigEndian.PutUint32(e[8:], 1<<31) }, 0},
		"length wraps":           {func(e []byte) { binary.BigEndian.PutUint32(e[8:], math.MaxInt32) }, 0},
		"magic 3":                {func(e []byte) { e[atMagic] = 3 }, len(whole)},
		"magic -1":               {func(e []byte) { e[atMagic] = 255 }, len(whole)},
		"last delta -1":          {func(e []byte) { binary.BigEndian.PutUint32(e[atLastDelta:], math.MaxUint32) }, len(whole)},
		"end wraps":              {func(e []byte) { binary.BigEndian.PutUint64(e, math.MaxInt64-1) }, len(whole)},
		"base negative":          {func(e []byte) { binary.BigEndian.PutUint64(e, math.MaxUint64) }, len(whole)},
		"count negative":         {func(e []byte) { binary.BigEndian.PutUint32(e[atCount:], math.MaxUint32) }, len(whole)},
		"v1 too short":           {func(e []byte) { e[atMagic] = 1; binary.BigEndian.PutUint32(e[8:], 21) }, 0},
		"v0 too short":           {func(e []byte) { e[atMagic] = 0; binary.BigEndian.PutUint32(e[8:], 13) }, 0},
		"v1 base beyond the end": {func(e []byte) { e[atMagic] = 1; binary.BigEndian.PutUint64(e, math.MaxInt64) }, len(whole)},
	} {
		e := bytes.Clone(whole)
		c.change(e)
		s, ok, err := ParseSpan(e)
		if !ok || !errors.Is(err, ErrFormat) {
			t.Errorf("%s: ok %v, error %v", name, ok, err)
		}
		if s.Size != c.size {
			t.Errorf("%s: size %d, want %d", name, s.Size, c.size)
		}
		_, damage := read(append(e, rebase(whole, 10)...), 0)
		if damage == nil {
			t.Errorf("%s: reader sees no damage", name)
		}
	}
}

func TestReaderPassesOverRecordsBelowFrom(t *testing.T) {
	everyFormat(t, func(t *testing.T, magic int8, o Options) {
		if magic == 0 {
			return // a set as produced has no offsets of its own
		}
		var entries []byte
		for i := range 3 {
			e := sealed(t, magic, o, values("a", "b", "c")...)
			for b := e; len(b) > 0; {
				s, _, _ := ParseSpan(b)
				binary.BigEndian.PutUint64(b, uint64(s.Base+int64(100*i)))
				b = b[s.Size:]
			}
			entries = append(entries, e...)
		}
		for from, want := range map[int64][]int64{
			0:   {0, 1, 2, 100, 101, 102, 200, 201, 202},
			2:   {2, 100, 101, 102, 200, 201, 202},
			3:   {100, 101, 102, 200, 201, 202},
			101: {101, 102, 200, 201, 202},
			202: {202},
			203: nil,
		} {
			got, err := read(entries, from)
			if err != nil || !slices.Equal(offsets(got), want) {
				t.Errorf("from %d: %v %v, want %v", from, offsets(got), err, want)
			}
		}
	})
}

func TestReaderIgnoresATruncatedLastEntry(t *testing.T) {
	everyFormat(t, func(t *testing.T, magic int8, o Options) {
		first := sealed(t, magic, o, values("a")...)
		second := sealed(t, magic, o, values("b")...)
		both := append(bytes.Clone(first), second...)
		var r Reader
		for n := len(first); n < len(both); n++ {
			r.Reset(both[:n], 0)
			got, err := drain(&r)
			if err != nil || len(got) != 1 {
				t.Fatalf("cut at %d of %d: %d records, %v", n, len(both), len(got), err)
			}
			if r.Tail() != n-len(first) {
				t.Fatalf("cut at %d: tail %d, want %d", n, r.Tail(), n-len(first))
			}
		}
	})
}

func TestLogAppendTimeIsTheBatchesForAllRecords(t *testing.T) {
	e := sealed(t, 2, Options{}, values("a", "b")...)
	e[atAttributes+1] |= attrLogAppendTime
	binary.BigEndian.PutUint64(e[atMaxTimestamp:], 5555)
	got, err := read(resum(e), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if r.Timestamp != 5555 || r.TimestampType != record.LogAppendTime {
			t.Errorf("timestamp %d type %d", r.Timestamp, r.TimestampType)
		}
	}
}

// A compacted batch with tombstones gets a delete horizon in place of its base
// timestamp, and deltas that count from there, so nothing moves.
func TestDeleteHorizonKeepsTimestamps(t *testing.T) {
	const horizon = 9_000
	var b Builder
	b.Append(&record.Record{Timestamp: horizon}, math.MaxInt)
	b.Append(&record.Record{Timestamp: 1000, Key: []byte("k")}, math.MaxInt)
	var c Compressor
	e, err := c.Seal(nil, &b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e[atAttributes+1] |= 0x40
	got, damage := read(resum(e), 0)
	if damage != nil || got[1].Timestamp != 1000 || got[1].TimestampType != record.CreateTime {
		t.Fatalf("%+v %v", got, damage)
	}
}

func TestControlBatchesYieldNothing(t *testing.T) {
	e := sealed(t, 2, Options{}, values("a")...)
	e[atAttributes+1] |= attrControl
	entries := append(resum(e), rebase(sealed(t, 2, Options{}, values("b")...), 1)...)
	got, err := read(entries, 0)
	if err != nil || len(got) != 1 || string(got[0].Value) != "b" || got[0].Offset != 1 {
		t.Fatalf("%v %v", got, err)
	}
}

// Compaction takes records away but leaves the batch's bounds, and the last
// batch of a producer stays even when nothing is left in it.
func TestHolesAndEmptyBatches(t *testing.T) {
	e := sealed(t, 2, Options{}, values("a", "b")...)
	binary.BigEndian.PutUint32(e[atLastDelta:], 9)
	empty := bytes.Clone(e[:Head])
	binary.BigEndian.PutUint32(empty[atCount:], 0)
	empty[atAttributes+1] = byte(Zstd)
	entries := append(resum(empty), rebase(resum(e), 10)...)
	got, err := read(append(entries, rebase(sealed(t, 2, Options{}, values("z")...), 20)...), 0)
	if err != nil || !slices.Equal(offsets(got), []int64{10, 11, 20}) {
		t.Fatalf("%v %v", offsets(got), err)
	}
}

func TestLeaderEpochAndAliasing(t *testing.T) {
	e := sealed(t, 2, Options{}, record.Record{Key: []byte("key"), Value: []byte("value")}, record.Record{Value: []byte("x")})
	binary.BigEndian.PutUint32(e[atLeaderEpoch:], 4)
	var r Reader
	var rec record.Record
	r.Reset(e, 0)
	if !r.Next(&rec) || rec.LeaderEpoch != 4 {
		t.Fatalf("epoch %d, %v", rec.LeaderEpoch, r.Err())
	}
	// Whoever appends to a field must not write into the next one.
	_ = append(rec.Key, "overwrite"...)
	_ = append(rec.Value, "overwrite"...)
	if string(rec.Value) != "value" {
		t.Errorf("value %q", rec.Value)
	}
	if !r.Next(&rec) || string(rec.Value) != "x" {
		t.Errorf("second value %q, %v", rec.Value, r.Err())
	}
}
