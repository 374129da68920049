package input

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"kafkactl/internal/jsonl"
)

// Decode appends what src stands for to dst.
type Decode func(dst, src []byte) ([]byte, error)

// Decoder finds the decoding of that name: text (nil: bytes stand for
// themselves), hex, base64 or json.
func Decoder(name string) (Decode, error) {
	switch name {
	case "", "text":
		return nil, nil
	case "hex":
		return fromHex, nil
	case "base64":
		return fromBase64, nil
	case "json":
		return fromJSON, nil
	}
	return nil, fmt.Errorf("unknown encoding %q, one of text, hex, base64, json", name)
}

func fromHex(dst, src []byte) ([]byte, error) {
	dst, err := hex.AppendDecode(dst, src)
	if err != nil {
		return dst, fmt.Errorf("not hex: %w", errors.New(trimPackage(err)))
	}
	return dst, nil
}

// fromBase64 takes standard base64, with or without padding.
func fromBase64(dst, src []byte) ([]byte, error) {
	enc := base64.StdEncoding
	if len(src)%4 != 0 {
		enc = base64.RawStdEncoding
	}
	dst, err := enc.AppendDecode(dst, src)
	if err != nil {
		return dst, fmt.Errorf("not base64: %w", err)
	}
	return dst, nil
}

// fromJSON takes JSON as it stands, and a JSON string as its text: what consume
// shows so of the same bytes.
func fromJSON(dst, src []byte) ([]byte, error) {
	if !json.Valid(src) || !utf8.Valid(src) {
		return dst, errors.New("not JSON")
	}
	if b := bytes.TrimLeft(src, " \t\r\n"); b[0] != '"' {
		return append(dst, src...), nil
	}
	var d jsonl.Decoder
	text, err := d.Bytes(src)
	return append(dst, text...), err
}

// trimPackage drops the package name that hex puts before its errors.
func trimPackage(err error) string {
	s := err.Error()
	const p = "encoding/hex: "
	if len(s) > len(p) && s[:len(p)] == p {
		return s[len(p):]
	}
	return s
}

// Unescape reads a delimiter as typed: \n \r \t \0 \\ and \xNN stand for bytes,
// all else for itself. Any other backslash is an error.
func Unescape(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		i++
		if i == len(s) {
			return nil, fmt.Errorf(`%q ends in a lone backslash; write \\ for one`, s)
		}
		switch s[i] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case '0':
			out = append(out, 0)
		case '\\':
			out = append(out, '\\')
		case 'x':
			if i+3 > len(s) {
				return nil, fmt.Errorf(`%q: \x wants two hex digits`, s)
			}
			b, err := hex.DecodeString(s[i+1 : i+3])
			if err != nil {
				return nil, fmt.Errorf(`%q: \x wants two hex digits`, s)
			}
			out = append(out, b[0])
			i += 2
		default:
			return nil, fmt.Errorf(`%q: unknown escape \%c; known are \n \r \t \0 \\ \xNN`, s, s[i])
		}
	}
	return out, nil
}
