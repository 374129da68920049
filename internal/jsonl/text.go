package jsonl

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// string reads a JSON string: a slice of the line where nothing is escaped, else
// of d.buf. Never nil.
func (d *Decoder) string() ([]byte, error) {
	if !d.take('"') {
		return nil, d.fault("a string is wanted")
	}
	from := d.at
	d.plain()
	switch {
	case d.at == len(d.line):
		return nil, d.unclosed(from)
	case d.line[d.at] == '"':
		s := d.line[from:d.at:d.at]
		d.at++
		return d.valid(s, from)
	case d.line[d.at] == '\\':
		return d.escaped(from)
	}
	return nil, d.fault("a control character stands in a string unescaped")
}

func (d *Decoder) unclosed(from int) error {
	d.at = from - 1
	return d.fault("a string that does not end")
}

func (d *Decoder) valid(s []byte, from int) ([]byte, error) {
	if !utf8.Valid(s) {
		d.at = from
		return nil, d.fault("not valid UTF-8 (bytes go in base64 under key64, value64 or name64)")
	}
	return s, nil
}

// escaped reads the rest of a string from its first backslash, at d.at.
func (d *Decoder) escaped(from int) ([]byte, error) {
	start := len(d.buf)
	d.buf = append(d.buf, d.line[from:d.at]...)
	for d.at < len(d.line) {
		run := d.at
		d.plain()
		d.buf = append(d.buf, d.line[run:d.at]...)
		if d.at == len(d.line) {
			break
		}
		switch c := d.line[d.at]; c {
		case '"':
			d.at++
			s := d.buf[start:len(d.buf):len(d.buf)]
			return d.valid(s, from)
		case '\\':
			if err := d.escape(); err != nil {
				return nil, err
			}
		default:
			return nil, d.fault("a control character stands in a string unescaped")
		}
	}
	return nil, d.unclosed(from)
}

// plain passes over what stands for itself, up to a quote, a backslash, a
// control character or the end of the line.
func (d *Decoder) plain() {
	i := d.at
	for i+8 <= len(d.line) {
		mask := special(binary.LittleEndian.Uint64(d.line[i:]))
		if mask != 0 {
			d.at = i + bits.TrailingZeros64(mask)/8
			return
		}
		i += 8
	}
	for i < len(d.line) && d.line[i] >= 0x20 && d.line[i] != '"' && d.line[i] != '\\' {
		i++
	}
	d.at = i
}

func (d *Decoder) escape() error {
	if d.at+1 >= len(d.line) {
		return d.fault("an escape that does not end")
	}
	c := d.line[d.at+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return d.unicode()
	default:
		return d.fault("\\%c is no escape of JSON", c)
	}
	d.buf = append(d.buf, c)
	d.at += 2
	return nil
}

// unicode reads \uXXXX, or two of them where they are a surrogate pair.
func (d *Decoder) unicode() error {
	u, ok := d.hex4(d.at + 2)
	if !ok {
		return d.fault("\\u wants four hexadecimal digits")
	}
	size := 6
	if u >= 0xd800 && u < 0xe000 {
		low, ok := rune(0), false
		if u < 0xdc00 && d.at+8 <= len(d.line) && d.line[d.at+6] == '\\' && d.line[d.at+7] == 'u' {
			low, ok = d.hex4(d.at + 8)
		}
		if !ok || low < 0xdc00 || low >= 0xe000 {
			return d.fault("half of a surrogate pair is no character")
		}
		u = 0x10000 + (u-0xd800)<<10 + (low - 0xdc00)
		size = 12
	}
	d.buf = utf8.AppendRune(d.buf, u)
	d.at += size
	return nil
}

func (d *Decoder) hex4(at int) (rune, bool) {
	if at+4 > len(d.line) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(d.line[at:at+4]), 16, 16)
	return rune(n), err == nil
}
