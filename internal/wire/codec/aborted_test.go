package codec

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"kafkactl/internal/record"
)

// txn is a batch of one record at offset of a transaction of that producer.
func txn(t *testing.T, offset, producer int64) []byte {
	e := rebase(sealed(t, 2, Options{}, values("x")...), offset)
	Stamp(e, producer, 0, 0, true)
	return e
}

// marker is the control batch that ends a transaction.
func marker(t *testing.T, offset, producer int64, typ int16, timestamp int64) []byte {
	var b Builder
	key := binary.BigEndian.AppendUint16(nil, 0)
	key = binary.BigEndian.AppendUint16(key, uint16(typ))
	if !b.Append(&record.Record{Key: key, Value: []byte{0, 0, 0, 0, 0, 1}, Timestamp: timestamp}, math.MaxInt) {
		t.Fatal("append refused")
	}
	var c Compressor
	e, err := c.Seal(nil, &b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e[atAttributes+1] |= attrControl
	Stamp(e, producer, 0, -1, true)
	return rebase(e, offset)
}

// committed lists the offsets that Drop lets through.
func committed(a *Aborted, batches [][]byte) (kept []int64) {
	for _, e := range batches {
		s, _, _ := ParseSpan(e)
		if !a.Drop(s, MarkerType(e[:min(len(e), MarkerHead)])) {
			kept = append(kept, s.Base)
		}
	}
	return kept
}

func TestAbortedDropsInterleavedTransactions(t *testing.T) {
	batches := [][]byte{
		txn(t, 10, 1),
		txn(t, 11, 2),
		marker(t, 12, 1, 1, 5), // 1 commits what began at 10
		txn(t, 13, 1),          // aborted
		txn(t, 14, 2),
		rebase(sealed(t, 2, Options{}, values("plain")...), 15),
		marker(t, 16, 1, 0, 5),
		txn(t, 17, 1), // commits
		marker(t, 18, 2, 0, 5),
		txn(t, 19, 2), // aborted again
		marker(t, 20, 1, 1, 5),
		marker(t, 21, 2, 0, 5),
		txn(t, 22, 2),
	}
	list := []AbortedRange{{2, 19}, {1, 13}, {2, 11}}
	want := []int64{10, 15, 17, 22}
	var a Aborted
	for range 2 {
		a.Reset(list)
		if kept := committed(&a, batches); !slices.Equal(kept, want) {
			t.Fatalf("kept %v, want %v", kept, want)
		}
	}
	if list[0].First != 19 {
		t.Error("the caller's list was reordered")
	}
	a.Reset(nil)
	if kept := committed(&a, batches); len(kept) != 8 {
		t.Errorf("without aborted transactions %v are kept", kept)
	}
}

func TestAbortedTransactionThatBeganBeforeTheFetch(t *testing.T) {
	var a Aborted
	a.Reset([]AbortedRange{{7, 3}})
	kept := committed(&a, [][]byte{txn(t, 50, 7), marker(t, 51, 7, 0, 5), txn(t, 52, 7)})
	if !slices.Equal(kept, []int64{52}) {
		t.Fatalf("kept %v", kept)
	}
}

// An unreadable marker must not hide what the producer commits next.
func TestAbortedTakesAnUnknownMarkerForTheAbort(t *testing.T) {
	var a Aborted
	a.Reset([]AbortedRange{{7, 3}})
	s, _, _ := ParseSpan(marker(t, 51, 7, 0, 5))
	a.Drop(s, -1)
	if s, _, _ = ParseSpan(txn(t, 52, 7)); a.Drop(s, 0) {
		t.Fatal("the next transaction is dropped")
	}
}

func TestMarkerTypeReadsTheHeadAlone(t *testing.T) {
	for _, typ := range []int16{0, 1, 4} {
		e := marker(t, 0, 1, typ, 1_700_000_000_000)
		if got := MarkerType(e[:MarkerHead]); got != typ {
			t.Errorf("type %d reads %d", typ, got)
		}
	}
	e := marker(t, 0, 1, 1, 5)
	for n := range Head + 9 {
		if got := MarkerType(e[:n]); got != -1 {
			t.Errorf("%d bytes tell %d", n, got)
		}
	}
	if got := MarkerType(txn(t, 0, 1)); got != -1 {
		t.Errorf("a data batch tells %d", got)
	}
}

// With a delete horizon the base timestamp is another, and the delta is long.
func TestMarkerTypeAfterALongTimestampDelta(t *testing.T) {
	e := marker(t, 0, 1, 1, 5)
	long := append([]byte{}, e[:Head]...)
	long = append(long, 2*20)                                   // length
	long = append(long, 0)                                      // attributes
	long = binary.AppendVarint(long, -1_900_000_000_000)        // timestamp delta
	long = append(long, 0, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 0) // offset delta, key, value
	binary.BigEndian.PutUint32(long[8:], uint32(len(long)-lengthEnd))
	if got := MarkerType(long[:min(len(long), MarkerHead)]); got != 1 {
		t.Fatalf("reads %d", got)
	}
}
