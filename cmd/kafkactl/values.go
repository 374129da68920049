package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Values of flags, each over a field of its options. They say what was wanted; pflag and
// load say where.

// spanValue is a duration that may not be negative. A bare number is refused: it
// does not say its unit.
type spanValue struct{ p *time.Duration }

func span(p *time.Duration) pflag.Value { return spanValue{p} }

func (v spanValue) Set(s string) error {
	if err := durationError(s); err != nil {
		return err
	}
	d, err := time.ParseDuration(s)
	*v.p = d
	return err
}
func (v spanValue) String() string { return shortDuration(*v.p) }
func (v spanValue) Type() string   { return "DUR" }

// durationError says what is wrong with a duration, nil for nothing.
func durationError(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		if _, numeric := strconv.Atoi(s); numeric == nil {
			return fmt.Errorf("a number of what? %ss, %sms", s, s)
		}
		return fmt.Errorf("want a duration, as in 500ms, 30s or 2m")
	}
	if d < 0 {
		return fmt.Errorf("may not be negative")
	}
	return nil
}

// shortDuration is 2m rather than 2m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// sizeValue is a number of bytes that fits Kafka's int32 fields.
type sizeValue struct {
	p   *int
	min int
}

func size(p *int, min int) pflag.Value { return sizeValue{p, min} }

func (v sizeValue) Set(s string) error {
	n, err := parseSize(s)
	if err != nil {
		return err
	}
	if n < int64(v.min) || n > math.MaxInt32 {
		return fmt.Errorf("want %d to %d bytes", v.min, math.MaxInt32)
	}
	*v.p = int(n)
	return nil
}
func (v sizeValue) String() string { return strconv.Itoa(*v.p) }
func (v sizeValue) Type() string   { return "BYTES" }

// parseSize reads 1048576, 1024K, 1M, 1MiB; the letters count by 1024.
func parseSize(s string) (int64, error) {
	upper := strings.ToUpper(strings.TrimSpace(s))
	upper = strings.TrimSuffix(strings.TrimSuffix(upper, "B"), "I")
	shift := 0
	for i, letter := range []string{"K", "M", "G"} {
		if rest, ok := strings.CutSuffix(upper, letter); ok {
			upper, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(upper, 10, 64)
	if err != nil || n > math.MaxInt64>>shift || n < math.MinInt64>>shift {
		return 0, fmt.Errorf("want a number of bytes, as in 1048576, 1024K or 1M")
	}
	return n << shift, nil
}

type countValue struct {
	p        *int
	min, max int
}

func count(p *int, min, max int) pflag.Value { return countValue{p, min, max} }

func (v countValue) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < v.min || n > v.max {
		return fmt.Errorf("want a number from %d to %d", v.min, v.max)
	}
	*v.p = n
	return nil
}
func (v countValue) String() string { return strconv.Itoa(*v.p) }
func (v countValue) Type() string   { return "N" }

type choiceValue struct {
	p    *string
	from []string
}

func choice(p *string, from ...string) pflag.Value { return choiceValue{p, from} }

func (v choiceValue) Set(s string) error {
	if !slices.Contains(v.from, s) {
		return fmt.Errorf("want %s", orList(v.from))
	}
	*v.p = s
	return nil
}
func (v choiceValue) String() string { return *v.p }
func (v choiceValue) Type() string   { return strings.Join(v.from, "|") }

// orList is "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

type toggleValue struct{ p *bool }

func toggle(p *bool) pflag.Value { return toggleValue{p} }

func (v toggleValue) Set(s string) error {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("want true or false")
	}
	*v.p = b
	return nil
}
func (v toggleValue) String() string { return strconv.FormatBool(*v.p) }
func (v toggleValue) Type() string   { return "bool" }

type textValue struct{ p *string }

func text(p *string) pflag.Value { return textValue{p} }

func (v textValue) Set(s string) error { *v.p = s; return nil }
func (v textValue) String() string     { return *v.p }
func (v textValue) Type() string       { return "TEXT" }

// amount is a number of records; the field keeps -1 while none is given.
func amount(p *int64) pflag.Value { return amountValue{p} }

type amountValue struct{ p *int64 }

func (v amountValue) Set(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("want a number from 0 on")
	}
	*v.p = n
	return nil
}

func (v amountValue) String() string {
	if *v.p < 0 {
		return ""
	}
	return strconv.FormatInt(*v.p, 10)
}
func (v amountValue) Type() string { return "N" }
