package format

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/record"
)

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

var numbers = []string{"", "", "{big64}", "{little64}", "{varint}"}

// randomFormat is a format that may or may not be read back.
func randomFormat(rng *rand.Rand) string {
	sizes := []string{"{big32}", "{little32}", "{varint}", "{big64}", "", "{little16}"}
	text := []string{"", "", "{hex}", "{base64}", "{json}", "{unpack:<i32 u8 str16}", "{unpack:hex}", "{unpack:varint f64 str}"}
	parts := []string{"%s" + pick(rng, text...)}
	if rng.IntN(2) == 0 {
		parts = append(parts, "%k"+pick(rng, text...))
	}
	for _, more := range []string{"%p" + pick(rng, numbers...), "%o" + pick(rng, numbers...), "%e" + pick(rng, numbers...),
		"%t" + pick(rng, "", "{json}"), "%H" + pick(rng, "", "{big16}"), "%H{block}", "%h{a}" + pick(rng, text...), "%h{b-c}{hex}",
		"%T" + pick(rng, append(numbers, "{rfc3339}", "{rfc3339}", "{%Y-%m-%d %H:%M:%S.%f%z}", "{%s}", "{%d %B %Y}")...),
		"%S" + pick(rng, sizes...), "%K" + pick(rng, sizes...), "%S" + pick(rng, sizes...), "%K" + pick(rng, sizes...), "%R"} {
		if rng.IntN(4) == 0 {
			parts = append(parts, more)
		}
	}
	rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p)
		if rng.IntN(5) > 0 {
			b.WriteString(pick(rng, `\t`, " | ", `\n`, ";", `\x00\xff`, "%%"))
		}
	}
	if rng.IntN(2) == 0 {
		b.WriteString(`\n`)
	}
	return b.String()
}

// tame are bytes that no literal of randomFormat has.
func tame(rng *rand.Rand) []byte {
	b := make([]byte, rng.IntN(12))
	for i := range b {
		b[i] = pick(rng, []byte("abz019-:=,{}\"\\\r\xfe\xc3\xa9")...)
	}
	return b
}

func wild(rng *rand.Rand) []byte {
	b := make([]byte, rng.IntN(40))
	for i := range b {
		b[i] = byte(rng.UintN(256))
		if rng.IntN(2) == 0 {
			b[i] = pick(rng, []byte("\x00\xff\t\n|;% \"\\-0az")...)
		}
	}
	return b
}

// randomRecord is one that can be printed so that it comes back: text whose end
// only the literal behind it tells is tame.
func randomRecord(rng *rand.Rand, format string) *record.Record {
	data := func(v verb) []byte {
		if rng.IntN(6) == 0 {
			return nil
		}
		if v == 0 {
			return tame(rng)
		}
		return wild(rng)
	}
	p, err := Compile(format, time.UTC)
	if err != nil {
		panic(err)
	}
	q, err := p.Parser()
	if err != nil {
		panic(err)
	}
	how := func(v verb) verb {
		for i := range q.steps {
			if s := &q.steps[i]; s.verb == v && (s.how == byNext || s.how == byEnd) {
				return 0
			}
		}
		return v
	}
	r := &record.Record{Topic: "orders.v2_x", Partition: rng.Int32N(1 << 20), Offset: rng.Int64(), LeaderEpoch: rng.Int32() - 1,
		Timestamp: pick(rng, rng.Int64(), -rng.Int64(), rng.Int64N(4e12), record.NoTimestamp, -62135596800000)}
	r.Key, r.Value = data(how(key)), data(how(value))
	if strings.Contains(format, "%T{%") {
		r.Timestamp = rng.Int64N(4e12) / 1000 * 1000
		if strings.Contains(format, "%B") {
			r.Timestamp = r.Timestamp/86400000*86400000 - 5400000 // midnight in the test's zone
		}
	}
	for i := range q.steps {
		if s := &q.steps[i]; s.verb == oneHeader {
			r.Headers = r.Headers.Append(s.text, data(how(oneHeader)))
		}
	}
	if how(headerBlock) == headerBlock && !strings.Contains(format, "%h{") {
		for range rng.IntN(4) {
			r.Headers = r.Headers.Append(wild(rng), data(1))
		}
	}
	return r
}

var modifiers = regexp.MustCompile(`\{[^}]*\}`)

func has(format, token string) bool { return strings.Contains(format, token) }

// same compares what a format shows.
func same(format string, got, want *record.Record) error {
	part := func(name, letter, sizes string, got, want []byte) error {
		bare := modifiers.ReplaceAllString(format, "")
		exact := has(format, letter+"{json}") || has(format, letter+"{unpack") || has(bare, "%"+sizes[:1]) || has(bare, "%"+sizes[1:])
		if !bytes.Equal(got, want) || exact && (got == nil) != (want == nil) {
			return fmt.Errorf("%s %q, want %q", name, got, want)
		}
		return nil
	}
	if err := part("value", "%s", "SR", got.Value, want.Value); err != nil {
		return err
	}
	if has(format, "%k") {
		if err := part("key", "%k", "KK", got.Key, want.Key); err != nil {
			return err
		}
	}
	if has(format, "%p") && got.Partition != want.Partition || has(format, "%o") && got.Offset != want.Offset ||
		has(format, "%e") && got.LeaderEpoch != want.LeaderEpoch || has(format, "%T") && got.Timestamp != want.Timestamp {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	if has(format, "%H{block}") && !bytes.Equal(got.Headers.Raw, want.Headers.Raw) {
		return fmt.Errorf("headers %q, want %q", got.Headers.Raw, want.Headers.Raw)
	}
	for name, v := range got.Headers.All() {
		for other, w := range want.Headers.All() {
			if string(name) == string(other) && has(format, "%h{") && !bytes.Equal(v, w) {
				return fmt.Errorf("header %s is %q, want %q", name, v, w)
			}
		}
	}
	return nil
}

// A format that is not refused is read back as it was printed, record by record,
// however the input is cut.
func TestWhatIsPrintedIsReadBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	read, framed := 0, 0
	for read < 6000 {
		format := randomFormat(rng)
		p, err := Compile(format, time.FixedZone("x", 5400))
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		q, err := p.Parser()
		if err != nil {
			continue
		}
		read++
		var want []*record.Record
		var out []byte
		for range 1 + rng.IntN(4) {
			r := randomRecord(rng, format)
			if err, ok := p.Check(r).(*RangeError); ok {
				t.Fatalf("%s: %v", format, err)
			}
			want = append(want, r)
			out = p.Append(out, r)
		}
		if q.Terminator() != nil {
			framed++
			lines := bytes.Split(out, q.Terminator())
			if len(lines) != len(want)+1 {
				t.Fatalf("%s: %d lines of %q", format, len(lines), out)
			}
			for i, w := range want {
				var got record.Record
				if err := q.Line(lines[i], &got); err != nil {
					t.Fatalf("%s: %v in %q", format, err, lines[i])
				}
				if err := same(format, &got, w); err != nil {
					t.Fatalf("%s: %q: %v", format, lines[i], err)
				}
			}
			continue
		}
		rest := out
		for _, w := range want {
			var got record.Record
			n, err, seen := 0, ErrMore, 0
			for err == ErrMore {
				seen = min(len(rest), seen+1+rng.IntN(9))
				n, err = q.Next(bytes.Clone(rest[:seen]), seen == len(rest), &got)
			}
			if err != nil {
				t.Fatalf("%s: %v in %q", format, err, rest)
			}
			if err := same(format, &got, w); err != nil {
				t.Fatalf("%s: %q: %v", format, rest[:n], err)
			}
			rest = rest[n:]
		}
		if len(rest) > 0 {
			t.Fatalf("%s: %q is left", format, rest)
		}
	}
	t.Logf("%d formats, %d of them framed", read, framed)
	if framed < read/50 || framed == read {
		t.Errorf("%d of %d formats framed", framed, read)
	}
}
