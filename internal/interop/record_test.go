//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// header is one record header; a nil value is null.
type header struct {
	name  string
	value []byte
}

// rec is a record as any client may have seen it. A nil key or value is null.
type rec struct {
	partition int32
	offset    int64
	timestamp int64
	key       []byte
	value     []byte
	headers   []header
}

func (r rec) String() string {
	null := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return strconv.Quote(string(b))
	}
	var hs []string
	for _, h := range r.headers {
		hs = append(hs, h.name+"="+null(h.value))
	}
	return fmt.Sprintf("%d:%d @%d %s %s [%s]", r.partition, r.offset, r.timestamp, null(r.key), null(r.value), strings.Join(hs, " "))
}

// same compares what a client read with what was written, record by record.
func same(t *testing.T, got, want []rec) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if g, w := got[i].String(), want[i].String(); g != w {
			t.Fatalf("record %d:\n got  %s\n want %s", i, g, w)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
}

// Unusual bytes part fields and records, so that everything usual can be data.
const (
	fieldSep  = "\x1f"
	recordSep = "\x1e"
	fieldArg  = `\x1f`
	recordArg = `\x1e`
	nullWord  = "<null>"
	stamp     = int64(1_700_000_000_123)
)

// commonHeaders are a repeated name, an empty value and, last, a null one.
func commonHeaders() []header {
	return []header{{"a", []byte("1")}, {"a", []byte("2")}, {"empty", []byte{}}, {"ü", []byte("ß")}, {"none", nil}}
}

// corpus is what is written: nulls and empties apart, bytes that are no text,
// and enough ordinary records to fill compressed blocks. All carry word, so
// that readings of several topics at once can be told apart.
func corpus(word string, headers []header) []rec {
	texts := [][2][]byte{
		{[]byte("key"), []byte("value")},
		{nil, []byte("null key")},
		{[]byte{}, []byte("empty key")},
		{[]byte("null value"), nil},
		{[]byte("empty value"), {}},
		{nil, nil},
		{[]byte{}, []byte{}},
		{[]byte("several\nlines\r\n\t"), []byte("in\none\r\nvalue\n")},
		{[]byte("Schlüssel"), []byte("wörtlich €𝄞")},
		{[]byte{0, 0xff, 0xfe, 0x80}, []byte{0xc3, 0x28, 0, 0, 0xed, 0xa0, 0x80, 0xff}},
		{[]byte("spaces"), []byte("  around  ")},
	}
	for i := range 500 {
		texts = append(texts, [2][]byte{
			fmt.Appendf(nil, "k%d", i%17),
			fmt.Appendf(nil, "%s record %d %s", word, i, strings.Repeat("lorem ipsum ", i%23)),
		})
	}
	var out []rec
	for i, kv := range texts {
		out = append(out, rec{0, int64(i), stamp, kv[0], kv[1], headers})
	}
	return out
}

// framed gives records as delimited text, null as nullWord.
func framed(records []rec) []byte {
	null := func(b []byte) []byte {
		if b == nil {
			return []byte(nullWord)
		}
		return b
	}
	var b bytes.Buffer
	for _, r := range records {
		b.Write(null(r.key))
		b.WriteString(fieldSep)
		b.Write(null(r.value))
		b.WriteString(recordSep)
	}
	return b.Bytes()
}

// unframe reads what framed wrote.
func unframe(t *testing.T, text string) (out []rec) {
	t.Helper()
	field := func(s string) []byte {
		if s == nullWord {
			return nil
		}
		return []byte(s)
	}
	for len(text) > 0 {
		one, rest, ok := strings.Cut(text, recordSep)
		key, value, both := strings.Cut(one, fieldSep)
		if !ok || !both {
			t.Fatalf("output is no record: %q", one)
		}
		out = append(out, rec{key: field(key), value: field(value)})
		text = rest
	}
	return out
}

// bare leaves only what a plain listing of keys and values can show.
func bare(records []rec) []rec {
	out := make([]rec, len(records))
	for i, r := range records {
		out[i] = rec{key: r.key, value: r.value}
	}
	return out
}
