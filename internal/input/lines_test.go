package input

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// text makes a File of a string.
func text(name, s string) File { return from(name, strings.NewReader(s)) }

func from(name string, r io.Reader) File {
	return File{Name: name, Size: -1, Open: func() (io.ReadCloser, error) { return io.NopCloser(r), nil }}
}

// pull is Next that waits.
func pull(t *testing.T, l *Lines, r *record.Record) (int64, error) {
	t.Helper()
	for {
		line, err := l.Next(r)
		if !errors.Is(err, produce.ErrIdle) {
			return line, err
		}
		select {
		case <-l.Ready():
		case <-t.Context().Done():
			t.Fatal("input is silent")
		}
	}
}

func show(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

// all reads everything as where=key/value.
func all(t *testing.T, o Options, files ...File) []string {
	t.Helper()
	l := NewLines(files, o)
	defer l.Close()
	var got []string
	for {
		var r record.Record
		line, err := pull(t, l, &r)
		var bad *produce.RecordError
		switch {
		case err == io.EOF:
			return got
		case errors.As(err, &bad):
			got = append(got, l.Where(bad.Line)+"!"+bad.Err.Error())
		case err != nil:
			return append(got, err.Error())
		default:
			got = append(got, l.Where(line)+"="+show(r.Key)+"/"+show(r.Value))
		}
	}
}

func with(set func(*Options)) Options {
	o := Plain()
	set(&o)
	return o
}

func TestLinesSplit(t *testing.T) {
	colon := func(o *Options) { o.KeyDelim = []byte(":") }
	cases := []struct {
		name, in string
		o        Options
		want     string
	}{
		{"last line without newline counts", "a\nb", Plain(), `f:1=null/"a" f:2=null/"b"`},
		{"newline at the end adds nothing", "a\n", Plain(), `f:1=null/"a"`},
		{"nothing is no record", "", Plain(), ``},
		{"blank line is an empty value", "a\n\nb\n", Plain(), `f:1=null/"a" f:2=null/"" f:3=null/"b"`},
		{"blank lines dropped still count as lines", "\na\n\nb\n\n", with(func(o *Options) { o.SkipEmpty = true }), `f:2=null/"a" f:4=null/"b"`},
		{"carriage return is data", "a\r\nb\r", Plain(), `f:1=null/"a\r" f:2=null/"b\r"`},
		{"NUL is data", "a\x00b\n", Plain(), `f:1=null/"a\x00b"`},
		{"first key delimiter splits", "k:v:w\n", with(colon), `f:1="k"/"v:w"`},
		{"no key delimiter is a null key", "kv\n:v\nk:\n", with(colon), `f:1=null/"kv" f:2=""/"v" f:3="k"/""`},
		{"fixed key only where the line brings none", "a:1\n2\n:3\n", with(func(o *Options) { colon(o); o.Key = []byte("K") }), `f:1="a"/"1" f:2="K"/"2" f:3=""/"3"`},
		{"null token in key and value", "N:N\nN\nNN:N \n", with(func(o *Options) { colon(o); o.Null = []byte("N") }), `f:1=null/null f:2=null/null f:3="NN"/"N "`},
		{"empty null token", "k:\n\n", with(func(o *Options) { colon(o); o.Null = []byte{} }), `f:1="k"/null f:2=null/null`},
		{"a key brought as null stays null", "N:v\n", with(func(o *Options) { colon(o); o.Null = []byte("N"); o.Key = []byte("K") }), `f:1=null/"v"`},
		{"many-byte key delimiter", "a=>b=>c\n", with(func(o *Options) { o.KeyDelim = []byte("=>") }), `f:1="a"/"b=>c"`},
		{"other delimiters number records", "a;b\n;c", with(func(o *Options) { o.Delim = []byte(";") }), `f:record 1=null/"a" f:record 2=null/"b\n" f:record 3=null/"c"`},
		{"many-byte delimiter", "a##b#c##", with(func(o *Options) { o.Delim = []byte("##") }), `f:record 1=null/"a" f:record 2=null/"b#c"`},
		{"overlapping delimiter takes the first", "aabaaab", with(func(o *Options) { o.Delim = []byte("aab") }), `f:record 1=null/"" f:record 2=null/"a"`},
		{"hex value", "6162\nzz\n", with(func(o *Options) { o.ValueAs = fromHex }), `f:1=null/"ab" f:2!value: not hex: invalid byte: U+007A 'z'`},
		{"base64 key", "YWI=:x\nYWI:y\n", with(func(o *Options) { colon(o); o.KeyAs = fromBase64 }), `f:1="ab"/"x" f:2="ab"/"y"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"at once":     strings.NewReader(c.in),
				"bytewise":    iotest.OneByteReader(strings.NewReader(c.in)),
				"data at EOF": iotest.DataErrReader(strings.NewReader(c.in)),
			} {
				if got := strings.Join(all(t, c.o, from("f", r)), " "); got != c.want {
					t.Errorf("%s: got  %s\nwant %s", name, got, c.want)
				}
			}
		})
	}
}

func TestRecordNeverSpansFiles(t *testing.T) {
	got := strings.Join(all(t, Plain(), text("a", "1\n2"), text("b", ""), text("c", "3\n"), text("d", "\n4")), " ")
	if want := `a:1=null/"1" a:2=null/"2" c:1=null/"3" d:1=null/"" d:2=null/"4"`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDelimiterOverASeamOfFilesIsNone(t *testing.T) {
	got := strings.Join(all(t, with(func(o *Options) { o.Delim = []byte("##") }), text("a", "1#"), text("b", "#2")), " ")
	if want := `a:record 1=null/"1#" b:record 1=null/"#2"`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLongLinePassesAndTheNextIsWhole(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	l := NewLines([]File{text("f", "a\n"+long+"\nb\n")}, Plain())
	defer l.Close()
	var r record.Record
	for _, want := range []string{"a", long, "b"} {
		if _, err := pull(t, l, &r); err != nil || string(r.Value) != want {
			t.Fatalf("got %d bytes and %v, want %d bytes", len(r.Value), err, len(want))
		}
	}
	if _, err := pull(t, l, &r); err != io.EOF {
		t.Fatal(err)
	}
	if cap(l.carry) > 4*blockSize {
		t.Errorf("%d bytes kept after a long line", cap(l.carry))
	}
}

func TestTooLongARecordIsNamedAndPassed(t *testing.T) {
	for _, delim := range []string{"\n", "##"} {
		for size := 5; size < 20; size++ {
			in := "ok" + delim + strings.Repeat("#", size%2) + strings.Repeat("y", size) + delim + "fine" + delim
			for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
				got := all(t, with(func(o *Options) { o.Delim = []byte(delim); o.Max = 4 }), from("f", r))
				if len(got) != 3 || !strings.Contains(got[1], fmt.Sprintf("record of %d bytes: longer than 4", size+size%2)) || !strings.HasSuffix(got[2], `"fine"`) {
					t.Fatalf("delimiter %q, %d bytes: %q", delim, size, got)
				}
			}
		}
	}
}

func TestHugeRecordIsNotStored(t *testing.T) {
	in := io.MultiReader(io.LimitReader(zeros{}, 64<<20), strings.NewReader("\nend"))
	l := NewLines([]File{from("f", in)}, with(func(o *Options) { o.Max = 1 << 20 }))
	defer l.Close()
	var r record.Record
	var bad *produce.RecordError
	if _, err := pull(t, l, &r); !errors.As(err, &bad) || bad.Line != 1 {
		t.Fatal(err)
	}
	if cap(l.carry) > 4<<20 {
		t.Errorf("%d bytes held of a record longer than 1 MiB", cap(l.carry))
	}
	if _, err := pull(t, l, &r); err != nil || string(r.Value) != "end" {
		t.Fatalf("%q %v", r.Value, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReadErrorNamesTheFileAfterWhatWasRead(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("a\nhalf"), iotest.ErrReader(errors.New("disk on fire")))
	got := strings.Join(all(t, Plain(), from("f", broken), text("g", "never\n")), " ")
	if want := `f:1=null/"a" f: disk on fire`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnyDelimiterAnySeam(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var in []byte
		for range rng.IntN(60) {
			in = append(in, "ab"[rng.IntN(2)])
		}
		delim := []byte([]string{"a", "ab", "aab", "bab", "aa"}[rng.IntN(5)])
		var want []string
		rest, n := in, 0
		for len(rest) > 0 {
			raw, after, _ := bytes.Cut(rest, delim)
			n++
			want = append(want, fmt.Sprintf("f:record %d=null/%q", n, raw))
			rest = after
		}
		got := all(t, with(func(o *Options) { o.Delim = delim }), from("f", &ragged{in, rng}))
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("%q by %q:\ngot  %s\nwant %s", in, delim, got, want)
		}
	}
}

// ragged reads a few bytes at a time.
type ragged struct {
	b   []byte
	rng *rand.Rand
}

func (r *ragged) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b[:min(len(r.b), 1+r.rng.IntN(4))])
	r.b = r.b[n:]
	return n, nil
}

func TestRecordsArriveBeforeTheInputEnds(t *testing.T) {
	pr, pw := io.Pipe()
	l := NewLines([]File{from("f", pr)}, Plain())
	defer l.Close()
	var r record.Record
	if _, err := l.Next(&r); err != produce.ErrIdle {
		t.Fatalf("an empty pipe gives %v", err)
	}
	for _, line := range []string{"one", "two"} {
		if _, err := io.WriteString(pw, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := pull(t, l, &r); err != nil || string(r.Value) != line {
			t.Fatalf("%q %v", r.Value, err)
		}
	}
	_ = pw.Close()
	if _, err := pull(t, l, &r); err != io.EOF {
		t.Fatal(err)
	}
}

func TestFilesAreCheckedBeforeAnythingIsRead(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if err := os.WriteFile(good, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Files([]string{good, filepath.Join(dir, "missing")}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Files([]string{dir}, nil); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("directory: %v", err)
	}
	if _, err := Files([]string{"-", "-"}, nil); err == nil {
		t.Error("stdin twice: no error")
	}
	files, err := Files([]string{good, "-"}, strings.NewReader("y"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(all(t, Plain(), files...), " "); got != good+`:1=null/"x" stdin:1=null/"y"` {
		t.Error(got)
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{`a`: "a", `\n\r\t\0\\`: "\n\r\t\x00\\", `\x00\xFfz`: "\x00\xffz", `é`: "é"} {
		if got, err := Unescape(in); err != nil || string(got) != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{`\`, `a\`, `\q`, `\x`, `\x1`, `\xg0`} {
		if _, err := Unescape(in); err == nil {
			t.Errorf("%q: no error", in)
		}
	}
}

func BenchmarkLines(b *testing.B) {
	data := bytes.Repeat([]byte(strings.Repeat("v", 100)+"\n"), 10_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		l := NewLines([]File{from("f", bytes.NewReader(data))}, Plain())
		var r record.Record
		n := 0
		for {
			_, err := l.Next(&r)
			if err == produce.ErrIdle {
				<-l.Ready()
				continue
			}
			if err != nil {
				break
			}
			n++
		}
		if n != 10_000 {
			b.Fatal(n)
		}
		l.Close()
	}
}
