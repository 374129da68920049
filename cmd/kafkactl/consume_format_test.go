//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"kafkactl/internal/consume"
	"kafkactl/internal/format"
	"kafkactl/internal/jsonl"
	"kafkactl/internal/record"
)

// What -J and -f show on a terminal stays within its line, and JSON says there
// what it says in a pipe.
func TestTerminalGetsNoRawBytesFromFormats(t *testing.T) {
	brokers := stageTopic(t, hostile)
	for _, c := range []struct {
		args  []string
		until string
	}{
		{[]string{"consume", "t", "-J"}, ""},
		{[]string{"tail", "t", "-J", "-q"}, `"//4="`},
		{[]string{"consume", "t", "-f", `%o %S{big32}%k %s\n`}, ""},
		{[]string{"tail", "t", "-q", "-f", `%s<%o>\n`}, `<8>`},
	} {
		got := onTerminal(t, kafkactlCmd(t, brokers, c.args...), 200, c.until)
		lines := strings.Split(strings.TrimRight(got, "\r\n"), "\r\n")
		if len(lines) < len(hostile) {
			t.Errorf("%v: %d lines of %d records", c.args, len(lines), len(hostile))
		}
		for _, line := range lines {
			line = ownColours.ReplaceAllString(line, "")
			if shown := string(appendVisible(nil, []byte(line))); shown != line {
				t.Errorf("%v: the terminal got %q", c.args, line)
			}
		}
	}
	got := onTerminal(t, kafkactlCmd(t, brokers, "consume", "t", "-J"), 200, "")
	var d jsonl.Decoder
	for i, line := range strings.Split(strings.TrimSpace(ownColours.ReplaceAllString(got, "")), "\r\n") {
		var r record.Record
		if err := d.Decode([]byte(line), &r); err != nil || string(r.Value) != hostile[i] {
			t.Errorf("%s: %q, %v, want %q", line, r.Value, err, hostile[i])
		}
	}
	raw := onTerminal(t, kafkactlCmd(t, brokers, "consume", "t", "-f", `%s\n`, "--raw"), 200, "")
	if !strings.Contains(raw, hostile[0]) {
		t.Errorf("--raw: %q", raw)
	}
}

// What --select makes is JSON, and looks like it.
func TestResultsAreColouredAndFoldedOnATerminal(t *testing.T) {
	brokers := stageTopic(t, []string{`{"n":1,"s":"` + strings.Repeat("long ", 20) + `"}`})
	pal := newPalette(true)
	got := onTerminal(t, kafkactlCmd(t, brokers, "consume", "t", "--select", ".value.n, .value"), 40, "")
	if !strings.HasPrefix(got, pal.tokens[tokenNumber].s("1")+"\r\n{"+pal.tokens[tokenName].s(`"n"`)+":") || strings.Count(got, "\n") != 2 {
		t.Errorf("%q", got)
	}
	got = ownColours.ReplaceAllString(onTerminal(t, kafkactlCmd(t, brokers, "consume", "t", "--select", ".value", "--wrap"), 40, ""), "")
	lines := strings.Split(strings.TrimSpace(got), "\r\n")
	for i, line := range lines {
		if len(line) > 40 || i > 0 && !strings.HasPrefix(line, "  ") {
			t.Errorf("folded at 40 columns: %q", line)
		}
	}
	if len(lines) != 3 {
		t.Errorf("%q", got)
	}
}

func FuzzVisibleJSON(f *testing.F) {
	f.Add("a\x7f\u009b\u202e\U000e0041\u2028é😀\"\\\n")
	f.Fuzz(func(t *testing.T, in string) {
		in = strings.ToValidUTF8(in, "")
		line := jsonl.AppendBytes(nil, []byte(in))
		out := appendVisibleJSON(nil, line)
		for _, r := range string(out) {
			if unicode.IsControl(r) || misleads(r) {
				t.Fatalf("%q became %q", in, out)
			}
		}
		var back string
		if err := json.Unmarshal(out, &back); err != nil || back != in {
			t.Fatalf("%q became %q, read as %q, %v", in, out, back, err)
		}
	})
}

// keptSink keeps what came and was flushed.
type keptSink struct {
	got, skipped, flushed int
}

func (s *keptSink) Record(context.Context, *record.Record, consume.Mark) error { s.got++; return nil }
func (s *keptSink) Skip(consume.Mark)                                          { s.skipped++ }
func (s *keptSink) Flush(context.Context) error                                { s.flushed = s.got; return nil }

func TestRecordsAFormatCannotShowAreNeverPrintedWrong(t *testing.T) {
	for _, c := range []struct {
		name, format       string
		strict, keepGoing  bool
		got, skipped, mask int // mask: misfits
		fails              bool
	}{
		{"a length too large ends the run", `%S{big8}%s`, false, false, 1, 0, 0, true},
		{"or is passed", `%S{big8}%s`, false, true, 2, 1, 0, false},
		{"bytes of another layout are counted", `%s{unpack:i8}`, false, false, 3, 0, 2, false},
		{"or end the run", `%s{unpack:i8}`, true, false, 1, 0, 0, true},
		{"other formats show all", `%S %s`, true, false, 3, 0, 0, false},
	} {
		p, err := format.Compile(c.format, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		l := &language{program: p, amiss: new(amiss)}
		kept := new(keptSink)
		s := l.guard(kept, c.strict, c.keepGoing)
		for _, size := range []int{1, 300, 2} {
			if err = s.Record(t.Context(), &record.Record{Topic: "t", Offset: 5, Value: make([]byte, size)}, consume.Mark{}); err != nil {
				break
			}
		}
		var re *format.RangeError
		var me *format.MisfitError
		if (err != nil) != c.fails || c.fails && !errors.As(err, &re) && !errors.As(err, &me) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.fails && kept.flushed != kept.got {
			t.Errorf("%s: %d of %d records were flushed", c.name, kept.flushed, kept.got)
		}
		if kept.got != c.got || kept.skipped != c.skipped || int(l.amiss.misfits.Load()) != c.mask {
			t.Errorf("%s: %d records, %d skipped, %d misfits", c.name, kept.got, kept.skipped, l.amiss.misfits.Load())
		}
	}
}
