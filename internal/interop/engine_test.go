//go:build unix

package interop

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/kafkatest"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
)

// capture is a sink that keeps everything of a record, headers and times too,
// which a plain listing does not show.
type capture struct {
	progress consume.Progress
	records  []rec
}

// Record keeps one record.
func (c *capture) Record(_ context.Context, r *record.Record, m consume.Mark) error {
	got := rec{r.Partition, r.Offset, r.Timestamp, bytes.Clone(r.Key), bytes.Clone(r.Value), nil}
	for name, value := range r.Headers.All() {
		got.headers = append(got.headers, header{string(name), bytes.Clone(value)})
	}
	c.records = append(c.records, got)
	c.progress.Done(m)
	return nil
}

// Skip passes what is no record.
func (c *capture) Skip(m consume.Mark) { c.progress.Done(m) }

// Flush has nothing to do.
func (c *capture) Flush(context.Context) error { return nil }

// readOurs reads a whole topic with our engine.
func readOurs(t *testing.T, topic string, partitions int) []rec {
	t.Helper()
	seeds := strings.Split(kafkatest.Brokers(t), ",")
	ends, err := kafkatest.EndOffsets(t.Context(), seeds[0], topic, partitions)
	if err != nil {
		t.Fatal(err)
	}
	ranges := map[broker.TP]offsets.Range{}
	for p, end := range ends {
		ranges[broker.TP{Topic: topic, Partition: int32(p)}] = offsets.Range{From: 0, To: end}
	}
	client, err := broker.New(broker.Config{Seeds: seeds})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var c capture
	report, err := consume.Run(t.Context(), client, consume.Options{Isolation: consume.ReadCommitted}, ranges, &c)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(c.records, func(a, b rec) int { return int(a.partition - b.partition) })
	return c.records
}
