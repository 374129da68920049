package main

import (
	"strconv"
	"time"

	"kafkactl/internal/record"
	"kafkactl/internal/sink"
)

// line is tail's form on a terminal: time, partition and offset, key and value,
// each in its colour, cut to the width of the moment or with --wrap folded. -K,
// -D and --raw leave the cutting to the user.
func (p *printing) line(pal palette, topics bool, columns func() int, now func() time.Time) sink.Append {
	if form := p.lines(pal, columns); form != nil {
		return form
	}
	s := p.sheet(pal, columns)
	s.bound = s.bound && (p.wrap || !p.keys)
	return func(dst []byte, r *record.Record) []byte {
		s.begin(dst)
		s.buf = appendClock(s.buf[:0], r, now())
		s.l.put(pal.dim, s.buf)
		s.l.space(2)
		if topics {
			s.topic(r.Topic)
		}
		s.buf = appendPlace(s.buf[:0], r)
		s.l.put(pal.number, s.buf)
		s.l.space(2)
		s.l.hang()
		if r.Key != nil {
			s.field(pal.key, s.key, r.Key)
			switch {
			case p.keys:
				s.l.put(paint{}, []byte(p.keySep))
			case len(r.Key) > 0:
				s.l.space(2)
			}
		}
		s.value(r.Value)
		return append(s.l.dst, p.delim...)
	}
}

// appendPlace writes partition:offset.
func appendPlace(dst []byte, r *record.Record) []byte {
	dst = strconv.AppendInt(dst, int64(r.Partition), 10)
	return strconv.AppendInt(append(dst, ':'), r.Offset, 10)
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
