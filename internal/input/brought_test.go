package input

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"kafkactl/internal/format"
	"kafkactl/internal/jsonl"
	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// wait is Next that waits.
func wait(t *testing.T, in produce.Input, r *record.Record) (int64, error) {
	t.Helper()
	for {
		line, err := in.Next(r)
		if !errors.Is(err, produce.ErrIdle) {
			return line, err
		}
		select {
		case <-in.Ready():
		case <-t.Context().Done():
			t.Fatal("input is silent")
		}
	}
}

// list reads everything as where=partition key/value headers @timestamp.
func list(t *testing.T, in Source) (got []string) {
	t.Helper()
	defer in.Close()
	for {
		var r record.Record
		line, err := wait(t, in, &r)
		var bad *produce.RecordError
		switch {
		case err == io.EOF:
			return got
		case errors.As(err, &bad):
			got = append(got, in.Where(bad.Line)+"!"+bad.Err.Error())
			continue
		case err != nil:
			return append(got, err.Error())
		}
		s := fmt.Sprintf("%s=%d %s/%s", in.Where(line), r.Partition, show(r.Key), show(r.Value))
		for name, v := range r.Headers.All() {
			s += fmt.Sprintf(" %s:%s", name, show(v))
		}
		switch {
		case r.Timestamp != record.NoTimestamp:
			s += fmt.Sprintf(" @%d", r.Timestamp)
		case r.TimestampType == record.NoTimestampType:
			s += " @none"
		}
		got = append(got, s)
	}
}

func TestJSONLinesBringWhatTheySayAndTakeTheRestFromOutside(t *testing.T) {
	more := record.Headers{}.Append([]byte("z"), nil)
	in := `{"value":"a"}
{"value":"","key":null,"partition":7,"timestamp":5,"timestampType":"LogAppendTime","topic":"other","offset":9}
{"value":null,"key":"k","timestamp":null,"headers":[{"name":"a","value":"1"}]}

{"vlaue":"a"}
{"value":"last"}`
	for _, c := range []struct {
		name string
		o    Outside
		skip bool
		want []string
	}{
		{"nothing outside", Outside{Partition: -1, KeepPartition: true}, true, []string{
			`f:1=-1 null/"a"`, `f:2=7 null/"" @5`, `f:3=-1 "k"/null a:"1" @none`, `f:5!column 2: unknown field "vlaue"`, `f:6=-1 null/"last"`}},
		{"all of it", Outside{Partition: 3, Key: []byte("K"), Headers: more, Stamp: true, Timestamp: 1}, false, []string{
			`f:1=3 "K"/"a" z:null @1`, `f:2=3 null/"" z:null @1`, `f:3=3 "k"/null a:"1" z:null @1`, `f:4!column 1: an object { is wanted`,
			`f:5!column 2: unknown field "vlaue"`, `f:6=3 "K"/"last" z:null @1`}},
		{"when it is read", Outside{Partition: -1, Stamp: true, Timestamp: record.NoTimestamp}, true, []string{
			`f:1=-1 null/"a"`, `f:2=-1 null/""`, `f:3=-1 "k"/null a:"1"`, `f:5!column 2: unknown field "vlaue"`, `f:6=-1 null/"last"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := list(t, NewJSON([]File{text("f", in)}, jsonl.Decoder{}, c.o, c.skip)); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func parser(t *testing.T, text string) (*format.Program, *format.Parser) {
	t.Helper()
	p, err := format.Compile(text, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	q, err := p.Parser()
	if err != nil {
		t.Fatal(err)
	}
	return p, q
}

func TestFormattedRecordsAreReadFromFiles(t *testing.T) {
	key := []byte("K")
	for _, c := range []struct {
		format string
		files  []string
		want   []string
	}{
		{`%k %s\n`, []string{"a b c\nd\n", "e f"}, []string{`f0:1=-1 "a"/"b c"`, `f0:2!column 1: %k: no " " behind it`, `f1:1=-1 "e"/"f"`}},
		{`%S %s\n`, []string{"1 a\n2 b\n\n", "-1 \n0 "}, []string{`f0:record 1=-1 "K"/"a"`, `f0:record 2=-1 "K"/"b\n"`, `f1:record 1=-1 "K"/null`, `f1:record 2=-1 "K"/""`}},
		{`%S{big8}%s`, []string{"\x01a", "\x05abc"}, []string{`f0:record 1=-1 "K"/"a"`, `f1:record 1: column 2: %s: the input ends in it`}},
		{`%S{big8}%s{hex}`, []string{"\x01zz\x01aa"}, []string{`f0:record 1!column 2: %s{hex}: not hexadecimal digits in pairs`, `f0:record 2=-1 "K"/"\xaa"`}},
		{`%p %S %s`, []string{"3 1 ax 1 b3 1 c"}, []string{`f0:record 1=3 "K"/"a"`, `f0:record 2: column 1: %p: wanted, found "x"`}},
		{`%S %s`, []string{"", "1 a"}, []string{`f1:record 1=-1 "K"/"a"`}},
	} {
		_, q := parser(t, c.format)
		var files []File
		for i, in := range c.files {
			files = append(files, from(fmt.Sprint("f", i), iotest.OneByteReader(strings.NewReader(in))))
		}
		if got := list(t, NewFormatted(files, q, Outside{Partition: -1, KeepPartition: true, Key: key}, false)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", c.format, got, c.want)
		}
	}
}

// Records of every size, from less than a block to many, come whole.
func TestFormattedRecordsMaySpanBlocks(t *testing.T) {
	p, q := parser(t, `%K{varint}%S{big32}%H{block}%k%s`)
	var in []byte
	var want []*record.Record
	for i, size := range []int{0, 100, blockSize - 7, blockSize, 3*blockSize + 5, 1, 9 * blockSize, 50, 50} {
		r := &record.Record{Key: bytes.Repeat([]byte{byte(i)}, size/3), Value: bytes.Repeat([]byte{byte(i + 1)}, size)}
		r.Headers = r.Headers.Append([]byte("h"), bytes.Repeat([]byte{7}, size/2))
		want = append(want, r)
		in = p.Append(in, r)
	}
	s := NewFormatted([]File{text("f", string(in))}, q, Outside{Partition: -1}, false)
	defer s.Close()
	for i, w := range want {
		var r record.Record
		if _, err := wait(t, s, &r); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(r.Key, w.Key) || !bytes.Equal(r.Value, w.Value) || !bytes.Equal(r.Headers.Raw, w.Headers.Raw) {
			t.Fatalf("record %d came back as something else", i+1)
		}
	}
	if _, err := wait(t, s, new(record.Record)); err != io.EOF {
		t.Fatal(err)
	}
}

func TestEmptyIsNotNullInAnyEncoding(t *testing.T) {
	for name, in := range map[string]string{"hex": ":", "base64": ":", "json": `"":""`} {
		as, err := Decoder(name)
		if err != nil {
			t.Fatal(err)
		}
		o := with(func(o *Options) { o.KeyDelim, o.KeyAs, o.ValueAs = []byte(":"), as, as })
		if got := all(t, o, text("f", in+"\n")); len(got) != 1 || got[0] != `f:1=""/""` {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestJSONValuesOfLinesStandAsTheyAre(t *testing.T) {
	as, err := Decoder("json")
	if err != nil {
		t.Fatal(err)
	}
	got := all(t, with(func(o *Options) { o.ValueAs = as }), text("f", "{\"a\": 1}\n\"x\\ty\"\nnull\nno\n"))
	want := []string{`f:1=null/"{\"a\": 1}"`, `f:2=null/"x\ty"`, `f:3=null/"null"`, `f:4!value: not JSON`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
