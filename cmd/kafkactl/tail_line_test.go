package main

import (
	"strings"
	"testing"
	"time"

	"kafkactl/internal/record"
)

var evening = time.Date(2026, 11, 23, 18, 30, 0, 0, time.FixedZone("CET", 3600))

func TestTailLineFitsTheWidth(t *testing.T) {
	r := &record.Record{Topic: "orders", Partition: 3, Offset: 42, Timestamp: evening.UnixMilli(), Key: []byte("k1"), Value: []byte("a value of some length")}
	for _, c := range []struct {
		columns int
		want    string
	}{
		{0, "18:30:00.000  3:42  k1  a value of some length\n"},
		{200, "18:30:00.000  3:42  k1  a value of some length\n"},
		{46, "18:30:00.000  3:42  k1  a value of some length\n"},
		{45, "18:30:00.000  3:42  k1  a value of some leng…\n"},
		{26, "18:30:00.000  3:42  k1  a…\n"},
		{25, "18:30:00.000  3:42  k1  …\n"},
		{16, "18:30:00.000  3…\n"},
		{5, "18:3…\n"},
	} {
		p := printing{keyAs: "text", valueAs: "text", delim: "\n"}
		form := p.line(palette{}, false, func() int { return c.columns }, func() time.Time { return evening })
		got := string(form(nil, r))
		if got != c.want {
			t.Errorf("%d columns: %q, want %q", c.columns, got, c.want)
		}
		if w := displayWidth(strings.TrimRight(got, " \n")); c.columns > 0 && w > c.columns {
			t.Errorf("%d columns: a line of %d", c.columns, w)
		}
	}
}

func TestTailLineShowsWhatARecordHas(t *testing.T) {
	pal := newPalette(true)
	stamp := evening.UnixMilli()
	yesterday := evening.Add(-24 * time.Hour).UnixMilli()
	for _, c := range []struct {
		name   string
		p      printing
		pal    palette
		topics bool
		r      record.Record
		want   string
	}{
		{"no key", printing{}, palette{}, false, record.Record{Timestamp: stamp, Value: []byte("v")}, "18:30:00.000  0:0  v\n"},
		{"an empty key takes no room", printing{}, palette{}, false, record.Record{Timestamp: stamp, Key: []byte{}, Value: []byte("v")}, "18:30:00.000  0:0  v\n"},
		{"another day", printing{}, palette{}, false, record.Record{Timestamp: yesterday, Value: []byte("v")}, "2026-11-22 18:30:00.000  0:0  v\n"},
		{"no timestamp", printing{}, palette{}, false, record.Record{Timestamp: record.NoTimestamp, Value: []byte("v")}, "-  0:0  v\n"},
		{"topics", printing{}, palette{}, true, record.Record{Topic: "t", Timestamp: stamp, Value: []byte("v")}, "18:30:00.000  t:0:0  v\n"},
		{"null with a token", printing{null: "NULL"}, palette{}, false, record.Record{Timestamp: stamp}, "18:30:00.000  0:0  NULL\n"},
		{"hostile", printing{}, palette{}, false, record.Record{Timestamp: stamp, Key: []byte("\a"), Value: []byte("\x1b[2Jx\n")}, `18:30:00.000  0:0  \x07  \x1b[2Jx\n` + "\n"},
		{"raw", printing{raw: true}, palette{}, false, record.Record{Timestamp: stamp, Value: []byte("\x1b[1mx")}, "18:30:00.000  0:0  \x1b[1mx\n"},
		{"hex", printing{keyAs: "hex", valueAs: "base64"}, palette{}, false, record.Record{Timestamp: stamp, Key: []byte("k"), Value: []byte("v")}, "18:30:00.000  0:0  6b  dg==\n"},
		{"a separator", printing{keys: true, keySep: "="}, palette{}, false, record.Record{Timestamp: stamp, Key: []byte("k"), Value: []byte("v")}, "18:30:00.000  0:0  k=v\n"},
		{"colours", printing{}, pal, true, record.Record{Topic: "t", Timestamp: stamp, Key: []byte("k"), Value: []byte("v")},
			pal.dim.s("18:30:00.000") + "  " + pal.topicOf("t").s("t") + pal.dim.s(":") + pal.number.s("0:0") + "  " + pal.key.s("k") + "  v\n"},
	} {
		c.p.delim = "\n"
		form := c.p.line(c.pal, c.topics, func() int { return 0 }, func() time.Time { return evening })
		if got := string(form(nil, &c.r)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
