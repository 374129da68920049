package format

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/timefmt-go"

	"kafkactl/internal/record"
)

// appendTime writes a time as strftime does; no time at all is -1.
func appendTime(dst []byte, ms int64, loc *time.Location, spec string) []byte {
	if ms == record.NoTimestamp {
		return append(dst, "-1"...)
	}
	return timefmt.AppendFormat(dst, time.UnixMilli(ms).In(loc), spec)
}

// A piece of a printed time takes so many bytes of its class; size 0 is as many
// as there are.
type piece struct {
	class byte // d digits, s digits or spaces, a letters, z a zone, or ' for text
	size  int
	text  string
	says  byte // the directive it is of, one that stands for no others
}

// whole is what directives that stand for several stand for.
func whole(c byte) string {
	switch c {
	case 'c':
		return "%a %b %e %H:%M:%S %Y"
	case '+':
		return "%a %b %e %H:%M:%S %Z %Y"
	case 'v':
		return "%e-%b-%Y"
	case 'r':
		return "%I:%M:%S %p"
	case 'F':
		return "%Y-%m-%d"
	case 'T', 'X':
		return "%H:%M:%S"
	case 'R':
		return "%H:%M"
	}
	return ""
}

// checkTime refuses a directive that strftime does not have.
func checkTime(m modifier) error {
	for i := 0; i < len(m.text); i++ {
		if m.text[i] != '%' {
			continue
		}
		at := i
		for i++; i < len(m.text) && strings.IndexByte("-_^#0123456789:", m.text[i]) >= 0; i++ {
		}
		if i == len(m.text) || !strings.ContainsRune("YyCgGmBbhAawuVUWedjkHlIPpMSsfZz%tncv+rFDxTXR", rune(m.text[i])) {
			return &SyntaxError{At: m.at + at, Msg: fmt.Sprintf("%q is no part of a time", m.text[at:min(i+1, len(m.text))]),
				Hint: "as in %Y-%m-%d %H:%M:%S, %f for microseconds, %z for the zone"}
		}
	}
	return nil
}

// errLoose is a time that cannot be told from what is beside it.
var errLoose = errors.New("its parts run into one another")

// pieces takes a strftime format apart, for reading.
func pieces(spec string) ([]piece, error) {
	var out []piece
	for i := 0; i < len(spec); i++ {
		if spec[i] != '%' {
			out = append(out, piece{class: '\'', text: spec[i : i+1]})
			continue
		}
		i++
		p := piece{class: 'd', size: 2, says: spec[i]}
		switch c := spec[i]; c {
		case 'Y':
			p.size = 4
		case 'm', 'd', 'H', 'I', 'M', 'S':
		case 'e', 'k', 'l':
			p.class = 's'
		case 'j':
			p.size = 3
		case 'f':
			p.size = 6
		case 's':
			p.size = 0
		case 'b', 'h', 'a':
			p.class, p.size = 'a', 3
		case 'p', 'P':
			p.class = 'a'
		case 'B', 'A':
			p.class, p.size = 'a', 0
		case 'z':
			p.class, p.size = 'z', 5
		case 'y', 'C', 'D', 'x':
			return nil, fmt.Errorf("%%%c leaves the century open", c)
		case '%':
			p = piece{class: '\'', text: "%"}
		default:
			more := whole(c)
			if more == "" {
				return nil, fmt.Errorf("%%%c is only for printing", c)
			}
			inner, err := pieces(more)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
			continue
		}
		out = append(out, p)
	}
	for i := 1; i < len(out); i++ {
		p, next := out[i-1], out[i]
		// What a space may stand before is read as far as there are digits.
		if p.size == 0 && p.class != '\'' && next.mayBegin(p.class) || p.class == 's' && next.mayBegin('d') {
			return nil, errLoose
		}
	}
	return out, nil
}

// mayBegin says that p can begin with a byte of the class.
func (p piece) mayBegin(class byte) bool {
	if p.class == '\'' {
		return within(class, p.text[0])
	}
	return p.class == class || class == 'd' && p.class == 's'
}

func within(class, c byte) bool {
	switch class {
	case 'd':
		return '0' <= c && c <= '9'
	case 's':
		return '0' <= c && c <= '9' || c == ' '
	case 'a':
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	case 'z':
		return '0' <= c && c <= '9' || c == '+' || c == '-'
	}
	return false
}

// tells says that the pieces of a time leave nothing open but what is finer than
// the finest of them: what is left out is read as the beginning of what is told.
func tells(ps []piece) error {
	has := func(any string) bool {
		for _, p := range ps {
			if p.says != 0 && strings.IndexByte(any, p.says) >= 0 {
				return true
			}
		}
		return false
	}
	if has("s") { // a number of seconds, which reading takes for local time where it is not alone
		for _, p := range ps {
			if p.class != '\'' && p.says != 's' && p.says != 'f' {
				return fmt.Errorf("%%s and %%%c do not go together", p.says)
			}
		}
		return nil
	}
	switch hour := has("Hk") || has("Il") && has("pP"); {
	case !has("Y") || !has("j") && !(has("mbBh") && has("de")):
		return errors.New("it does not tell the day")
	case has("Il") && !hour:
		return errors.New("it does not tell the half of the day, as %p does")
	case has("pP") && !has("Il"):
		return errors.New("%p goes with the hour of %I")
	case has("Hk") && has("Il"):
		return errors.New("it tells the hour twice")
	case has("j") && has("mbBhde"):
		return errors.New("it tells the day twice")
	case has("MSf") && !hour:
		return errors.New("it does not tell the hour")
	case has("Sf") && !has("M"):
		return errors.New("it does not tell the minute")
	case has("f") && !has("S"):
		return errors.New("it does not tell the second")
	}
	return nil
}

// timeEnd finds the end of a printed time at b[from:]. more says that b stops
// before it is certain, end -1 that this is no such time.
func timeEnd(b []byte, from int, ps []piece) (end int, more bool) {
	i := from
	if rest := b[from:]; len(rest) < 3 && strings.HasPrefix("-1", string(rest)) {
		return i + len(rest), true
	} else if len(rest) >= 3 && rest[0] == '-' && rest[1] == '1' && !within('d', rest[2]) {
		return i + 2, false
	}
	for _, p := range ps {
		switch {
		case p.class == '\'':
			if i == len(b) {
				return i, true
			}
			if b[i] != p.text[0] {
				return -1, false
			}
			i++
		case p.size == 0:
			if p.class == 'd' && i < len(b) && b[i] == '-' {
				i++
			}
			for i < len(b) && within(p.class, b[i]) {
				i++
			}
			if i == len(b) {
				return i, true
			}
		default:
			for range p.size {
				if i == len(b) {
					return i, true
				}
				if !within(p.class, b[i]) {
					return -1, false
				}
				i++
			}
		}
	}
	return i, false
}

// parseTime reads what appendTime wrote.
func parseTime(s string, loc *time.Location, spec string) (int64, error) {
	if s == "-1" {
		return record.NoTimestamp, nil
	}
	t, err := timefmt.ParseInLocation(s, spec, loc)
	if err != nil {
		return 0, fmt.Errorf("%q is no time as in %s", s, spec)
	}
	return t.UnixMilli(), nil
}

// parseRFC3339 reads what appendRFC3339 wrote, and any time of RFC 3339.
func parseRFC3339(s string) (int64, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of RFC 3339", s)
	}
	return t.UnixMilli(), nil
}
