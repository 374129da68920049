package jsonl

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"kafkactl/internal/record"
)

// Decoder reads back what Append writes, and what people write by hand: only a
// value (or value64) is required; topic, offset, timestampType and leaderEpoch
// are read but not checked against anything. An unknown field, a field given
// twice and a string that is not valid UTF-8 are errors, never guesses. The zero
// value is ready; it owns the memory of the record it filled last.
type Decoder struct {
	buf  []byte // unescaped strings and decoded base64
	raw  []byte // headers
	line []byte
	at   int
}

// SyntaxError says where in a line the fault is; At counts bytes from 1.
type SyntaxError struct {
	At  int
	Msg string
}

// Error is the fault and its place.
func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %s", e.At, e.Msg) }

// errNoValue is a record that does not say what its value is.
var errNoValue = errors.New(`no "value" and no "value64" (null is "value":null)`)

// NoPartition is the partition of a record whose line names none.
const NoPartition int32 = -1

const (
	fieldTopic = 1 << iota
	fieldPartition
	fieldOffset
	fieldTimestamp
	fieldTimestampType
	fieldKey
	fieldValue
	fieldHeaders
	fieldLeaderEpoch
)

// Decode fills r from one line. r's slices die at the next Decode; they may
// alias line. Absent fields are what Kafka calls absent: a null key, no headers,
// record.NoTimestamp, NoPartition, leader epoch -1.
func (d *Decoder) Decode(line []byte, r *record.Record) (err error) {
	d.line, d.at, d.buf, d.raw = line, 0, d.buf[:0], d.raw[:0]
	*r = record.Record{Partition: NoPartition, Offset: -1, Timestamp: record.NoTimestamp, LeaderEpoch: -1}
	if need := len(line); cap(d.buf) < need {
		d.buf = make([]byte, 0, need+need/4) // never grows below: slices of it are handed out
	}
	seen := 0
	err = d.object(func(name []byte) error {
		field := 0
		var err error
		switch string(name) {
		case "topic":
			field = fieldTopic
			var b []byte
			b, err = d.nullableString()
			r.Topic = string(b)
		case "partition":
			field = fieldPartition
			var n int64
			n, err = d.integer(32, int64(NoPartition))
			r.Partition = int32(n)
		case "offset":
			field = fieldOffset
			r.Offset, err = d.integer(64, -1)
		case "timestamp":
			field = fieldTimestamp
			r.Timestamp, err = d.integer(64, record.NoTimestamp)
		case "timestampType":
			field = fieldTimestampType
			r.TimestampType, err = d.timestampType()
		case "key":
			field = fieldKey
			r.Key, err = d.nullableString()
		case "key64":
			field = fieldKey
			r.Key, err = d.base64()
		case "value":
			field = fieldValue
			r.Value, err = d.nullableString()
		case "value64":
			field = fieldValue
			r.Value, err = d.base64()
		case "headers":
			field = fieldHeaders
			r.Headers, err = d.headers()
		case "leaderEpoch":
			field = fieldLeaderEpoch
			var n int64
			n, err = d.integer(32, -1)
			r.LeaderEpoch = int32(n)
		default:
			return d.fault("unknown field %q", name)
		}
		if err == nil && seen&field != 0 {
			return d.fault("field %q given twice", name)
		}
		seen |= field
		return err
	})
	if err != nil {
		return err
	}
	d.space()
	switch {
	case d.at < len(d.line):
		return d.fault("more behind the object")
	case seen&fieldValue == 0:
		return errNoValue
	}
	return nil
}

func (d *Decoder) fault(format string, args ...any) error {
	return &SyntaxError{d.at + 1, fmt.Sprintf(format, args...)}
}

func (d *Decoder) space() {
	for d.at < len(d.line) {
		switch d.line[d.at] {
		case ' ', '\t', '\r', '\n':
			d.at++
		default:
			return
		}
	}
}

// take passes over c, after white space.
func (d *Decoder) take(c byte) bool {
	d.space()
	if d.at < len(d.line) && d.line[d.at] == c {
		d.at++
		return true
	}
	return false
}

// literal passes over a word such as null.
func (d *Decoder) literal(word string) bool {
	d.space()
	if len(d.line)-d.at >= len(word) && string(d.line[d.at:d.at+len(word)]) == word {
		d.at += len(word)
		return true
	}
	return false
}

func (d *Decoder) object(field func(name []byte) error) error {
	if !d.take('{') {
		return d.fault("an object { is wanted")
	}
	if d.take('}') {
		return nil
	}
	for {
		name, err := d.string()
		if err != nil {
			return err
		}
		if !d.take(':') {
			return d.fault("a colon is wanted")
		}
		if err := field(name); err != nil {
			return err
		}
		switch {
		case d.take(','):
		case d.take('}'):
			return nil
		default:
			return d.fault("a comma or } is wanted")
		}
	}
}

func (d *Decoder) nullableString() ([]byte, error) {
	if d.literal("null") {
		return nil, nil
	}
	return d.string()
}

func (d *Decoder) timestampType() (record.TimestampType, error) {
	s, err := d.nullableString()
	switch {
	case err != nil:
	case s == nil:
		return record.NoTimestampType, nil
	case string(s) == "CreateTime":
		return record.CreateTime, nil
	case string(s) == "LogAppendTime":
		return record.LogAppendTime, nil
	default:
		err = d.fault("timestampType is CreateTime or LogAppendTime, not %q", s)
	}
	return record.NoTimestampType, err
}

// integer reads a JSON number that is an integer of that many bits.
func (d *Decoder) integer(bits int, null int64) (int64, error) {
	if d.literal("null") {
		return null, nil
	}
	from := d.at
	for d.at < len(d.line) && (d.line[d.at] == '-' || d.line[d.at] >= '0' && d.line[d.at] <= '9') {
		d.at++
	}
	text := string(d.line[from:d.at])
	n, err := strconv.ParseInt(text, 10, bits)
	digits := text
	if n < 0 {
		digits = text[1:]
	}
	if err != nil || len(digits) > 1 && digits[0] == '0' {
		d.at = from
		return 0, d.fault("an integer of %d bits is wanted", bits)
	}
	return n, nil
}

func (d *Decoder) base64() ([]byte, error) {
	from := d.at
	s, err := d.nullableString()
	if s == nil || err != nil {
		return nil, err
	}
	start := len(d.buf)
	out, err := base64.StdEncoding.Strict().AppendDecode(d.buf, s)
	if err != nil {
		d.at = from
		return nil, d.fault("not standard base64: %v", err)
	}
	d.buf = out
	return out[start:len(out):len(out)], nil
}

// headers reads an array of name and value objects into record format.
func (d *Decoder) headers() (record.Headers, error) {
	if d.literal("null") {
		return record.Headers{}, nil
	}
	if !d.take('[') {
		return record.Headers{}, d.fault("an array [ is wanted")
	}
	if d.take(']') {
		return record.Headers{}, nil
	}
	count := 0
	pairs := d.raw
	for {
		var err error
		if pairs, err = d.header(pairs); err != nil {
			return record.Headers{}, err
		}
		count++
		switch {
		case d.take(','):
			continue
		case !d.take(']'):
			return record.Headers{}, d.fault("a comma or ] is wanted")
		}
		n := len(pairs)
		pairs = binary.AppendVarint(pairs, int64(count)) // the count, then the pairs
		raw := append(pairs, pairs[:n]...)
		d.raw = raw
		return record.Headers{Raw: raw[n:]}, nil
	}
}

func (d *Decoder) header(dst []byte) ([]byte, error) {
	var name, value []byte
	named := false
	err := d.object(func(field []byte) (err error) {
		switch string(field) {
		case "name":
			name, err = d.string()
			named = true
		case "name64":
			name, err = d.base64()
			named = name != nil
		case "value":
			value, err = d.nullableString()
		case "value64":
			value, err = d.base64()
		default:
			err = d.fault("unknown field %q in a header", field)
		}
		return err
	})
	if err == nil && !named {
		err = d.fault("a header without a name")
	}
	if err != nil {
		return dst, err
	}
	dst = binary.AppendVarint(dst, int64(len(name)))
	dst = append(dst, name...)
	if value == nil {
		return binary.AppendVarint(dst, -1), nil
	}
	dst = binary.AppendVarint(dst, int64(len(value)))
	return append(dst, value...), nil
}
