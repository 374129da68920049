package record

import (
	"encoding/binary"
	"iter"
)

// Headers are a record's headers in the encoding of record format v2, walked on
// demand so that records nobody asks for headers cost nothing. The zero value
// has none.
type Headers struct {
	// Raw is a zigzag varint count followed by so many pairs of (varint name
	// length, name, varint value length or -1 for null, value); empty or nil
	// means no headers. Whoever fills it has validated it.
	Raw []byte
}

// Count is the number of headers.
func (h Headers) Count() int {
	n, _ := binary.Varint(h.Raw)
	return int(n)
}

// All yields each name and value in order, repeats included; a null value is nil.
func (h Headers) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		b := h.Raw
		count, n := binary.Varint(b)
		if n <= 0 {
			return
		}
		b = b[n:]
		for range count {
			name, rest, ok := field(b)
			if !ok {
				return
			}
			value, rest, ok := field(rest)
			if !ok || !yield(name, value) {
				return
			}
			b = rest
		}
	}
}

// Append returns h with one more header, in fresh memory when h.Raw is full; a
// nil value is null.
func (h Headers) Append(name, value []byte) Headers {
	count, n := binary.Varint(h.Raw)
	if n < 0 {
		n = 0
	}
	pairs := h.Raw[n:]
	raw := binary.AppendVarint(make([]byte, 0, len(pairs)+len(name)+len(value)+16), count+1)
	raw = append(raw, pairs...)
	raw = binary.AppendVarint(raw, int64(len(name)))
	raw = append(raw, name...)
	if value == nil {
		return Headers{binary.AppendVarint(raw, -1)}
	}
	raw = binary.AppendVarint(raw, int64(len(value)))
	return Headers{append(raw, value...)}
}

// field splits one length-prefixed byte string off b; nil is null.
func field(b []byte) (f, rest []byte, ok bool) {
	size, n := binary.Varint(b)
	if n <= 0 || size > int64(len(b)-n) {
		return nil, nil, false
	}
	b = b[n:]
	if size < 0 {
		return nil, b, true
	}
	return b[:size:size], b[size:], true
}
