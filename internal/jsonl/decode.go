package jsonl

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"kafkactl/internal/record"
)

// Decoder reads back what an Encoder of the same encodings writes, and what
// people write by hand: only a value (or value64) is required; topic, offset,
// timestampType and leaderEpoch are read but not checked against anything. An
// unknown field, a field given twice and a string that is not valid UTF-8 are
// errors, never guesses. The zero value is ready; it owns the memory of the
// record it filled last.
type Decoder struct {
	KeyAs, ValueAs Encoding

	buf   []byte // unescaped strings and decoded base64
	pairs []byte // headers without their count
	raw   []byte // headers
	topic string // of the line before: most lines have the same
	line  []byte
	at    int
	seen  Fields
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

// Fields is a set of the fields a line has.
type Fields uint16

// The fields of a record, key64 and value64 being Key and Value.
const (
	Topic Fields = 1 << iota
	Partition
	Offset
	Timestamp
	TimestampType
	Key
	Value
	Headers
	LeaderEpoch
)

// Seen tells which fields the line decoded last had, null or not.
func (d *Decoder) Seen() Fields { return d.seen }

// keep is as much memory as a long line may leave behind.
const keep = 1 << 20

// Decode fills r from one line. r's slices die at the next Decode; they may
// alias line. Absent fields are what Kafka calls absent: a null key, no headers,
// record.NoTimestamp, NoPartition, leader epoch -1.
func (d *Decoder) Decode(line []byte, r *record.Record) error {
	d.line, d.at, d.buf, d.seen = line, 0, d.buf[:0], 0
	if cap(d.buf) > keep || cap(d.raw) > keep {
		d.buf, d.pairs, d.raw = nil, nil, nil
	}
	r.Topic, r.Partition, r.Offset = "", NoPartition, -1
	r.Timestamp, r.TimestampType, r.LeaderEpoch = record.NoTimestamp, record.CreateTime, -1
	r.Key, r.Value, r.Headers.Raw = nil, nil, nil
	if !d.take('{') {
		return d.fault("an object { is wanted")
	}
	if err := d.fields(r); err != nil {
		return err
	}
	d.space()
	switch {
	case d.at < len(d.line):
		return d.fault("more behind the object")
	case d.seen&Value == 0:
		return errNoValue
	}
	return nil
}

// fields reads the members of the object up to its brace.
func (d *Decoder) fields(r *record.Record) error {
	if d.take('}') {
		return nil
	}
	for next := 0; ; next++ {
		at := d.at
		name, ok := d.usual(next)
		if !ok {
			d.space()
			at = d.at
			var err error
			if name, err = d.string(); err != nil {
				return err
			}
			if !d.take(':') {
				return d.fault("a colon is wanted")
			}
		}
		field, err := d.field(name, r)
		if err != nil {
			return err
		}
		if field == 0 {
			d.at = at
			return d.fault("unknown field %q", name)
		}
		if d.seen&field != 0 {
			d.at = at
			return d.fault("field %q given twice", name)
		}
		d.seen |= field
		switch {
		case d.take(','):
		case d.take('}'):
			return nil
		default:
			return d.fault("a comma or } is wanted")
		}
	}
}

// usual passes over the name and colon that an Encoder would write in that
// place, the cheap way.
func (d *Decoder) usual(n int) (name []byte, ok bool) {
	const names = `"topic":"partition":"offset":"timestamp":"timestampType":"key":"value":"headers":"leaderEpoch":`
	const ends = "\x08\x14\x1d\x29\x39\x3f\x47\x51\x5f"
	if n >= len(ends) {
		return nil, false
	}
	from, to := 0, int(ends[n])
	if n > 0 {
		from = int(ends[n-1])
	}
	size := to - from
	if len(d.line)-d.at < size || string(d.line[d.at:d.at+size]) != names[from:to] {
		return nil, false
	}
	name = d.line[d.at+1 : d.at+size-2]
	d.at += size
	return name, true
}

// field reads the value of one member into r; no field is one nobody knows.
func (d *Decoder) field(name []byte, r *record.Record) (field Fields, err error) {
	switch string(name) {
	case "topic":
		var b []byte
		if b, err = d.nullableString(); string(b) != d.topic {
			d.topic = string(b)
		}
		r.Topic = d.topic
		return Topic, err
	case "partition":
		at := d.at
		var n int64
		if n, err = d.integer(32, int64(NoPartition)); n < int64(NoPartition) {
			d.at = at
			err = d.fault("%d is no partition", n)
		}
		r.Partition = int32(n)
		return Partition, err
	case "offset":
		r.Offset, err = d.integer(64, -1)
		return Offset, err
	case "timestamp":
		r.Timestamp, err = d.integer(64, record.NoTimestamp)
		return Timestamp, err
	case "timestampType":
		r.TimestampType, err = d.timestampType()
		return TimestampType, err
	case "key":
		r.Key, err = d.bytes(d.KeyAs)
		return Key, err
	case "key64":
		r.Key, err = d.bytes(Base64)
		return Key, err
	case "value":
		r.Value, err = d.bytes(d.ValueAs)
		return Value, err
	case "value64":
		r.Value, err = d.bytes(Base64)
		return Value, err
	case "headers":
		r.Headers, err = d.headers()
		return Headers, err
	case "leaderEpoch":
		var n int64
		n, err = d.integer(32, -1)
		r.LeaderEpoch = int32(n)
		return LeaderEpoch, err
	}
	return 0, nil
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
	if d.at < len(d.line) && d.line[d.at] > ' ' {
		if d.line[d.at] == c {
			d.at++
			return true
		}
		return false
	}
	d.space()
	if d.at < len(d.line) && d.line[d.at] == c {
		d.at++
		return true
	}
	return false
}

// null passes over that word.
func (d *Decoder) null() bool {
	d.space()
	if len(d.line)-d.at >= 4 && string(d.line[d.at:d.at+4]) == "null" {
		d.at += 4
		return true
	}
	return false
}

func (d *Decoder) nullableString() ([]byte, error) {
	if d.null() {
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
	if d.null() {
		return null, nil
	}
	from := d.at
	for d.at < len(d.line) && (d.line[d.at] == '-' || d.line[d.at] >= '0' && d.line[d.at] <= '9') {
		d.at++
	}
	text := d.line[from:d.at]
	digits := text
	if len(text) > 1 && text[0] == '-' {
		digits = text[1:]
	}
	n, ok := short(text)
	var err error
	if !ok {
		n, err = strconv.ParseInt(string(text), 10, bits)
	}
	if err != nil || len(digits) > 1 && digits[0] == '0' || bits == 32 && n != int64(int32(n)) {
		d.at = from
		return 0, d.fault("an integer of %d bits is wanted", bits)
	}
	return n, nil
}

// short reads up to 18 digits, which no sum of them can overflow.
func short(text []byte) (n int64, ok bool) {
	if len(text) == 0 || len(text) > 18 {
		return 0, false
	}
	for _, c := range text {
		if c == '-' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// bytes reads a key or a value in that encoding; nil is null.
func (d *Decoder) bytes(as Encoding) ([]byte, error) {
	if as == JSON {
		return d.embedded()
	}
	from := d.at
	s, err := d.nullableString()
	if s == nil || err != nil || as == Text {
		return s, err
	}
	start := len(d.buf)
	var out []byte
	if as == Hex {
		out, err = hex.AppendDecode(d.buf, s)
	} else {
		out, err = base64.StdEncoding.Strict().AppendDecode(d.buf, s)
	}
	if err != nil {
		d.at = from
		if as == Hex {
			return nil, d.fault("not hexadecimal digits in pairs")
		}
		return nil, d.fault("not standard base64 with its padding")
	}
	if len(out) == start {
		return []byte{}, nil // of a buffer that is not there yet it would be null
	}
	d.buf = out
	return out[start:len(out):len(out)], nil
}
