package main

import "encoding/json"

// jsonToken is a kind of what JSON is made of.
type jsonToken int8

const (
	tokenFrame  jsonToken = iota // brackets, commas, colons, white space
	tokenName                    // a string before a colon
	tokenText                    // any other string
	tokenNumber                  // a number
	tokenWord                    // true, false, null
)

// tokens takes text apart into JSON's tokens, in one pass and without a stack, so
// that no nesting is too deep. All of the text comes out in order, also of text
// that is no JSON, and is only ever parted at an ASCII character.
type tokens struct{ rest []byte }

// next takes the first token off; it is empty at the end.
func (t *tokens) next() (kind jsonToken, text []byte) {
	b := t.rest
	if len(b) == 0 {
		return tokenFrame, nil
	}
	n := 1
	switch c := b[0]; {
	case c == '"':
		kind, n = tokenText, stringEnd(b)
		if namesField(b[n:]) {
			kind = tokenName
		}
	case startsNumber(c):
		kind = tokenNumber
		for n < len(b) && inNumber(b[n]) {
			n++
		}
	case startsWord(c):
		kind = tokenWord
		for n < len(b) && b[n] >= 'a' && b[n] <= 'z' {
			n++
		}
	default:
		for n < len(b) && b[n] != '"' && !startsNumber(b[n]) && !startsWord(b[n]) {
			n++
		}
	}
	t.rest = b[n:]
	return kind, b[:n]
}

func startsNumber(c byte) bool { return c == '-' || c >= '0' && c <= '9' }

func startsWord(c byte) bool { return c == 't' || c == 'f' || c == 'n' }

func inNumber(c byte) bool {
	return startsNumber(c) || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// stringEnd is the length of the string that b begins with.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// namesField says that a colon follows.
func namesField(b []byte) bool {
	for _, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c == ':'
		}
	}
	return false
}

// likeJSON says that bytes are worth colouring as JSON.
func likeJSON(b []byte) bool {
	for _, c := range b {
		switch {
		case c == ' ', c == '\t', c == '\r', c == '\n':
			continue
		case c == '{', c == '[', c == '"', startsNumber(c), startsWord(c):
			return json.Valid(b)
		}
		return false
	}
	return false
}
