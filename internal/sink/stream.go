// Package sink delivers records outside. It commits nothing: it tells which
// records arrived, and others make of that what they will.
package sink

import (
	"context"
	"io"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// Append writes one record onto dst in some form and returns the longer dst.
type Append func(dst []byte, r *record.Record) []byte

// PageBytes is the usual size of a page.
const PageBytes = 256 << 10

const (
	pageMarks = 16 << 10 // marks a page holds at most: records may be of no bytes at all
	pageKeep  = 1 << 20  // a page that one large record grew past this is given back
)

// Stream writes pages of whole records and knows, byte by byte, which of them
// got out. It is used by one goroutine.
type Stream struct {
	w      io.Writer
	append Append
	done   func(consume.Mark)
	limit  int
	page   []byte
	marks  []mark
	err    error
}

// mark is what is done once the page is written up to end.
type mark struct {
	m    consume.Mark
	end  int
	skip bool // it stands for no record, so a later skip may take its place
}

var _ consume.Sink = (*Stream)(nil)

// NewStream writes records to w in f's form, about page bytes at a time (0:
// PageBytes), and tells done, in order, of what w accepted. A short write tells
// exactly the records whose last byte was accepted. A pipe is made as wide as
// the system lets it be.
func NewStream(w io.Writer, f Append, done func(consume.Mark), page int) *Stream {
	if page <= 0 {
		page = PageBytes
	}
	widen(w)
	return &Stream{w: w, append: f, done: done, limit: page}
}

// Record implements consume.Sink. The first error of the writer sticks.
func (s *Stream) Record(_ context.Context, r *record.Record, m consume.Mark) error {
	if s.err != nil {
		return s.err
	}
	s.page = s.append(s.page, r)
	s.marks = append(s.marks, mark{m: m, end: len(s.page)})
	if len(s.page) >= s.limit || len(s.marks) >= pageMarks {
		return s.write()
	}
	return nil
}

// Skip implements consume.Sink. It never takes the place of a record's mark: a
// write that stopped before that record would otherwise be told as if it had
// passed it.
func (s *Stream) Skip(m consume.Mark) {
	if s.err != nil {
		return
	}
	n := len(s.marks)
	switch {
	case n == 0 && len(s.page) == 0:
		s.done(m)
	case n > 0 && s.marks[n-1].skip && s.marks[n-1].m.P == m.P:
		s.marks[n-1].m = m
	default:
		s.marks = append(s.marks, mark{m: m, end: len(s.page), skip: true})
		if n+1 >= pageMarks {
			_ = s.write() // sticks, and the next Record or Flush returns it
		}
	}
}

// Flush implements consume.Sink.
func (s *Stream) Flush(context.Context) error {
	if s.err != nil {
		return s.err
	}
	return s.write()
}

func (s *Stream) write() error {
	n := 0
	if len(s.page) > 0 {
		n, s.err = s.w.Write(s.page)
		if n < len(s.page) && s.err == nil {
			s.err = io.ErrShortWrite
		}
	}
	s.tell(n)
	if cap(s.page) > pageKeep+s.limit && len(s.page) < cap(s.page)/4 {
		s.page = nil
	}
	s.page, s.marks = s.page[:0], s.marks[:0]
	return s.err
}

// tell passes on the marks that n written bytes cover, of a run of one
// partition only the last.
func (s *Stream) tell(n int) {
	for i := range s.marks {
		k := &s.marks[i]
		if k.end > n {
			return
		}
		if j := i + 1; j < len(s.marks) && s.marks[j].end <= n && s.marks[j].m.P == k.m.P {
			continue
		}
		s.done(k.m)
	}
}
