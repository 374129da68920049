package main

import (
	"strings"
	"testing"

	"kafkactl/internal/record"
)

// Colours only ever stand between what would be there without them, whatever the
// bytes are, and folding adds line ends and indents alone.
func FuzzColoursChangeNoText(f *testing.F) {
	for _, s := range append([]string{
		`{"a":1,"b":[true,null,-1.5e3,"x\"y\\"],"c" : {}}`, `"`, `"\`, "{\"\u202e\":\"\u009b\"}", "[1,\n\t2]", "日本 é e\u0301 👩‍👩‍👧",
		strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "\xe2\x80\"", "truefalse-1.2.3nul",
	}, hostileForms...) {
		f.Add([]byte(s), uint8(20))
	}
	pal := newPalette(true)
	f.Fuzz(func(t *testing.T, b []byte, columns uint8) {
		want := string(appendVisible(nil, b))
		s := (&printing{keyAs: "text", valueAs: "text", delim: "\n", wrap: true}).sheet(pal, func() int { return 0 })
		s.begin(nil)
		s.tokens(b, appendVisible)
		if got := ownSequences(string(s.l.dst)); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		if columns < uint8(len("prefix ")) {
			return // what stands before the indent would itself be folded
		}
		s.columns = func() int { return int(columns) }
		s.begin(nil)
		s.l.put(pal.key, []byte("prefix"))
		s.l.space(1)
		s.l.hang()
		s.tokens(b, appendVisible)
		var joined strings.Builder
		for i, line := range strings.Split(ownSequences(string(s.l.dst)), "\n") {
			if i > 0 {
				if !strings.HasPrefix(line, strings.Repeat(" ", s.l.indent)) {
					t.Fatalf("line %d is not indented: %q", i, line)
				}
				line = line[s.l.indent:]
			}
			joined.WriteString(line)
		}
		if got := strings.ReplaceAll(joined.String(), " ", ""); got != strings.ReplaceAll("prefix"+want, " ", "") {
			t.Fatalf("folded at %d: %q, want %q", columns, got, want)
		}
	})
}

var hostileForms = []string{"\x1b]0;owned\a", "\x9b31m\x9d0;x\x9c", "two\r\nlines\b\x7f\x00", "\u202eevil\u202c\ufeff"}

// ownSequences takes our colours out.
func ownSequences(s string) string {
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return s
		}
		j := strings.IndexByte(s[i:], 'm')
		s = s[:i] + s[i+j+1:]
	}
}

func TestJSONTokensAreToldApart(t *testing.T) {
	pal := newPalette(true)
	p := printing{keyAs: "text", valueAs: "text", delim: "\n"}
	form := p.terminal(pal, false, func() int { return 0 })
	got := string(form(nil, &record.Record{Value: []byte(`{"a" : "b", "c":[1,true]}`)}))
	want := pal.dim.s("0:0") + " {" + pal.tokens[tokenName].s(`"a"`) + " : " + pal.tokens[tokenText].s(`"b"`) + ", " +
		pal.tokens[tokenName].s(`"c"`) + ":[" + pal.tokens[tokenNumber].s("1") + "," + pal.tokens[tokenWord].s("true") + "]}\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, plain := range []string{"[INFO] started", `{"cut":`, "no", "truth"} {
		if got := string(form(nil, &record.Record{Value: []byte(plain)})); got != pal.dim.s("0:0")+" "+plain+"\n" {
			t.Errorf("%q is no JSON, and shows as %q", plain, got)
		}
	}
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	if got := ownSequences(string(form(nil, &record.Record{Value: []byte(deep)}))); got != "0:0 "+deep+"\n" {
		t.Error("deep nesting is not shown as it is")
	}
}

func TestColouringTakesNoMemoryPerRecord(t *testing.T) {
	p := printing{keyAs: "text", valueAs: "text", delim: "\n"}
	form := p.terminal(newPalette(true), true, func() int { return 0 })
	r := &record.Record{Topic: "t", Value: []byte(`{"name":"a name","list":[1,2.5,null,{"x":"y"}]}`)}
	var dst []byte
	if n := testing.AllocsPerRun(200, func() { dst = form(dst[:0], r) }); n > 2 {
		t.Errorf("%v allocations for a record", n)
	}
}

func TestTopicsKeepTheirColours(t *testing.T) {
	pal := newPalette(true)
	if pal.topicOf("orders") != newPalette(true).topicOf("orders") || pal.topicOf("orders") == pal.topicOf("users") {
		t.Error("colours are not a topic's own")
	}
	if (palette{}).topicOf("orders") != (paint{}) {
		t.Error("no colours, and yet a topic has one")
	}
}
