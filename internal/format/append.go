package format

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"

	"kafkactl/internal/jsonl"
	"kafkactl/internal/record"
)

// Append adds r to dst, exactly as the format says. A record that Check refuses
// with a *RangeError must not come here.
func (p *Program) Append(dst []byte, r *record.Record) []byte {
	for i := range p.items {
		it := &p.items[i]
		if it.verb == literal {
			dst = append(dst, it.text...)
			continue
		}
		dst = p.append(dst, it, r)
	}
	return dst
}

// Shown is Append for a terminal: what comes of records goes through show, what
// the format itself says does not. One goroutine may use it.
func (p *Program) Shown(show func(dst, b []byte) []byte) func(dst []byte, r *record.Record) []byte {
	var buf []byte
	return func(dst []byte, r *record.Record) []byte {
		for i := range p.items {
			it := &p.items[i]
			if it.verb == literal {
				dst = append(dst, it.text...)
				continue
			}
			buf = p.append(buf[:0], it, r)
			dst = show(dst, buf)
		}
		return dst
	}
}

func (p *Program) append(dst []byte, it *item, r *record.Record) []byte {
	switch it.verb {
	case topic:
		if it.enc == jsoned { // none of its characters needs an escape
			return append(append(append(dst, '"'), r.Topic...), '"')
		}
		return append(dst, r.Topic...)
	case key, value, oneHeader:
		b, _ := it.bytes(r)
		return it.appendBytes(dst, b)
	case headerList:
		return appendHeaders(dst, r)
	case headerBlock:
		if len(r.Headers.Raw) == 0 {
			return append(dst, 0)
		}
		return append(dst, r.Headers.Raw...)
	}
	n := it.number(r)
	switch it.enc {
	case fixed:
		return appendFixed(dst, n, it.width, it.little)
	case varint:
		return binary.AppendVarint(dst, n)
	case rfc3339:
		return appendRFC3339(dst, n, p.loc)
	case strftime:
		return appendTime(dst, n, p.loc, it.spec)
	}
	return strconv.AppendInt(dst, n, 10)
}

// bytes is what a token of bytes shows, nil for null, and whether it is there.
func (it *item) bytes(r *record.Record) (b []byte, ok bool) {
	switch it.verb {
	case key:
		return r.Key, true
	case value:
		return r.Value, true
	}
	// The last of that name counts, as in Kafka's own Headers.lastHeader.
	for name, v := range r.Headers.All() {
		if string(name) == string(it.text) {
			b, ok = v, true
		}
	}
	return b, ok
}

// number is what a token of numbers shows.
func (it *item) number(r *record.Record) int64 {
	switch it.verb {
	case partition:
		return int64(r.Partition)
	case offset:
		return r.Offset
	case timestamp:
		return r.Timestamp
	case leaderEpoch:
		return int64(r.LeaderEpoch)
	case headerCount:
		return int64(r.Headers.Count())
	case keySize:
		return size(r.Key)
	case valueSize:
		return size(r.Value)
	}
	return 0
}

// size is a length as Kafka writes it: -1 for null.
func size(b []byte) int64 {
	if b == nil {
		return -1
	}
	return int64(len(b))
}

func (it *item) appendBytes(dst, b []byte) []byte {
	switch it.enc {
	case hexed:
		return hex.AppendEncode(dst, b)
	case base64ed:
		return base64.StdEncoding.AppendEncode(dst, b)
	case jsoned:
		return jsonl.AppendBytes(dst, b)
	case unpacked:
		return appendUnpacked(dst, b, it.layout)
	}
	return append(dst, b...)
}

func appendFixed(dst []byte, n int64, width int, little bool) []byte {
	var b [8]byte
	if little {
		binary.LittleEndian.PutUint64(b[:], uint64(n))
		return append(dst, b[:width]...)
	}
	binary.BigEndian.PutUint64(b[:], uint64(n))
	return append(dst, b[8-width:]...)
}

// appendHeaders is kcat's list: name=value,name=value, NULL for a null.
func appendHeaders(dst []byte, r *record.Record) []byte {
	if len(r.Headers.Raw) < 2 {
		return dst
	}
	comma := false
	for name, v := range r.Headers.All() {
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = append(append(dst, name...), '=')
		if v == nil {
			dst = append(dst, "NULL"...)
		} else {
			dst = append(dst, v...)
		}
	}
	return dst
}

// appendRFC3339 writes a time with its zone. What RFC 3339 cannot say, a year
// of more than four digits or no time at all, stays a number of milliseconds.
func appendRFC3339(dst []byte, ms int64, loc *time.Location) []byte {
	t := time.UnixMilli(ms).In(loc)
	if year := t.Year(); ms == record.NoTimestamp || year < 0 || year > 9999 {
		return strconv.AppendInt(dst, ms, 10)
	}
	if _, zone := t.Zone(); zone%60 != 0 {
		t = t.UTC() // zones of old had seconds, for which there is no room
		if year := t.Year(); year < 0 || year > 9999 {
			return strconv.AppendInt(dst, ms, 10)
		}
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
}
