package input

import (
	"bufio"
	"fmt"
)

// quoting stands before encoding/csv, which drops the carriage return of \r\n
// inside quotes, and takes a quote without an end for a field without bound. It
// follows the quotes as encoding/csv does, bad rows included: those end with their
// line, and what they hold must not turn the rows behind them inside out.
type quoting struct {
	in    *bufio.Reader
	comma string
	at    place
	match int // bytes of comma seen
	row   int // bytes of the row so far
	last  byte
	owed  bool // a newline whose carriage return was doubled
	begun bool
	err   error
}

// place is where in a row a byte stands.
type place int8

const (
	fieldStart place = iota
	unquoted
	quoted
	quoteEnd // behind a quote inside quotes: the field's end, or the first of two
	spoilt   // behind a stray quote, up to the end of the line
)

func newQuoting(in *bufio.Reader, comma rune) *quoting {
	return &quoting{in: in, comma: string(comma)}
}

// Read implements io.Reader.
func (q *quoting) Read(b []byte) (int, error) {
	if !q.begun {
		q.begun = true
		skipMark(q.in)
	}
	n := 0
	for n < len(b) && q.err == nil {
		if q.owed {
			b[n], q.owed = '\n', false
			n++
			continue
		}
		if n > 0 && q.in.Buffered() == 0 {
			return n, nil
		}
		c, err := q.in.ReadByte()
		if err != nil {
			q.err = err
			break
		}
		if q.row++; q.row > DefaultMax {
			q.err = fmt.Errorf("a row is longer than %d bytes; is a quote without its end?", DefaultMax)
			break
		}
		if q.see(c); c == '\n' {
			if q.at != quoted {
				q.row = 0
			} else if q.last == '\r' {
				c, q.owed = '\r', true
			}
		}
		q.last = c
		b[n] = c
		n++
	}
	if n > 0 {
		return n, nil
	}
	return 0, q.err
}

// see takes a byte.
func (q *quoting) see(c byte) {
	if q.at == quoted {
		if c == '"' {
			q.at = quoteEnd
		}
		return
	}
	if c == '\n' {
		q.at, q.match = fieldStart, 0
		return
	}
	if q.at == quoteEnd && q.last == '\r' {
		q.at = spoilt // only a line's end may follow
	}
	if q.at == spoilt {
		return
	}
	if q.match > 0 && c != q.comma[q.match] {
		q.match = 0
		q.data(q.comma[0]) // those bytes were none
	}
	if c != q.comma[q.match] {
		q.data(c)
	} else if q.match++; q.match == len(q.comma) {
		q.at, q.match = fieldStart, 0
	}
}

// data takes a byte of a field that is not inside quotes.
func (q *quoting) data(c byte) {
	switch {
	case q.at == quoteEnd && c == '"' && q.last == '"':
		q.at = quoted
	case q.at == quoteEnd && (c != '\r' || q.last != '"'), q.at == unquoted && c == '"':
		q.at = spoilt
	case q.at == fieldStart && c == '"':
		q.at = quoted
	case q.at == fieldStart:
		q.at = unquoted
	}
}

// skipMark passes over the byte order mark that some programs put first.
func skipMark(in *bufio.Reader) {
	const mark = "\xef\xbb\xbf"
	if b, err := in.Peek(1); err != nil || b[0] != mark[0] {
		return
	}
	if b, _ := in.Peek(len(mark)); string(b) == mark {
		_, _ = in.Discard(len(mark)) // they are buffered
	}
}
