package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"

	"kafkactl/internal/jsonl"
	"kafkactl/internal/record"
	"kafkactl/internal/sink"
)

// sheet lays records out for people: what they hold is made visible first, and
// only then measured and coloured, so that no colour or fold comes of data. It is
// used by one goroutine and owns the memory it works in.
type sheet struct {
	p       *printing
	pal     palette
	columns func() int
	bound   bool // lines are fitted to the columns

	text func(dst, b []byte) []byte // makes bytes fit to be shown
	key  func(dst, b []byte) []byte

	l    line
	buf  []byte
	json []byte
}

func (p *printing) sheet(pal palette, columns func() int) *sheet {
	s := &sheet{p: p, pal: pal, columns: columns, text: appendVisible}
	if p.raw {
		s.text = appendBytes
	}
	s.key = fieldOf(p.keyAs, p.null, s.text)
	s.bound = !p.raw && p.delim == "\n" && printable(p.keySep) == p.keySep
	return s
}

// begin starts a record's line behind dst.
func (s *sheet) begin(dst []byte) {
	columns := 0
	if s.bound {
		columns = s.columns()
	}
	s.l.begin(dst, columns, s.p.wrap)
}

// topic puts a topic's name in its own colour.
func (s *sheet) topic(name string) {
	s.buf = appendVisible(s.buf[:0], []byte(name))
	s.l.put(s.pal.topicOf(name), s.buf)
	s.l.put(s.pal.dim, []byte{':'})
}

// field puts bytes as show has them.
func (s *sheet) field(c paint, show func(dst, b []byte) []byte, b []byte) {
	s.buf = show(s.buf[:0], b)
	s.l.put(c, s.buf)
}

// value puts a value, by its tokens where it is JSON.
func (s *sheet) value(b []byte) {
	switch {
	case b == nil:
		s.l.put(paint{}, []byte(s.p.null))
	case s.p.valueAs == "hex":
		s.field(paint{}, hex.AppendEncode, b)
	case s.p.valueAs == "base64":
		s.field(paint{}, base64.StdEncoding.AppendEncode, b)
	case s.p.valueAs == "json":
		var ok bool
		if s.json, ok = jsonl.AppendJSON(s.json[:0], b); !ok {
			s.json = jsonl.AppendBytes(s.json[:0], b)
		}
		s.tokens(s.json, s.text)
	case s.pal.on && !s.p.raw && likeJSON(b):
		s.tokens(b, s.text)
	default:
		s.field(paint{}, s.text, b)
	}
}

// tokens puts JSON, each token in its colour once show has made it harmless.
func (s *sheet) tokens(b []byte, show func(dst, b []byte) []byte) {
	if !s.pal.on || s.p.raw {
		s.field(paint{}, show, b)
		return
	}
	for t := (tokens{b}); !s.l.cut; {
		kind, text := t.next()
		if len(text) == 0 {
			return
		}
		s.field(s.pal.tokens[kind], show, text)
	}
}

// lines is how -f, -J and --select print on a terminal, nil where none is given.
func (p *printing) lines(pal palette, columns func() int) sink.Append {
	if p.raw || !p.json && p.pick == nil {
		return p.worded(!p.raw)
	}
	s := p.sheet(pal, columns)
	s.bound = p.wrap
	if p.pick != nil {
		return func(dst []byte, r *record.Record) []byte {
			for line := range bytes.Lines(r.Value) { // results, one each
				dst = s.jsonLine(dst, line)
			}
			return dst
		}
	}
	var buf []byte
	return func(dst []byte, r *record.Record) []byte {
		buf = p.encoder.Append(buf[:0], r)
		return s.jsonLine(dst, buf)
	}
}

// jsonLine lays out a line of JSON behind dst.
func (s *sheet) jsonLine(dst, line []byte) []byte {
	s.begin(dst)
	s.l.indent = min(2, s.l.columns/4)
	s.tokens(bytes.TrimSuffix(line, []byte{'\n'}), appendVisibleJSON)
	return append(s.l.dst, '\n')
}
