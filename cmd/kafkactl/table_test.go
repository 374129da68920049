package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTableAligns(t *testing.T) {
	tb := newTable("NAME", ">COUNT", "NOTE")
	tb.row("a", "1", "")
	tb.row("日本", "12345678", "x")
	tb.row("long-name", "22")
	tb.totals = []string{"3 rows", "12345701"}
	want := `NAME          COUNT  NOTE
a                 1
日本       12345678  x
long-name        22
3 rows     12345701
`
	if got := string(tb.appendAligned(nil, palette{}, 0)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestColumnsThatNoRowFillsGo(t *testing.T) {
	tb := newTable("NAME", "ERROR", ">COUNT")
	tb.row("a", "", "1")
	tb.row("b")
	tb.totals = []string{"2", "", "1"}
	want := "NAME  COUNT\na         1\nb\n2         1\n"
	if got := string(tb.appendAligned(nil, palette{}, 0)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := string(newTable("NAME", "X").appendAligned(nil, palette{}, 0)); got != "NAME  X\n" {
		t.Errorf("without rows: %q", got)
	}
}

func TestColoursDoNotMoveColumns(t *testing.T) {
	tb := newTable("NAME", ">COUNT")
	tb.row("a", "1")
	tb.row("bbb", "100")
	tb.paint("NAME", newPalette(true).topic)
	tb.paint("COUNT", newPalette(true).number)
	plain := string(tb.appendAligned(nil, palette{}, 0))
	tb.paint("NAME", paint{"\x1b[34m", "\x1b[0m"})
	painted := string(tb.appendAligned(nil, newPalette(true), 0))
	if !strings.Contains(painted, "\x1b[34mbbb\x1b[0m") {
		t.Errorf("not painted: %q", painted)
	}
	if got := unpainted(painted); got != unpainted(plain) {
		t.Errorf("unpainted it is\n%s, want\n%s", got, plain)
	}
}

// unpainted removes colours.
func unpainted(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, s, _ = strings.Cut(rest, "m")
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	tb := newTable("NAME", ">N", "NOTE")
	tb.row("abc", "1", strings.Repeat("long ", 20))
	tb.row(strings.Repeat("日", 30), "2", "x")
	for _, columns := range []int{8, 12, 20, 40, 79, 200} {
		for line := range strings.Lines(string(tb.appendAligned(nil, palette{}, columns))) {
			if w := displayWidth(strings.TrimSuffix(line, "\n")); w > columns {
				t.Errorf("%d columns wide, want %d: %q", w, columns, line)
			}
		}
	}
}

func TestTSVKeepsCellsApart(t *testing.T) {
	tb := newTable("A", "B")
	tb.row("x\ty", "1\n2")
	tb.totals = []string{"never"}
	if got := string(tb.appendTSV(nil)); got != "x\\ty\t1\\n2\n" {
		t.Errorf("%q", got)
	}
}

func TestTextForTerminals(t *testing.T) {
	for in, want := range map[string]string{
		"orders": "orders", "a\x1b[31mb": `a\x1b[31mb`, "\x00\x7f": `\x00\x7f`, "é日": "é日",
		"bad\xffend": `bad\xffend`, "a\u202eb": `a\u202eb`, "\u009bx": `\u009bx`, "\ufffd": "\ufffd",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q shows as %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]int{"abc": 3, "日本": 4, "e\u0301": 1, "": 0, "😀": 2, "ｱ": 1} {
		if got := displayWidth(in); got != want {
			t.Errorf("%q is %d wide, want %d", in, got, want)
		}
	}
	for _, test := range []struct {
		in   string
		w    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"}, {"ab", 1, "…"}} {
		if got := truncate(test.in, test.w); got != test.want {
			t.Errorf("%q in %d columns is %q, want %q", test.in, test.w, got, test.want)
		}
	}
}

func TestNearestName(t *testing.T) {
	have := []string{"orders", "orders-v2", "users", "payments"}
	for in, want := range map[string]string{
		"order": "orders", "odrers": "orders", "ORDERS": "orders", "order-v2": "orders-v2", "user": "users", "userz": "users",
		"pay": "payments", "nothing": "", "x": "", "paymentssss": "payments", "": "",
	} {
		if got := nearest(in, have); got != want {
			t.Errorf("nearest to %q is %q, want %q", in, got, want)
		}
	}
}

func TestProgressLineTellsHowMuchOfFilesIsRead(t *testing.T) {
	start := time.Unix(1000, 0)
	m := meter{began: start}
	at := func(seconds int, s share) string {
		line, _, _ := strings.Cut(m.line("sent", tally{input: s}, start.Add(time.Duration(seconds)*time.Second)), "0 records")
		return line
	}
	for _, c := range []struct {
		seconds int
		share
		want string
	}{
		{1, share{0, 1000, 0, 2}, "sent [----------------] 0% of 1000 B · file 1 of 2 · "},
		{2, share{500, 1000, 1, 2}, "sent [########--------] 50% of 1000 B, 3s left · file 1 of 2 · "},
		{3, share{999, 1000, 2, 2}, "sent [###############-] 99% of 1000 B, 1s left · file 2 of 2 · "},
		{4, share{1100, 1000, 2, 2}, "sent [################] 100% of 1000 B · file 2 of 2 · "},
		{5, share{1100, -1, 2, 2}, "sent "},
		{6, share{0, 0, 1, 1}, "sent "},
	} {
		if got := at(c.seconds, c.share); got != c.want {
			t.Errorf("%+v: %q, want %q", c.share, got, c.want)
		}
	}
}

func TestProgressLine(t *testing.T) {
	start := time.Unix(1000, 0)
	m := meter{began: start}
	if got := m.line("read", tally{records: 1500, bytes: 3 << 20}, start.Add(time.Second)); got != "read 1,500 records, 3.0 MiB · 1,500 records/s, 3.0 MiB/s" {
		t.Error(got)
	}
	// The rate is that of the last seconds: a stall shows.
	for i := 2; i <= 6; i++ {
		got := m.line("read", tally{records: 1500, bytes: 3 << 20, more: "waiting"}, start.Add(time.Duration(i)*time.Second))
		if i == 6 && got != "read 1,500 records, 3.0 MiB · 0 records/s, 0 B/s · waiting" {
			t.Error(got)
		}
	}
	if len(m.past) > 6 {
		t.Errorf("%d samples kept", len(m.past))
	}
}

func TestGroupedNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
	for n, want := range map[float64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 40: "5.0 TiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%v is %s, want %s", n, got, want)
		}
	}
}

// A message clears the progress line first and draws it again after itself.
func TestMessagesKeepClearOfProgress(t *testing.T) {
	var b bytes.Buffer
	m := &messages{w: &b, terminal: true}
	m.println("one")
	m.draw("10 records")
	m.draw("10 records")
	m.println("two")
	m.draw("20 records")
	m.draw("")
	m.println("three")
	m.draw("30 records")
	m.mu.Lock()
	m.wipe() // somebody is writing: it waits for nobody
	m.mu.Unlock()
	m.wipe()
	m.println("four")
	want := "one\n" + drawn("10 records") + clearLine + "two\n" + drawn("10 records") + clearLine + drawn("20 records") + clearLine + "three\n" +
		drawn("30 records") + clearLine + "four\n"
	if b.String() != want {
		t.Errorf("got %q\nwant %q", b.String(), want)
	}
}

func TestColourModes(t *testing.T) {
	none := func(string) string { return "" }
	with := func(name, value string) func(string) string {
		return func(n string) string {
			if n == name {
				return value
			}
			return ""
		}
	}
	var pipe bytes.Buffer
	if wantColor("auto", &pipe, none) {
		t.Error("auto colours a pipe")
	}
	if !wantColor("always", &pipe, with("NO_COLOR", "1")) {
		t.Error("NO_COLOR beats --color always")
	}
	if wantColor("never", &pipe, none) {
		t.Error("never colours")
	}
}
