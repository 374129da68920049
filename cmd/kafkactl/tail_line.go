package main

import (
	"strconv"
	"time"
	"unicode/utf8"

	"kafkactl/internal/record"
	"kafkactl/internal/sink"
)

// line is tail's form on a terminal: time, partition and offset, key and value,
// each in its colour, cut to the width of the moment. -K, -D and --raw leave the
// cutting to the user.
func (p *printing) line(pal palette, topics bool, columns func() int, now func() time.Time) sink.Append {
	if form := p.worded(!p.raw); form != nil {
		return form
	}
	text := appendVisible
	if p.raw {
		text = appendBytes
	}
	key, value := fieldOf(p.keyAs, p.null, text), fieldOf(p.valueAs, p.null, text)
	fit := !p.raw && !p.keys && p.delim == "\n"
	var buf []byte
	return func(dst []byte, r *record.Record) []byte {
		left := 0
		if fit {
			left = columns()
		}
		put := func(c paint, space string) {
			if len(buf) == 0 {
				return
			}
			dst = append(dst, c.open...)
			dst, left = appendFitted(dst, buf, left)
			dst = append(dst, c.close...)
			if left != 0 { // spaces cut short need no sign of it
				space = space[:min(len(space), max(left, 0))]
				if left -= len(space); left == 0 {
					left = -1
				}
			}
			dst = append(dst, space...)
			buf = buf[:0]
		}
		buf = appendClock(buf, r, now())
		put(pal.dim, "  ")
		if topics {
			buf = append(appendVisible(buf, []byte(r.Topic)), ':')
			put(pal.topic, "")
		}
		buf = strconv.AppendInt(buf, int64(r.Partition), 10)
		buf = append(buf, ':')
		buf = strconv.AppendInt(buf, r.Offset, 10)
		put(pal.number, "  ")
		if r.Key != nil {
			space := "  "
			if p.keys {
				space = p.keySep
			}
			buf = key(buf, r.Key)
			put(pal.key, space)
		}
		buf = value(buf, r.Value)
		put(paint{}, "")
		return append(dst, p.delim...)
	}
}

// appendClock writes when a record is from: the time of day, with the date
// before it unless that is today's.
func appendClock(dst []byte, r *record.Record, now time.Time) []byte {
	if r.Timestamp == record.NoTimestamp {
		return append(dst, '-')
	}
	t := time.UnixMilli(r.Timestamp).In(now.Location())
	if y, m, d := t.Date(); y != now.Year() || m != now.Month() || d != now.Day() {
		return t.AppendFormat(dst, "2006-01-02 15:04:05.000")
	}
	return t.AppendFormat(dst, "15:04:05.000")
}

// appendFitted appends as much of text as left columns hold, an ellipsis in the
// last of them where it is cut, and gives what is left. 0 has no bound, and a
// negative left no room.
func appendFitted(dst, text []byte, left int) ([]byte, int) {
	if left == 0 {
		return append(dst, text...), 0
	}
	if left < 0 {
		return dst, left
	}
	used, fits := 0, 0 // fits: bytes that leave room for an ellipsis
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		w := runeWidth(r)
		if used+w > left {
			return append(append(dst, text[:fits]...), "…"...), -1
		}
		used += w
		i += size
		if used < left {
			fits = i
		}
	}
	dst = append(dst, text...)
	if left -= used; left == 0 {
		left = -1
	}
	return dst, left
}
