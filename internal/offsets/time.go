package offsets

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// latest is the last millisecond a Time can name; beyond it time.Time's own
// arithmetic is not sound.
const latest = int64(1) << 53

// timePosition keeps a time within what brokers take as one: below zero they
// read other questions.
func timePosition(ms int64) Position {
	return Position{Base: Time, N: min(max(ms, 0), latest)}
}

// units of the durations in the grammar, in milliseconds.
var units = []struct {
	name string
	ms   int64
}{
	{"ms", 1},
	{"s", 1000},
	{"m", 60 * 1000},
	{"h", 60 * 60 * 1000},
	{"d", 24 * 60 * 60 * 1000},
	{"w", 7 * 24 * 60 * 60 * 1000},
}

// duration reads text[at:end] as 30s or 1h30m and gives milliseconds. A day is
// 24 hours, whatever the clocks did.
func (p *parser) duration(at, end int) (int64, error) {
	sum := int64(0)
	for i := at; i < end; {
		digits := countDigits(p.text[i:end])
		if digits == 0 {
			return 0, p.fail(i, "", "a number must stand before its unit")
		}
		unit := i + digits
		next := unit
		for next < end && !isDigit(p.text[next]) {
			next++
		}
		scale := int64(0)
		for _, u := range units {
			if u.name == p.text[unit:next] {
				scale = u.ms
			}
		}
		if scale == 0 {
			return 0, p.fail(unit, "", "unknown unit %q: use s, m, h, d or w", p.text[unit:next])
		}
		n, err := strconv.ParseInt(p.text[i:unit], 10, 64)
		if err != nil || n > math.MaxInt64/scale {
			n, scale = math.MaxInt64, 1
		}
		sum = add(sum, n*scale)
		i = next
	}
	return sum, nil
}

// date reads 2026-11-23, 2026-11-23T14:05 and RFC 3339, seconds and zone being
// optional; without a zone it is the time of p.now's location.
func (p *parser) date(at, end int) (Position, error) {
	s := p.text[at:end]
	for _, layout := range []string{
		"2006-01-02",
		"2006-01-02T15:04", "2006-01-02T15:04:05",
		"2006-01-02 15:04", "2006-01-02 15:04:05",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00",
		"2006-01-02 15:04Z07:00", "2006-01-02 15:04:05Z07:00",
	} {
		t, err := time.ParseInLocation(layout, s, p.now.Location())
		if err == nil {
			return timePosition(ceilMilli(t)), nil
		}
	}
	return Position{}, p.fail(at+p.dateFault(s), "", "not a date: write 2026-11-23, 2026-11-23T14:05 or RFC 3339")
}

// ceilMilli rounds up: the first record at or after 12:00:00.0005 is not before it.
func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if time.UnixMilli(ms).Before(t) {
		ms++
	}
	return ms
}

// dateFault is where s stops looking like a date, or 0 where every character
// fits and the calendar does not.
func (p *parser) dateFault(s string) int {
	const shape = "0000-00-00T00:00:00"
	for i := range min(len(s), len(shape)) {
		switch {
		case shape[i] == '0' && isDigit(s[i]), shape[i] == s[i], shape[i] == 'T' && s[i] == ' ':
		case i >= len("0000-00-00T00:00") && strings.IndexByte("Z+-", s[i]) >= 0:
			return 0
		default:
			return i
		}
	}
	if len(s) < len("0000-00-00T00:00") && len(s) != len("0000-00-00") {
		return len(s)
	}
	return 0
}

// add and sub stop at the ends of int64 instead of wrapping.
func add(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

func sub(a, b int64) int64 {
	if b == math.MinInt64 {
		return add(add(a, math.MaxInt64), 1)
	}
	return add(a, -b)
}
