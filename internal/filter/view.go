package filter

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"time"

	"kafkactl/internal/record"
)

// view is a record as expressions see it:
//
//	topic, partition, offset
//	leaderEpoch    of the batch, null where it is not known
//	timestamp      milliseconds since the epoch, null where there is none
//	time           the same as RFC 3339 in UTC, to the millisecond
//	timestampType  CreateTime or LogAppendTime, null where there is none
//	key            text, null
//	value          what the value says if it is JSON, else its text, null
//	text           the value's text, JSON or not, null
//	headers        an object; of several with one name, the last
//	headerList     all of them in order, as {"name":…, "value":…}
//
// Numbers keep all their digits.
//
// Fields that the expression cannot see are left out.
func (x *Expr) view(r *record.Record) map[string]any {
	v := make(map[string]any, 12)
	for _, f := range fields {
		if x.needs.of(f.name) {
			v[f.name] = f.of(r)
		}
	}
	return v
}

var fields = []struct {
	name string
	of   func(r *record.Record) any
}{
	{"topic", func(r *record.Record) any { return r.Topic }},
	{"partition", func(r *record.Record) any { return int(r.Partition) }},
	{"offset", func(r *record.Record) any { return number(r.Offset) }},
	{"leaderEpoch", func(r *record.Record) any {
		if r.LeaderEpoch < 0 {
			return nil
		}
		return int(r.LeaderEpoch)
	}},
	{"timestamp", func(r *record.Record) any {
		if r.Timestamp == record.NoTimestamp {
			return nil
		}
		return number(r.Timestamp)
	}},
	{"time", func(r *record.Record) any {
		if r.Timestamp == record.NoTimestamp {
			return nil
		}
		return time.UnixMilli(r.Timestamp).UTC().Format("2006-01-02T15:04:05.000Z")
	}},
	{"timestampType", func(r *record.Record) any {
		switch r.TimestampType {
		case record.CreateTime:
			return "CreateTime"
		case record.LogAppendTime:
			return "LogAppendTime"
		}
		return nil
	}},
	{"key", func(r *record.Record) any { return textOf(r.Key) }},
	{"value", func(r *record.Record) any { return valueOf(r.Value) }},
	{"text", func(r *record.Record) any { return textOf(r.Value) }},
	{"headers", func(r *record.Record) any {
		byName := map[string]any{}
		for name, value := range r.Headers.All() {
			byName[string(name)] = textOf(value)
		}
		return byName
	}},
	{"headerList", func(r *record.Record) any {
		list := []any{}
		for name, value := range r.Headers.All() {
			list = append(list, map[string]any{"name": string(name), "value": textOf(value)})
		}
		return list
	}},
}

// number is n as the interpreter wants it: its int has 32 bits on some machines.
func number(n int64) any {
	if i := int(n); int64(i) == n {
		return i
	}
	return big.NewInt(n)
}

func textOf(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

// valueOf reads JSON where b is that as a whole.
func valueOf(b []byte) any {
	if b == nil {
		return nil
	}
	if !mayBeJSON(b) {
		return string(b)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return string(b)
	}
	if _, err := d.Token(); err != io.EOF {
		return string(b)
	}
	return v
}

// mayBeJSON looks at the first byte that counts.
func mayBeJSON(b []byte) bool {
	for _, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{', '[', '"', 't', 'f', 'n', '-':
			return true
		}
		return '0' <= c && c <= '9'
	}
	return false
}
