package brokertest_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// batch is records of the given values in a format.
func batch(t *testing.T, magic int8, z codec.Type, values ...string) []byte {
	t.Helper()
	var b codec.Builder
	b.Reset(magic)
	for i, v := range values {
		rec := record.Record{Timestamp: int64(1000 + i), Value: []byte(v)}
		b.Append(&rec, 1<<20)
	}
	out, err := new(codec.Compressor).Seal(nil, &b, codec.Options{Type: z})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(out)
}

func open(t *testing.T, c *brokertest.Cluster, node int32) *broker.Conn {
	t.Helper()
	client, err := broker.New(broker.Config{Seeds: c.Seeds(), Dial: c.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	conn, err := client.Open(t.Context(), node)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func produceTo(t *testing.T, conn *broker.Conn, version int16, id wire.UUID, records []byte) wire.ProducePartitionResult {
	t.Helper()
	req := &wire.ProduceRequest{Acks: -1, TimeoutMs: 1000, Topics: []wire.ProduceTopic{
		{Name: "orders", TopicID: id, Partitions: []wire.ProducePartition{{Records: records}}}}}
	var resp wire.ProduceResponse
	if v, err := conn.Roundtrip(t.Context(), req, &resp, version); err != nil || v != version {
		t.Fatalf("Produce v%d, wanted v%d: %v", v, version, err)
	}
	return resp.Topics[0].Partitions[0]
}

func fetchFrom(t *testing.T, conn *broker.Conn, version int16, id wire.UUID, offset int64, wait, limit int32) wire.FetchPartitionResult {
	t.Helper()
	req := wire.Default[wire.FetchRequest]()
	part := wire.Default[wire.FetchPartition]()
	part.FetchOffset, part.MaxBytes = offset, limit
	req.MaxWaitMs, req.MinBytes = wait, 1
	req.Topics = []wire.FetchTopic{{Name: "orders", TopicID: id, Partitions: []wire.FetchPartition{part}}}
	var resp wire.FetchResponse
	if v, err := conn.Roundtrip(t.Context(), &req, &resp, version); err != nil || v != version {
		t.Fatalf("Fetch v%d, wanted v%d: %v", v, version, err)
	}
	return resp.Topics[0].Partitions[0]
}

// Every version stores what it is given and hands it out at the right offsets,
// down-converted where it has to be.
func TestClusterSpeaksEveryVersion(t *testing.T) {
	for _, magic := range []int8{0, 1, 2} {
		for _, z := range []codec.Type{codec.Uncompressed, codec.Gzip} {
			t.Run(fmt.Sprintf("v%d %v", magic, z), func(t *testing.T) { testVersions(t, magic, z) })
		}
	}
}

func testVersions(t *testing.T, magic int8, z codec.Type) {
	c := brokertest.NewCluster(t, 1)
	c.Create("orders", 1)
	conn := open(t, c, 1)
	id := wire.UUID{}
	copy(id[:], "orders          ")
	produce, _ := wire.Lookup(wire.Produce)
	next := int64(0)
	for v := produce.Min; v <= produce.Max; v++ {
		if v >= 3 != (magic == 2) { // headers came with Produce v3, timestamps with v2
			continue
		}
		r := produceTo(t, conn, v, id, batch(t, magic, z, fmt.Sprint("a", next), fmt.Sprint("b", next+1)))
		if r.ErrorCode != wire.None || r.BaseOffset != next {
			t.Fatalf("Produce v%d: offset %d, %v, want %d", v, r.BaseOffset, r.ErrorCode, next)
		}
		next += 2
	}
	if n := len(c.Records("orders", 0)); int64(n) != next {
		t.Fatalf("%d records stored, want %d", n, next)
	}
	fetch, _ := wire.Lookup(wire.Fetch)
	for v := fetch.Min; v <= fetch.Max; v++ {
		p := fetchFrom(t, conn, v, id, 1, 0, 1<<20)
		if p.ErrorCode != wire.None || p.HighWatermark != next {
			t.Fatalf("Fetch v%d: %v, end %d, want %d", v, p.ErrorCode, p.HighWatermark, next)
		}
		var r codec.Reader
		want := int64(1)
		r.Reset(p.Records, want)
		for rec := (record.Record{}); r.Next(&rec); want++ {
			if rec.Offset != want || string(rec.Value[1:]) != fmt.Sprint(want) {
				t.Errorf("Fetch v%d: %d is %q", v, rec.Offset, rec.Value)
			}
		}
		if want != next || r.Err() != nil {
			t.Errorf("Fetch v%d: ended at %d of %d, %v", v, want, next, r.Err())
		}
	}
}

func TestClusterCutsTheFirstMessageForOldVersionsOnly(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("orders", 1)
	conn := open(t, c, 1)
	produceTo(t, conn, 0, wire.UUID{}, batch(t, 0, codec.Uncompressed, "a long enough value"))
	if p := fetchFrom(t, conn, 0, wire.UUID{}, 0, 0, 30); len(p.Records) != 30 {
		t.Errorf("Fetch v0 gave %d bytes, want the 30 asked for", len(p.Records))
	}
	if p := fetchFrom(t, conn, 4, wire.UUID{}, 0, 0, 30); len(p.Records) <= 30 {
		t.Errorf("Fetch v4 gave %d bytes, want the whole message", len(p.Records))
	}
}

func TestClusterRefusesCorruptAndTellsRepeatsFromGaps(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("orders", 1)
	conn := open(t, c, 1)
	send := func(seq int32, damage bool) wire.ProducePartitionResult {
		b := batch(t, 2, codec.Uncompressed, "a", "b")
		codec.Stamp(b, 7, 0, seq, false)
		if damage {
			b[len(b)-1] ^= 1
		}
		return produceTo(t, conn, 12, wire.UUID{}, b)
	}
	for _, tt := range []struct {
		seq    int32
		damage bool
		code   wire.Code
		base   int64
	}{
		{0, false, wire.None, 0},
		{2, true, wire.CorruptMessage, -1},
		{2, false, wire.None, 2},
		{0, false, wire.None, 0}, // again
		{2, false, wire.None, 2},
		{6, false, wire.OutOfOrderSequenceNumber, -1},
		{4, false, wire.None, 4},
	} {
		if r := send(tt.seq, tt.damage); r.ErrorCode != tt.code || r.BaseOffset != tt.base {
			t.Errorf("sequence %d: %v at %d, want %v at %d", tt.seq, r.ErrorCode, r.BaseOffset, tt.code, tt.base)
		}
	}
	if n := len(c.Records("orders", 0)); n != 6 {
		t.Errorf("%d records, want 6", n)
	}
}

func TestClusterHoldsAFetchUntilThereIsSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		c.Create("orders", 1)
		conn := open(t, c, 1)
		start := time.Now()
		if p := fetchFrom(t, conn, 12, wire.UUID{}, 0, 5000, 100); len(p.Records) != 0 {
			t.Errorf("%d bytes of nothing", len(p.Records))
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("held for %v, want 5s", took)
		}
		time.AfterFunc(2*time.Second, func() {
			c.Append("orders", 0, 0, 1, batch(t, 2, codec.Uncompressed, "x"))
		})
		if p := fetchFrom(t, conn, 12, wire.UUID{}, 0, 5000, 100); len(p.Records) == 0 {
			t.Error("no records")
		}
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("answered after %v, want 7s", took)
		}
	})
}

func TestClusterAnswersForWhatANodeLeads(t *testing.T) {
	c := brokertest.NewCluster(t, 2)
	c.Create("orders", 2)
	one, two := open(t, c, 1), open(t, c, 2)
	if p := fetchFrom(t, one, 12, wire.UUID{}, 0, 0, 100); p.ErrorCode != wire.None {
		t.Errorf("the leader says %v", p.ErrorCode)
	}
	if p := fetchFrom(t, two, 12, wire.UUID{}, 0, 0, 100); p.ErrorCode != wire.NotLeaderOrFollower {
		t.Errorf("the other says %v", p.ErrorCode)
	}
	c.Lead("orders", 0, 2)
	if p := fetchFrom(t, two, 12, wire.UUID{}, 0, 0, 100); p.ErrorCode != wire.None {
		t.Errorf("the new leader says %v", p.ErrorCode)
	}
	if p := fetchFrom(t, two, 12, wire.UUID{}, 1, 0, 100); p.ErrorCode != wire.OffsetOutOfRange {
		t.Errorf("past the end: %v", p.ErrorCode)
	}
}

func TestClusterKeepsOffsetsApartAsItsVersionsDo(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("orders", 1)
	conn := open(t, c, 1)
	for _, v := range []int16{0, 1, 9} {
		req := wire.Default[wire.OffsetCommitRequest]()
		part := wire.Default[wire.OffsetCommitPartition]()
		part.CommittedOffset = 100 + int64(v)
		req.GroupID = "g"
		req.Topics = []wire.OffsetCommitTopic{{Name: "orders", Partitions: []wire.OffsetCommitPartition{part}}}
		var resp wire.OffsetCommitResponse
		if _, err := conn.Roundtrip(t.Context(), &req, &resp, v); err != nil {
			t.Fatal(err)
		}
	}
	if z, k := c.Stored("g", "orders", 0, true), c.Stored("g", "orders", 0, false); z != 100 || k != 109 {
		t.Errorf("ZooKeeper has %d, Kafka %d, want 100 and 109", z, k)
	}
	for v, want := range map[int16]int64{0: 100, 1: 109, 7: 109, 9: 109} {
		group := wire.Default[wire.OffsetFetchGroup]()
		group.GroupID = "g"
		group.Topics = []wire.OffsetFetchTopic{{Name: "orders", Partitions: []int32{0}}}
		var resp wire.OffsetFetchResponse
		version, err := conn.Roundtrip(t.Context(), &wire.OffsetFetchRequest{Groups: []wire.OffsetFetchGroup{group}}, &resp, v)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Results(version)[0].Topics[0].Partitions[0].CommittedOffset; got != want {
			t.Errorf("OffsetFetch v%d: %d, want %d", v, got, want)
		}
	}
}
