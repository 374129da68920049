package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"kafkactl/internal/jsonl"
	"kafkactl/internal/record"
)

// maxRecord bounds what a parser takes for one record: no length that the input
// claims makes it wait for more.
const maxRecord = 512 << 20

// NoPartition is the partition of a record whose format tells none.
const NoPartition int32 = -1

// ErrMore is Next's answer while the record's end has not been seen.
var ErrMore = errors.New("the record goes on")

// Parser reads what a Program printed. It owns the memory of the record it
// filled last, as far as that does not lie in what it was given.
type Parser struct {
	steps []step
	term  []byte // what ends each record, when records are lines
	loc   *time.Location
	max   int
	keyed bool

	// Of the record under way, so that none of it is looked at twice.
	ends  []int
	scan  int
	left  int64 // headers of a block still to come, -1 before it
	sizes [2]claim

	d    jsonl.Decoder
	buf  []byte
	raw  []byte
	spot []byte
}

// claim is a length that stood in the input.
type claim struct {
	n   int64
	set bool
}

// ParseError is input that a format does not describe. At counts the record's
// bytes from 1.
type ParseError struct {
	At    int
	Token string
	Msg   string
}

// Error is the fault and its place.
func (e *ParseError) Error() string { return fmt.Sprintf("column %d: %s: %s", e.At, e.Token, e.Msg) }

// Terminator is what ends every record, nil if records are not so framed and
// only Next can read them.
func (q *Parser) Terminator() []byte { return q.term }

// Keyed says that records bring their keys, null ones too.
func (q *Parser) Keyed() bool { return q.keyed }

// Partitioned says that records name their partition.
func (q *Parser) Partitioned() bool {
	return slices.ContainsFunc(q.steps, func(s step) bool { return s.verb == partition })
}

// Line fills r from one record without its terminator.
func (q *Parser) Line(line []byte, r *record.Record) error {
	defer q.reset()
	for len(q.ends) < len(q.steps) {
		if err := q.step(line, true); err != nil {
			return err
		}
	}
	if at := q.at(); at < len(line) {
		return &ParseError{at + 1, "the end", fmt.Sprintf("%q is more than the format has", line[at:min(at+20, len(line))])}
	}
	return q.fill(line, r)
}

// Next fills r from the record b begins with and tells how long that is, for
// formats without a Terminator. eof says that nothing follows b. Otherwise the
// answer may be ErrMore: call again with the same bytes and more behind them.
// After another error with n above 0 the next record begins there; with 0 nobody
// knows where. r's slices alias b or die at the next call.
func (q *Parser) Next(b []byte, eof bool, r *record.Record) (n int, err error) {
	for len(q.ends) < len(q.steps) {
		if err := q.step(b, eof); err != nil {
			if err != ErrMore {
				q.reset()
			}
			return 0, err
		}
		if q.at() > q.max {
			q.reset()
			return 0, fmt.Errorf("a record of more than %d bytes", q.max)
		}
	}
	n = q.at()
	err = q.fill(b[:n], r)
	q.reset()
	return n, err
}

// Skip forgets the record under way, whose bytes will not come.
func (q *Parser) Skip() { q.reset() }

func (q *Parser) reset() {
	q.ends, q.scan, q.left = q.ends[:0], 0, -1
	q.sizes = [2]claim{}
}

// at is where the next step begins.
func (q *Parser) at() int {
	if n := len(q.ends); n > 0 {
		return q.ends[n-1]
	}
	return 0
}

// step finds the end of the next item.
func (q *Parser) step(b []byte, eof bool) error {
	from, k := q.at(), len(q.ends)
	s := &q.steps[k]
	if q.scan < from {
		q.scan = from
	}
	end, err := q.end(s, b, from, eof)
	if err == ErrMore && eof {
		if from == len(b) && k == len(q.steps)-1 && s.how == byText && k > 0 {
			end, err = from, nil // the last record may lack its end, as a last line may
		} else {
			err = q.fault(s, from, "the input ends in it")
		}
	}
	if err == nil && end > len(b) {
		err = ErrMore
		if eof {
			err = q.fault(s, from, "the input ends in it")
		}
	}
	if err != nil {
		if err == ErrMore && len(b)-from > q.max {
			return q.fault(s, from, fmt.Sprintf("more than %d bytes", q.max))
		}
		return err
	}
	q.ends = append(q.ends, end)
	if s.verb == keySize || s.verb == valueSize {
		return q.claim(s, b[from:end], from)
	}
	return nil
}

// claim notes a length that the input has.
func (q *Parser) claim(s *step, raw []byte, from int) error {
	n, err := s.integer(raw)
	if err == nil && (n < -1 || n > int64(q.max)) {
		err = fmt.Errorf("a length of %d bytes", n)
	}
	if err != nil {
		return q.fault(s, from, err.Error())
	}
	q.sizes[side(s.verb)] = claim{n, true}
	return nil
}

// side is where a length is kept: 0 of keys, 1 of values.
func side(v verb) int {
	if v == key || v == keySize {
		return 0
	}
	return 1
}

func (q *Parser) fault(s *step, at int, msg string) error {
	token := s.src
	if s.verb == literal {
		token = strconv.Quote(string(s.text))
	}
	return &ParseError{at + 1, token, msg}
}

func (q *Parser) wanted(s *step, b []byte, from int) error {
	return q.fault(s, from, fmt.Sprintf("wanted, found %q", b[from:min(len(b), from+20)]))
}

// end finds where a step that begins at from ends, which may lie behind b.
func (q *Parser) end(s *step, b []byte, from int, eof bool) (int, error) {
	switch s.how {
	case byText:
		have := b[from:min(len(b), from+len(s.text))]
		if !bytes.HasPrefix(s.text, have) {
			return 0, q.wanted(s, b, from)
		}
		if len(have) < len(s.text) {
			return 0, ErrMore
		}
		return from + len(s.text), nil
	case byWidth:
		return from + s.width, nil
	case byVarint:
		_, n := binary.Uvarint(b[from:min(len(b), from+binary.MaxVarintLen64)])
		switch {
		case n > 0:
			return from + n, nil
		case n == 0 && len(b)-from < binary.MaxVarintLen64:
			return 0, ErrMore
		}
		return 0, q.fault(s, from, "no variable-length integer")
	case byClass:
		i := q.scan
		if i == from && s.enc == plain && s.verb != topic && i < len(b) && b[i] == '-' {
			i++
		}
		for i < len(b) && s.class[b[i]] {
			i++
		}
		if i == from && i < len(b) && s.enc != hexed && s.enc != base64ed {
			return 0, q.wanted(s, b, from)
		}
		return q.run(i, len(b), eof)
	case bySize:
		return from + int(s.encoded(max(q.sizes[side(s.verb)].n, 0))), nil
	case byEnd:
		return len(b), nil
	case byNext:
		return q.next(b, s, eof)
	case byJSON:
		return q.jsonEnd(s, b, from)
	case byBlock:
		return q.blockEnd(s, b, from)
	case byPieces:
		end, more := timeEnd(b, from, s.pieces)
		if end < 0 {
			return 0, q.fault(s, from, fmt.Sprintf("%q is no such time", b[from:min(len(b), from+20)]))
		}
		if more && !eof {
			return 0, ErrMore
		}
		return end, nil
	}
	end, more := unpackedEnd(b, from, len(s.layout))
	if more && !eof {
		return 0, ErrMore
	}
	return end, nil
}

// run ends at i, unless that is all there is so far.
func (q *Parser) run(i, have int, eof bool) (int, error) {
	if i == have && !eof {
		q.scan = i
		return 0, ErrMore
	}
	return i, nil
}

// encoded is how long n bytes are as the step shows them.
func (s *step) encoded(n int64) int64 {
	switch s.enc {
	case hexed:
		return 2 * n
	case base64ed:
		return (n + 2) / 3 * 4
	}
	return n
}

// next looks for the literal behind a text.
func (q *Parser) next(b []byte, s *step, eof bool) (int, error) {
	k := len(q.ends)
	lit := q.steps[k+1].text
	if i := bytes.Index(b[q.scan:], lit); i >= 0 {
		return q.scan + i, nil
	}
	if !eof {
		q.scan = max(q.scan, len(b)-len(lit)+1)
		return 0, ErrMore
	}
	if k+2 == len(q.steps) && q.term == nil {
		return len(b), nil // the last record may lack its end
	}
	return 0, q.fault(s, q.at(), fmt.Sprintf("no %q behind it", lit))
}
