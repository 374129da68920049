package filter

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"kafkactl/internal/record"
)

// view is a record as expressions see it:
//
//	topic, partition, offset, leaderEpoch
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
func view(r *record.Record) map[string]any {
	v := map[string]any{
		"topic": r.Topic, "partition": int(r.Partition), "offset": int(r.Offset), "leaderEpoch": int(r.LeaderEpoch),
		"timestamp": nil, "time": nil, "timestampType": nil,
		"key": textOf(r.Key), "value": valueOf(r.Value), "text": textOf(r.Value),
	}
	if r.Timestamp != record.NoTimestamp {
		v["timestamp"] = int(r.Timestamp)
		v["time"] = time.UnixMilli(r.Timestamp).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	switch r.TimestampType {
	case record.CreateTime:
		v["timestampType"] = "CreateTime"
	case record.LogAppendTime:
		v["timestampType"] = "LogAppendTime"
	}
	byName, list := map[string]any{}, []any{}
	for name, value := range r.Headers.All() {
		text := textOf(value)
		byName[string(name)] = text
		list = append(list, map[string]any{"name": string(name), "value": text})
	}
	v["headers"], v["headerList"] = byName, list
	return v
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
