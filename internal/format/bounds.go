package format

import (
	"bytes"
	"encoding/binary"
)

// jsonEnd finds the end of a string, of null or of an object without others in it.
func (q *Parser) jsonEnd(s *step, b []byte, from int) (int, error) {
	if from == len(b) {
		return 0, ErrMore
	}
	switch b[from] {
	case 'n':
		return from + len("null"), nil
	case '{':
		if i := bytes.IndexByte(b[q.scan:], '}'); i >= 0 {
			return q.scan + i + 1, nil
		}
		q.scan = len(b)
		return 0, ErrMore
	case '"':
		i := max(q.scan, from+1)
		for i < len(b) && b[i] != '"' {
			if b[i] == '\\' {
				if i+1 == len(b) {
					break
				}
				i++
			}
			i++
		}
		if q.scan = i; i >= len(b) || b[i] != '"' {
			return 0, ErrMore
		}
		return i + 1, nil
	}
	return 0, q.fault(s, from, `want null, a "string" or {"base64":"…"}`)
}

// blockEnd walks headers. What is behind the ones walked is remembered, and no
// count or length is believed before its bytes are there.
func (q *Parser) blockEnd(s *step, b []byte, from int) (int, error) {
	size := func(i int) (int64, int, error) {
		if i >= len(b) {
			return 0, 0, ErrMore
		}
		n, w := binary.Varint(b[i:min(len(b), i+binary.MaxVarintLen64)])
		switch {
		case w > 0:
			return n, i + w, nil
		case w == 0 && len(b)-i < binary.MaxVarintLen64:
			return 0, 0, ErrMore
		}
		return 0, 0, q.fault(s, i, "no variable-length integer")
	}
	i := q.scan
	if q.left < 0 {
		n, at, err := size(from)
		if err != nil {
			return 0, err
		}
		if n < 0 {
			return 0, q.fault(s, from, "a count of headers below 0")
		}
		q.left, q.scan, i = n, at, at
	}
	for q.left > 0 {
		for part := range 2 {
			n, at, err := size(i)
			if err != nil {
				return 0, err
			}
			if n < -1 || n == -1 && part == 0 || n > int64(q.max) {
				return 0, q.fault(s, i, "no length of a header's name or value")
			}
			if i = at + int(max(n, 0)); i > len(b) {
				return 0, ErrMore
			}
		}
		q.left--
		q.scan = i
	}
	q.left = -1
	return i, nil
}
