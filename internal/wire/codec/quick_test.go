package codec

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"testing"

	"kafkactl/internal/record"
)

// walk reads a batch with or without the quick way through its records.
func walk(t batch, quick bool) (got []record.Record, err error) {
	for {
		var rec record.Record
		if quick && t.quick(&rec) {
			got = append(got, rec)
			continue
		}
		ok, err := t.next(&rec)
		if !ok {
			return got, err
		}
		got = append(got, rec)
	}
}

// sameWalk wants both ways through a batch to give the same records, nil and
// empty told apart, and the same end.
func sameWalk(t *testing.T, b batch) (records int) {
	t.Helper()
	want, wantErr := walk(b, false)
	got, err := walk(b, true)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(err, wantErr) {
		t.Fatalf("quick gives %d records, %v; thorough %d, %v", len(got), err, len(want), wantErr)
	}
	return len(got)
}

// quickSizes lie about the points where a number takes another byte.
var quickSizes = []int{-1, 0, 1, 62, 63, 64, 65, 127, 128, 8191, 8192, 8193, 1<<20 - 1, 1 << 20}

func TestQuickReadsWhatThoroughReads(t *testing.T) {
	sized := func(n int) []byte {
		if n < 0 {
			return nil
		}
		return make([]byte, n)
	}
	var b Builder
	for _, klen := range quickSizes {
		for _, vlen := range quickSizes {
			if klen > 10_000 && vlen > 100 {
				continue
			}
			b.Reset(2)
			b.Append(&record.Record{Key: sized(klen), Value: sized(vlen)}, math.MaxInt)
			for _, ms := range []int64{0, 63, 64, -64, -65, 8191, 8192, 1 << 20, -1 << 20, 1 << 40} {
				b.Append(&record.Record{Timestamp: ms, Key: sized(min(klen, 200)), Value: sized(min(vlen, 100))}, math.MaxInt)
			}
			b.Append(&record.Record{Headers: record.Headers{}.Append([]byte("name"), nil)}, math.MaxInt)
			if n := sameWalk(t, batch{b: b.buf[Head:], count: b.count, left: b.count, lastDelta: int64(b.count) - 1, delta: -1}); n != int(b.count) {
				t.Fatalf("key of %d, value of %d: %d of %d records", klen, vlen, n, b.count)
			}
		}
	}
	// Offset deltas of every length, as compaction leaves them.
	var sparse []byte
	deltas := []int64{0, 1, 63, 64, 8191, 8192, 1<<20 - 1, 1 << 20, math.MaxInt32}
	for _, d := range deltas {
		sparse = append(sparse, rec(d, 0, 1, 40, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0)...)
	}
	n := int32(len(deltas))
	if got := sameWalk(t, batch{b: sparse, count: n, left: n, lastDelta: math.MaxInt32, delta: -1}); got != len(deltas) {
		t.Fatalf("%d of %d offset deltas", got, len(deltas))
	}
}

// Most records have to go the quick way, or it costs more than it saves.
func TestQuickTakesNearlyAll(t *testing.T) {
	entry, records, _ := fullBatch(t, 2, 1_000_000, Options{})
	var b batch
	s, _, _ := ParseSpan(entry)
	b.open(s, entry, entry[Head:])
	var rec record.Record
	n := 0
	for b.quick(&rec) {
		n++
	}
	if n != records {
		t.Errorf("%d of %d records", n, records)
	}
}

func FuzzQuick(f *testing.F) {
	for _, sealedWith := range [][]record.Record{randomRecords(newRand(1), 5, 2), values("a", "b", "c"), {{Value: bytes.Repeat([]byte("x"), 100)}}} {
		e := sealed(f, 2, Options{}, sealedWith...)
		f.Add(e[Head:], int32(len(sealedWith)), int32(len(sealedWith)-1), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, count, lastDelta int32, appended bool) {
		w := batch{b: b, count: count, left: count, lastDelta: int64(lastDelta), delta: -1, timestamp: 1000}
		if appended {
			w.kind = record.LogAppendTime
		}
		if count >= 0 && lastDelta >= 0 {
			sameWalk(t, w)
		}
	})
}

// FuzzPlainMessage wants plainMessage to take exactly the messages that are plain
// and sound, and to read them as the closer look does.
func FuzzPlainMessage(f *testing.F) {
	for _, magic := range []int8{0, 1} {
		for _, r := range []record.Record{{}, {Key: []byte{}, Value: []byte{}}, {Key: []byte("key"), Value: []byte("value")}, {Value: make([]byte, 300)}} {
			r.Timestamp = 5
			e := sealed(f, magic, Options{}, r)
			f.Add(e)
			e = bytes.Clone(e)
			e[atMessageAttr] |= attrLogAppendTime
			f.Add(finish(e))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, resum := range []bool{false, true} {
			set := messageSet{b: b}
			whole, err := set.cut()
			if resum && whole != nil {
				finish(whole)
			}
			var got, want record.Record
			size := plainMessage(b, &got, true)
			if whole == nil {
				if size != 0 {
					t.Fatalf("takes %d bytes, %v", size, err)
				}
				continue
			}
			msg, err := parseMessage(whole, int64(binary.BigEndian.Uint64(whole)))
			if err == nil {
				err = checkMessage(whole)
			}
			if err != nil || msg.attributes&attrCompression != 0 {
				if size != 0 {
					t.Fatalf("takes %d bytes, %v", size, err)
				}
				continue
			}
			set.fill(&want, msg)
			if size != len(whole) || !reflect.DeepEqual(got, want) {
				t.Fatalf("%d bytes as %+v, want %d as %+v", size, got, len(whole), want)
			}
		}
	})
}
