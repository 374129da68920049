package jsonl

import (
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"
)

// Encoding is how the bytes of a key or a value stand in a line.
type Encoding uint8

const (
	// Text is a string, or base64 under key64 and value64 where bytes are no UTF-8.
	Text Encoding = iota
	// Hex is a string of lower-case hexadecimal digits.
	Hex
	// Base64 is a string of standard base64 with its padding.
	Base64
	// JSON embeds what is JSON as itself, without its white space; all else is
	// Text. A value that is a JSON string looks like text then, so that it comes
	// back without its quotes, and the word null like Kafka's null.
	JSON
)

// EncodingOf finds the encoding of that name: text, hex, base64 or json.
func EncodingOf(name string) (e Encoding, ok bool) {
	switch name {
	case "text":
		return Text, true
	case "hex":
		return Hex, true
	case "base64":
		return Base64, true
	case "json":
		return JSON, true
	}
	return Text, false
}

// AppendJSON adds b, if it is JSON in valid UTF-8, without its white space, and
// says whether it was.
func AppendJSON(dst, b []byte) ([]byte, bool) {
	if len(b) == 0 || !json.Valid(b) || !utf8.Valid(b) {
		return dst, false
	}
	from := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ { // it ends: b is valid
				if b[i] == '\\' {
					i++
				}
			}
		case ' ', '\t', '\n', '\r':
			dst = append(dst, b[from:i]...)
			from = i + 1
		}
	}
	return append(dst, b[from:]...), true
}

// embedded reads a value of any JSON type: a string is its text, null is null,
// everything else its own JSON as it stands in the line.
func (d *Decoder) embedded() ([]byte, error) {
	d.space()
	if d.null() {
		return nil, nil
	}
	if d.at < len(d.line) && d.line[d.at] == '"' {
		return d.string()
	}
	from := d.at
	for depth := 0; d.at < len(d.line); d.at++ {
		switch c := d.line[d.at]; c {
		case '"':
			if !d.skipString() {
				return nil, d.unclosed(from + 1)
			}
			continue
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth > 0 {
				if depth--; depth == 0 {
					d.at++
					return d.checked(from)
				}
				continue
			}
			return d.checked(from)
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return d.checked(from)
			}
		}
	}
	return d.checked(from)
}

// skipString goes to the closing quote of the string that begins at d.at.
func (d *Decoder) skipString() bool {
	for d.at++; d.at < len(d.line); d.at++ {
		d.plain()
		if d.at == len(d.line) || d.line[d.at] == '"' {
			break
		}
		if d.line[d.at] == '\\' {
			d.at++
		}
	}
	return d.at < len(d.line)
}

// checked is what lies between from and d.at, if that is JSON.
func (d *Decoder) checked(from int) ([]byte, error) {
	b := d.line[from:d.at:d.at]
	if !json.Valid(b) {
		d.at = from
		return nil, d.fault("a JSON value is wanted")
	}
	return d.valid(b, from)
}

// AppendBytes adds b as one JSON value that says all of it: null, a string, or
// {"base64":"…"} where it is no UTF-8.
func AppendBytes(dst, b []byte) []byte {
	switch {
	case b == nil:
		return append(dst, "null"...)
	case !utf8.Valid(b):
		dst = base64.StdEncoding.AppendEncode(append(dst, `{"base64":"`...), b)
		return append(dst, `"}`...)
	}
	return appendString(dst, b)
}

// Bytes reads the whole of s as AppendBytes writes it. The result may alias s,
// or lives until the next Reset.
func (d *Decoder) Bytes(s []byte) (b []byte, err error) {
	d.line, d.at = s, 0
	switch {
	case d.take('{'):
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		if string(name) != "base64" || !d.take(':') {
			return nil, d.fault(`{"base64":"…"} is wanted`)
		}
		if b, err = d.bytes(Base64); err != nil {
			return nil, err
		}
		if b == nil || !d.take('}') {
			return nil, d.fault(`{"base64":"…"} is wanted`)
		}
	default:
		if b, err = d.nullableString(); err != nil {
			return nil, err
		}
	}
	if d.space(); d.at < len(d.line) {
		return nil, d.fault("more behind the value")
	}
	return b, nil
}

// Reset gives up what Bytes read.
func (d *Decoder) Reset() {
	if d.buf = d.buf[:0]; cap(d.buf) > keep {
		d.buf = nil
	}
}
