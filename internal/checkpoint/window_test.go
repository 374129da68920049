package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// listed is an Input of records at hand.
type listed struct {
	records []record.Record
	bad     map[int64]bool
	at      int64
}

func (l *listed) Next(r *record.Record) (int64, error) {
	if l.at == int64(len(l.records)) {
		return 0, io.EOF
	}
	l.at++
	if l.bad[l.at] {
		return 0, &produce.RecordError{Line: l.at, Err: errors.New("spoilt")}
	}
	*r = l.records[l.at-1]
	return l.at, nil
}

func (l *listed) Ready() <-chan struct{} { return nil }
func (l *listed) Where(int64) string     { return "" }

func some() []record.Record {
	return []record.Record{
		{Partition: -1, Timestamp: record.NoTimestamp, Key: nil, Value: []byte{}},
		{Partition: 7, Timestamp: 1_795_442_700_000, TimestampType: 1, Key: []byte{}, Value: nil},
		{Partition: 1 << 30, Timestamp: record.NoTimestamp, TimestampType: record.NoTimestampType, Key: []byte("k\x00"),
			Value: bytes.Repeat([]byte{0xff}, 300), Headers: record.Headers{}.Append([]byte("h"), nil)},
	}
}

func same(a, b *record.Record) bool {
	null := func(x, y []byte) bool { return (x == nil) == (y == nil) && bytes.Equal(x, y) }
	return a.Partition == b.Partition && a.Timestamp == b.Timestamp && a.TimestampType == b.TimestampType &&
		null(a.Key, b.Key) && null(a.Value, b.Value) && bytes.Equal(a.Headers.Raw, b.Headers.Raw)
}

func TestALostTransactionGetsTheSameRecordsAgain(t *testing.T) {
	w := newWindow(&listed{records: some()}, false, false)
	defer w.stop()
	if more, err := w.peek(context.Background()); !more || err != nil {
		t.Fatal(more, err)
	}
	for try := range 3 {
		w.replay(every)
		for i, want := range some() {
			var got record.Record
			line, err := w.Next(&got)
			if err != nil || line != int64(i+1) || !same(&got, &want) {
				t.Errorf("try %d, record %d: line %d, %+v, %v; want %+v", try, i, line, got, err, want)
			}
		}
		if _, err := w.Next(new(record.Record)); !errors.Is(err, io.EOF) {
			t.Errorf("try %d: behind the last: %v", try, err)
		}
		if w.count != 3 || w.last != 3 {
			t.Errorf("try %d: %d records, the last line %d", try, w.count, w.last)
		}
	}
}

// TestTheSumTellsInputsApart: each change of a field changes it, but that of a
// timestamp which is given on the way.
func TestTheSumTellsInputsApart(t *testing.T) {
	sum := func(restamped bool, change func([]record.Record)) string {
		list := some()
		change(list)
		w := newWindow(&listed{records: list}, restamped, false)
		defer w.stop()
		for range list {
			if more, err := w.peek(context.Background()); !more || err != nil {
				t.Fatal(more, err)
			}
			w.drop()
		}
		return w.sum()
	}
	changes := map[string]func(l []record.Record){
		"null key":      func(l []record.Record) { l[1].Key = nil },
		"empty value":   func(l []record.Record) { l[1].Value = []byte{} },
		"partition":     func(l []record.Record) { l[0].Partition = 0 },
		"header":        func(l []record.Record) { l[2].Headers = record.Headers{} },
		"one byte":      func(l []record.Record) { l[2].Value[299] = 0xfe },
		"order":         func(l []record.Record) { l[0], l[1] = l[1], l[0] },
		"where it ends": func(l []record.Record) { l[2].Key, l[2].Value = l[2].Key[:1], append([]byte{0}, l[2].Value...) },
	}
	none := func([]record.Record) {}
	later := func(l []record.Record) { l[1].Timestamp++ }
	for _, restamped := range []bool{false, true} {
		was := sum(restamped, none)
		if sum(restamped, none) != was {
			t.Errorf("restamped %v: the same input has two sums", restamped)
		}
		for name, change := range changes {
			if sum(restamped, change) == was {
				t.Errorf("restamped %v: %s makes no difference", restamped, name)
			}
		}
		if differs := sum(restamped, later) != was; differs == restamped {
			t.Errorf("restamped %v: a timestamp makes a difference: %v", restamped, differs)
		}
	}
}

func TestWhatTheInputSpoils(t *testing.T) {
	for _, keepGoing := range []bool{false, true} {
		w := newWindow(&listed{records: some(), bad: map[int64]bool{2: true}}, false, keepGoing)
		var lines []int64
		for {
			more, err := w.peek(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			lines = append(lines, w.last)
			w.drop()
		}
		w.stop()
		var bad *produce.RecordError
		switch {
		case keepGoing && (len(lines) != 2 || w.skipped != 1 || w.spoilt.Line != 2 || w.ended() != nil):
			t.Errorf("going on: lines %v, %d skipped, %v", lines, w.skipped, w.ended())
		case !keepGoing && (len(lines) != 1 || !errors.As(w.ended(), &bad) || bad.Line != 2):
			t.Errorf("lines %v, then %v", lines, w.ended())
		}
	}
}
