package format

import (
	"bytes"
	"fmt"
)

// extent is how a parser finds where an item ends.
type extent uint8

const (
	byText   extent = iota // the literal itself
	byWidth                // a fixed integer
	byVarint               // its last byte says so
	byClass                // what it cannot be made of follows
	bySize                 // a length stood before it
	byNext                 // the literal behind it follows
	byEnd                  // the record ends
	byJSON                 // a JSON value says so
	byBlock                // headers say how long they are
	byPieces               // a time has that form
	byFields               // an unpacked layout has that many fields
)

// step is an item as a parser reads it.
type step struct {
	*item
	how    extent
	class  *set
	pieces []piece
}

// set is a set of bytes.
type set [256]bool

func setOf(chars string) *set {
	var s set
	for i := range len(chars) {
		s[chars[i]] = true
	}
	return &s
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// Parser gives a parser of what p prints. A format that cannot be read back is
// a *SyntaxError with the place of the fault. Text without a length before it
// ends where what follows it in the format first stands.
func (p *Program) Parser() (*Parser, error) {
	if err := p.once(); err != nil {
		return nil, err
	}
	q := &Parser{loc: p.loc, max: maxRecord}
	sized := map[verb]bool{}
	for i := range p.items {
		it := &p.items[i]
		s := step{item: it}
		s.how, s.class = it.extent(sized)
		if s.how == byPieces {
			var err error
			if s.pieces, err = pieces(it.spec); err != nil {
				return nil, p.refuse(it, "%s cannot be read back: %v", it.src, err)
			}
			if err := tells(s.pieces); err != nil {
				return nil, p.refuse(it, "%s cannot be read back: %v", it.src, err)
			}
		}
		sized[it.verb] = true
		q.steps = append(q.steps, s)
	}
	q.keyed = sized[key]
	if n := len(q.steps); n > 0 && q.steps[n-1].verb == literal && framed(q.steps[:n-1], q.steps[n-1].text) {
		q.term = q.steps[n-1].text
		q.steps = q.steps[:n-1]
	}
	for i := range q.steps {
		if err := q.bound(p, i); err != nil {
			return nil, err
		}
	}
	q.reset()
	return q, nil
}

// once refuses what says a thing twice, or not at all.
func (p *Program) once() error {
	seen := map[string]*item{}
	block := false
	for i := range p.items {
		it := &p.items[i]
		name := string(it.verb)
		switch it.verb {
		case literal:
			continue
		case headerList:
			return &SyntaxError{At: it.at, Msg: "%h cannot be read back: names and values may hold its commas and equal signs",
				Hint: "%H{block} has all headers, %h{NAME} one"}
		case oneHeader:
			name += string(it.text)
			block = block || seen[string(headerBlock)] != nil
		case headerBlock:
			for other := range seen {
				block = block || other[0] == byte(oneHeader)
			}
		}
		if block {
			return p.refuse(it, "%%H{block} has the header of %%h{NAME} already")
		}
		if seen[name] != nil {
			return p.refuse(it, "%s says again what %s says", it.src, seen[name].src)
		}
		seen[name] = it
	}
	if seen[string(value)] == nil {
		return &SyntaxError{At: p.end, Msg: "no %s: a record needs a value"}
	}
	return nil
}

func (p *Program) refuse(it *item, format string, args ...any) error {
	return &SyntaxError{At: it.at, Msg: fmt.Sprintf(format, args...)}
}

// extent is how an item ends, as far as it can be told without what follows;
// byClass comes with what it is made of.
func (it *item) extent(before map[verb]bool) (extent, *set) {
	switch {
	case it.verb == literal:
		return byText, nil
	case it.verb == headerBlock:
		return byBlock, nil
	case it.enc == fixed:
		return byWidth, nil
	case it.enc == varint:
		return byVarint, nil
	case it.enc == jsoned:
		return byJSON, nil
	case it.enc == unpacked:
		return byFields, setOf(digits + letters + "-+.:!")
	case it.enc == strftime:
		return byPieces, nil
	case it.enc == rfc3339:
		return byClass, setOf(digits + "-+.:TZ")
	case it.verb == key && before[keySize], it.verb == value && before[valueSize]:
		return bySize, nil
	case it.enc == hexed:
		return byClass, setOf(digits + "abcdefABCDEF")
	case it.enc == base64ed:
		return byClass, setOf(digits + letters + "+/=")
	case it.verb == topic:
		return byClass, setOf(digits + letters + "._-")
	case it.verb == key, it.verb == value, it.verb == oneHeader:
		return byNext, nil
	}
	return byClass, setOf(digits)
}

// framed says that every record is what stands before the next term, as lines
// are: nothing but text that may be bounded so, and no other literal that shares
// a byte with term.
func framed(steps []step, term []byte) bool {
	for i := range steps {
		s := &steps[i]
		switch s.how {
		case byText:
			if containsAny(s.text, term) {
				return false
			}
		case byClass:
			for _, c := range term {
				if s.class[c] {
					return false
				}
			}
		case byNext:
		case byJSON, byFields:
			if term[0] >= ' ' {
				return false // it may stand in a string, where control characters do not
			}
		case byPieces:
			if term[0] >= ' ' || containsAny([]byte(s.spec), term) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func containsAny(b, chars []byte) bool {
	for _, c := range chars {
		if bytes.IndexByte(b, c) >= 0 {
			return true
		}
	}
	return false
}

// bound settles where step i ends by what follows it, and refuses what leaves
// that open.
func (q *Parser) bound(p *Program, i int) error {
	s := &q.steps[i]
	last := i == len(q.steps)-1
	if s.how == byNext {
		switch {
		case last && q.term != nil:
			s.how = byEnd
		case last || q.steps[i+1].how != byText:
			err := p.refuse(s.item, "where %s ends cannot be told", s.src).(*SyntaxError)
			err.Hint = "put text behind it, or its length before it: " + sizeHint(s.verb)
			return err
		}
		return nil
	}
	class := s.class
	if s.how == byPieces {
		if end := s.pieces[len(s.pieces)-1]; end.class != '\'' && end.size == 0 {
			class = new(set)
			for c := range class {
				class[c] = within(end.class, byte(c))
			}
		}
	}
	if class == nil || s.how == bySize {
		return nil
	}
	follow, _ := q.follow(i)
	for c := range class {
		if class[c] && follow[c] {
			err := p.refuse(s.item, "where %s ends cannot be told: what follows may begin with %q", s.src, rune(c)).(*SyntaxError)
			err.Hint = "put a space or a tab behind it"
			return err
		}
	}
	return nil
}

func sizeHint(v verb) string {
	switch v {
	case key:
		return "%K"
	case value:
		return "%S"
	}
	return "%H{block} has its own"
}

// follow is what may begin behind step i: in a line what is left of it, else
// the next record too.
func (q *Parser) follow(i int) (out set, open bool) {
	n := len(q.steps)
	for k := 1; k <= n; k++ {
		j := i + k
		if j >= n {
			if q.term != nil {
				return out, true
			}
			j -= n
		}
		first, empty := q.steps[j].first()
		for c := range first {
			out[c] = out[c] || first[c]
		}
		if !empty {
			return out, false
		}
	}
	return out, true
}

// first is what a step may begin with, and whether it may be nothing.
func (s *step) first() (out set, empty bool) {
	switch s.how {
	case byText:
		out[s.text[0]] = true
		return out, false
	case byClass:
		out = *s.class
		switch s.enc {
		case hexed, base64ed:
			return out, true
		case plain:
			out['-'] = true
		}
		return out, false
	case byJSON:
		return *setOf(`n"{`), false
	case byFields:
		return *setOf(digits + letters + `-+.:!"`), false
	}
	for c := range out {
		out[c] = true
	}
	return out, s.how == bySize || s.how == byNext || s.how == byEnd
}
