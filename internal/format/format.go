// Package format is the language of -f, both ways: a Program prints records as
// a format says, and its Parser reads what was printed wherever that can be done
// without guessing. Everything is decided when a format is compiled, faults with
// their place in it included; printing a record takes no memory. It knows no
// files, no flags and no Kafka.
package format

import (
	"fmt"
	"time"

	"kafkactl/internal/record"
)

// verb is what an item shows. Most are the letter of their token.
type verb byte

const (
	literal     verb = 0
	topic       verb = 't'
	partition   verb = 'p'
	offset      verb = 'o'
	key         verb = 'k'
	value       verb = 's'
	timestamp   verb = 'T'
	headerList  verb = 'l' // %h
	oneHeader   verb = 'h' // %h{NAME}
	keySize     verb = 'K'
	valueSize   verb = 'S'
	leaderEpoch verb = 'e'
	headerCount verb = 'H'
	headerBlock verb = 'B' // %H{block}
)

// encoding is how an item shows it.
type encoding uint8

const (
	plain encoding = iota // bytes as they are, numbers in decimal
	hexed
	base64ed
	jsoned
	unpacked
	fixed  // integers of 1 to 8 bytes
	varint // zigzag, as in record format v2
	rfc3339
	strftime
)

// item is one token or a run of literal bytes.
type item struct {
	verb   verb
	enc    encoding
	at     int    // column in the format, from 1
	src    string // as written
	text   []byte // of a literal, a header's name
	spec   string // of strftime
	layout []field
	width  int // bytes of a fixed integer
	little bool
}

// Program prints records. It keeps nothing between them, so any number of
// goroutines may use one.
type Program struct {
	items  []item
	loc    *time.Location
	end    int  // column behind the format
	checks bool // some item cannot show every record
}

// SyntaxError is a format that cannot be compiled, or not be read back. At
// counts its bytes from 1.
type SyntaxError struct {
	At   int
	Msg  string
	Hint string
}

// Error is the fault and its place.
func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %s", e.At, e.Msg) }

// Compile reads a format. Times are printed, and read where they name no zone,
// in loc.
func Compile(text string, loc *time.Location) (*Program, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &Program{loc: loc, end: len(text) + 1}
	for i := range tokens {
		it, err := tokens[i].item()
		if err != nil {
			return nil, err
		}
		p.checks = p.checks || it.enc == unpacked || it.enc == fixed && it.width < 8
		p.items = append(p.items, it)
	}
	return p, nil
}

// RangeError is a number too large for the bytes a format gives it.
type RangeError struct {
	Token string
	N     int64
}

// Error names the token.
func (e *RangeError) Error() string { return fmt.Sprintf("%d does not fit %s", e.N, e.Token) }

// MisfitError is bytes that an unpack layout does not describe. They are shown
// whole, as !0x and hexadecimal digits.
type MisfitError struct{ Token string }

// Error names the token.
func (e *MisfitError) Error() string { return "what " + e.Token + " describes is something else" }

// Checks says that there are records the format cannot show, which Check finds.
func (p *Program) Checks() bool { return p.checks }

// Check says whether r can be shown: nil, a *MisfitError, or a *RangeError for
// what Append would print wrong.
func (p *Program) Check(r *record.Record) error {
	var misfit error
	for i := range p.items {
		it := &p.items[i]
		switch it.enc {
		case fixed:
			if n := it.number(r); !fits(n, it.width) {
				return &RangeError{Token: it.src, N: n}
			}
		case unpacked:
			if b, _ := it.bytes(r); b != nil && !describes(it.layout, b) {
				misfit = &MisfitError{Token: it.src}
			}
		}
	}
	return misfit
}

// fits says that n is what width bytes can hold: all their bits set are -1, the
// length of a null, and below that they count up from 0.
func fits(n int64, width int) bool {
	return width == 8 || n >= -1 && n < 1<<(8*width)-1
}
