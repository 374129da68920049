package main

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestVisibleEscapesWhatSteersATerminal(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text", "hello, wörld — 日本 👩‍💻", "hello, wörld — 日本 👩‍💻"},
		{"empty", "", ""},
		{"colour", "a\x1b[31mb", `a\x1b[31mb`},
		{"window title", "\x1b]0;owned\a", `\x1b]0;owned\x07`},
		{"clipboard", "\x1b]52;c;cm0gLXJm\x1b\\", `\x1b]52;c;cm0gLXJm\x1b\`},
		{"C1 as UTF-8", "\u009b31m\u009d0;x\u009c", `\u009b31m\u009d0;x\u009c`},
		{"C1 as bytes", "\x9b31m\x9d0;x\x9c", `\x9b31m\x9d0;x\x9c`},
		{"line breaks and tabs", "a\r\nb\tc", `a\r\nb\tc`},
		{"backspaces and delete", "a\bb\x7f\x00", `a\x08b\x7f\x00`},
		{"not UTF-8", "\xff\xc3(", `\xff\xc3(`},
		{"overlong", "\xc0\x9b", `\xc0\x9b`},
		{"surrogate", "\xed\xa0\x80", `\xed\xa0\x80`},
		{"text direction", "\u202eevil\u202c\u2066x\u2069\u200f\u061c", `\u202eevil\u202c\u2066x\u2069\u200f\u061c`},
		{"line separators", "a\u2028b\u2029c", `a\u2028b\u2029c`},
		{"invisible tags", "a\U000e0041", `a\U000e0041`},
		{"a replacement character of its own", "\ufffd", "\ufffd"},
		{"a backslash", `C:\x1b`, `C:\x1b`},
	} {
		if got := string(appendVisible([]byte(">"), []byte(c.in))); got != ">"+c.want {
			t.Errorf("%s: %q, want %q", c.name, got, ">"+c.want)
		}
	}
}

func TestVisibleCopiesPlainTextWithoutAllocating(t *testing.T) {
	text := []byte(strings.Repeat("plain text, ", 20))
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { dst = appendVisible(dst[:0], text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzVisible(f *testing.F) {
	f.Add([]byte("a\x1b]0;x\a\x9b\u202e\xff\u009b"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out := appendVisible(nil, in)
		if !utf8.Valid(out) {
			t.Fatalf("%q became %q", in, out)
		}
		for _, r := range string(out) {
			if unicode.IsControl(r) || misleads(r) {
				t.Fatalf("%q became %q", in, out)
			}
		}
	})
}
