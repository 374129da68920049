// Package filter says which records are wanted by what is in them: regular
// expressions over raw bytes, and expressions of jq's language over what the
// bytes say. It knows no Kafka.
package filter

import (
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"kafkactl/internal/record"
)

// Grep is a set of conditions that all must hold. Any number of goroutines may
// use one.
type Grep struct{ conds []cond }

// part is what of a record a condition looks at.
type part byte

const (
	inValue  part = 'v'
	inKey    part = 'k'
	inTopic  part = 't'
	inHeader part = 'h'
)

type cond struct {
	not   bool
	part  part
	name  string         // of a header
	re    *regexp.Regexp // nil: the header is there
	bytes bool           // re is of bytes, not of characters
}

// NewGrep reads conditions such as error, k:^user-, !v:test, t:orders, h:src=web
// and h:src: [!][v:|k:|t:|h:NAME=]REGEX, or h:NAME for a header that is there.
// Regular expressions are RE2's, on raw bytes, unanchored. One that names a byte
// above \x7f, as \xc8, is of bytes and of nothing else; without such a name one
// is of characters. One never matches a null, so that ! of it holds.
func NewGrep(texts []string) (*Grep, error) {
	g := new(Grep)
	for _, text := range texts {
		c, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		g.conds = append(g.conds, c)
	}
	return g, nil
}

func parse(text string) (c cond, err error) {
	c.part = inValue
	text, c.not = strings.CutPrefix(text, "!")
	if len(text) >= 2 && text[1] == ':' && strings.IndexByte("vkth", text[0]) >= 0 {
		c.part, text = part(text[0]), text[2:]
	}
	if c.part == inHeader {
		var valued bool
		c.name, text, valued = strings.Cut(text, "=")
		if c.name == "" {
			return c, fmt.Errorf("h: wants a header's name")
		}
		if !valued {
			return c, nil
		}
	}
	if c.bytes = namesByte(text); c.bytes {
		if i := strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
			return c, fmt.Errorf(`column %d: a character beyond ASCII in an expression of bytes, as \xNN makes it; name its bytes`, i+1)
		}
	}
	c.re, err = regexp.Compile(text)
	return c, err
}

// namesByte says that \x80 to \xff stand in an expression, which to regexp would
// be characters of two bytes each.
func namesByte(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		switch i++; text[i] {
		case 'Q': // all up to \E stands for itself
			end := strings.Index(text[i:], `\E`)
			if end < 0 {
				return false
			}
			i += end + 1
		case 'x':
			if b, err := hex.DecodeString(text[i+1 : min(i+3, len(text))]); err == nil && len(b) == 1 && b[0] >= utf8.RuneSelf {
				return true
			}
		}
	}
	return false
}

// byteRunes reads each byte as the character of its number.
type byteRunes struct {
	b []byte
	i int
}

// ReadRune implements io.RuneReader.
func (r *byteRunes) ReadRune() (rune, int, error) {
	if r.i == len(r.b) {
		return 0, 0, io.EOF
	}
	r.i++
	return rune(r.b[r.i-1]), 1, nil
}

// Keep says that every condition holds for r.
func (g *Grep) Keep(r *record.Record) bool {
	for i := range g.conds {
		if c := &g.conds[i]; c.holds(r) == c.not {
			return false
		}
	}
	return true
}

func (c *cond) holds(r *record.Record) bool {
	switch c.part {
	case inKey:
		return c.matches(r.Key)
	case inTopic:
		return c.re.MatchString(r.Topic)
	case inHeader:
		for name, value := range r.Headers.All() {
			if string(name) == c.name && (c.re == nil || c.matches(value)) {
				return true
			}
		}
		return false
	}
	return c.matches(r.Value)
}

func (c *cond) matches(b []byte) bool {
	switch {
	case b == nil:
		return false
	case c.bytes:
		return c.re.MatchReader(&byteRunes{b: b})
	}
	return c.re.Match(b)
}
