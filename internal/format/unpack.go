package format

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"kafkactl/internal/jsonl"
)

// field is one field of an unpack layout.
type field struct {
	kind   fieldKind
	width  int // of a number or a length in bytes; of exact, all of it
	little bool
}

type fieldKind uint8

const (
	signed    fieldKind = iota
	unsigned            // u8 to u64
	float               // f32, f64
	zigzag              // varint
	uvarint             // unsigned varint
	text                // str8 to str32: length, then text
	counted             // bytes8 to bytes32: length, then bytes
	exact               // hexN: N bytes
	restText            // str
	restBytes           // hex
	noField   fieldKind = 255
)

// parseLayout reads a layout such as "<i32 i64 str16", which begins in that
// column of the format: < and > set the byte order of what follows (big until
// then), names of fields stand apart by spaces.
func parseLayout(in string, at int) ([]field, error) {
	var out []field
	little := false
	for i := 0; i < len(in); {
		switch in[i] {
		case ' ':
			i++
			continue
		case '<', '>':
			little = in[i] == '<'
			i++
			continue
		}
		end := i
		for end < len(in) && !strings.ContainsRune(" <>", rune(in[end])) {
			end++
		}
		f := fieldOf(in[i:end])
		if f.kind == noField {
			return nil, &SyntaxError{At: at + i, Msg: strconv.Quote(in[i:end]) + " is no field of a layout",
				Hint: "fields are i8-i64 u8-u64 f32 f64 varint uvarint str8-str32 bytes8-bytes32 hexN, and str or hex for the rest"}
		}
		if n := len(out); n > 0 && (out[n-1].kind == restText || out[n-1].kind == restBytes) {
			return nil, &SyntaxError{At: at + i, Msg: "nothing can follow str or hex, which take the rest"}
		}
		f.little = little
		out = append(out, f)
		i = end
	}
	if len(out) == 0 {
		return nil, &SyntaxError{At: at, Msg: "unpack: wants a layout", Hint: "as in %s{unpack:<i32 i64 str16}"}
	}
	return out, nil
}

func fieldOf(name string) field {
	switch name {
	case "varint":
		return field{kind: zigzag}
	case "uvarint":
		return field{kind: uvarint}
	case "str":
		return field{kind: restText}
	case "hex":
		return field{kind: restBytes}
	}
	digits := strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.Atoi(digits)
	if err != nil || digits[0] == '+' || digits[0] == '-' {
		return field{kind: noField}
	}
	kind, from, to := noField, 8, 64
	switch strings.TrimSuffix(name, digits) {
	case "i":
		kind = signed
	case "u":
		kind = unsigned
	case "f":
		kind, from = float, 32
	case "str":
		kind, to = text, 32
	case "bytes":
		kind, to = counted, 32
	case "hex":
		if n < 1 || n > 1<<20 {
			return field{kind: noField}
		}
		return field{kind: exact, width: n}
	}
	if n < from || n > to || n&(n-1) != 0 {
		return field{kind: noField}
	}
	return field{kind: kind, width: n / 8}
}

// appendUnpacked prints the fields of b apart by a space: numbers in decimal,
// text as a JSON string, other bytes as 0x and hexadecimal digits. What the
// layout does not describe to its last byte is !0x and all of b; null is null.
func appendUnpacked(dst, b []byte, layout []field) []byte {
	if b == nil {
		return append(dst, "null"...)
	}
	from, rest := len(dst), b
	for i, f := range layout {
		raw, after, ok := f.cut(rest)
		if !ok {
			return hex.AppendEncode(append(dst[:from], "!0x"...), b)
		}
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst, rest = f.append(dst, raw), after
	}
	if len(rest) > 0 {
		return hex.AppendEncode(append(dst[:from], "!0x"...), b)
	}
	return dst
}

// describes says that b is a layout's fields and no more.
func describes(layout []field, b []byte) bool {
	for _, f := range layout {
		var ok bool
		if _, b, ok = f.cut(b); !ok {
			return false
		}
	}
	return len(b) == 0
}

// cut takes a field off b, without its length.
func (f field) cut(b []byte) (raw, rest []byte, ok bool) {
	switch f.kind {
	case signed, unsigned, float, exact:
		if len(b) < f.width {
			return nil, nil, false
		}
		return b[:f.width], b[f.width:], true
	case zigzag, uvarint:
		u, n := binary.Uvarint(b)
		if n <= 0 || n != len(binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64), u)) {
			return nil, nil, false // cut short, or longer than it need be
		}
		return b[:n], b[n:], true
	case text, counted:
		if len(b) < f.width {
			return nil, nil, false
		}
		n := f.uint(b[:f.width])
		if b = b[f.width:]; n > uint64(len(b)) {
			return nil, nil, false
		}
		return b[:n], b[n:], true
	}
	return b, nil, true
}

// uint reads 1 to 8 bytes in the field's order.
func (f field) uint(raw []byte) (u uint64) {
	for i := range raw {
		if f.little {
			u |= uint64(raw[i]) << (8 * i)
		} else {
			u = u<<8 | uint64(raw[i])
		}
	}
	return u
}

func (f field) append(dst, raw []byte) []byte {
	switch f.kind {
	case signed:
		shift := 64 - 8*f.width
		return strconv.AppendInt(dst, int64(f.uint(raw)<<shift)>>shift, 10)
	case unsigned:
		return strconv.AppendUint(dst, f.uint(raw), 10)
	case float:
		return appendFloat(dst, f.uint(raw), f.width)
	case zigzag:
		n, _ := binary.Varint(raw)
		return strconv.AppendInt(dst, n, 10)
	case uvarint:
		u, _ := binary.Uvarint(raw)
		return strconv.AppendUint(dst, u, 10)
	case text, restText:
		if utf8.Valid(raw) {
			if raw == nil {
				raw = []byte{}
			}
			return jsonl.AppendBytes(dst, raw)
		}
	}
	return hex.AppendEncode(append(dst, "0x"...), raw)
}

// Of the many bit patterns that are no number, these print as NaN.
const (
	nan32 = 0x7fc00000
	nan64 = 0x7ff8000000000000
)

// appendFloat prints the shortest decimal that comes back the same, and what is
// no number with its bits unless they are the usual ones.
func appendFloat(dst []byte, bits uint64, width int) []byte {
	f := math.Float64frombits(bits)
	if width == 4 {
		f = float64(math.Float32frombits(uint32(bits)))
	}
	if math.IsNaN(f) {
		if dst = append(dst, "NaN"...); bits != nan64 && bits != nan32 {
			dst = strconv.AppendUint(append(dst, ':'), bits, 16)
		}
		return dst
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 8*width)
}
