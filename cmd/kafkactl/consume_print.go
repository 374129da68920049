package main

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/spf13/cobra"

	"kafkactl/internal/input"
	"kafkactl/internal/jsonl"
	"kafkactl/internal/record"
	"kafkactl/internal/sink"
)

// printing is how consume and tail show records.
type printing struct {
	keySep  string
	delim   string
	null    string
	z       bool
	keyAs   string
	valueAs string
	raw     bool
	wrap    bool
	language
	filtering

	keys bool // -K was given, perhaps as ""
}

func (p *printing) addFlags(cmd *cobra.Command) {
	p.filtering.addFlags(cmd)
	p.language.addFlags(cmd)
	f := cmd.Flags()
	f.StringVarP(&p.keySep, "key-delim", "K", "", "print the key and `SEP` before the value; takes \\t \\n \\0 \\xNN")
	f.StringVarP(&p.delim, "delim", "D", `\n`, "end each record with `SEP` in place of a newline")
	f.Lookup("delim").DefValue = ""
	f.StringVar(&p.null, "null", "", "print `TOKEN` for a null key or value")
	f.BoolVarP(&p.z, "Z", "Z", false, "the same as --null NULL")
	p.keyAs, p.valueAs = "text", "text"
	f.Var(choice(&p.keyAs, "text", "hex", "base64", "json"), "key-as", "how to show the bytes of keys")
	f.Var(choice(&p.valueAs, "text", "hex", "base64", "json"), "value-as", "how to show the bytes of values")
	f.BoolVar(&p.raw, "raw", false, "on a terminal, print the bytes of records as they are")
	f.BoolVar(&p.wrap, "wrap", false, "on a terminal, fold long lines below where they begin")
}

// check completes p from the flags as they came.
func (p *printing) check(cmd *cobra.Command) error {
	sep, err := input.Unescape(p.keySep)
	if err != nil {
		return usagef("-K/--key-delim %v", err)
	}
	delim, err := input.Unescape(p.delim)
	if err != nil {
		return usagef("-D/--delim %v", err)
	}
	p.keySep, p.delim = string(sep), string(delim)
	p.keys = cmd.Flags().Changed("key-delim")
	if p.z {
		if cmd.Flags().Changed("null") {
			return usagef("-Z and --null exclude each other")
		}
		p.null = "NULL"
	}
	if typed := typedNames(cmd.Flags()); p.wrap && typed["wrap"] && (typed["format"] || typed["raw"] || typed["delim"]) {
		return usagef("--wrap folds lines, so it goes without -f, -D and --raw")
	}
	if err := p.filtering.check(cmd); err != nil {
		return err
	}
	return p.language.check(cmd, p.keyAs, p.valueAs)
}

// piped is the form in a pipe or a file: exactly the bytes asked for.
func (p *printing) piped() sink.Append {
	if form := p.worded(false); form != nil {
		return form
	}
	if p.keyAs == "text" && p.valueAs == "text" {
		return sink.Plain{Delim: []byte(p.delim), Keys: p.keys, KeySep: []byte(p.keySep), Null: []byte(p.null)}.Append()
	}
	key, value := fieldOf(p.keyAs, p.null, appendBytes), fieldOf(p.valueAs, p.null, appendBytes)
	return func(dst []byte, r *record.Record) []byte {
		if p.keys {
			dst = append(key(dst, r.Key), p.keySep...)
		}
		return append(value(dst, r.Value), p.delim...)
	}
}

// terminal is the form people read: a dimmed prefix, and no bytes that could
// steer the terminal, unless --raw. topics says that the prefix names the topic.
// Lines are as long as they are, or with --wrap folded.
func (p *printing) terminal(pal palette, topics bool, columns func() int) sink.Append {
	if form := p.lines(pal, columns); form != nil {
		return form
	}
	s := p.sheet(pal, columns)
	s.bound = s.bound && p.wrap
	return func(dst []byte, r *record.Record) []byte {
		s.begin(dst)
		if topics {
			s.topic(r.Topic)
		}
		s.buf = appendPlace(s.buf[:0], r)
		s.l.put(pal.dim, s.buf)
		s.l.space(1)
		s.l.hang()
		if p.keys {
			s.field(pal.key, s.key, r.Key)
			s.l.put(paint{}, []byte(p.keySep))
		}
		s.value(r.Value)
		return append(s.l.dst, p.delim...)
	}
}

// fieldOf shows the bytes of a key or value; nil is null.
func fieldOf(as, null string, text func(dst, b []byte) []byte) func(dst, b []byte) []byte {
	show := text
	switch as {
	case "hex":
		show = hex.AppendEncode
	case "base64":
		show = base64.StdEncoding.AppendEncode
	case "json":
		show = appendAsJSON(text)
	}
	return func(dst, b []byte) []byte {
		if b == nil {
			return append(dst, null...)
		}
		return show(dst, b)
	}
}

func appendBytes(dst, b []byte) []byte { return append(dst, b...) }

// appendAsJSON shows bytes that are JSON as that, in one line, and others as a
// JSON value that says them, so that every value is one.
func appendAsJSON(text func(dst, b []byte) []byte) func(dst, b []byte) []byte {
	var buf []byte
	return func(dst, b []byte) []byte {
		var ok bool
		if buf, ok = jsonl.AppendJSON(buf[:0], b); !ok {
			buf = jsonl.AppendBytes(buf[:0], b)
		}
		return text(dst, buf)
	}
}
