package consume

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// sealed is n records in a format and compression, as a leader stores them.
func sealed(t *testing.T, magic int8, compression codec.Type, base int64, n int) []byte {
	t.Helper()
	var b codec.Builder
	b.Reset(magic)
	for i := range n {
		b.Append(&record.Record{Timestamp: 1000, Value: fmt.Append(nil, "value ", base+int64(i))}, math.MaxInt)
	}
	var c codec.Compressor
	raw, err := c.Seal(nil, &b, codec.Options{Type: compression, Level: codec.DefaultLevel})
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case magic == 2:
		binary.BigEndian.PutUint64(raw, uint64(base))
	case compression != codec.Uncompressed: // a wrapper stands at the last of its messages
		binary.BigEndian.PutUint64(raw, uint64(base)+uint64(n-1))
	default:
		for at := 0; at < len(raw); at += 12 + int(binary.BigEndian.Uint32(raw[at+8:])) {
			binary.BigEndian.PutUint64(raw[at:], uint64(base))
			base++
		}
	}
	return raw
}

func TestEveryFetchVersionReadsWhatItsBrokersHold(t *testing.T) {
	api, _ := wire.Lookup(wire.Fetch)
	for version := api.Min; version <= api.Max; version++ {
		magic := int8(2)
		switch {
		case version < 2:
			magic = 0
		case version < 4:
			magic = 1
		}
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			c := brokertest.NewCluster(t, 1)
			c.Node(1).Window(wire.Fetch, 0, version)
			c.Create("t", 1)
			first := codec.Gzip
			if magic == 0 {
				first = codec.Uncompressed // the offsets within would be the broker's to set
			}
			c.Append("t", 0, 0, 10, sealed(t, magic, first, 0, 10))
			c.Append("t", 0, 10, 20, sealed(t, magic, codec.Uncompressed, 10, 10))
			next := int64(20)
			if magic == 1 {
				c.Append("t", 0, 20, 30, sealed(t, 1, codec.Snappy, 20, 10))
				next = 30
			}
			client, err := broker.New(broker.Config{Seeds: c.Seeds()})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			tp := broker.TP{Topic: "t"}
			for _, bytes := range []int32{0, 1, 100, 150} {
				o := quick()
				o.Fetch.PartitionBytes = bytes
				for _, r := range []offsets.Range{{From: 0, To: next}, {From: 3, To: next - 4}} {
					got := newCollector()
					report, err := Run(t.Context(), client, o, map[broker.TP]offsets.Range{tp: r}, got)
					if err != nil || report.Err() != nil {
						t.Fatal(err, report.Err())
					}
					got.wantOffsets(t, tp, from(r.From, r.To)...)
					for i, v := range got.values[tp] {
						if want := fmt.Sprint("value ", r.From+int64(i)); v != want {
							t.Fatalf("%q, want %q", v, want)
						}
					}
				}
			}
			if v := c.Node(1).Await(wire.Fetch, 1).Version; v != version {
				t.Errorf("asked in version %d", v)
			}
		})
	}
}

// S10: a set that is damaged spares the other partitions of its response.
func TestS10ADamagedSetSparesOtherPartitions(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Node(1).Window(wire.Fetch, 0, 0)
	c.Create("t", 2)
	bad := sealed(t, 0, codec.Uncompressed, 0, 3)
	bad[len(bad)-1] ^= 1
	c.Append("t", 0, 0, 3, bad)
	c.Append("t", 1, 0, 3, sealed(t, 0, codec.Uncompressed, 0, 3))
	client, err := broker.New(broker.Config{Seeds: c.Seeds()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	a, b := broker.TP{Topic: "t"}, broker.TP{Topic: "t", Partition: 1}
	got := newCollector()
	report, err := Run(t.Context(), client, quick(), map[broker.TP]offsets.Range{a: {To: 3}, b: {To: 3}}, got)
	if err != nil {
		t.Fatal(err)
	}
	got.wantOffsets(t, a, 0, 1)
	got.wantOffsets(t, b, 0, 1, 2)
	if err := report.Err(); err == nil || !strings.Contains(err.Error(), "t:0: corrupt records at offset 2") {
		t.Errorf("error %v", err)
	}
}

// Written by another client, in every compression and in transactions, on
// brokers whose leaders move meanwhile.
func TestWhatAnotherClientWroteComesBack(t *testing.T) {
	k, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(4, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	want := make(map[broker.TP][]string)
	produce := func(cl *kgo.Client, n int, keep bool) {
		t.Helper()
		for i := range n {
			p := int32(i % 4)
			r := &kgo.Record{Topic: "t", Partition: p, Value: fmt.Append(nil, i, strings.Repeat(" x", i%50))}
			if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if tp := (broker.TP{Topic: "t", Partition: p}); keep {
				want[tp] = append(want[tp], string(r.Value))
			}
		}
	}
	for _, z := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		cl, err := kgo.NewClient(kgo.SeedBrokers(k.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(z))
		if err != nil {
			t.Fatal(err)
		}
		produce(cl, 20, true)
		cl.Close()
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(k.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for i := range 6 {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		commit := i%2 == 0
		produce(cl, 10, commit)
		if err := cl.EndTransaction(t.Context(), kgo.TransactionEndTry(commit)); err != nil {
			t.Fatal(err)
		}
	}
	client, err := broker.New(broker.Config{Seeds: k.ListenAddrs(), RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ranges := make(map[broker.TP]offsets.Range)
	for _, p := range k.PartitionInfos("t") {
		ranges[broker.TP{Topic: "t", Partition: p.Partition}] = offsets.Range{To: p.LastStableOffset}
	}
	for _, byTime := range []bool{false, true} {
		o := quick()
		o.Isolation, o.ByTime = ReadCommitted, byTime
		o.Fetch.PartitionBytes = 200
		got := newCollector()
		n := 0
		got.each = func(*record.Record) error {
			if n++; n%20 == 0 {
				k.ShufflePartitionLeaders()
			}
			return nil
		}
		report, err := Run(t.Context(), client, o, ranges, got)
		if err != nil || report.Err() != nil {
			t.Fatal(err, report.Err())
		}
		for tp, list := range want {
			if !slices.Equal(got.values[tp], list) {
				t.Errorf("by time %v: %v: %d records, want %d", byTime, tp, len(got.values[tp]), len(list))
			}
		}
		for _, p := range report.Partitions {
			if p.Next != ranges[p.TP].To {
				t.Errorf("%v stands at %d of %d", p.TP, p.Next, ranges[p.TP].To)
			}
		}
	}
}

// S23: out of range, the start is looked up and the fetch resumed there.
func TestS23OutOfRangeIsLookedUpAndResumed(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.All((*brokertest.Server).Old)
	c.All(func(s *brokertest.Server) {
		s.Window(wire.Fetch, 0, 0)
		s.Window(wire.ListOffsets, 0, 0)
	})
	c.Create("t", 1)
	c.Append("t", 0, 0, 5, sealed(t, 0, codec.Uncompressed, 0, 5))
	c.Append("t", 0, 5, 10, sealed(t, 0, codec.Uncompressed, 5, 5))
	c.Truncate("t", 0, 5)
	client, err := broker.New(broker.Config{Seeds: c.Seeds()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	tp := broker.TP{Topic: "t"}
	got := newCollector()
	o := quick()
	warned := warnings(&o)
	report, err := Run(t.Context(), client, o, span(tp, 2, 10), got)
	if err != nil || report.Err() != nil {
		t.Fatal(err, report.Err())
	}
	got.wantOffsets(t, tp, from(5, 10)...)
	if len(*warned) != 1 {
		t.Errorf("warned of %q", *warned)
	}
}

// S28: asking for more than there is ends after the timeout with what there is.
func TestS28AskingForMoreThanThereIsEndsIdle(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	c.Append("t", 0, 0, 10, sealed(t, 2, codec.Uncompressed, 0, 10))
	client, err := broker.New(broker.Config{Seeds: c.Seeds()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	tp := broker.TP{Topic: "t"}
	for _, n := range []int64{5, 20} {
		o := quick()
		o.Max, o.Follow, o.Idle = n, true, 30*time.Millisecond
		got := newCollector()
		report, err := Run(context.WithoutCancel(t.Context()), client, o, span(tp, 0, offsets.Follow), got)
		if err != nil || report.Err() != nil {
			t.Fatal(err, report.Err())
		}
		got.wantOffsets(t, tp, from(0, min(n, 10))...)
		if report.Full != (n == 5) || report.Idle != (n == 20) {
			t.Errorf("%+v", report)
		}
	}
}
