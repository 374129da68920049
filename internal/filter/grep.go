// Package filter says which records are wanted by what is in them: regular
// expressions over raw bytes, and expressions of jq's language over what the
// bytes say. It knows no Kafka.
package filter

import (
	"fmt"
	"regexp"
	"strings"

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
	not  bool
	part part
	name string         // of a header
	re   *regexp.Regexp // nil: the header is there
}

// NewGrep reads conditions such as error, k:^user-, !v:test, t:orders, h:src=web
// and h:src: [!][v:|k:|t:|h:NAME=]REGEX, or h:NAME for a header that is there.
// Regular expressions are RE2's, on raw bytes, unanchored. One never matches a
// null, so that ! of it holds.
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
	c.re, err = regexp.Compile(text)
	return c, err
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

func (c *cond) matches(b []byte) bool { return b != nil && c.re.Match(b) }
