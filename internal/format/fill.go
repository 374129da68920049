package format

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"

	"kafkactl/internal/record"
)

// fill gives r what the steps found in b. What a format does not say is absent:
// a null key, no headers, NoPartition, and record.NoTimestamp with CreateTime,
// which is for the reader to decide; a time that was said to be none comes with
// NoTimestampType.
func (q *Parser) fill(b []byte, r *record.Record) error {
	r.Topic, r.Partition, r.Offset, r.LeaderEpoch = "", NoPartition, -1, -1
	r.Timestamp, r.TimestampType = record.NoTimestamp, record.CreateTime
	r.Key, r.Value, r.Headers.Raw = nil, nil, nil
	q.d.Reset()
	q.spot = q.spot[:0]
	if q.buf = q.buf[:0]; cap(q.buf) > 1<<20 {
		q.buf = nil
	}
	headers := int64(0)
	from := 0
	for i := range q.steps {
		s, raw := &q.steps[i], b[from:q.ends[i]:q.ends[i]]
		if err := q.field(s, raw, r, &headers); err != nil {
			var pe *ParseError
			if errors.As(err, &pe) {
				return err
			}
			return q.fault(s, from, err.Error())
		}
		from = q.ends[i]
	}
	if headers > 0 {
		q.raw = append(binary.AppendVarint(q.raw[:0], headers), q.spot...)
		r.Headers.Raw = q.raw
	}
	return nil
}

func (q *Parser) field(s *step, raw []byte, r *record.Record, headers *int64) error {
	switch s.verb {
	case key, value:
		data, err := q.bytes(s, raw)
		if err != nil {
			return err
		}
		if data, err = q.settle(s.verb, data); err != nil {
			return err
		}
		if s.verb == key {
			r.Key = data
		} else {
			r.Value = data
		}
		return nil
	case oneHeader:
		data, err := q.bytes(s, raw)
		if err != nil {
			return err
		}
		*headers++
		q.spot = append(binary.AppendVarint(q.spot, int64(len(s.text))), s.text...)
		q.spot = append(binary.AppendVarint(q.spot, size(data)), data...)
		return nil
	case headerBlock:
		if r.Headers.Raw = raw; len(raw) == 1 {
			r.Headers.Raw = nil // none, as it is everywhere
		}
		return nil
	case partition, timestamp, offset, leaderEpoch, headerCount:
		return q.number(s, raw, r)
	}
	return nil // the others are lengths, the topic, and what the format says itself
}

// settle holds a key or a value against the length claimed for it. -1 makes a
// null of what is empty.
func (q *Parser) settle(v verb, data []byte) ([]byte, error) {
	c := q.sizes[side(v)]
	switch {
	case !c.set || c.n == size(data):
		return data, nil
	case c.n == -1 && len(data) == 0:
		return nil, nil
	}
	return nil, fmt.Errorf("%d bytes, and its length says %d", size(data), c.n)
}

// bytes is what text stands for; nil is null.
func (q *Parser) bytes(s *step, raw []byte) ([]byte, error) {
	switch s.enc {
	case hexed, base64ed:
		start := len(q.buf)
		var err error
		if s.enc == hexed {
			if q.buf, err = hex.AppendDecode(q.buf, raw); err != nil {
				return nil, errors.New("not hexadecimal digits in pairs")
			}
		} else if q.buf, err = base64.StdEncoding.Strict().AppendDecode(q.buf, raw); err != nil {
			return nil, errors.New("not standard base64")
		}
		if len(q.buf) == start {
			return []byte{}, nil
		}
		return q.buf[start:len(q.buf):len(q.buf)], nil
	case jsoned:
		return q.d.Bytes(raw)
	case unpacked:
		start := len(q.buf)
		out, err := pack(q.buf, raw, s.layout, &q.d)
		if out == nil || err != nil {
			return nil, err
		}
		if q.buf = out; len(out) == start {
			return []byte{}, nil
		}
		return out[start:len(out):len(out)], nil
	}
	return raw, nil
}

func (q *Parser) number(s *step, raw []byte, r *record.Record) error {
	var n int64
	var err error
	switch s.enc {
	case rfc3339:
		n, err = parseRFC3339(string(raw))
	case strftime:
		n, err = parseTime(string(raw), q.loc, s.spec)
	default:
		n, err = s.integer(raw)
	}
	if err != nil {
		return err
	}
	switch s.verb {
	case partition:
		if n < 0 || n > math.MaxInt32 {
			return fmt.Errorf("%d is no partition", n)
		}
		r.Partition = int32(n)
	case timestamp:
		if r.Timestamp = n; n == record.NoTimestamp {
			r.TimestampType = record.NoTimestampType
		}
	case offset:
		r.Offset = n
	case leaderEpoch:
		if n < -1 || n > math.MaxInt32 {
			return fmt.Errorf("%d is no leader epoch", n)
		}
		r.LeaderEpoch = int32(n)
	}
	return nil
}

// integer reads a number as the item prints it.
func (it *item) integer(raw []byte) (int64, error) {
	switch it.enc {
	case fixed:
		u := field{little: it.little}.uint(raw)
		if it.width < 8 && u == 1<<(8*it.width)-1 {
			return -1, nil
		}
		return int64(u), nil
	case varint:
		n, w := binary.Varint(raw)
		if w != len(raw) {
			return 0, errors.New("no variable-length integer")
		}
		return n, nil
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", raw[:min(len(raw), 20)])
	}
	return n, nil
}
