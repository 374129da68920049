package jsonl

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"kafkactl/internal/record"
)

func TestEncodingsShowKeysAndValuesAndReadThemBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		as    Encoding
		value []byte
		want  string
	}{
		{"hex", Hex, []byte{0, 0xff}, `"value":"00ff"`},
		{"hex of nothing", Hex, []byte{}, `"value":""`},
		{"hex of null", Hex, nil, `"value":null`},
		{"base64", Base64, []byte{0, 0xff}, `"value":"AP8="`},
		{"an object", JSON, []byte(` {"a" : [1, "b c"] } `), `"value":{"a":[1,"b c"]}`},
		{"a number", JSON, []byte("1.50"), `"value":1.50`},
		{"true", JSON, []byte("true"), `"value":true`},
		{"text that is no JSON", JSON, []byte("a b"), `"value":"a b"`},
		{"nothing", JSON, []byte{}, `"value":""`},
		{"null", JSON, nil, `"value":null`},
		{"bytes", JSON, []byte{0xff}, `"value64":"/w=="`},
		{"JSON that is no UTF-8", JSON, []byte("\"\xff\""), `"value64":"Iv8i"`},
		{"an escaped quote", JSON, []byte(`{"a\" ": 1}`), `"value":{"a\" ":1}`},
	} {
		e := Encoder{KeyAs: c.as, ValueAs: c.as}
		r := record.Record{Topic: "t", Key: c.value, Value: c.value}
		line := e.Append(nil, &r)
		if !json.Valid(line) || !strings.Contains(string(line), ","+c.want+",") || !strings.Contains(string(line), strings.Replace(c.want, "value", "key", 1)) {
			t.Errorf("%s: %s wants %s", c.name, line, c.want)
		}
		d := Decoder{KeyAs: c.as, ValueAs: c.as}
		var got record.Record
		if err := d.Decode(line, &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := c.value
		if compact, ok := AppendJSON(nil, c.value); ok && c.as == JSON {
			want = compact
		}
		if !same(got.Key, want) || !same(got.Value, want) {
			t.Errorf("%s: got %q, want %q", c.name, got.Value, want)
		}
	}
}

func TestEmbeddedValuesAreWhatTheStandardParserTakes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const alphabet = `{}[]":, \\0123tfnrue-.a`
	for range 200000 {
		b := make([]byte, 1+rng.IntN(9))
		for i := range b {
			b[i] = alphabet[rng.IntN(len(alphabet))]
		}
		d := Decoder{ValueAs: JSON}
		var r record.Record
		line := append(append([]byte(`{"value":`), b...), '}')
		err := d.Decode(line, &r)
		var members map[string]json.RawMessage
		if err == nil && (json.Unmarshal(line, &members) != nil || len(members) == 0) {
			t.Fatalf("took %s", line)
		}
		if err == nil && r.Value != nil && bytes.TrimSpace(b)[0] != '"' && strings.TrimSpace(string(members["value"])) != string(r.Value) {
			t.Fatalf("%s: got %q, want %q", line, r.Value, members["value"])
		}
		if err != nil && json.Valid(b) && !bytes.ContainsAny(b, `"`) {
			t.Fatalf("refused %s: %v", line, err)
		}
	}
}

func TestWhiteSpaceBehindAnEmbeddedValueIsNotOfIt(t *testing.T) {
	d := Decoder{ValueAs: JSON}
	for _, line := range []string{"{\"value\":12\r}", "{\"value\":12 \t,\"key\":null}", "{\"value\":12\n}"} {
		var r record.Record
		if err := d.Decode([]byte(line), &r); err != nil || string(r.Value) != "12" {
			t.Errorf("%q: %q, %v", line, r.Value, err)
		}
	}
}

func TestDecodeTellsAbsentFromNull(t *testing.T) {
	var d Decoder
	var r record.Record
	for line, want := range map[string]Fields{
		`{"value":"v"}`:                              Value,
		`{"value64":"dg==","key":null}`:              Value | Key,
		`{"timestamp":null,"value":null,"key64":""}`: Value | Key | Timestamp,
	} {
		if err := d.Decode([]byte(line), &r); err != nil || d.Seen() != want {
			t.Errorf("%s: %v, saw %b, want %b", line, err, d.Seen(), want)
		}
	}
}

func TestNeitherWayCostsMemoryForARecord(t *testing.T) {
	r := benchRecord()
	r.Headers = r.Headers.Append([]byte("a"), []byte("1")).Append([]byte("b"), nil)
	r.Key = []byte("\"\xff")
	r.Value = []byte("line\n\"quoted\"")
	line := Append(nil, r)
	dst := make([]byte, 0, 1024)
	var d Decoder
	var got record.Record
	if n := testing.AllocsPerRun(100, func() { dst = Append(dst[:0], r) }); n != 0 {
		t.Errorf("%v allocations to append", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = d.Decode(line, &got) }); n != 0 {
		t.Errorf("%v allocations to decode", n)
	}
}
