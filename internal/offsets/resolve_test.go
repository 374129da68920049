package offsets

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// t:0 holds 20 records at seconds 0 to 19 after noon, the first 5 deleted; t:1
// is empty; t:2 holds records at seconds 100 to 104.
func filled(t *testing.T) *cluster {
	k := newCluster(t)
	k.topic("t", 3)
	cl := k.producer()
	k.write(cl, broker.TP{Topic: "t", Partition: 0}, 20, noon)
	k.write(cl, broker.TP{Topic: "t", Partition: 2}, 5, noon.Add(100*time.Second))
	if err := k.DeleteRecords("t", 0, 5); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestS22RangesResolve(t *testing.T) {
	k := filled(t)
	sec := func(n int) string { return noon.Add(time.Duration(n) * time.Second).UTC().Format(time.RFC3339) }
	for _, c := range []struct {
		in       string
		from, to int64
		outside  string
	}{
		{"t:0", 5, 20, ""},
		{"t:1", 0, 0, ""},
		{"t:0@start", 5, 20, ""},
		{"t:0@end", 20, 20, ""},
		{"t:0@-3", 17, 20, ""},
		{"t:0@-3..-1", 17, 19, ""},
		{"t:0@-100", 5, 20, ""},
		{"t:0@+2", 7, 20, ""},
		{"t:0@start+2..end-2", 7, 18, ""},
		{"t:0@start-2", 5, 20, ""},
		{"t:0@end+9", 20, 20, ""},
		{"t:0@start+100", 20, 20, ""},
		{"t:0@7..9", 7, 9, ""},
		{"t:0@7..+3", 7, 10, ""},
		{"t:0@..+3", 5, 8, ""},
		{"t:0@-100..+3", 5, 8, ""},
		{"t:0@-3..+100", 17, 20, ""},
		{"t:0@..9", 5, 9, ""},
		{"t:0@20", 20, 20, ""},
		{"t:0@..20", 5, 20, ""},
		{"t:0@5..", 5, 20, ""},
		{"t:0@2", 5, 20, "t:0: offset 2 is below the start of the log, 5"},
		{"t:0@2..+4", 5, 6, "t:0: offset 2 is below the start of the log, 5"},
		{"t:0@0..3", 5, 5, "t:0: offset 0 is below the start of the log, 5; t:0: offset 3 is below the start of the log, 5"},
		{"t:0@21", 20, 20, "t:0: offset 21 is past the end of the log, 20"},
		{"t:0@10..30", 10, 20, "t:0: offset 30 is past the end of the log, 20"},
		{"t:0@10..+30", 10, 20, "t:0: offset 40 is past the end of the log, 20"},
		{"t:0@1700000000123", 20, 20, "t:0: offset 1700000000123 is past the end of the log, 20; did you mean 1700000000123ms?"},
		{"t:0@170000000012", 20, 20, "t:0: offset 170000000012 is past the end of the log, 20; did you mean 0170000000012ms?"},
		{"t:0@1700000000123456", 20, 20, "t:0: offset 1700000000123456 is past the end of the log, 20; did you mean 1700000000123ms?"},
		{"t:0@17000000001", 20, 20, "t:0: offset 17000000001 is past the end of the log, 20"},
		{"t:0@9223372036854775807", 20, 20, "t:0: offset 9223372036854775807 is past the end of the log, 20; did you mean 9223372036854ms?"},
		{"t:0@start+9223372036854775807", 20, 20, ""},
		{"t:0@end-9223372036854775807", 5, 20, ""},
		{"t:0@" + sec(10), 10, 20, ""},
		{"t:0@" + sec(10) + ".." + sec(12), 10, 12, ""},
		{"t:0@" + sec(10) + "..+2s", 10, 12, ""},
		{"t:0@" + sec(10) + "..+4", 10, 14, ""},
		{"t:0@" + sec(0), 5, 20, ""},
		{"t:0@" + sec(-1000), 5, 20, ""},
		{"t:0@" + sec(1000), 20, 20, ""},
		{"t:0@.." + sec(1000), 5, 20, ""},
		{"t:1@" + sec(1), 0, 0, ""},
		{"t:0@max-timestamp", 19, 20, ""},
		{"t:0@max-timestamp-2", 17, 20, ""},
		{"t:1@max-timestamp", 0, 0, ""},
		{"t:0@earliest-local", 5, 20, ""},
	} {
		got := k.resolve(Options{}, c.in)
		if len(got) != 1 || got[0].Err != nil {
			t.Errorf("%s: %+v", c.in, got)
			continue
		}
		var outside []string
		for _, o := range got[0].Outside {
			outside = append(outside, o.Error())
		}
		if want := (Range{c.from, c.to}); got[0].Range != want || strings.Join(outside, "; ") != c.outside {
			t.Errorf("%s: %+v, outside %q; want %+v, %q", c.in, got[0].Range, outside, want, c.outside)
		}
	}
}

func TestFollowWaitsForExplicitEndsOnly(t *testing.T) {
	k := filled(t)
	late := noon.Add(time.Hour)
	for _, c := range []struct {
		in       string
		from, to int64
		until    int64
	}{
		{"t:0", 5, Follow, 0},
		{"t:0@-3", 17, Follow, 0},
		{"t:0@10..30", 10, 30, 0},
		{"t:0@10..+30", 10, 40, 0},
		{"t:0@end..+7", 20, 27, 0},
		{"t:0@..end+3", 5, 23, 0},
		{"t:0@..end", 5, 20, 0},
		{"t:0@..2", 5, 5, 0},
		{"t:0@now.." + late.UTC().Format(time.RFC3339), 5, Follow, late.UnixMilli()},
		{"t:0@now..+3s", 5, 8, 0},
	} {
		// now is noon, the time of a record that is deleted.
		c.in = strings.Replace(c.in, "now", noon.UTC().Format(time.RFC3339), 1)
		if strings.HasSuffix(c.in, "+3s") {
			c.to = 5 // the record at second 3 is deleted, the first left is later
		}
		got := k.resolve(Options{Follow: true}, c.in)[0]
		if want := (Range{c.from, c.to}); got.Err != nil || got.Range != want || got.Until != c.until {
			t.Errorf("%s: %+v until %d, %v; want %+v until %d", c.in, got.Range, got.Until, got.Err, want, c.until)
		}
	}
}

func TestManyTargetsResolveInOneGo(t *testing.T) {
	k := filled(t)
	requests := make(chan *kmsg.ListOffsetsRequest, 100)
	k.ControlKey(int16(wire.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		requests <- r.(*kmsg.ListOffsetsRequest)
		return nil, nil, false
	})
	at := noon.Add(102 * time.Second).UTC().Format(time.RFC3339)
	got := k.resolve(Options{}, "t:2@"+at, "t:0-1@-1")
	want := []Range{{19, 20}, {0, 0}, {2, 5}}
	for i := range want {
		if got[i].Err != nil || got[i].Range != want[i] || got[i].TP.Partition != int32(i) {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	close(requests)
	for r := range requests {
		seen := map[string]bool{}
		for _, topic := range r.Topics {
			for _, p := range topic.Partitions {
				name := fmt.Sprint(topic.Topic, p.Partition)
				if seen[name] {
					t.Errorf("%s is twice in one request", name)
				}
				seen[name] = true
			}
		}
	}
}

func TestManyPartitionsShareOneRequestALeader(t *testing.T) {
	k := newCluster(t, kfake.SeedTopics(300, "wide"))
	count := make(chan struct{}, 1000)
	k.ControlKey(int16(wire.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		count <- struct{}{}
		return nil, nil, false
	})
	if got := k.resolve(Options{}, "wide"); len(got) != 300 || got[299].Err != nil {
		t.Fatalf("%d partitions, %v", len(got), got[len(got)-1].Err)
	}
	if len(count) > 2*3 {
		t.Errorf("%d requests for start and end on 3 brokers", len(count))
	}
}

func TestReadCommittedEndsAtAnOpenTransaction(t *testing.T) {
	k := newCluster(t)
	k.topic("t", 1)
	tp := broker.TP{Topic: "t"}
	k.write(k.producer(), tp, 3, noon)
	txn := k.producer(kgo.TransactionalID("x"))
	if err := txn.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	k.write(txn, tp, 4, noon.Add(time.Minute))
	for _, c := range []struct {
		in        string
		isolation int8
		want      Range
		held      bool
	}{
		{"t", ReadCommitted, Range{0, 3}, true},
		{"t", ReadUncommitted, Range{0, 7}, false},
		{"t@-2", ReadCommitted, Range{1, 3}, true},
		{"t@..end", ReadCommitted, Range{0, 3}, true},
		{"t@..5", ReadCommitted, Range{0, 3}, true},
		{"t@..2", ReadCommitted, Range{0, 2}, false},
		{"t@5..", ReadCommitted, Range{5, 3}, true},
		{"t@" + noon.Add(time.Minute).UTC().Format(time.RFC3339), ReadCommitted, Range{3, 3}, true},
		{"t@5..", ReadUncommitted, Range{5, 7}, false},
	} {
		got := k.resolve(Options{Isolation: c.isolation}, c.in)[0]
		if got.Err != nil || got.Range != c.want || got.Held != c.held || got.Outside != nil {
			t.Errorf("%s isolation %d: %+v held %v outside %v, %v; want %+v held %v", c.in, c.isolation, got.Range, got.Held, got.Outside, got.Err, c.want, c.held)
		}
	}
	got := k.resolve(Options{Isolation: ReadCommitted, Follow: true}, "t@5..")[0]
	if want := (Range{5, Follow}); got.Range != want || got.Outside != nil {
		t.Errorf("following from inside the transaction: %+v %v, want %+v", got.Range, got.Outside, want)
	}
	if err := txn.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if got := k.resolve(Options{Isolation: ReadCommitted}, "t")[0]; got.Range != (Range{0, 8}) || got.Held {
		t.Errorf("after the commit: %+v held %v, want 0 to 8, the marker included", got.Range, got.Held)
	}
}

func TestPartitionErrorsStayWithTheirPartition(t *testing.T) {
	k := filled(t)
	k.ControlKey(int16(wire.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		req := r.(*kmsg.ListOffsetsRequest)
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		hit := false
		for _, topic := range req.Topics {
			st := kmsg.NewListOffsetsResponseTopic()
			st.Topic = topic.Topic
			for _, p := range topic.Partitions {
				sp := kmsg.NewListOffsetsResponseTopicPartition()
				sp.Partition, sp.Offset = p.Partition, 20
				if p.Partition == 1 {
					sp.ErrorCode, hit = int16(wire.TopicAuthorizationFailed), true
				}
				st.Partitions = append(st.Partitions, sp)
			}
			resp.Topics = append(resp.Topics, st)
		}
		return resp, nil, hit
	})
	got := k.resolve(Options{}, "t")
	if got[0].Err != nil || got[2].Err != nil {
		t.Errorf("healthy partitions: %v, %v", got[0].Err, got[2].Err)
	}
	var req *broker.RequestError
	if !errors.Is(got[1].Err, wire.TopicAuthorizationFailed) || !errors.As(got[1].Err, &req) || req.Topic != "t" || req.Partition != 1 {
		t.Errorf("t:1: %v", got[1].Err)
	}
}

func TestMovedLeaderIsAskedAfter(t *testing.T) {
	k := filled(t)
	wants := k.wants(Options{}, "t:0")
	old := k.LeaderFor("t", 0)
	if err := k.MoveTopicPartition("t", 0, (old+1)%3); err != nil {
		t.Fatal(err)
	}
	got, err := Resolve(t.Context(), k.client, wants, Options{})
	if err != nil || got[0].Err != nil || got[0].Range != (Range{5, 20}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTransientErrorsEndWithTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		c.Create("t", 1)
		c.Node(1).Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
			resp := wire.Default[wire.ListOffsetsResponse]()
			for _, topic := range r.Body.(*wire.ListOffsetsRequest).Topics {
				out := wire.ListOffsetsTopicResult{Name: topic.Name}
				for _, p := range topic.Partitions {
					res := wire.Default[wire.ListOffsetsPartitionResult]()
					res.Index, res.ErrorCode = p.Index, wire.NotLeaderOrFollower
					out.Partitions = append(out.Partitions, res)
				}
				resp.Topics = append(resp.Topics, out)
			}
			return brokertest.Answer(&resp)
		})
		client, err := broker.New(broker.Config{Seeds: c.Seeds(), Dial: c.Dial, Timeout: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		began := time.Now()
		bounds, err := FetchBounds(t.Context(), client, []broker.TP{{Topic: "t"}}, ReadUncommitted)
		if err != nil {
			t.Fatal(err)
		}
		var exhausted *broker.ExhaustedError
		got := bounds[broker.TP{Topic: "t"}].Err
		if !errors.As(got, &exhausted) || !errors.Is(got, wire.NotLeaderOrFollower) {
			t.Errorf("%v, want an ExhaustedError with the last answer in it", got)
		}
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("it took %v, want the timeout", took)
		}
		if c.Count(wire.Metadata) < 5 {
			t.Errorf("asked for the leader %d times only", c.Count(wire.Metadata))
		}
	})
}

func TestCancelledLookupSaysSo(t *testing.T) {
	k := filled(t)
	wants := k.wants(Options{}, "t")
	ctx, cancel := context.WithCancel(t.Context())
	k.ControlKey(int16(wire.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel()
		return nil, errors.New("hang up"), true
	})
	if _, err := Resolve(ctx, k.client, wants, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

func TestStoredPositions(t *testing.T) {
	k := filled(t)
	adm := k.producer()
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Group = "g"
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = "t"
	part := kmsg.NewOffsetCommitRequestTopicPartition()
	part.Partition, part.Offset = 0, 12
	topic.Partitions = append(topic.Partitions, part)
	topic.TopicID = k.TopicInfo("t").TopicID
	commit.Topics = append(commit.Topics, topic)
	if _, err := commit.RequestWith(t.Context(), adm); err != nil {
		t.Fatal(err)
	}
	o := Options{Group: "g"}
	for in, want := range map[string]Range{
		"t:0@stored":             {12, 20},
		"t:0@stored-2":           {10, 20},
		"t:0@stored-5..stored+5": {7, 17},
		"t:0@stored-50..stored":  {5, 12},
	} {
		if got := k.resolve(o, in)[0]; got.Err != nil || got.Range != want {
			t.Errorf("%s: %+v, %v; want %+v", in, got.Range, got.Err, want)
		}
	}
	got := k.resolve(o, "t:2@stored")[0]
	var none *NoStoredError
	if !errors.As(got.Err, &none) || none.Group != "g" || none.TP.Partition != 2 {
		t.Errorf("a partition without a stored offset: %v", got.Err)
	}
	if _, err := Resolve(t.Context(), k.client, k.wants(Options{}, "t@stored"), Options{}); !errors.Is(err, ErrNoGroup) {
		t.Errorf("stored without a group: %v", err)
	}
	all, err := FetchStored(t.Context(), k.client, "g", Kafka, nil, true)
	if err != nil || len(all) != 1 || all[broker.TP{Topic: "t"}].Offset != 12 {
		t.Errorf("all of the group: %+v, %v", all, err)
	}
	none2, err := FetchStored(t.Context(), k.client, "nobody", Kafka, []broker.TP{{Topic: "t"}}, false)
	if err != nil || none2[broker.TP{Topic: "t"}].Offset != NoOffset {
		t.Errorf("an unknown group: %+v, %v", none2, err)
	}
}

func TestPlacesAreLookedUpOneByOne(t *testing.T) {
	k := filled(t)
	if _, err := k.client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	tp := broker.TP{Topic: "t"}
	at := noon.Add(10 * time.Second).UnixMilli()
	got, err := Look(t.Context(), k.client, []Place{
		{tp, Position{Base: Start}},
		{tp, Position{Base: End}},
		{tp, Position{Base: Time, N: at}},
		{tp, Position{Base: Time, N: math.MaxInt32 * 1000000}},
		{tp, Position{Base: Absolute, N: 99}},
		{tp, Position{Base: End, N: -1000}},
		{tp, Position{Base: LatestTiered}},
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{5, 20, 10, 20, 20, 5} {
		if got[i].Err != nil || got[i].Offset != want {
			t.Errorf("place %d: %+v, want %d", i, got[i], want)
		}
	}
	if got[4].Outside == nil || got[4].Outside.Asked != 99 || got[5].Outside != nil {
		t.Errorf("outside: %v, %v", got[4].Outside, got[5].Outside)
	}
	if got[2].Time != at || !got[3].None || got[1].Time != -1 {
		t.Errorf("times: %+v", got)
	}
	if !errors.Is(got[6].Err, ErrNotTiered) {
		t.Errorf("without tiered storage: %v", got[6].Err)
	}
}
