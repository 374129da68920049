package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kafkactl/internal/consume"
	"kafkactl/internal/format"
	"kafkactl/internal/jsonl"
	"kafkactl/internal/record"
	"kafkactl/internal/sink"
)

// language is the part of printing that is not one value a line.
type language struct {
	format  string
	json    bool
	program *format.Program // nil unless -f
	encoder jsonl.Encoder   // of -J

	amiss *amiss
}

// amiss counts what a format could not show as asked.
type amiss struct {
	misfits atomic.Int64 // values that an unpack layout does not describe
	dropped atomic.Int64 // records that the format cannot show, skipped by --keep-going
}

func (l *language) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&l.format, "format", "f", "", "print records as `FMT` says, exactly: %t %p %o %k %s %T and more, see kafkactl help formats")
	f.BoolVarP(&l.json, "json", "J", false, "print each record as a line of JSON, without loss")
	_ = cmd.RegisterFlagCompletionFunc("format", completeFormat)
}

// wordings are the ways to say what a record looks like, each with its flags.
func wordings() [][]string {
	return [][]string{{"format"}, {"json"}, {"select"}, {"key-delim", "delim"}}
}

// wording finds which of them the flags choose: what is typed comes before what
// is configured, and two at once are a mistake.
func wording(flags *pflag.FlagSet, ways [][]string) (string, error) {
	typed := typedNames(flags)
	for _, has := range []func(string) bool{func(name string) bool { return typed[name] }, flags.Changed} {
		var found []string
		for _, way := range ways {
			for _, name := range way {
				if f := flags.Lookup(name); f != nil && has(name) && (f.Value.Type() != "bool" || f.Value.String() == "true") {
					found = append(found, name)
					break
				}
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		return "", usagef("%s and %s exclude each other", dashed(flags.Lookup(found[0])), dashed(flags.Lookup(found[1])))
	}
	return "", nil
}

// typedNames are the flags of the command line alone.
func typedNames(flags *pflag.FlagSet) map[string]bool {
	typed := map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { typed[f.Name] = true })
	return typed
}

// compileFormat reads the text of -f. Where -f rules, the flags for bytes and
// nulls have no say, so typing them is a mistake.
func compileFormat(flags *pflag.FlagSet, text string) (*format.Program, error) {
	typed := typedNames(flags)
	for _, name := range []string{"key-as", "value-as", "null", "Z"} {
		if typed[name] {
			return nil, usagef("-f/--format and %s exclude each other", dashed(flags.Lookup(name))).
				withHint("a modifier does it, as in %%k{hex} or %%s{json}; kafkactl help formats")
		}
	}
	if text == "" {
		return nil, usagef("-f/--format: there is nothing in it")
	}
	p, err := format.Compile(text, time.Local)
	if err != nil {
		return nil, formatError(text, err)
	}
	return p, nil
}

func formatError(text string, err error) error {
	u := usagef("-f/--format '%s': %v", text, err)
	var se *format.SyntaxError
	if errors.As(err, &se) {
		u.hint = se.Hint
	}
	return u
}

// check completes l from the flags as they came.
func (l *language) check(cmd *cobra.Command, keyAs, valueAs string) error {
	way, err := wording(cmd.Flags(), wordings())
	if err != nil {
		return err
	}
	l.json = way == "json"
	l.encoder.KeyAs, _ = jsonl.EncodingOf(keyAs)
	l.encoder.ValueAs, _ = jsonl.EncodingOf(valueAs)
	l.amiss = new(amiss)
	if way == "format" {
		l.program, err = compileFormat(cmd.Flags(), l.format)
	}
	return err
}

// worded is how -f and -J print, nil where neither is given. For a terminal, what
// records hold is made visible in a format; JSON is laid out there.
func (l *language) worded(visible bool) sink.Append {
	switch {
	case l.program != nil && visible:
		return l.program.Shown(appendVisible)
	case l.program != nil:
		return l.program.Append
	case l.json:
		return l.encoder.Append
	}
	return nil
}

// guard keeps from s what the format cannot show: such a record ends the run, or
// with keepGoing is skipped. A value that an unpack layout does not describe is
// shown as its bytes and counted, but with strict it ends the run too.
func (l *language) guard(s consume.Sink, strict, keepGoing bool) consume.Sink {
	if l.program == nil || !l.program.Checks() {
		return s
	}
	return &guarded{Sink: s, l: l, strict: strict, keepGoing: keepGoing}
}

type guarded struct {
	consume.Sink
	l                 *language
	strict, keepGoing bool
}

// Record implements consume.Sink.
func (g *guarded) Record(ctx context.Context, r *record.Record, m consume.Mark) error {
	err := g.l.program.Check(r)
	if err == nil {
		return g.Sink.Record(ctx, r, m)
	}
	var misfit *format.MisfitError
	if errors.As(err, &misfit) && !g.strict {
		g.l.amiss.misfits.Add(1)
		return g.Sink.Record(ctx, r, m)
	}
	if g.keepGoing {
		g.l.amiss.dropped.Add(1)
		g.Skip(m)
		return nil
	}
	if ferr := g.Flush(ctx); ferr != nil {
		return ferr
	}
	return fmt.Errorf("%s:%d: offset %d: %w", r.Topic, r.Partition, r.Offset, err)
}

// shortfall says at the end of a run what was not shown as asked: a warning of
// values that were shown as bytes, an error of records that were skipped.
func (l *language) shortfall(e *env) error {
	if n := l.amiss.misfits.Load(); n > 0 {
		e.warn("%s did not fit the layout of unpack and stand as !0x with all their bytes", plural(int(n), "value"))
	}
	if n := l.amiss.dropped.Load(); n > 0 {
		return fmt.Errorf("%s skipped, which the format cannot show", plural(int(n), "record"))
	}
	return nil
}

// appendVisibleJSON appends a line of JSON for a terminal: what could steer it or
// mislead its reader stands as an escape of JSON, so that the line means the same.
func appendVisibleJSON(dst, b []byte) []byte {
	from := 0
	for i := 0; i < len(b); {
		if c := b[i]; c >= 0x20 && c < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r >= 0xa0 && !misleads(r) {
			i += size
			continue
		}
		dst = append(dst, b[from:i]...)
		if r > 0xffff {
			r -= 0x10000
			dst = appendUnit(dst, 0xd800+r>>10)
			r = 0xdc00 + r&0x3ff
		}
		dst = appendUnit(dst, r)
		i += size
		from = i
	}
	return append(dst, b[from:]...)
}

// appendUnit writes one unit of UTF-16 as JSON escapes it.
func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', lowerHex[u>>12&15], lowerHex[u>>8&15], lowerHex[u>>4&15], lowerHex[u&15])
}
