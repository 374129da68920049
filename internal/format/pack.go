package format

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"

	"kafkactl/internal/jsonl"
)

// unpackedEnd finds the end of what appendUnpacked printed at b[from:]. more
// says that b stops before it is certain.
func unpackedEnd(b []byte, from, fields int) (end int, more bool) {
	i := from
	for k := 0; k < fields; k++ {
		if k > 0 {
			if i == len(b) {
				return i, true
			}
			if b[i] != ' ' {
				return i, false // null, !0x…, or a fault found later
			}
			i++
		}
		if i < len(b) && b[i] == '"' {
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if i >= len(b) {
				return len(b), true
			}
			i++
			continue
		}
		start := i
		for i < len(b) && wordByte(b[i]) {
			i++
		}
		if i == len(b) {
			return i, true
		}
		if word := b[start:i]; k == 0 && (string(word) == "null" || len(word) > 0 && word[0] == '!') {
			return i, false
		}
	}
	return i, false
}

// wordByte says that c may stand in a field other than text.
func wordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '+' || c == '.' || c == ':' || c == '!'
}

// pack reads what appendUnpacked printed back onto dst; nil is null.
func pack(dst, s []byte, layout []field, d *jsonl.Decoder) ([]byte, error) {
	if string(s) == "null" {
		return nil, nil
	}
	if digits, ok := bytes.CutPrefix(s, []byte("!0x")); ok {
		return hexBytes(dst, digits)
	}
	for i, f := range layout {
		if i > 0 {
			if len(s) == 0 || s[0] != ' ' {
				return nil, fmt.Errorf("%d fields are wanted, apart by a space", len(layout))
			}
			s = s[1:]
		}
		end, _ := unpackedEnd(s, 0, 1)
		var err error
		if dst, err = f.pack(dst, s[:end], d); err != nil {
			return nil, fmt.Errorf("field %d: %w", i+1, err)
		}
		s = s[end:]
	}
	if len(s) > 0 {
		return nil, fmt.Errorf("%q behind the last field", s[:min(len(s), 20)])
	}
	if dst == nil {
		dst = []byte{}
	}
	return dst, nil
}

func hexBytes(dst, digits []byte) ([]byte, error) {
	dst, err := hex.AppendDecode(dst, digits)
	if err != nil {
		return nil, errors.New("not hexadecimal digits in pairs")
	}
	if dst == nil {
		dst = []byte{}
	}
	return dst, nil
}

func (f field) pack(dst, s []byte, d *jsonl.Decoder) ([]byte, error) {
	switch f.kind {
	case signed, zigzag:
		bits := 8 * f.width
		if f.kind == zigzag {
			bits = 64
		}
		n, err := strconv.ParseInt(string(s), 10, bits)
		if err != nil {
			return nil, fmt.Errorf("%q is no integer of %d bits", s, bits)
		}
		if f.kind == zigzag {
			return binary.AppendVarint(dst, n), nil
		}
		return f.putUint(dst, uint64(n)), nil
	case unsigned, uvarint:
		bits := 8 * f.width
		if f.kind == uvarint {
			bits = 64
		}
		u, err := strconv.ParseUint(string(s), 10, bits)
		if err != nil {
			return nil, fmt.Errorf("%q is no unsigned integer of %d bits", s, bits)
		}
		if f.kind == uvarint {
			return binary.AppendUvarint(dst, u), nil
		}
		return f.putUint(dst, u), nil
	case float:
		bits, err := floatBits(string(s), f.width)
		if err != nil {
			return nil, err
		}
		return f.putUint(dst, bits), nil
	}
	raw, err := packBytes(s, d)
	if err != nil {
		return nil, err
	}
	switch {
	case f.kind == exact && len(raw) != f.width:
		return nil, fmt.Errorf("%d bytes, want %d", len(raw), f.width)
	case f.kind != text && f.kind != counted:
	case uint64(len(raw)) >= 1<<(8*f.width):
		return nil, fmt.Errorf("%d bytes: their length does not fit %d", len(raw), f.width)
	default:
		dst = f.putUint(dst, uint64(len(raw)))
	}
	return append(dst, raw...), nil
}

// packBytes reads a JSON string, or 0x and digits.
func packBytes(s []byte, d *jsonl.Decoder) ([]byte, error) {
	if digits, ok := bytes.CutPrefix(s, []byte("0x")); ok {
		return hexBytes(nil, digits)
	}
	if len(s) == 0 || s[0] != '"' {
		return nil, fmt.Errorf(`%q: want "text" or 0x and hexadecimal digits`, s)
	}
	return d.Bytes(s)
}

func (f field) putUint(dst []byte, u uint64) []byte {
	return appendFixed(dst, int64(u), f.width, f.little)
}

func floatBits(s string, width int) (uint64, error) {
	if len(s) >= 3 && s[:3] == "NaN" {
		bits := uint64(nan64)
		if width == 4 {
			bits = nan32
		}
		if len(s) == 3 {
			return bits, nil
		}
		if s[3] == ':' {
			if u, err := strconv.ParseUint(s[4:], 16, 8*width); err == nil {
				return u, nil
			}
		}
		return 0, fmt.Errorf("%q is no number", s)
	}
	f, err := strconv.ParseFloat(s, 8*width)
	if err != nil {
		return 0, fmt.Errorf("%q is no number of %d bits", s, 8*width)
	}
	if width == 4 {
		return uint64(math.Float32bits(float32(f))), nil
	}
	return math.Float64bits(f), nil
}
