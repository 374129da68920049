//go:build unix

package interop

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"kafkactl/internal/kafkatest"
)

// jsonRecord reads one line of consume -J as strictly as JSON is written:
// encoding/json alone lets names stand twice and in any case, and mends what is
// no UTF-8 and halves of surrogate pairs.
func jsonRecord(line string) (r rec, err error) {
	if !utf8.ValidString(line) {
		return r, errors.New("no UTF-8")
	}
	if err := surrogates(line); err != nil {
		return r, err
	}
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	fields, err := object(d)
	if err != nil {
		return r, err
	}
	if _, err := d.Token(); err != io.EOF {
		return r, errors.New("something stands behind the object")
	}
	want := []string{"topic", "partition", "offset", "timestamp", "timestampType", "key", "value", "headers", "leaderEpoch"}
	for i, f := range fields {
		if i >= len(want) || f.name != want[i] && (f.name != want[i]+"64" || want[i] != "key" && want[i] != "value") {
			return r, fmt.Errorf("field %d is %q", i, f.name)
		}
	}
	if len(fields) != len(want) {
		return r, fmt.Errorf("%d fields", len(fields))
	}
	return fill(fields)
}

type field struct {
	name  string
	value any // string, json.Number, nil, or [][]field
}

// object reads an object whose names are all different.
func object(d *json.Decoder) (fields []field, err error) {
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, errors.Join(err, errors.New("no object"))
	}
	return members(d)
}

func members(d *json.Decoder) (fields []field, err error) {
	for d.More() {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		f := field{name: tok.(string)}
		if slices.ContainsFunc(fields, func(other field) bool { return other.name == f.name }) {
			return nil, fmt.Errorf("%q stands twice", f.name)
		}
		tok, err = d.Token()
		if err != nil {
			return nil, err
		}
		f.value = tok
		if tok == json.Delim('[') {
			list := [][]field{}
			for d.More() {
				one, err := object(d)
				if err != nil {
					return nil, err
				}
				list = append(list, one)
			}
			if _, err := d.Token(); err != nil {
				return nil, err
			}
			f.value = list
		}
		fields = append(fields, f)
	}
	_, err = d.Token()
	return fields, err
}

// surrogates refuses an escaped half of a surrogate pair without its other.
func surrogates(line string) error {
	half := false
	for i := 0; i < len(line); i++ {
		low := false
		if line[i] == '\\' {
			i++
			if i+5 <= len(line) && line[i] == 'u' {
				n, err := strconv.ParseUint(line[i+1:i+5], 16, 16)
				if err != nil {
					return err
				}
				i += 4
				low = n >= 0xdc00 && n < 0xe000
				if low != half {
					return errors.New("half a surrogate pair")
				}
				half = n >= 0xd800 && n < 0xdc00
				continue
			}
		}
		if half {
			return errors.New("half a surrogate pair")
		}
	}
	return nil
}

// fill takes the fields of a record, each of exactly its type.
func fill(fields []field) (r rec, err error) {
	number := func(f field) int64 {
		n, ok := f.value.(json.Number)
		v, bad := n.Int64()
		if !ok || bad != nil {
			err = fmt.Errorf("%s is %v", f.name, f.value)
		}
		return v
	}
	data := func(f field) []byte {
		if f.value == nil && !strings.HasSuffix(f.name, "64") {
			return nil
		}
		s, ok := f.value.(string)
		b := []byte(s)
		if ok && strings.HasSuffix(f.name, "64") {
			var bad error
			b, bad = base64.StdEncoding.Strict().DecodeString(s)
			if ok = bad == nil; ok && utf8.Valid(b) {
				err = fmt.Errorf("%s stands for what is UTF-8", f.name)
			}
		}
		if !ok {
			err = fmt.Errorf("%s is %v", f.name, f.value)
		}
		return b
	}
	r.partition, r.offset, r.timestamp = int32(number(fields[1])), number(fields[2]), number(fields[3])
	number(fields[8])
	if fields[4].value != "CreateTime" && fields[4].value != "LogAppendTime" {
		err = fmt.Errorf("timestampType is %v", fields[4].value)
	}
	r.key, r.value = data(fields[5]), data(fields[6])
	headers, ok := fields[7].value.([][]field)
	if !ok {
		err = errors.New("headers is no array")
	}
	for _, h := range headers {
		if len(h) != 2 || strings.TrimSuffix(h[0].name, "64") != "name" || strings.TrimSuffix(h[1].name, "64") != "value" {
			return r, fmt.Errorf("a header is %v", h)
		}
		r.headers = append(r.headers, header{string(data(h[0])), data(h[1])})
	}
	return r, err
}

// strict reads lines of consume -J by two parsers that let nothing pass, and
// returns the records.
func strict(t *testing.T, lines string) (records []rec) {
	t.Helper()
	for line := range strings.Lines(lines) {
		r, err := jsonRecord(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatalf("line %d: %v: %s", len(records)+1, err, line)
		}
		records = append(records, r)
	}
	if bin := os.Getenv(pythonVar); bin != "" {
		out := command(t, []byte(lines), bin, "testdata/strict.py").must(t, "strict.py")
		if n := strings.Count(out, "\n"); n != len(records) {
			t.Fatalf("Python reads %d lines, want %d", n, len(records))
		}
	}
	return records
}

const goodLine = `{"topic":"t","partition":0,"offset":1,"timestamp":2,"timestampType":"CreateTime","key":null,"value":"v\ud83d\ude00","headers":[{"name":"a","value":null}],"leaderEpoch":0}`

func TestTheJudgesOfJSONRefuseWhatIsNotExact(t *testing.T) {
	if _, err := jsonRecord(goodLine); err != nil {
		t.Fatal(err)
	}
	bin := os.Getenv(pythonVar)
	for _, c := range []struct {
		name, old, new string
		python         bool // of JSON itself, so that Python must see it too
	}{
		{"a name twice", `"offset":1`, `"offset":1,"offset":1`, true},
		{"a header's name twice", `"name":"a",`, `"name":"a","name":"a",`, true},
		{"no UTF-8", `"v`, "\"\xff", true},
		{"a surrogate written as bytes", `"v`, "\"\xed\xa0\x80", true},
		{"the first half of a pair", `\ude00`, ``, true},
		{"the second half of a pair", `\ud83d`, ``, true},
		{"halves the wrong way round", `\ud83d\ude00`, `\ude00\ud83d`, true},
		{"a half in a name", `"name":`, `"na\ud83dme":`, true},
		{"a control character", `"v`, "\"\x01", true},
		{"an escape there is not", `"v`, `"\x41`, true},
		{"NaN", `"offset":1`, `"offset":NaN`, true},
		{"a number with a zero before it", `"offset":1`, `"offset":01`, true},
		{"a comma too many", `"leaderEpoch":0}`, `"leaderEpoch":0,}`, true},
		{"something behind it", `"leaderEpoch":0}`, `"leaderEpoch":0} x`, true},
		{"two objects", `"leaderEpoch":0}`, `"leaderEpoch":0}{}`, true},
		{"cut short", `"leaderEpoch":0}`, `"leaderEpoch":0`, true},
		{"an array", `{"topic"`, `[{"topic"`, true},
		{"another case", `"offset"`, `"Offset"`, false},
		{"a header's name in another case", `"name"`, `"Name"`, false},
		{"another order", `"topic":"t","partition":0`, `"partition":0,"topic":"t"`, false},
		{"a field missing", `,"leaderEpoch":0`, ``, false},
		{"a field too many", `,"leaderEpoch":0`, `,"leaderEpoch":0,"x":1`, false},
		{"text for a number", `"offset":1`, `"offset":"1"`, false},
		{"a broken number", `"offset":1`, `"offset":1.5`, false},
		{"base64 of text", `"key":null`, `"key64":"YQ=="`, false},
		{"base64 without its end", `"key":null`, `"key64":"/w"`, false},
		{"null in base64", `"key":null`, `"key64":null`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(goodLine, c.old, c.new, 1)
			if bad == goodLine {
				t.Fatal("nothing was changed")
			}
			if _, err := jsonRecord(bad); err == nil {
				t.Errorf("Go takes %s", bad)
			}
			if bin == "" || !c.python {
				return
			}
			if got := command(t, []byte(goodLine+"\n"+bad+"\n"), bin, "testdata/strict.py"); got.code == 0 || !strings.Contains(got.err, "line 2: ") {
				t.Errorf("Python takes %s: %+v", bad, got)
			}
		})
	}
}

// everyByte are keys, values and headers of every byte alone, of every byte
// behind one that begins a letter of UTF-8, and of all together.
func everyByte() (out []rec) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	add := func(b []byte) {
		out = append(out, rec{0, int64(len(out)), stamp, b, b, []header{{string(b), b}, {string(b), nil}, {"n" + string(b), []byte{}}}})
	}
	for _, before := range []string{"", "a", "\xc3", "\xe2\x80", "\xed", "\xf0\x9f\x98", "\xf4"} {
		for i := range all {
			add(append([]byte(before), all[i]))
		}
	}
	add(all)
	slices.Reverse(all)
	add(all)
	add(bytes.Repeat(all, 100))
	return out
}

// Whatever bytes a record holds, its line is JSON that says exactly those.
func TestBinaryTopicsAreJSONToStrictParsers(t *testing.T) {
	kafkatest.Brokers(t)
	// Every character a topic's name may have.
	name := topic(t, "._-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 1)
	want := everyByte()
	kafkactl(t, jsonLines(t, want), "produce", name, "-J").must(t, "produce -J")
	// The other client's reading keeps a fault in produce from hiding one in consume.
	same(t, readKgo(t, name, len(want)), want)
	same(t, strict(t, kafkactl(t, nil, "consume", name, "-J").must(t, "consume -J")), want)
}
