package offsets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// The record that is next tells the age, wherever in a batch it is, however
// large the batch, and the markers of transactions tell none.
func TestOldestIsTheTimeOfTheNextRecord(t *testing.T) {
	k := newCluster(t)
	k.topic("t", 3)
	batched := func(partition int32, n, size int) {
		var rs []*kgo.Record
		for i := range n {
			rs = append(rs, &kgo.Record{Topic: "t", Partition: partition, Value: []byte(strings.Repeat("x", size)), Timestamp: noon.Add(time.Duration(i) * time.Second)})
		}
		cl := k.producer(kgo.ProducerLinger(100*time.Millisecond), kgo.ProducerBatchCompression(kgo.NoCompression()))
		if err := cl.ProduceSync(context.Background(), rs...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	batched(0, 100, 10)
	batched(1, 10, 60_000) // passes every limit but the last
	txn := k.producer(kgo.TransactionalID("x"))
	for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := txn.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		k.write(txn, broker.TP{Topic: "t", Partition: 2}, 1, noon)
		if err := txn.EndTransaction(context.Background(), end); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	ends := map[At]int64{}
	want := map[At]int64{}
	add := func(partition int32, offset, end int64, seconds int) {
		at := At{broker.TP{Topic: "t", Partition: partition}, offset}
		ends[at] = end
		if seconds >= 0 {
			want[at] = noon.Add(time.Duration(seconds) * time.Second).UnixMilli()
		}
	}
	for o := range 100 {
		add(0, int64(o), 100, o)
	}
	add(1, 0, 10, 0)
	add(1, 7, 10, 7)
	add(2, 0, 4, 0)
	add(2, 1, 4, 0)  // a marker, then the record of the next transaction
	add(2, 3, 4, -1) // nothing but a marker
	var ages Ages
	for range 2 { // asked for, and remembered
		got, err := ages.Oldest(t.Context(), k.client, ends)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, want) {
			for at, w := range want {
				if got[at] != w {
					t.Errorf("%v: %d, want %d", at, got[at], w)
				}
			}
			t.Fatalf("%d found, want %d", len(got), len(want))
		}
	}
}

// lagCluster is two brokers with a topic t, and a client of ours.
func lagCluster(t *testing.T, partitions int) (*brokertest.Cluster, *broker.Client) {
	t.Helper()
	c := brokertest.NewCluster(t, 2)
	c.Create("t", partitions)
	client, err := broker.New(broker.Config{Seeds: c.Seeds(), Timeout: 10 * time.Second, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return c, client
}

// Groups are read alike from brokers that take all at once, one at a time, and
// that cannot list what a group has; what they do not have is not there.
func TestGroupsAreReadInEveryVersion(t *testing.T) {
	for version := int16(1); version <= 9; version++ {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			c, client := lagCluster(t, 3)
			c.All(func(s *brokertest.Server) { s.Window(wire.OffsetFetch, 0, version) })
			var wants []GroupWant
			for i := range 5 {
				g := fmt.Sprint("g", i)
				failed, err := Commit(t.Context(), client, Outside(g), Kafka, map[broker.TP]Stored{{Topic: "t", Partition: 1}: {Offset: int64(i), LeaderEpoch: -1}})
				if err != nil || failed != nil {
					t.Fatal(err, failed)
				}
				wants = append(wants, GroupWant{Group: g, Node: 1}) // node 2 coordinates
			}
			wants = append(wants, GroupWant{Group: "named", Node: -1, TPs: []broker.TP{{Topic: "t", Partition: 2}}})
			got, err := FetchGroups(t.Context(), client, wants)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				g := got[fmt.Sprint("g", i)]
				if g == nil || g.Err != nil || len(g.Offsets) != 1 || g.Offsets[broker.TP{Topic: "t", Partition: 1}].Offset != int64(i) {
					t.Errorf("g%d: %+v", i, g)
				}
			}
			if g := got["named"]; g == nil || g.Err != nil || len(g.Offsets) != 1 || g.Offsets[broker.TP{Topic: "t", Partition: 2}].Offset != NoOffset {
				t.Errorf("named: %+v", g)
			}
		})
	}
}

// What an open transaction is about to change is told as pending, with the
// offset that still counts.
func TestPendingOffsetsAreToldWithTheirValue(t *testing.T) {
	c, client := lagCluster(t, 2)
	c.All(func(s *brokertest.Server) {
		s.Handle(wire.OffsetFetch, func(r *brokertest.Request) brokertest.Reply {
			req, ok := r.Body.(*wire.OffsetFetchRequest)
			if !ok || len(req.Groups) != 1 {
				return brokertest.Hangup()
			}
			first := wire.OffsetFetchPartitionResult{Index: 0, CommittedOffset: 7, CommittedLeaderEpoch: -1}
			if req.RequireStable {
				first.CommittedOffset, first.ErrorCode = -1, wire.UnstableOffsetCommit
			} else if len(req.Groups[0].Topics) != 1 || len(req.Groups[0].Topics[0].Partitions) != 1 {
				t.Errorf("asked again for %+v", req.Groups[0].Topics)
			}
			topic := wire.OffsetFetchTopicResult{Name: "t", Partitions: []wire.OffsetFetchPartitionResult{first}}
			if req.RequireStable {
				topic.Partitions = append(topic.Partitions, wire.OffsetFetchPartitionResult{Index: 1, CommittedOffset: 3, CommittedLeaderEpoch: -1})
			}
			return brokertest.Answer(&wire.OffsetFetchResponse{Groups: []wire.OffsetFetchGroupResult{{GroupID: "g", Topics: []wire.OffsetFetchTopicResult{topic}}}})
		})
	})
	got, err := FetchGroups(t.Context(), client, []GroupWant{{Group: "g", Node: -1}})
	if err != nil {
		t.Fatal(err)
	}
	g := got["g"]
	zero, one := broker.TP{Topic: "t", Partition: 0}, broker.TP{Topic: "t", Partition: 1}
	if g.Err != nil || !g.Pending[zero] || g.Pending[one] || g.Offsets[zero].Offset != 7 || g.Offsets[zero].Err != nil || g.Offsets[one].Offset != 3 {
		t.Errorf("%+v", g)
	}
}

// A group or partition that fails has an error and no lag; the others have theirs.
func TestLagIsNeverMadeUp(t *testing.T) {
	c, client := lagCluster(t, 3)
	c.All(func(s *brokertest.Server) {
		s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
			req, _ := r.Body.(*wire.ListOffsetsRequest)
			resp := &wire.ListOffsetsResponse{}
			for _, topic := range req.Topics {
				res := wire.ListOffsetsTopicResult{Name: topic.Name}
				for _, p := range topic.Partitions {
					part := wire.ListOffsetsPartitionResult{Index: p.Index, Offset: 10, Timestamp: -1, LeaderEpoch: -1}
					if p.Timestamp == wire.EarliestTimestamp {
						part.Offset = 4
					}
					if p.Index == 2 {
						part.ErrorCode = wire.TopicAuthorizationFailed
					}
					res.Partitions = append(res.Partitions, part)
				}
				resp.Topics = append(resp.Topics, res)
			}
			return brokertest.Answer(resp)
		})
	})
	tp := func(p int32) broker.TP { return broker.TP{Topic: "t", Partition: p} }
	all, err := FetchLags(t.Context(), client, []*GroupStored{
		{Offsets: map[broker.TP]Stored{tp(0): {Offset: 6}, tp(1): {Offset: NoOffset}, tp(2): {Offset: 6}}},
		{Err: wire.GroupAuthorizationFailed},
		{Offsets: map[broker.TP]Stored{tp(0): {Offset: 12}, tp(1): {Offset: 1}}},
	}, LagOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := all[0], all[2]
	if len(a) != 3 || len(all[1]) != 0 || len(b) != 2 {
		t.Fatalf("%+v", all)
	}
	if a[0].Records != 4 || a[1].Records != -1 || a[1].Err != nil {
		t.Errorf("%+v", a)
	}
	if a[2].Records != -1 || !errors.Is(a[2].Err, wire.TopicAuthorizationFailed) {
		t.Errorf("%+v", a[2])
	}
	if b[0].Records != 0 || !b[0].Past() || b[1].Lost() != 3 || b[1].Records != 9 {
		t.Errorf("%+v", b)
	}
}

// Before 0.10 records have no timestamps: their age is unknown, which is no error.
func TestRecordsWithoutTimestampsHaveNoAge(t *testing.T) {
	c, client := lagCluster(t, 1)
	c.Append("t", 0, 0, 1, oldMessage())
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	at := At{broker.TP{Topic: "t", Partition: 0}, 0}
	got, err := new(Ages).Oldest(t.Context(), client, map[At]int64{at: 1})
	if err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

// oldMessage is "hello" in message format v0, offset 0.
func oldMessage() []byte {
	b := make([]byte, 12)
	b[11] = 19
	return append(b, "\x87\xa7\x7a\xb2\x00\x00\xff\xff\xff\xff\x00\x00\x00\x05hello"...)
}
