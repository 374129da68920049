package consume

import (
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

func TestARangeIsReadExactly(t *testing.T) {
	c := newCluster(t, 1)
	tp := c.log(0, plain(0, numbered(0, 10)...), plain(10, numbered(10, 10)...), plain(20, numbered(20, 10)...))
	for _, r := range []offsets.Range{{From: 0, To: 30}, {From: 3, To: 27}, {From: 10, To: 20}, {From: 14, To: 15}, {From: 29, To: 30}, {From: 5, To: 5}, {From: 7, To: 3}} {
		got := newCollector()
		report := c.read(quick(), got, map[broker.TP]offsets.Range{tp: r})
		got.wantOffsets(t, tp, from(r.From, r.To)...)
		if err := report.Err(); err != nil {
			t.Errorf("%v: %v", r, err)
		}
		if next := report.Partitions[0].Next; next != max(r.To, r.From) {
			t.Errorf("%v: position %d", r, next)
		}
		if n := report.Records; n != max(r.To-r.From, 0) {
			t.Errorf("%v: %d records reported", r, n)
		}
	}
}
