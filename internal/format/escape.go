package format

import (
	"encoding/hex"
	"fmt"
)

// escape reads a backslash and what belongs to it: \n \r \t \0 \\ and \xNN.
func (l *lexer) escape() (byte, error) {
	at := l.pos
	rest := l.in[at+1:]
	if rest == "" {
		return 0, &SyntaxError{At: at + 1, Msg: `a lone backslash at the end`, Hint: `\\ is a backslash`}
	}
	l.pos += 2
	switch rest[0] {
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case '0':
		return 0, nil
	case '\\':
		return '\\', nil
	case 'x':
		if len(rest) >= 3 {
			if b, err := hex.DecodeString(rest[1:3]); err == nil {
				l.pos += 2
				return b[0], nil
			}
		}
		return 0, &SyntaxError{At: at + 1, Msg: `\x wants two hexadecimal digits`}
	}
	return 0, &SyntaxError{At: at + 1, Msg: fmt.Sprintf(`%q is no escape`, rest[:1]), Hint: `escapes are \n \r \t \0 \\ \xNN`}
}
