package main

import (
	"io/fs"
	"os"
	"sync/atomic"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
	"kafkactl/internal/sink"
)

// statusLine counts what is printed, for the line that shows how reading goes.
type statusLine struct {
	records, bytes atomic.Int64 // bytes of records, without what is put around them
	ends           bool         // by itself, at the end of what there is to read
	session        atomic.Pointer[consume.Session]
}

// counted counts what form prints.
func (s *statusLine) counted(form sink.Append) sink.Append {
	return func(dst []byte, r *record.Record) []byte {
		s.records.Add(1)
		s.bytes.Add(int64(len(r.Key) + len(r.Value) + len(r.Headers.Raw)))
		return form(dst, r)
	}
}

// tally is how far reading has come.
func (s *statusLine) tally(outage bool) tally {
	t := tally{records: s.records.Load(), bytes: s.bytes.Load()}
	session := s.session.Load()
	if session == nil {
		return t
	}
	n, known := session.Behind()
	switch {
	case outage:
		t.more = "retrying"
	case !known:
	case s.ends && n > 0:
		t.more = grouped(n) + " to go"
	case s.ends:
	case n > 0:
		t.more = grouped(n) + " behind"
	default:
		t.more = "waiting"
	}
	return t
}

// start shows the line on standard error while that is a terminal: below the data
// where both are the same one, and where data goes into a file. What is at the
// other end of a pipe may write to the terminal too, so there is no line beside
// one; nor with --raw, which may leave the cursor anywhere.
func (s *statusLine) start(e *env, raw bool) (stop func()) {
	read := func() tally { return s.tally(e.outages.on()) }
	e.answer(read)
	out, ok := e.out.(*stdout)
	if !ok || e.cfg.quiet || !e.msgs.terminal {
		return func() {}
	}
	if !isTerminal(out) {
		if f, ok := out.w.(*os.File); !ok || !keeps(f) {
			return func() {}
		}
		return e.keepDrawing("", read)
	}
	if raw || !sameFile(out.w, e.errOut) {
		return func() {}
	}
	out.below.Store(e.msgs)
	erase := e.keepDrawing("", read)
	return func() {
		erase()
		out.below.Store(nil)
	}
}

// keeps says that what is written to f stays there, or nowhere.
func keeps(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) == 0
}

// sameFile says that both are one terminal.
func sameFile(a, b any) bool {
	f, ok := a.(*os.File)
	g, okToo := b.(*os.File)
	if !ok || !okToo {
		return false
	}
	one, err := f.Stat()
	other, errToo := g.Stat()
	return err == nil && errToo == nil && os.SameFile(one, other)
}

// showStatus shows how reading goes, unless children have the terminal.
func (o *consumeOptions) showStatus() (stop func()) {
	o.shown.ends = !o.follow
	switch {
	case o.exec != "":
		return func() {}
	case o.write != "":
		// What is in no finished file counts as not read, which says nothing of how far it is.
		o.shown.session.Store(nil)
		read := func() tally { return o.shown.tally(false) }
		if o.answer(read); o.cfg.quiet || !o.msgs.terminal {
			return func() {}
		}
		return o.keepDrawing("", read)
	}
	return o.shown.start(o.env, o.raw)
}
