//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// write [-z CODEC] [-k SEP] [-t MS] [-txn commit|abort] TOPIC[:PARTITION] FILE
// writes the lines of a file with a client that is none of ours. Without a
// partition, lines go to the partitions in turn.
func cmdWrite(s *stage, ts *testscript.TestScript, args []string) {
	var codec, sep, txn string
	var at int64
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-z":
			codec = args[1]
		case "-k":
			sep = args[1]
		case "-t":
			at = int64(number(ts, args[1]))
		case "-txn":
			txn = args[1]
		default:
			ts.Fatalf("write: unknown option %s", args[0])
		}
		args = args[2:]
	}
	if len(args) != 2 {
		ts.Fatalf("usage: write [-z CODEC] [-k SEP] [-t MS] [-txn commit|abort] TOPIC[:PARTITION] FILE")
	}
	topic, part, one := strings.Cut(args[0], ":")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	opts := []kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codecOf(ts, codec))}
	if txn != "" {
		opts = append(opts, kgo.TransactionalID(fmt.Sprintf("script%s-%d", s.suffix, time.Now().UnixNano())))
	}
	cl, err := s.kgo(opts...)
	ts.Check(err)
	defer cl.Close()
	partitions := 1
	if !one {
		partitions, err = s.led(ctx, topic)
		ts.Check(err)
	}
	var records []*kgo.Record
	for i, line := range lines(ts.ReadFile(args[1])) {
		r := &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: []byte(line)}
		if one {
			r.Partition = int32(number(ts, part))
		}
		if key, value, ok := strings.Cut(line, sep); sep != "" && ok {
			r.Key, r.Value = []byte(key), []byte(value)
		}
		if at != 0 {
			r.Timestamp = time.UnixMilli(at + int64(i))
		}
		records = append(records, r)
	}
	if txn != "" {
		ts.Check(cl.BeginTransaction())
	}
	ts.Check(cl.ProduceSync(ctx, records...).FirstErr())
	if txn != "" {
		ts.Check(cl.EndTransaction(ctx, txn == "commit"))
		ts.Check(s.settled(ctx, topic))
	}
}

// settled waits until no transaction is open in a topic. A coordinator says
// that one has ended before it has written the markers, and until then readers
// of what is committed stop before it.
func (s *stage) settled(ctx context.Context, topic string) error {
	for {
		stable, err := s.list(ctx, topic, -1, 1)
		if err != nil {
			return err
		}
		high, err := s.list(ctx, topic, -1, 0)
		if err != nil || maps.Equal(stable, high) {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%s: last stable offsets %v, high watermarks %v", topic, stable, high)
		}
	}
}

func lines(text string) []string {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func codecOf(ts *testscript.TestScript, name string) kgo.CompressionCodec {
	switch name {
	case "", "none":
		return kgo.NoCompression()
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	ts.Fatalf("no compression is called %s", name)
	return kgo.NoCompression()
}

// read TOPIC prints "partition offset key value" for every record, tab-separated,
// null as -, headers after it as name=value, with a client that is none of ours.
func cmdRead(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: read TOPIC")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	records, err := s.readAll(ctx, args[0])
	ts.Check(err)
	for _, r := range records {
		fmt.Fprintf(ts.Stdout(), "%d\t%d\t%s\t%s", r.Partition, r.Offset, orDash(r.Key), orDash(r.Value))
		for _, h := range r.Headers {
			fmt.Fprintf(ts.Stdout(), "\t%s=%s", h.Key, orDash(h.Value))
		}
		fmt.Fprintln(ts.Stdout())
	}
}

func orDash(b []byte) []byte {
	if b == nil {
		return []byte("-")
	}
	return bytes.ReplaceAll(b, []byte("\n"), []byte(`\n`))
}

// readAll reads a topic to the ends it has now, committed records only, sorted
// by partition and offset.
func (s *stage) readAll(ctx context.Context, topic string) ([]*kgo.Record, error) {
	ends, err := s.ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	from := map[int32]kgo.Offset{}
	for p, end := range ends {
		if end > 0 {
			from[p] = kgo.NewOffset().AtStart()
		}
	}
	var records []*kgo.Record
	if len(from) == 0 {
		return nil, nil
	}
	cl, err := s.kgo(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	for len(from) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read %s: %w", topic, err)
		}
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset >= ends[r.Partition]-1 {
				delete(from, r.Partition)
			}
			if !r.Attrs.IsControl() && r.Offset < ends[r.Partition] {
				records = append(records, r)
			}
		})
	}
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return records, nil
}

// ends lists the last stable offset of every partition that is not empty.
func (s *stage) ends(ctx context.Context, topic string) (map[int32]int64, error) {
	starts, err := s.list(ctx, topic, -2, 1)
	if err != nil {
		return nil, err
	}
	ends, err := s.list(ctx, topic, -1, 1)
	maps.DeleteFunc(ends, func(p int32, end int64) bool { return end <= starts[p] })
	return ends, err
}

// list asks for the offset at a time, or at -1 (end) or -2 (start), of every
// partition of a topic, under an isolation level (1 is read_committed).
func (s *stage) list(ctx context.Context, topic string, when int64, isolation int8) (map[int32]int64, error) {
	cl, err := s.kgo()
	if err != nil {
		return nil, err
	}
	n, err := s.led(ctx, topic)
	if err != nil {
		return nil, err
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel = isolation
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for p := range n {
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition, part.Timestamp = int32(p), when
		t.Partitions = append(t.Partitions, part)
	}
	req.Topics = append(req.Topics, t)
	offsets := map[int32]int64{}
	for _, shard := range cl.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return nil, shard.Err
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, err
				}
				offsets[p.Partition] = p.Offset
			}
		}
	}
	return offsets, nil
}
