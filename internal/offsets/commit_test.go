package offsets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// kept is a cluster of two nodes with t:0 led by the first, t:1 by the second,
// which is the coordinator too.
func kept(t *testing.T, like ...func(*brokertest.Server)) (*brokertest.Cluster, *broker.Client) {
	t.Helper()
	k := brokertest.NewCluster(t, 2)
	k.Create("t", 2)
	for _, do := range like {
		k.All(do)
	}
	client, err := broker.New(broker.Config{Seeds: k.Seeds(), Timeout: 5 * time.Second, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	return k, client
}

func positions(offsets ...int64) map[broker.TP]Stored {
	m := map[broker.TP]Stored{}
	for i, n := range offsets {
		m[broker.TP{Topic: "t", Partition: int32(i)}] = Stored{Offset: n, LeaderEpoch: -1}
	}
	return m
}

func TestS12OffsetsInZooKeeperGoToTheirLeadersInVersionZero(t *testing.T) {
	k, client := kept(t, (*brokertest.Server).Old)
	failed, err := Commit(t.Context(), client, Outside("g"), ZooKeeper, positions(5, 6))
	if err != nil || failed != nil {
		t.Fatal(failed, err)
	}
	for node := range int32(2) {
		list := k.Node(node + 1).Requests(wire.OffsetCommit)
		if len(list) != 1 || list[0].Version != 0 {
			t.Fatalf("node %d got %d commits", node+1, len(list))
		}
		topics := list[0].Body.(*wire.OffsetCommitRequest).Topics
		p := topics[0].Partitions
		if len(topics) != 1 || len(p) != 1 || p[0].Index != node || p[0].CommittedOffset != 5+int64(node) || p[0].Metadata != nil {
			t.Errorf("node %d was sent %+v", node+1, topics)
		}
		if k.Stored("g", "t", node, true) != 5+int64(node) || k.Stored("g", "t", node, false) != -1 {
			t.Errorf("partition %d is stored elsewhere", node)
		}
	}
	if failed, err = Commit(t.Context(), client, Outside("g"), Kafka, positions(7)); err != nil || failed != nil {
		t.Fatal(failed, err)
	}
	if k.Stored("g", "t", 0, true) != 5 || k.Stored("g", "t", 0, false) != 7 {
		t.Error("the stores are not kept apart")
	}
}

func TestS12OffsetsInZooKeeperFollowALeaderThatMoves(t *testing.T) {
	k, client := kept(t)
	k.Lead("t", 0, 2)
	k.Node(1).Handle(wire.OffsetCommit, func(r *brokertest.Request) brokertest.Reply {
		return brokertest.Answer(&wire.OffsetCommitResponse{Topics: []wire.OffsetCommitTopicResult{{Name: "t",
			Partitions: []wire.OffsetCommitPartitionResult{{Index: 0, ErrorCode: wire.NotLeaderOrFollower}}}}})
	})
	if failed, err := Commit(t.Context(), client, Outside("g"), ZooKeeper, positions(5)); err != nil || failed != nil {
		t.Fatal(failed, err)
	}
	if k.Stored("g", "t", 0, true) != 5 {
		t.Error("not stored")
	}
}

func TestS13NothingStoredIsNoneInEitherStore(t *testing.T) {
	k, client := kept(t, (*brokertest.Server).Old)
	both := []broker.TP{{Topic: "t"}, {Topic: "t", Partition: 1}}
	if _, err := Commit(t.Context(), client, Outside("g"), ZooKeeper, positions(5)); err != nil {
		t.Fatal(err)
	}
	got, err := FetchStored(t.Context(), client, "g", ZooKeeper, both, true)
	if err != nil || got[both[0]].Offset != 5 || got[both[1]].Offset != NoOffset || got[both[1]].Err != nil {
		t.Errorf("ZooKeeper: %+v %v", got, err)
	}
	got, err = FetchStored(t.Context(), client, "g", Kafka, both, true)
	if err != nil || got[both[0]].Offset != NoOffset || got[both[0]].Err != nil {
		t.Errorf("Kafka: %+v %v", got, err)
	}
	// There is no version 0 request for all of them: each partition is asked for.
	got, err = FetchStored(t.Context(), client, "g", ZooKeeper, nil, true)
	if err != nil || len(got) != 1 || got[both[0]].Offset != 5 {
		t.Errorf("all: %+v %v", got, err)
	}
	// Error 3 is how the old ones say it.
	k.Node(1).Handle(wire.OffsetFetch, func(*brokertest.Request) brokertest.Reply {
		p := wire.Default[wire.OffsetFetchPartitionResult]()
		p.CommittedOffset, p.ErrorCode = -1, wire.UnknownTopicOrPartition
		return brokertest.Answer(&wire.OffsetFetchResponse{Topics: []wire.OffsetFetchTopicResult{{Name: "t", Partitions: []wire.OffsetFetchPartitionResult{p}}}})
	})
	got, err = FetchStored(t.Context(), client, "g", ZooKeeper, both[:1], true)
	if err != nil || got[both[0]] != None() {
		t.Errorf("error 3: %+v %v", got, err)
	}
}

func TestStoresThatABrokerDoesNotHaveAreNamed(t *testing.T) {
	_, client := kept(t, func(s *brokertest.Server) {
		s.Window(wire.OffsetCommit, 2, 10)
		s.Window(wire.OffsetFetch, 1, 10)
	})
	var none *StorageError
	failed, err := Commit(t.Context(), client, Outside("g"), ZooKeeper, positions(5))
	if !errors.As(err, &none) || len(failed) != 1 || !strings.Contains(err.Error(), "0.8.1 to 3.9") {
		t.Errorf("commit: %v %v", failed, err)
	}
	if _, err := FetchStored(t.Context(), client, "g", ZooKeeper, []broker.TP{{Topic: "t"}}, false); !errors.As(err, &none) {
		t.Errorf("fetch: %v", err)
	}
}

// Brokers that know version 0 alone must not be handed what is meant for Kafka.
func TestOffsetsForKafkaNeverEndUpInZooKeeper(t *testing.T) {
	k, client := kept(t, func(s *brokertest.Server) {
		s.Window(wire.OffsetCommit, 0, 0)
		s.Window(wire.OffsetFetch, 0, 0)
	})
	var none *StorageError
	if _, err := Commit(t.Context(), client, Outside("g"), Kafka, positions(5)); !errors.As(err, &none) {
		t.Errorf("commit: %v", err)
	}
	if _, err := FetchStored(t.Context(), client, "g", Kafka, []broker.TP{{Topic: "t"}}, true); !errors.As(err, &none) {
		t.Errorf("fetch: %v", err)
	}
	if k.Stored("g", "t", 0, true) != -1 {
		t.Error("it went to ZooKeeper")
	}
}

func TestCommitWaitsForItsCoordinator(t *testing.T) {
	k, client := kept(t)
	for _, code := range []wire.Code{wire.CoordinatorLoadInProgress, wire.NotCoordinator} {
		calls := 0
		k.Node(2).Handle(wire.OffsetCommit, func(r *brokertest.Request) brokertest.Reply {
			if calls++; calls > 2 {
				return brokertest.Reply{}
			}
			return answered(r, code, code)
		})
		if failed, err := Commit(t.Context(), client, Outside("g"), Kafka, positions(5, 6)); err != nil || failed != nil {
			t.Fatalf("%v: %v %v", code, failed, err)
		}
		if calls != 3 {
			t.Errorf("%v: %d requests", code, calls)
		}
	}
}

// answered gives the partitions of a request these codes, in order.
func answered(r *brokertest.Request, codes ...wire.Code) brokertest.Reply {
	var resp wire.OffsetCommitResponse
	for _, topic := range r.Body.(*wire.OffsetCommitRequest).Topics {
		out := wire.OffsetCommitTopicResult{Name: topic.Name, TopicID: topic.TopicID}
		for i, p := range topic.Partitions {
			out.Partitions = append(out.Partitions, wire.OffsetCommitPartitionResult{Index: p.Index, ErrorCode: codes[i%len(codes)]})
		}
		resp.Topics = append(resp.Topics, out)
	}
	return brokertest.Answer(&resp)
}

func TestCommitTellsEachPartitionsRefusal(t *testing.T) {
	k, client := kept(t)
	k.Node(2).Handle(wire.OffsetCommit, func(r *brokertest.Request) brokertest.Reply {
		return answered(r, wire.None, wire.OffsetMetadataTooLarge)
	})
	failed, err := Commit(t.Context(), client, Outside("g"), Kafka, positions(5, 6))
	if err != nil || len(failed) != 1 || !errors.Is(failed[broker.TP{Topic: "t", Partition: 1}], wire.OffsetMetadataTooLarge) {
		t.Errorf("%v %v", failed, err)
	}
	k.Node(2).Handle(wire.OffsetCommit, func(r *brokertest.Request) brokertest.Reply { return answered(r, wire.UnknownMemberID) })
	before := k.Count(wire.OffsetCommit)
	failed, _ = Commit(t.Context(), client, Member{Group: "g", ID: "m", Epoch: 3}, Kafka, positions(5, 6))
	if len(failed) != 2 || !errors.Is(failed[broker.TP{Topic: "t"}], wire.UnknownMemberID) || k.Count(wire.OffsetCommit) != before+1 {
		t.Errorf("%v after %d requests", failed, k.Count(wire.OffsetCommit)-before)
	}
	if req := k.Node(2).Requests(wire.OffsetCommit)[before].Body.(*wire.OffsetCommitRequest); req.MemberID != "m" || req.GenerationOrEpoch != 3 {
		t.Errorf("sent as %+v", req)
	}
}

func TestLargeCommitsAreSplit(t *testing.T) {
	k := brokertest.NewCluster(t, 1)
	k.Create("t", 3000)
	client, err := broker.New(broker.Config{Seeds: k.Seeds(), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	note := strings.Repeat("x", 1000)
	many := map[broker.TP]Stored{}
	for i := range int32(3000) {
		many[broker.TP{Topic: "t", Partition: i}] = Stored{Offset: int64(i), LeaderEpoch: -1, Metadata: &note}
	}
	largest := 0
	const limit = 150 // this broker's segments are small
	k.Node(1).Handle(wire.OffsetCommit, func(r *brokertest.Request) brokertest.Reply {
		n := len(r.Body.(*wire.OffsetCommitRequest).Topics[0].Partitions)
		largest = max(largest, len(r.Raw))
		if n > limit {
			return answered(r, wire.InvalidCommitOffsetSize)
		}
		return brokertest.Reply{}
	})
	failed, err := Commit(t.Context(), client, Outside("g"), Kafka, many)
	if err != nil || failed != nil {
		t.Fatal(len(failed), err)
	}
	for i := range int32(3000) {
		if got := k.Stored("g", "t", i, false); got != int64(i) {
			t.Fatalf("partition %d: %d", i, got)
		}
	}
	if largest > maxCommitBytes {
		t.Errorf("a request of %d bytes", largest)
	}
}

func TestDeadCoordinatorFailsEveryPartition(t *testing.T) {
	k := brokertest.NewCluster(t, 2)
	k.Create("t", 2)
	client, err := broker.New(broker.Config{Seeds: k.Seeds(), Timeout: 300 * time.Millisecond, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	k.Node(2).Stop()
	failed, err := Commit(t.Context(), client, Outside("g"), Kafka, positions(5, 6))
	var dial *broker.DialError
	if !errors.As(err, &dial) || len(failed) != 2 {
		t.Errorf("%v %v", failed, err)
	}
	if text := fmt.Sprint(err); !strings.Contains(text, k.Node(2).Addr()) {
		t.Errorf("it does not say whom: %s", text)
	}
}

// Brokers keep whatever number a client commits, and some have committed -1001.
// Java's consumer takes that for none, and so do we; the rest of the answer counts.
func TestANegativeOffsetIsNothingStored(t *testing.T) {
	_, client := kept(t)
	both := []broker.TP{{Topic: "t"}, {Topic: "t", Partition: 1}}
	_, err := Commit(t.Context(), client, Outside("g"), Kafka, map[broker.TP]Stored{
		both[0]: {Offset: -1001, LeaderEpoch: -1}, both[1]: {Offset: 5, LeaderEpoch: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := FetchStored(t.Context(), client, "g", Kafka, both, true)
	if err != nil || got[both[0]].Offset != NoOffset || got[both[0]].Err != nil || got[both[1]].Offset != 5 {
		t.Errorf("%+v %v", got, err)
	}
}

// A commit that ran out of time says what it was spent on.
func TestACommitOutOfTimeNamesTheCause(t *testing.T) {
	k, client := kept(t)
	k.All(func(s *brokertest.Server) {
		s.Handle(wire.OffsetCommit, func(*brokertest.Request) brokertest.Reply {
			return brokertest.Answer(&wire.OffsetCommitResponse{Topics: []wire.OffsetCommitTopicResult{{Name: "t",
				Partitions: []wire.OffsetCommitPartitionResult{{ErrorCode: wire.CoordinatorLoadInProgress}}}}})
		})
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Commit(ctx, client, Outside("g"), Kafka, positions(5))
	if !errors.Is(err, wire.CoordinatorLoadInProgress) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Commit(stopped, client, Outside("g"), Kafka, positions(5)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// An offset of a topic that was deleted must not become one of the topic that was
// made under its name, whose first records nobody would read.
func TestAnOffsetDoesNotOutliveItsTopic(t *testing.T) {
	_, client := kept(t)
	t1 := broker.TP{Topic: "t", Partition: 1}
	was, is := wire.UUID{1}, client.Metadata().TopicID("t")
	if is == was || is == (wire.UUID{}) {
		t.Fatalf("the topic's id is %v", is)
	}
	failed, err := Commit(t.Context(), client, Outside("g"), Kafka, map[broker.TP]Stored{
		{Topic: "t"}: {Offset: 70, LeaderEpoch: -1, TopicID: was}, t1: {Offset: 5, LeaderEpoch: -1, TopicID: is},
	})
	if err != nil || len(failed) != 1 || !errors.Is(failed[broker.TP{Topic: "t"}], ErrMadeAnew) {
		t.Errorf("%v %v", failed, err)
	}
	got, err := FetchStored(t.Context(), client, "g", Kafka, []broker.TP{{Topic: "t"}, t1}, true)
	if err != nil || got[broker.TP{Topic: "t"}].Offset != NoOffset || got[t1].Offset != 5 {
		t.Errorf("%+v %v", got, err)
	}
}
