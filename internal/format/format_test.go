package format

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/record"
)

func sample() *record.Record {
	h := record.Headers{}.Append([]byte("a"), []byte("1")).Append([]byte("n"), nil).Append([]byte("a"), []byte{0xff})
	return &record.Record{Topic: "orders", Partition: 3, Offset: 42, Timestamp: 1795442700123, LeaderEpoch: 7,
		Key: []byte("k\"1"), Value: []byte("\x02\x00\x00\x00\x03abc"), Headers: h}
}

func mustCompile(t testing.TB, format string) *Program {
	t.Helper()
	p, err := Compile(format, time.FixedZone("", 3600))
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return p
}

func TestTokensAndModifiers(t *testing.T) {
	null := &record.Record{Timestamp: record.NoTimestamp, LeaderEpoch: -1}
	for _, c := range []struct {
		format string
		r      *record.Record
		want   string
	}{
		{`%t:%p:%o %k`, sample(), `orders:3:42 k"1`},
		{`%T %e %K %S %H`, sample(), "1795442700123 7 3 8 3"},
		{`%v`, sample(), "\x02\x00\x00\x00\x03abc"},
		{`%R`, sample(), "\x00\x00\x00\x08"},
		{`%h`, sample(), "a=1,n=NULL,a=\xff"},
		{`%h{a} %h{a}{hex} %h{none}|%h{n}|`, sample(), "\xff ff ||"},
		{`%h{n}{json}%h{a}{json}`, sample(), `null{"base64":"/w=="}`},
		{`%H{block}`, sample(), "\x06\x02a\x021\x02n\x01\x02a\x02\xff"},
		{`%H{block}`, null, "\x00"},
		{`%k{hex} %k{base64} %k{json} %t{json}`, sample(), `6b2231 ayIx "k\"1" "orders"`},
		{`%T{rfc3339}`, sample(), "2026-11-23T15:05:00.123+01:00"},
		{`%T{%Y-%m-%d %H:%M:%S}`, sample(), "2026-11-23 15:05:00"},
		{`%T{rfc3339} %T{%F} %T`, null, "-1 -1 -1"},
		{`%K{big32}%S{little16}%S{varint}%p{big8}%o{little64}`, sample(), "\x00\x00\x00\x03\x08\x00\x10\x03\x2a\x00\x00\x00\x00\x00\x00\x00"},
		{`%K %S %R`, null, "-1 -1 \xff\xff\xff\xff"},
		{`%K{big8}%S{varint}`, null, "\xff\x01"},
		{`%k%s%k{hex}%k{json}%e`, null, "null-1"},
		{`%s{unpack:u8 >i32 str}`, sample(), `2 3 "abc"`},
		{`%s{unpack:<u8 u32 hex3}`, sample(), `2 50331648 0x616263`},
		{`%s{unpack:i64}`, sample(), "144115188132569699"},
		{`%s{unpack:i16}`, sample(), "!0x0200000003616263"},
		{`%s{unpack:i16}`, null, "null"},
		{`a\tb\n\r\0\\\x41%%\x7b%%{hex}`, sample(), "a\tb\n\r\x00\\A%{%{hex}"},
		{`%k\x7bx`, sample(), `k"1{x`},
		{`%h{\x61}{hex}`, sample(), "ff"},
	} {
		p := mustCompile(t, c.format)
		if got := string(p.Append([]byte(">"), c.r)); got != ">"+c.want {
			t.Errorf("%s: %q, want %q", c.format, got, c.want)
		}
	}
}

func TestFormatsAreRefusedWithThePlaceOfTheFault(t *testing.T) {
	for _, c := range []struct {
		format string
		at     int
		msg    string
	}{
		{`%k %q`, 4, `"%q" is no token`},
		{`abc%`, 4, "a lone %"},
		{`ab\`, 3, "a lone backslash"},
		{`ab\q`, 3, `"q" is no escape`},
		{`\x4`, 1, "two hexadecimal digits"},
		{`%k{hxe}`, 4, `"hxe" is no modifier of %k`},
		{`%k {x} %s{hex`, 10, "does not end"},
		{`%p{hex}`, 4, `"hex" is no modifier of %p`},
		{`%s{big32}`, 4, `"big32" is no modifier of %s`},
		{`%K{big24}`, 4, `"big24" is no modifier`},
		{`%R{big32}`, 4, "%R takes no modifier"},
		{`%k{hex}{hex}`, 8, "one modifier"},
		{`%h{}`, 4, "wants a header's name"},
		{`%T{%Q}`, 4, `"%Q" is no part of a time`},
		{`%T{}`, 4, `"" is no modifier`},
		{`%s{unpack:i32 i33}`, 15, `"i33" is no field`},
		{`%s{unpack:str i8}`, 15, "nothing can follow"},
		{`%s{unpack:}`, 11, "wants a layout"},
	} {
		_, err := Compile(c.format, time.UTC)
		var se *SyntaxError
		if !errors.As(err, &se) || se.At != c.at || !strings.Contains(se.Msg, c.msg) {
			t.Errorf("%s: %v, want column %d: …%s…", c.format, err, c.at, c.msg)
		}
	}
}

func TestAmbiguousFormatsAreNotRead(t *testing.T) {
	for _, c := range []struct {
		format string
		at     int // 0: it is read
		msg    string
	}{
		{`%k %s\n`, 0, ""},
		{`%k\n%s\n`, 0, ""},
		{`%p:%o:%T %s{hex}\n`, 0, ""},
		{`%S %s`, 0, ""},
		{`%R%s`, 0, ""},
		{`%K{varint}%S{varint}%H{block}%T{big64}%k%s`, 0, ""},
		{`%s{json}`, 0, ""},
		{`%p-%o %s\n`, 0, ""},
		{`%s\t%S\n`, 0, ""},
		{`%T{%F %T} %s\n`, 0, ""},
		{`%k%s\n`, 1, "where %k ends"},
		{`%s`, 1, "where %s ends"},
		{`%k %s`, 4, "where %s ends"},
		{`%S%s`, 1, `may begin with '0'`},
		{`%p%o %s\n`, 1, "where %p ends"},
		{`%p0%s\n`, 1, `may begin with '0'`},
		{`%s{hex}%p\n`, 1, "where %s{hex} ends"},
		{`%s{base64}=\n`, 1, "may begin with '='"},
		{`%t-%p %s\n`, 1, "may begin with '-'"},
		{`%S{big32}%s%p`, 12, "where %p ends"},
		{`%T{%s}%s{hex}\n`, 1, "may begin with"},
		{`%T{%H:%M} %s\n`, 1, "does not tell the day"},
		{`%T{%Y-%m-%d %Z} %s\n`, 1, "%Z is only for printing"},
		{`%T{%y-%m-%d} %s\n`, 1, "%y leaves the century open"},
		{`%T{%D %T} %s\n`, 1, "%D leaves the century open"},
		{`%T{%F %I:%M} %s\n`, 1, "half of the day"},
		{`%T{%F :%M} %s\n`, 1, "the hour"},
		{`%T{%F %H.%S} %s\n`, 1, "the minute"},
		{`%T{%F %R.%f} %s\n`, 1, "the second"},
		{`%T{%s %H} %s\n`, 1, "%s and %H do not go together"},
		{`%T{%F %p} %s\n`, 1, "the hour of %I"},
		{`%T{%F %H %I%p} %s\n`, 1, "the hour twice"},
		{`%T{%F %j} %s\n`, 1, "the day twice"},
		{`%T{%k%F} %s\n`, 1, "run into one another"},
		{`%T{%F%s%f} %s\n`, 1, "run into one another"},
		{`%s %s\n`, 4, "says again"},
		{`%S %R%s\n`, 4, "says again"},
		{`%h %s\n`, 1, "%h cannot be read back"},
		{`%H{block}%h{a} %s\n`, 10, "already"},
		{`%h{a} %H{block}%s\n`, 7, "already"},
		{`%k\n`, 5, "no %s"},
	} {
		_, err := mustCompile(t, c.format).Parser()
		var se *SyntaxError
		if c.at == 0 {
			if err != nil {
				t.Errorf("%s: %v", c.format, err)
			}
		} else if !errors.As(err, &se) || se.At != c.at || !strings.Contains(se.Msg, c.msg) {
			t.Errorf("%s: %v, want column %d: …%s…", c.format, err, c.at, c.msg)
		}
	}
}

func TestNumbersThatDoNotFitAreFound(t *testing.T) {
	for _, c := range []struct {
		format string
		size   int
		fits   bool
	}{
		{`%S{big8}%s`, 254, true}, {`%S{big8}%s`, 255, false}, {`%S{little16}%s`, 65534, true},
		{`%S{little16}%s`, 65535, false}, {`%R%s`, 70000, true}, {`%S{varint}%s`, 70000, true},
	} {
		p := mustCompile(t, c.format)
		err := p.Check(&record.Record{Value: make([]byte, c.size)})
		var re *RangeError
		if errors.As(err, &re) == c.fits {
			t.Errorf("%s, %d bytes: %v", c.format, c.size, err)
		}
	}
	if err := mustCompile(t, `%T{big32}`).Check(&record.Record{Timestamp: -2}); err == nil {
		t.Error("a time before 1970 in 32 bits")
	}
	var misfit *MisfitError
	if err := mustCompile(t, `%s{unpack:i32}`).Check(&record.Record{Value: []byte("abc")}); !errors.As(err, &misfit) {
		t.Errorf("three bytes as i32: %v", err)
	}
}

func TestDamagedInputIsRefused(t *testing.T) {
	for _, c := range []struct{ format, in, want string }{
		{`%S %s`, "5 abc", "the input ends in it"},
		{`%S %s`, "-2 abc", "a length of -2 bytes"},
		{`%S %s`, "99999999999 abc", "a length of 99999999999 bytes"},
		{`%S{big64}%s`, "\x7f\xff\xff\xff\xff\xff\xff\xffabc", "a length of"},
		{`%S{varint}%s`, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "no variable-length integer"},
		{`%H{block}%S %s`, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "the input ends in it"},
		{`%H{block}%S %s`, "\x01", "below 0"},
		{`%H{block}%S %s`, "\x02\x01\x00", "no length of a header's name"},
		{`%S{big8}%s|`, "\x01aX", `column 3: "|": wanted, found "X"`},
		{`%p:%S{big8}%s`, "x:\x01a", "column 1: %p: wanted, found"},
		{`%p:%S{big8}%s`, "4294967296:\x01a", "is no partition"},
		{`%S{big8}%s{hex}`, "\x01zz", "hexadecimal"},
		{`%s{json}%S{big8}`, `"abc"` + "\x02", "its length says 2"},
		{`%s{json}%S{big8}`, `{"b":"abc"}` + "\x02", "base64"},
		{`%s{json}%S{big8}`, `12` + "\x02", "want null"},
	} {
		q, err := mustCompile(t, c.format).Parser()
		if err != nil {
			t.Fatalf("%s: %v", c.format, err)
		}
		var r record.Record
		_, err = q.Next([]byte(c.in), true, &r)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %q: %v, want …%s…", c.format, c.in, err, c.want)
		}
	}
}

func TestTheLastRecordMayLackItsEnd(t *testing.T) {
	q, err := mustCompile(t, `%S{big8}%s\n`).Parser()
	if err != nil {
		t.Fatal(err)
	}
	var r record.Record
	if n, err := q.Next([]byte("\x02a\n"), true, &r); err != nil || n != 3 || string(r.Value) != "a\n" {
		t.Errorf("%d, %v, %q", n, err, r.Value)
	}
}

func TestPrintingTakesNoMemory(t *testing.T) {
	r := sample()
	for _, format := range []string{
		`%t:%p:%o %k %s %T %h %K %S %R %e %H\n`, `%k{hex}%k{base64}%s{json}%t{json}%T{rfc3339}%h{a}{hex}%H{block}%S{varint}%K{big32}`,
		`%s{unpack:u8 >i32 str} %T{%Y-%m-%d %H:%M:%S}`,
	} {
		p := mustCompile(t, format)
		dst := make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(100, func() {
			if p.Checks() {
				_ = p.Check(r)
			}
			dst = p.Append(dst[:0], r)
		}); n != 0 {
			t.Errorf("%s: %v allocations", format, n)
		}
	}
}

func TestReadingBinaryTakesNoMemory(t *testing.T) {
	p := mustCompile(t, `%p{big32}%T{big64}%K{varint}%S{varint}%H{block}%k%s`)
	q, err := p.Parser()
	if err != nil {
		t.Fatal(err)
	}
	in := p.Append(nil, sample())
	var r record.Record
	if n := testing.AllocsPerRun(100, func() { _, err = q.Next(in, false, &r) }); n != 0 || err != nil {
		t.Errorf("%v allocations, %v", n, err)
	}
}

func TestWhatRecordsHoldIsShownOnATerminalAndTheFormatIsNot(t *testing.T) {
	p := mustCompile(t, `\x1b[1m%k\x1b[0m %S{big8}\n`)
	mark := func(dst, b []byte) []byte {
		return append(append(append(dst, '<'), bytes.ReplaceAll(b, []byte{0}, []byte("0"))...), '>')
	}
	if got, want := string(p.Shown(mark)(nil, &record.Record{Key: []byte("k"), Value: []byte{}})), "\x1b[1m<k>\x1b[0m <0>\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(`%t %p{big8} %k{json}\x00%s{unpack:<i32 str16}%T{%Y-%m-%d}%h{a}{hex}%%`, []byte("a b\n"))
	f.Add(`%S{varint}%s%H{block}`, []byte("\x04ab\x00"))
	f.Add(`%k %s\n`, []byte("k v\n"))
	f.Fuzz(func(t *testing.T, format string, in []byte) {
		p, err := Compile(format, time.UTC)
		if err != nil {
			return
		}
		r := sample()
		if _, bad := p.Check(r).(*RangeError); !bad {
			p.Append(nil, r)
		}
		q, err := p.Parser()
		if err != nil {
			return
		}
		if q.Terminator() != nil {
			var got record.Record
			_ = q.Line(in, &got)
			return
		}
		for len(in) > 0 {
			var got record.Record
			n, err := q.Next(in, true, &got)
			if err != nil {
				return
			}
			if n <= 0 || n > len(in) {
				t.Fatalf("%s took %d of %d bytes", format, n, len(in))
			}
			in = in[n:]
		}
	})
}

func benchRecord() *record.Record {
	return &record.Record{Topic: "orders", Partition: 3, Offset: 1234567, Timestamp: 1795442700123, Key: []byte("key-12"), Value: bytes.Repeat([]byte("x"), 100)}
}

func BenchmarkAppendText(b *testing.B) {
	p, r := mustCompile(b, `%t %p %o %k %s\n`), benchRecord()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = p.Append(dst[:0], r)
	}
}

func BenchmarkNextBinary(b *testing.B) {
	p := mustCompile(b, `%p{big32}%T{big64}%K{varint}%S{varint}%H{block}%k%s`)
	q, err := p.Parser()
	if err != nil {
		b.Fatal(err)
	}
	in := p.Append(nil, benchRecord())
	var r record.Record
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Next(in, false, &r); err != nil {
			b.Fatal(err)
		}
	}
}
