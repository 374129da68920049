package jsonl

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"kafkactl/internal/record"
)

func TestAppendWritesEveryFieldInOrder(t *testing.T) {
	h := record.Headers{}.Append([]byte("a"), []byte("1")).Append([]byte("a"), nil).Append([]byte{0xff}, []byte{})
	tests := []struct {
		name string
		r    record.Record
		want string
	}{
		{"everything", record.Record{Topic: "t", Partition: 3, Offset: 7, Timestamp: 12, TimestampType: record.LogAppendTime,
			LeaderEpoch: 5, Key: []byte{}, Value: []byte("a\"\\\n\x00é<"), Headers: h},
			`{"topic":"t","partition":3,"offset":7,"timestamp":12,"timestampType":"LogAppendTime","key":"","value":"a\"\\\n\u0000é<","headers":[{"name":"a","value":"1"},{"name":"a","value":null},{"name64":"/w==","value":""}],"leaderEpoch":5}`},
		{"a v0 tombstone", record.Record{Topic: "t", Timestamp: record.NoTimestamp, TimestampType: record.NoTimestampType, LeaderEpoch: -1, Key: []byte{0x80}},
			`{"topic":"t","partition":0,"offset":0,"timestamp":null,"timestampType":null,"key64":"gA==","value":null,"headers":[],"leaderEpoch":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Append(nil, &tt.r)); got != tt.want+"\n" {
				t.Errorf("got  %swant %s", got, tt.want)
			}
		})
	}
}

// random bytes lean towards what needs escaping.
func random(rng *rand.Rand) []byte {
	if rng.IntN(6) == 0 {
		return nil
	}
	b := make([]byte, rng.IntN(40))
	for i := range b {
		switch rng.IntN(4) {
		case 0:
			b[i] = "\"\\\n\r\t\x00\x1f\x7f/"[rng.IntN(9)]
		default:
			b[i] = byte(' ' + rng.IntN(90))
		}
	}
	switch rng.IntN(4) {
	case 0:
		b = append(b, "\u2028é😀"...)
	case 1:
		b = append(b, 0xff, 0xc0)
	}
	return b
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func TestDecodeGivesBackWhatAppendWrote(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var d Decoder
	for range 20000 {
		r := record.Record{Topic: "orders", Partition: rng.Int32(), Offset: rng.Int64(), Timestamp: rng.Int64(),
			TimestampType: record.TimestampType(rng.IntN(2)), LeaderEpoch: rng.Int32(), Key: random(rng), Value: random(rng)}
		for range rng.IntN(4) {
			name := random(rng)
			if name == nil {
				name = []byte{}
			}
			r.Headers = r.Headers.Append(name, random(rng))
		}
		line := Append(nil, &r)
		if !json.Valid(line) {
			t.Fatalf("not JSON: %s", line)
		}
		var got record.Record
		if err := d.Decode(line, &got); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		headers := r.Headers.Count() == 0 && got.Headers.Count() == 0 || bytes.Equal(r.Headers.Raw, got.Headers.Raw)
		if got.Topic != r.Topic || got.Partition != r.Partition || got.Offset != r.Offset || got.Timestamp != r.Timestamp ||
			got.TimestampType != r.TimestampType || got.LeaderEpoch != r.LeaderEpoch || !same(got.Key, r.Key) || !same(got.Value, r.Value) || !headers {
			t.Fatalf("got %+v\nwant %+v\nline %s", got, r, line)
		}
	}
}

func TestAppendAgreesWithAnotherParser(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		r := record.Record{Value: random(rng)}
		var got struct {
			Value   *string
			Value64 *string
		}
		line := Append(nil, &r)
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		var b []byte
		switch {
		case got.Value64 != nil:
			b, _ = base64.StdEncoding.DecodeString(*got.Value64)
		case got.Value != nil:
			b = []byte(*got.Value)
		}
		if !same(b, r.Value) {
			t.Fatalf("got %q, want %q", b, r.Value)
		}
	}
}

func TestDecodeTakesWhatPeopleWrite(t *testing.T) {
	var d Decoder
	var r record.Record
	line := ` { "value" : "\u00e9\ud83d\ude00\/" , "headers":[ {"value":null,"name":"n"} ] } `
	if err := d.Decode([]byte(line), &r); err != nil {
		t.Fatal(err)
	}
	if string(r.Value) != "é😀/" || r.Key != nil || r.Partition != NoPartition || r.Timestamp != record.NoTimestamp || r.Headers.Count() != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct{ line, want string }{
		{`{}`, `no "value"`},
		{``, "an object"},
		{`{"key":"k"}`, `no "value"`},
		{`{"value":"a","value":"b"}`, `field "value" given twice`},
		{`{"value":"a","value64":"YQ=="}`, `field "value64" given twice`},
		{`{"value":"a","vlaue":"b"}`, `unknown field "vlaue"`},
		{`{"value":1}`, "a string is wanted"},
		{`{"value":"a"`, "a comma or }"},
		{`{"value":"a}`, "does not end"},
		{`{"value":"\ud800"}`, "surrogate"},
		{`{"value":"\x"}`, "no escape"},
		{"{\"value\":\"\n\"}", "control character"},
		{"{\"value\":\"\xff\"}", "UTF-8"},
		{`{"value64":"a"}`, "base64"},
		{`{"value":"a","timestamp":1.5}`, "a comma or }"},
		{`{"value":"a","timestamp":"1"}`, "an integer"},
		{`{"value":"a","timestamp":01}`, "an integer"},
		{`{"value":"a","partition":4294967296}`, "an integer of 32 bits"},
		{`{"value":"a","partition": -5}`, "column 26: -5 is no partition"},
		{`{"value64":"YQ"}`, "not standard base64 with its padding"},
		{`{"value":"a","headers":[{"value":"x"}]}`, "without a name"},
		{`{"value":"a","headers":{"a":"b"}}`, "an array"},
		{`{"value":"a"} x`, "behind the object"},
	}
	for _, tt := range tests {
		var d Decoder
		var r record.Record
		err := d.Decode([]byte(tt.line), &r)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want …%s…", tt.line, err, tt.want)
		}
		var se *SyntaxError
		if err != nil && !errors.As(err, &se) && !errors.Is(err, errNoValue) {
			t.Errorf("%s: error of type %T", tt.line, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"value":"a","key64":"gA==","headers":[{"name":"a","value":null}],"timestamp":-1}`))
	f.Add([]byte(`{"value":"\ud83d\ude00\n"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var d Decoder
		var r, again record.Record
		if d.Decode(line, &r) != nil {
			return
		}
		if !json.Valid(line) {
			t.Fatalf("took what is not JSON: %q", line)
		}
		out := Append(nil, &r)
		var e Decoder
		if err := e.Decode(out, &again); err != nil || !same(r.Key, again.Key) || !same(r.Value, again.Value) {
			t.Fatalf("%v: %q became %q", err, line, out)
		}
	})
}

func benchRecord() *record.Record {
	return &record.Record{Topic: "orders", Partition: 3, Offset: 1234567, Timestamp: 1700000000000, Value: bytes.Repeat([]byte("value-0123"), 10), Key: []byte("key-12")}
}

func BenchmarkAppend(b *testing.B) {
	r := benchRecord()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = Append(dst[:0], r)
	}
}

func BenchmarkDecode(b *testing.B) {
	line := Append(nil, benchRecord())
	var d Decoder
	var r record.Record
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(line, &r); err != nil {
			b.Fatal(err)
		}
	}
}
