package format

import (
	"fmt"
	"strings"
)

// token is one token of a format as written, verb 0 being literal bytes.
type token struct {
	verb byte
	at   int
	src  string
	text []byte // of a literal
	mods []modifier
}

// modifier is what stands in braces behind a token, escapes resolved.
type modifier struct {
	at   int
	text string
}

// lexer walks a format.
type lexer struct {
	in  string
	pos int
	out []token
}

func lex(in string) ([]token, error) {
	l := &lexer{in: in}
	for l.pos < len(in) {
		at := l.pos
		switch c := in[at]; {
		case c == '\\':
			b, err := l.escape()
			if err != nil {
				return nil, err
			}
			l.literal(at, b)
		case c == '%' && at+1 < len(in) && in[at+1] == '%':
			l.pos += 2
			l.literal(at, '%')
		case c == '%':
			if err := l.token(); err != nil {
				return nil, err
			}
		default:
			l.pos++
			l.literal(at, c)
		}
	}
	return l.out, nil
}

// literal adds a byte that stands for itself.
func (l *lexer) literal(at int, b byte) {
	if n := len(l.out); n == 0 || l.out[n-1].verb != 0 {
		l.out = append(l.out, token{at: at + 1})
	}
	t := &l.out[len(l.out)-1]
	t.text = append(t.text, b)
	t.src = l.in[t.at-1 : l.pos]
}

// token reads a % with its letter and modifiers.
func (l *lexer) token() error {
	at := l.pos
	if at+1 == len(l.in) {
		return &SyntaxError{At: at + 1, Msg: "a lone % at the end", Hint: "%% is a percent sign"}
	}
	t := token{verb: l.in[at+1], at: at + 1}
	if !strings.ContainsRune("tpoksvThKSReH", rune(t.verb)) {
		return &SyntaxError{At: at + 1, Msg: fmt.Sprintf("%q is no token", l.in[at:at+2]),
			Hint: "tokens are %t %p %o %k %s %T %h %K %S %R %e %H; %% is a percent sign"}
	}
	l.pos += 2
	for l.pos < len(l.in) && l.in[l.pos] == '{' {
		m, err := l.modifier()
		if err != nil {
			return err
		}
		t.mods = append(t.mods, m)
	}
	t.src = l.in[at:l.pos]
	l.out = append(l.out, t)
	return nil
}

func (l *lexer) modifier() (modifier, error) {
	open := l.pos
	m := modifier{at: open + 2}
	var text []byte
	for l.pos++; l.pos < len(l.in); {
		switch c := l.in[l.pos]; c {
		case '}':
			l.pos++
			m.text = string(text)
			return m, nil
		case '\\':
			b, err := l.escape()
			if err != nil {
				return m, err
			}
			text = append(text, b)
		default:
			text = append(text, c)
			l.pos++
		}
	}
	return m, &SyntaxError{At: open + 1, Msg: "{ opens a modifier that does not end", Hint: `a literal { behind a token is \x7b`}
}
