package offsets

import (
	"errors"
	"math"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
)

// Target is one TARGET of the grammar: TOPIC[:PARTS][@RANGE].
type Target struct {
	Text   string         // as it was typed
	Topic  string         // "" for a regular expression
	Regex  *regexp.Regexp // anchored at its start; nil for a plain topic
	Parts  []Span         // nil: all
	Window Window         // unset where the target has no range of its own
}

// Span is the partitions First to Last, both included.
type Span struct{ First, Last int32 }

// Holds says whether p is among the target's partitions.
func (t *Target) Holds(p int32) bool {
	if t.Parts == nil {
		return true
	}
	for _, s := range t.Parts {
		if s.First <= p && p <= s.Last {
			return true
		}
	}
	return false
}

// Matches says whether the target means the topic. A regular expression means
// topics that begin with "__" only if it begins with them itself.
func (t *Target) Matches(topic string) bool {
	if t.Regex == nil {
		return topic == t.Topic
	}
	if strings.HasPrefix(topic, "__") && !strings.HasPrefix(t.Text, "^__") {
		return false
	}
	return t.Regex.MatchString(topic)
}

// ParseTarget reads a TARGET. The first "@" begins the range; a last ":"
// followed only by digits, commas and dashes begins the partitions.
func ParseTarget(s string, now time.Time) (Target, error) {
	p := parser{text: s, now: now}
	t := Target{Text: s}
	topicEnd := len(s)
	if at := strings.IndexByte(s, '@'); at >= 0 {
		w, err := p.window(at + 1)
		if err != nil {
			return t, err
		}
		t.Window, topicEnd = w, at
	}
	if colon := strings.LastIndexByte(s[:topicEnd], ':'); colon >= 0 && strings.Trim(s[colon+1:topicEnd], "0123456789,-") == "" {
		parts, err := p.parts(colon+1, topicEnd)
		if err != nil {
			return t, err
		}
		t.Parts, topicEnd = parts, colon
	}
	topic := s[:topicEnd]
	if topic == "" {
		return t, p.fail(0, "", "a topic is missing")
	}
	if topic[0] == '^' {
		re, err := p.regex(topic)
		t.Regex = re
		return t, err
	}
	t.Topic = topic
	return t, p.topic(topic)
}

// topic refuses what no broker would take as a topic's name.
func (p *parser) topic(name string) error {
	for i := range len(name) {
		c := name[i]
		switch {
		case isDigit(c), 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '.', c == '_', c == '-':
		case c == ':':
			return p.fail(i+1, "", "partitions are numbers, commas and dashes, as orders:0,2-4")
		default:
			return p.fail(i, "", "a topic's name has letters, digits, dots, dashes and underscores; a regular expression begins with ^")
		}
	}
	if name == "." || name == ".." {
		return p.fail(0, "", "%q cannot be a topic's name", name)
	}
	return nil
}

// regex compiles ^REGEX so that the anchor holds for every alternative. The
// pattern is parsed by itself first: put into a group as text, "a)|(b" would
// climb out of it.
func (p *parser) regex(topic string) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(topic[1:], syntax.Perl)
	if err == nil {
		return regexp.Compile("^(?:" + tree.String() + ")")
	}
	at, msg := 0, err.Error()
	var bad *syntax.Error
	if errors.As(err, &bad) {
		msg = bad.Code.String()
		if i := strings.Index(topic, bad.Expr); i >= 0 && bad.Expr != "" {
			at, msg = i, msg+": "+bad.Expr
		}
	}
	return nil, p.fail(at, "", "regular expression: %s", msg)
}

// parts reads 0 or 0,2-4.
func (p *parser) parts(at, end int) ([]Span, error) {
	var parts []Span
	for {
		first, next, err := p.partition(at, end)
		if err != nil {
			return nil, err
		}
		last := first
		if next < end && p.text[next] == '-' {
			begin := at
			if last, next, err = p.partition(next+1, end); err != nil {
				return nil, err
			}
			if last < first {
				return nil, p.fail(begin, "", "partitions count upwards: %d-%d", last, first)
			}
		}
		parts = append(parts, Span{first, last})
		if next == end {
			return parts, nil
		}
		if p.text[next] != ',' {
			return nil, p.fail(next, "", "unexpected %q among partitions", p.text[next:next+1])
		}
		at = next + 1
	}
}

func (p *parser) partition(at, end int) (n int32, next int, err error) {
	next = at + countDigits(p.text[at:end])
	if next == at {
		return 0, next, p.fail(at, "", "a partition's number is missing")
	}
	v, err := strconv.ParseInt(p.text[at:next], 10, 64)
	if err != nil || v > math.MaxInt32 {
		return 0, next, p.fail(at, "", "%s is more than a partition's number can be", p.text[at:next])
	}
	return int32(v), next, nil
}
