package offsets

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// SyntaxError says where a target, range or position is wrong.
type SyntaxError struct {
	Text string // what was parsed
	At   int    // the fault's first byte in Text
	Msg  string
	Hint string // what to write instead, "" where nothing is near
}

// Error quotes the text and counts characters from 1.
func (e *SyntaxError) Error() string {
	at := min(e.At, len(e.Text))
	return fmt.Sprintf("%q, character %d: %s", e.Text, utf8.RuneCountInString(e.Text[:at])+1, e.Msg)
}

// ParsePosition reads a POS. Dates without a zone are in now's location, and
// "-30s" counts back from now.
func ParsePosition(s string, now time.Time) (Position, error) {
	if i := strings.Index(s, ".."); i >= 0 {
		return Position{}, &SyntaxError{Text: s, At: i, Msg: "a position, not a range, belongs here"}
	}
	p := parser{text: s, now: now}
	return p.position(0, len(s), nil)
}

// ParseTo reads a POS that ends the range begun by from: "+5" counts offsets
// from there, and, from being a time, "+15m" counts time.
func ParseTo(s string, from Position, now time.Time) (Position, error) {
	if i := strings.Index(s, ".."); i >= 0 {
		return Position{}, &SyntaxError{Text: s, At: i, Msg: "a position, not a range, belongs here"}
	}
	p := parser{text: s, now: now}
	return p.position(0, len(s), &from)
}

// ParseWindow reads a RANGE: POS, POS.., ..POS or POS..POS.
func ParseWindow(s string, now time.Time) (Window, error) {
	p := parser{text: s, now: now}
	return p.window(0)
}

type parser struct {
	text string
	now  time.Time
}

func (p *parser) fail(at int, hint, format string, args ...any) error {
	return &SyntaxError{Text: p.text, At: at, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// window reads the text from at to its end.
func (p *parser) window(at int) (Window, error) {
	s := p.text[at:]
	if s == "" {
		return Window{}, p.fail(at, "", "a position is missing")
	}
	cut := strings.Index(s, "..")
	if cut < 0 {
		from, err := p.position(at, len(p.text), nil)
		return Window{From: from}, err
	}
	var w Window
	var err error
	left, right := at+cut, at+cut+2
	if left == at && right == len(p.text) {
		return w, p.fail(at, "", "a range needs a position on one side of the \"..\"")
	}
	if left > at {
		if w.From, err = p.position(at, left, nil); err != nil {
			return w, err
		}
	}
	if right < len(p.text) {
		if w.To, err = p.position(right, len(p.text), &w.From); err != nil {
			return w, err
		}
	}
	if w.Backward() {
		return w, p.fail(right, "", "the range ends before it begins")
	}
	return w, nil
}

// position reads text[at:end]; left is what a position on the right of ".."
// may count from, nil elsewhere.
func (p *parser) position(at, end int, left *Position) (Position, error) {
	s := p.text[at:end]
	if s == "" {
		return Position{}, p.fail(at, "", "a position is missing")
	}
	switch c := s[0]; {
	case c == '+' || c == '-':
		return p.shifted(at, end, left)
	case isDigit(c):
		return p.number(at, end)
	case s == "now":
		return timePosition(p.now.UnixMilli()), nil
	}
	for _, n := range names {
		rest, ok := strings.CutPrefix(s, n.word)
		if !ok || rest != "" && rest[0] != '+' && rest[0] != '-' {
			continue
		}
		if rest == "" {
			return Position{Base: n.base}, nil
		}
		shift, err := p.shift(end-len(rest), end)
		return Position{Base: n.base, N: shift}, err
	}
	return Position{}, p.unknownWord(at, s)
}

// shift reads the ±N after a word.
func (p *parser) shift(at, end int) (int64, error) {
	s := p.text[at:end]
	digits := s[1:]
	if n := countDigits(digits); n == 0 || n < len(digits) {
		return 0, p.fail(at+1+n, "", "only a number of offsets can follow %q", s[:1])
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, p.fail(at, "", "%s is more than an offset can hold", s)
	}
	return n, nil
}

// shifted reads what begins with a sign: ±N, -30s, and +15m right of a time.
func (p *parser) shifted(at, end int, left *Position) (Position, error) {
	s := p.text[at:end]
	digits := countDigits(s[1:])
	if digits == 0 {
		return Position{}, p.fail(at+1, "", "a number must follow %q", s[:1])
	}
	if digits < len(s)-1 {
		ms, err := p.duration(at+1, end)
		switch {
		case err != nil:
			return Position{}, err
		case s[0] == '-':
			return timePosition(sub(p.now.UnixMilli(), ms)), nil
		case left != nil && left.Base == Time:
			return timePosition(add(left.N, ms)), nil
		case left != nil:
			return Position{}, p.fail(at, "", "%s counts from a time on the left, and there is none", s)
		}
		return Position{}, p.fail(at, "-"+s[1:], "a time that is past begins with -")
	}
	n, err := p.shift(at, end)
	switch {
	case err != nil:
		return Position{}, err
	case s[0] == '-':
		return Position{Base: End, N: n}, nil
	case left != nil && left.IsSet():
		return Position{Base: Left, N: n}, nil
	}
	return Position{Base: Start, N: n}, nil
}

// number reads what begins with a digit: an offset, an epoch, or a date.
func (p *parser) number(at, end int) (Position, error) {
	s := p.text[at:end]
	digits := countDigits(s)
	unit := s[digits:]
	if unit == "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return Position{}, p.fail(at, "", "%s is more than an offset can hold", s)
		}
		return Position{Base: Absolute, N: n}, nil
	}
	if digits == 4 && unit[0] == '-' {
		return p.date(at, end)
	}
	scale, enough := int64(0), 0
	switch unit {
	case "s":
		scale, enough = 1000, 10
	case "ms":
		scale, enough = 1, 13
	}
	if enough > 0 && digits >= enough {
		n, err := strconv.ParseInt(s[:digits], 10, 64)
		if err != nil || n > latest/scale {
			return Position{}, p.fail(at, "", "%s is too far in the future", s)
		}
		return timePosition(n * scale), nil
	}
	if _, err := p.duration(at, end); err == nil {
		if enough > 0 && digits > 7 {
			return Position{}, p.fail(at, "", "seconds since 1970 need 10 digits and an s, milliseconds 13 and ms")
		}
		return Position{}, p.fail(at, "-"+s, "a time that is past begins with -")
	}
	return Position{}, p.fail(at+digits, "", "unexpected %q after a number", unit)
}

// unknownWord explains a word that is none of the grammar's.
func (p *parser) unknownWord(at int, s string) error {
	word := s
	if i := strings.IndexAny(s, "+-@"); i > 0 {
		word = s[:i]
	}
	switch strings.ToLower(word) {
	case "beginning", "earliest", "smallest", "oldest", "first", "start":
		return p.fail(at, "start"+s[len(word):], "unknown position %q", s)
	case "latest", "largest", "newest", "last", "end":
		return p.fail(at, "end"+s[len(word):], "unknown position %q", s)
	case "committed", "current", "stored":
		return p.fail(at, "stored"+s[len(word):], "unknown position %q", s)
	case "now":
		return p.fail(at+len(word), "", "nothing can follow now: write how long ago as -15m")
	case "s", "e":
		return p.fail(at, "", "a time needs no s@ or e@: write it as 1700000000000ms or 2026-11-23T14:05")
	}
	for _, n := range names {
		if strings.HasPrefix(s, n.word) {
			return p.fail(at+len(n.word), "", "only +N or -N can follow %s", n.word)
		}
	}
	return p.fail(at, "", "unknown position %q: use start, end, stored, an offset, or a time", s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func countDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}
