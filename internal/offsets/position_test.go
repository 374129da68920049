package offsets

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// noon is a local time in a zone with half an hour in it, so that a mix-up of
// UTC and local cannot pass.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("IST", 5*3600+1800))

func at(t time.Time) Position { return Position{Time, t.UnixMilli()} }

func TestPositionsParse(t *testing.T) {
	ist := noon.Location()
	for _, c := range []struct {
		in   string
		want Position
	}{
		{"0", Position{Absolute, 0}},
		{"42", Position{Absolute, 42}},
		{"007", Position{Absolute, 7}},
		{"9223372036854775807", Position{Absolute, math.MaxInt64}},
		{"1700000000", Position{Absolute, 1700000000}},
		{"start", Position{Start, 0}},
		{"start+5", Position{Start, 5}},
		{"start-5", Position{Start, -5}},
		{"end", Position{End, 0}},
		{"end-10", Position{End, -10}},
		{"end+10", Position{End, 10}},
		{"stored", Position{Committed, 0}},
		{"stored-5", Position{Committed, -5}},
		{"stored+5", Position{Committed, 5}},
		{"+7", Position{Start, 7}},
		{"-7", Position{End, -7}},
		{"-0", Position{End, 0}},
		{"max-timestamp", Position{MaxTimestamp, 0}},
		{"max-timestamp-3", Position{MaxTimestamp, -3}},
		{"earliest-local", Position{EarliestLocal, 0}},
		{"latest-tiered+1", Position{LatestTiered, 1}},
		{"earliest-pending-upload", Position{EarliestPendingUpload, 0}},
		{"now", at(noon)},
		{"-30s", at(noon.Add(-30 * time.Second))},
		{"-15m", at(noon.Add(-15 * time.Minute))},
		{"-2h", at(noon.Add(-2 * time.Hour))},
		{"-3d", at(noon.Add(-72 * time.Hour))},
		{"-1w", at(noon.Add(-7 * 24 * time.Hour))},
		{"-1h30m", at(noon.Add(-90 * time.Minute))},
		{"-500ms", at(noon.Add(-500 * time.Millisecond))},
		{"-99999w", Position{Time, 0}},
		{"-99999999999999999999w", Position{Time, 0}},
		{"2026-11-23", at(time.Date(2026, 11, 23, 0, 0, 0, 0, ist))},
		{"2026-11-23T14:05", at(time.Date(2026, 11, 23, 14, 5, 0, 0, ist))},
		{"2026-11-23 14:05", at(time.Date(2026, 11, 23, 14, 5, 0, 0, ist))},
		{"2026-11-23T14:05:06", at(time.Date(2026, 11, 23, 14, 5, 6, 0, ist))},
		{"2026-11-23T14:05:06.5", at(time.Date(2026, 11, 23, 14, 5, 6, 5e8, ist))},
		{"2026-11-23T14:05:06.0001", at(time.Date(2026, 11, 23, 14, 5, 6, 1e6, ist))},
		{"2026-11-23T14:05Z", at(time.Date(2026, 11, 23, 14, 5, 0, 0, time.UTC))},
		{"2026-11-23T14:05:06Z", at(time.Date(2026, 11, 23, 14, 5, 6, 0, time.UTC))},
		{"2026-11-23T14:05:06.25+02:00", at(time.Date(2026, 11, 23, 12, 5, 6, 25e7, time.UTC))},
		{"2026-11-23T14:05:06-08:00", at(time.Date(2026, 11, 23, 22, 5, 6, 0, time.UTC))},
		{"1960-01-01", Position{Time, 0}},
		{"1700000000s", Position{Time, 1700000000000}},
		{"1700000000123ms", Position{Time, 1700000000123}},
		{"0000000000001ms", Position{Time, 1}},
	} {
		got, err := ParsePosition(c.in, noon)
		if err != nil || got != c.want {
			t.Errorf("%q: %+v, %v; want %+v", c.in, got, err, c.want)
		}
	}
}

func TestWindowsParse(t *testing.T) {
	for _, c := range []struct {
		in       string
		from, to Position
	}{
		{"-10", Position{End, -10}, Position{}},
		{"100..200", Position{Absolute, 100}, Position{Absolute, 200}},
		{"100..", Position{Absolute, 100}, Position{}},
		{"..200", Position{}, Position{Absolute, 200}},
		{"..-5", Position{}, Position{End, -5}},
		{"100..+5", Position{Absolute, 100}, Position{Left, 5}},
		{"..+5", Position{}, Position{Start, 5}},
		{"-1h..+5", at(noon.Add(-time.Hour)), Position{Left, 5}},
		{"-1h..+15m", at(noon.Add(-time.Hour)), at(noon.Add(-45 * time.Minute))},
		{"-1h..-15m", at(noon.Add(-time.Hour)), at(noon.Add(-15 * time.Minute))},
		{"2026-11-23..+1d", at(time.Date(2026, 11, 23, 0, 0, 0, 0, noon.Location())), at(time.Date(2026, 11, 24, 0, 0, 0, 0, noon.Location()))},
		{"2026-11-23T11:05:06.5..now", at(time.Date(2026, 11, 23, 11, 5, 6, 5e8, noon.Location())), at(noon)},
		{"stored-5..stored+5", Position{Committed, -5}, Position{Committed, 5}},
		{"start..end", Position{Start, 0}, Position{End, 0}},
		{"end-10..end-5", Position{End, -10}, Position{End, -5}},
		{"start..start+3", Position{Start, 0}, Position{Start, 3}},
	} {
		got, err := ParseWindow(c.in, noon)
		if want := (Window{c.from, c.to}); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", c.in, got, err, want)
		}
	}
}

func TestToCountsFromFrom(t *testing.T) {
	for _, c := range []struct {
		from Position
		in   string
		want Position
	}{
		{Position{Absolute, 7}, "+5", Position{Left, 5}},
		{Position{}, "+5", Position{Start, 5}},
		{at(noon), "+15m", at(noon.Add(15 * time.Minute))},
		{at(noon), "-15m", at(noon.Add(-15 * time.Minute))},
		{Position{End, -5}, "end", Position{End, 0}},
	} {
		if got, err := ParseTo(c.in, c.from, noon); err != nil || got != c.want {
			t.Errorf("%v..%s: %+v, %v; want %+v", c.from, c.in, got, err, c.want)
		}
	}
}

func TestWrongPositionsNameTheirFault(t *testing.T) {
	for _, c := range []struct {
		in   string
		at   int // byte
		msg  string
		hint string
	}{
		{"", 0, "missing", ""},
		{"..", 0, "one side", ""},
		{"30s", 0, "begins with -", "-30s"},
		{"15m", 0, "begins with -", "-15m"},
		{"1h30m", 0, "begins with -", "-1h30m"},
		{"+30s", 0, "begins with -", "-30s"},
		{"100..30s", 5, "begins with -", "-30s"},
		{"100..+30s", 5, "counts from a time", ""},
		{"170000000s", 0, "10 digits", ""},
		{"170000000000ms", 0, "13 and ms", ""},
		{"99999999999999999s", 0, "far in the future", ""},
		{"9223372036854775808", 0, "more than an offset", ""},
		{"end-9223372036854775809", 3, "more than an offset", ""},
		{"+99999999999999999999", 0, "more than an offset", ""},
		{"-", 1, "number must follow", ""},
		{"+", 1, "number must follow", ""},
		{"-x", 1, "number must follow", ""},
		{"-30", -1, "", ""},
		{"-30y", 3, "unknown unit \"y\"", ""},
		{"-1h30", 5, "unknown unit", ""},
		{"-1hm", 2, "unknown unit \"hm\"", ""},
		{"-30S", 3, "unknown unit", ""},
		{"12x", 2, "unexpected \"x\"", ""},
		{"1,000", 1, "unexpected", ""},
		{"1_000", 1, "unexpected", ""},
		{"0x10", 1, "unexpected", ""},
		{"end+", 4, "only a number", ""},
		{"end-5x", 5, "only a number", ""},
		{"end+15m", 6, "only a number", ""},
		{"endless", 3, "only +N or -N", ""},
		{"beginning", 0, "unknown position", "start"},
		{"earliest", 0, "unknown position", "start"},
		{"latest-5", 0, "unknown position", "end-5"},
		{"END", 0, "unknown position", "end"},
		{"committed", 0, "unknown position", "stored"},
		{"now-15m", 3, "nothing can follow now", ""},
		{"s@1700000000000", 0, "needs no s@", ""},
		{"yesterday", 0, "unknown position", ""},
		{"2026-13-01", 0, "not a date", ""},
		{"2026-11-2", 9, "not a date", ""},
		{"2026-11-23T14", 13, "not a date", ""},
		{"2026-11-23T14:05:06 CET", 0, "not a date", ""},
		{"2026-11-23x14:05", 10, "not a date", ""},
		{"200..100", 5, "ends before it begins", ""},
		{"-5..-10", 4, "ends before it begins", ""},
		{"-1h..-2h", 5, "ends before it begins", ""},
		{"100..+-5", 6, "number must follow", ""},
		{"1..2..3", 4, "unexpected \"..3\"", ""},
		{" 5", 0, "unknown position", ""},
		{"५", 0, "unknown position", ""},
	} {
		_, err := ParseWindow(c.in, noon)
		if c.at < 0 {
			if err != nil {
				t.Errorf("%q: %v", c.in, err)
			}
			continue
		}
		var bad *SyntaxError
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v, want a SyntaxError", c.in, err)
			continue
		}
		if bad.At != c.at || !strings.Contains(bad.Msg, c.msg) || bad.Hint != c.hint {
			t.Errorf("%q: at %d %q hint %q; want at %d %q hint %q", c.in, bad.At, bad.Msg, bad.Hint, c.at, c.msg, c.hint)
		}
	}
	if _, err := ParsePosition("1..2", noon); err == nil {
		t.Error("a range passed for a position")
	}
	if _, err := ParseTo("1..2", Position{}, noon); err == nil {
		t.Error("a range passed for an end")
	}
}

func TestSyntaxErrorCountsCharactersFromOne(t *testing.T) {
	err := &SyntaxError{Text: "ärger@30s", At: len("ärger@"), Msg: "no"}
	if got, want := err.Error(), `"ärger@30s", character 7: no`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}
