package main

import (
	"strings"
	"testing"
	"time"

	"kafkactl/internal/record"
)

func TestLongValuesFoldBelowWhereTheyBegin(t *testing.T) {
	r := &record.Record{Topic: "orders", Partition: 3, Offset: 42, Timestamp: evening.UnixMilli(), Key: []byte("k1"), Value: []byte(strings.Repeat("0123456789", 5))}
	p := printing{keyAs: "text", valueAs: "text", delim: "\n", wrap: true}
	for columns, want := range map[int]string{
		0:  "18:30:00.000  3:42  k1  " + strings.Repeat("0123456789", 5) + "\n",
		44: "18:30:00.000  3:42  k1  01234567890123456789\n" + strings.Repeat(" ", 20) + "012345678901234567890123\n" + strings.Repeat(" ", 20) + "456789\n",
		20: "18:30:00.000  3:42\n  k1  01234567890123\n  456789012345678901\n  234567890123456789\n",
		1:  "",
	} {
		got := string(p.line(palette{}, false, func() int { return columns }, func() time.Time { return evening })(nil, r))
		if want != "" && got != want {
			t.Errorf("%d columns:\n%swant\n%s", columns, got, want)
		}
		for line := range strings.Lines(got) {
			if w := displayWidth(strings.TrimRight(line, "\n")); columns > 0 && w > columns {
				t.Errorf("%d columns: a line of %d", columns, w)
			}
		}
	}
}

func TestWidthsAreThoseOfWholeCharacters(t *testing.T) {
	for in, want := range map[string]int{
		"e\u0301": 1, "👩‍👩‍👧": 2, "🇩🇪": 2, "日本": 4, "👍🏽": 2, "❤️": 2, "a\u200db": 2,
	} {
		if got := displayWidth(in); got != want {
			t.Errorf("%q is %d wide, want %d", in, got, want)
		}
	}
	if got := truncate("ab👩‍👩‍👧cd", 5); got != "ab👩‍👩‍👧…" {
		t.Errorf("cut within a character: %q", got)
	}
	if got := truncate("a👩‍👩‍👧👩‍👩‍👧", 4); got != "a👩‍👩‍👧…" {
		t.Errorf("cut within a character: %q", got)
	}
}

func TestLinesOfDataFitAlsoWhereJoinedCharactersAreShownApart(t *testing.T) {
	for in, want := range map[string]string{
		"👍🏽👍🏽x":  "👍🏽👍🏽x", // twice 4 where they are not joined
		"👍🏽👍🏽👍🏽": "👍🏽👍🏽…", "👩‍👩‍👧👩‍👩‍👧": "👩‍👩‍👧…", "日本日本日": "日本日本…", "🇩🇪🇫🇷🇩🇪🇫🇷🇩🇪": "🇩🇪🇫🇷🇩🇪🇫🇷…", "a🏽a🏽a🏽a🏽": "a🏽a🏽…",
		"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301": "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301",
	} {
		var l line
		l.begin(nil, 9, false)
		l.put(paint{}, []byte(in))
		if string(l.dst) != want {
			t.Errorf("%q in 9 columns: %q, want %q", in, l.dst, want)
		}
	}
}

func TestMessagesShowNoRawBytes(t *testing.T) {
	var said strings.Builder
	e := newEnv(nil, nil, &said)
	e.warn("orders: %s", "\x1b]0;owned\a\u202e\x9b2J")
	e.note("%s", "a\nb\x00")
	e.printError("record \x1b[2J: cause\nmore")
	e.ask("Delete group \x1b[2J\u009b2J? ")
	if got := said.String(); strings.ContainsAny(got, "\x1b\a\x00\u202e\u009b") || !strings.Contains(got, `\x1b]0;owned\x07\u202e\x9b2J`) || !strings.Contains(got, "a\n  b\\x00") {
		t.Errorf("%q", got)
	}
}
