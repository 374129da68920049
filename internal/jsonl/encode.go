// Package jsonl is records as JSON lines, both ways, without loss: null apart
// from empty, headers in order with their repeats, and whatever is not valid
// UTF-8 as standard base64 under a name that says so. It knows no topics'
// contents, no files and no Kafka.
package jsonl

import (
	"encoding/base64"
	"encoding/hex"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"kafkactl/internal/record"
)

// Encoder says how the bytes of keys and values stand in a line. The zero value
// loses nothing; Hex, Base64 and JSON are for people and other programs.
type Encoder struct{ KeyAs, ValueAs Encoding }

// Append adds r to dst as the zero Encoder does, without loss.
func Append(dst []byte, r *record.Record) []byte { return Encoder{}.Append(dst, r) }

// Append adds r to dst as one JSON object and a newline. All fields are always
// there, in this order: topic, partition, offset, timestamp (ms) and
// timestampType (CreateTime or LogAppendTime; both null in message format v0),
// key, value, headers, leaderEpoch (null when unknown). Bytes that are not UTF-8
// stand in base64 under key64, value64, name64.
func (e Encoder) Append(dst []byte, r *record.Record) []byte {
	dst = append(dst, `{"topic":`...)
	dst = appendString(dst, r.Topic)
	dst = append(dst, `,"partition":`...)
	dst = strconv.AppendInt(dst, int64(r.Partition), 10)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendInt(dst, r.Offset, 10)
	switch {
	case r.Timestamp == record.NoTimestamp || r.TimestampType == record.NoTimestampType:
		dst = append(dst, `,"timestamp":null`...)
	default:
		dst = append(dst, `,"timestamp":`...)
		dst = strconv.AppendInt(dst, r.Timestamp, 10)
	}
	switch r.TimestampType {
	case record.CreateTime:
		dst = append(dst, `,"timestampType":"CreateTime"`...)
	case record.LogAppendTime:
		dst = append(dst, `,"timestampType":"LogAppendTime"`...)
	default:
		dst = append(dst, `,"timestampType":null`...)
	}
	dst = appendAs(dst, `,"key`, r.Key, e.KeyAs)
	dst = appendAs(dst, `,"value`, r.Value, e.ValueAs)
	dst = append(dst, `,"headers":[`...)
	if len(r.Headers.Raw) > 1 { // one byte is a count of none
		comma := false
		for name, value := range r.Headers.All() {
			if comma {
				dst = append(dst, ',')
			}
			comma = true
			dst = appendField(dst, `{"name`, name)
			dst = appendField(dst, `,"value`, value)
			dst = append(dst, '}')
		}
	}
	if r.LeaderEpoch < 0 {
		return append(dst, "],\"leaderEpoch\":null}\n"...)
	}
	dst = append(dst, `],"leaderEpoch":`...)
	dst = strconv.AppendInt(dst, int64(r.LeaderEpoch), 10)
	return append(dst, "}\n"...)
}

// appendAs adds a key or a value in that encoding.
func appendAs(dst []byte, name string, b []byte, as Encoding) []byte {
	if as == Text || b == nil {
		return appendField(dst, name, b)
	}
	if as == JSON {
		if out, ok := AppendJSON(append(append(dst, name...), `":`...), b); ok {
			return out
		}
		return appendField(dst, name, b)
	}
	dst = append(dst, name...)
	dst = append(dst, `":"`...)
	if as == Hex {
		dst = hex.AppendEncode(dst, b)
	} else {
		dst = base64.StdEncoding.AppendEncode(dst, b)
	}
	return append(dst, '"')
}

// appendField adds a name that lacks its closing quote, and b as null, text, or
// base64 under that name with 64 behind it.
func appendField(dst []byte, name string, b []byte) []byte {
	dst = append(dst, name...)
	if b == nil {
		return append(dst, `":null`...)
	}
	if !utf8.Valid(b) {
		dst = append(dst, `64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, b)
		return append(dst, '"')
	}
	dst = append(dst, `":`...)
	return appendString(dst, b)
}

// appendString adds valid UTF-8 as a JSON string. Only what JSON insists on is
// escaped: quotes, backslashes and control characters. Runs without those are
// found eight bytes at a time and copied whole.
func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			if mask := special(load(s, i)); mask == 0 {
				i += 8
				continue
			} else {
				i += bits.TrailingZeros64(mask) / 8
			}
		}
		c := s[i]
		i++
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i-1]...)
		from = i
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

func load[T string | []byte](s T, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special sets the high bit of every byte that JSON wants escaped: below 0x20,
// a quote, a backslash. A borrow can raise bits above a true one, never below,
// and callers use the lowest alone.
func special(w uint64) uint64 {
	control := (w - ones*0x20) &^ w
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return (control | (quote-ones)&^quote | (slash-ones)&^slash) & highs
}
