package offsets

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestTargetsParse(t *testing.T) {
	for _, c := range []struct {
		in     string
		topic  string
		parts  []Span
		window Window
	}{
		{"orders", "orders", nil, Window{}},
		{"orders:0", "orders", []Span{{0, 0}}, Window{}},
		{"orders:0,2-4", "orders", []Span{{0, 0}, {2, 4}}, Window{}},
		{"orders:3-3", "orders", []Span{{3, 3}}, Window{}},
		{"orders:0-2147483647", "orders", []Span{{0, 2147483647}}, Window{}},
		{"orders@-10", "orders", nil, Window{From: Position{End, -10}}},
		{"orders:3@100..200", "orders", []Span{{3, 3}}, Window{Position{Absolute, 100}, Position{Absolute, 200}}},
		{"a.b_c-D9@2026-11-23T14:05Z", "a.b_c-D9", nil, Window{From: Position{Time, 1795442700000}}},
	} {
		got, err := ParseTarget(c.in, noon)
		if err != nil || got.Topic != c.topic || got.Regex != nil || !reflect.DeepEqual(got.Parts, c.parts) || got.Window != c.window || got.Text != c.in {
			t.Errorf("%q: %+v, %v", c.in, got, err)
		}
	}
}

func TestRegexTargetsMatchFromTheStart(t *testing.T) {
	for _, c := range []struct {
		in, yes, no string
	}{
		{"^ord", "orders orders-v2 ord", "border words"},
		{"^ord$", "ord", "orders border"},
		{"^a|b", "a b ax bx", "xb xa"},
		{"^", "a orders", "__consumer_offsets"},
		{"^.*offsets", "offsets my-offsets", "__consumer_offsets"},
		{"^_.*", "_schemas", "__consumer_offsets"},
		{"^__", "__consumer_offsets", "_schemas orders"},
		{"^(?i)ORD", "orders", "x"},
		{`^\Qa.b`, "a.b a.bc", "axb"},
		{"^a:0", "a ab", "b"},
		{"^[a-c]:0-1@-5", "a bx", "d"},
	} {
		got, err := ParseTarget(c.in, noon)
		if err != nil || got.Regex == nil {
			t.Errorf("%q: %+v, %v", c.in, got, err)
			continue
		}
		for _, name := range strings.Fields(c.yes) {
			if !got.Matches(name) {
				t.Errorf("%q does not match %s", c.in, name)
			}
		}
		for _, name := range strings.Fields(c.no) {
			if got.Matches(name) {
				t.Errorf("%q matches %s", c.in, name)
			}
		}
	}
	got, err := ParseTarget("^[a-c]:0-1,7@-5", noon)
	if err != nil || !reflect.DeepEqual(got.Parts, []Span{{0, 1}, {7, 7}}) || got.Window.From != (Position{End, -5}) {
		t.Errorf("%+v, %v", got, err)
	}
	if !got.Holds(1) || !got.Holds(7) || got.Holds(2) {
		t.Error("the wrong partitions are held")
	}
}

func TestWrongTargetsNameTheirFault(t *testing.T) {
	for _, c := range []struct {
		in   string
		at   int
		msg  string
		hint string
	}{
		{"", 0, "topic is missing", ""},
		{"@5", 0, "topic is missing", ""},
		{":0", 0, "topic is missing", ""},
		{"orders@", 7, "position is missing", ""},
		{"orders@30s", 7, "begins with -", "-30s"},
		{"orders:", 7, "number is missing", ""},
		{"orders:0,", 9, "number is missing", ""},
		{"orders:,0", 7, "number is missing", ""},
		{"orders:4-2", 7, "upwards", ""},
		{"orders:4-", 9, "number is missing", ""},
		{"orders:-4", 7, "number is missing", ""},
		{"orders:1-2-3", 10, "unexpected \"-\"", ""},
		{"orders:2147483648", 7, "more than a partition", ""},
		{"orders:x", 7, "partitions are numbers", ""},
		{"orders:0:1x", 7, "partitions are numbers", ""},
		{"my topic", 2, "letters, digits", ""},
		{"topic*", 5, "begins with ^", ""},
		{"..", 0, "cannot be", ""},
		{"^a(b", 0, "missing closing", ""},
		{"^ord[", 4, "missing closing ]: [", ""},
		{"^a)|(b", 0, "unexpected )", ""},
		{"orders@1@2", 8, "unexpected", ""},
	} {
		_, err := ParseTarget(c.in, noon)
		var bad *SyntaxError
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v, want a SyntaxError", c.in, err)
			continue
		}
		if !strings.Contains(bad.Msg, c.msg) || bad.Hint != c.hint || (bad.At != c.at && !strings.HasPrefix(c.in, "^a")) {
			t.Errorf("%q: at %d %q hint %q; want at %d %q hint %q", c.in, bad.At, bad.Msg, bad.Hint, c.at, c.msg, c.hint)
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{
		"orders", "orders:0,2-4@100..+5", "^a|b:1@-1h..+15m", "t@stored-5..stored+5", "t@2026-11-23T14:05:06.25+02:00..now",
		"t@1700000000s..1700000000123ms", "t@end-9223372036854775808", "t@max-timestamp-3", "t@30s", "t@-99999999999999999999w..+1d", "t@9007199254740992ms..+1w",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTarget(s, noon)
		if err != nil {
			var bad *SyntaxError
			if !errors.As(err, &bad) || bad.At < 0 || bad.At > len(s) || bad.Msg == "" {
				t.Fatalf("%q: %#v", s, err)
			}
			_ = bad.Error()
			return
		}
		if !got.Window.IsSet() {
			return
		}
		again, err := ParseWindow(got.Window.String(), noon)
		if err != nil || again != got.Window {
			t.Fatalf("%q: %+v prints as %q, which is %+v, %v", s, got.Window, got.Window, again, err)
		}
		if from := got.Window.From; from.IsSet() {
			if again, err := ParsePosition(from.String(), noon); err != nil || again != from {
				t.Fatalf("%q: %+v prints as %q, which is %+v, %v", s, from, from, again, err)
			}
		}
	})
}
