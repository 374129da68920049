package broker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

func refresh(t *testing.T, client *Client, stale *Snapshot, topics ...string) *Snapshot {
	t.Helper()
	snap, err := client.Refresh(t.Context(), stale, topics...)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func TestRefreshIsServedFromWhatIsKnownUnlessNewsIsForced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 2)
		c.Create("a", 1)
		c.Create("b", 1)
		client := clientOf(t, c)
		first := refresh(t, client, nil, "a")
		if refresh(t, client, nil, "a") != first || c.Count(wire.Metadata) != 1 {
			t.Errorf("%d requests for what is known", c.Count(wire.Metadata))
		}
		start := time.Now()
		both := refresh(t, client, nil, "a", "b") // b is new, and asked for at once
		if _, ok := both.Topic("b"); !ok || time.Since(start) != 0 {
			t.Errorf("b: %v, after %v", ok, time.Since(start))
		}
		c.Lead("a", 0, 2)
		news := refresh(t, client, both, "a")
		if node, epoch := news.Leader(TP{"a", 0}); node != 2 || epoch != 1 {
			t.Errorf("a is led by %d in epoch %d, want 2 in 1", node, epoch)
		}
		if node, _ := both.Leader(TP{"a", 0}); node != 1 {
			t.Error("an old snapshot changed")
		}
		if _, ok := news.Topic("b"); !ok {
			t.Error("b was lost in the merge")
		}
		if client.Metadata() != news {
			t.Error("the last snapshot is not the last")
		}
	})
}

func TestRefreshesThatAskAgainAreABackoffApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		client := clientOf(t, c, func(cfg *Config) { cfg.RetryBackoff = 300 * time.Millisecond })
		snap := refresh(t, client, nil, "missing")
		start := time.Now()
		for range 3 {
			snap = refresh(t, client, snap, "missing")
		}
		if took := time.Since(start); took != 900*time.Millisecond {
			t.Errorf("three more took %v, want 900ms", took)
		}
		refresh(t, client, nil, "missing")
		if took := time.Since(start); took != 1200*time.Millisecond {
			t.Errorf("asking again for what was missing took %v, want 1200ms", took)
		}
	})
}

func TestRefreshesThatWaitForTheSameNewsShareARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		for _, name := range []string{"a", "b", "c"} {
			c.Create(name, 1)
		}
		client := clientOf(t, c)
		snap := refresh(t, client, nil)
		before := c.Count(wire.Metadata)
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				next := refresh(t, client, snap, []string{"a", "b", "c"}[i%3])
				if next == snap {
					t.Error("no news")
				}
			})
		}
		wg.Wait()
		if n := c.Count(wire.Metadata) - before; n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
		req := c.Node(1).Requests(wire.Metadata)[before].Body.(*wire.MetadataRequest)
		if len(req.Topics) != 3 || req.AllowAutoTopicCreation {
			t.Errorf("asked for %+v", req)
		}
	})
}

func TestRefreshGoesOnWhenTheOneWhoLeadsItGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		c.Create("a", 1)
		release := make(chan struct{})
		c.Node(1).Handle(wire.Metadata, func(r *brokertest.Request) brokertest.Reply {
			if r.Conn == 1 {
				return brokertest.Silence().After(release)
			}
			return brokertest.Reply{}
		})
		client := clientOf(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Refresh(ctx, nil, "a"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want a cancellation", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if snap, err := client.Refresh(t.Context(), nil, "a"); err != nil || len(snap.Topics()) != 1 {
				t.Errorf("the other got %v, %v", snap, err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		close(release)
	})
}

// As above, but the request was made for both.
func TestRefreshGoesOnForThoseWhoShareItToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		c.Create("a", 1)
		client := clientOf(t, c)
		snap := refresh(t, client, nil, "a")
		release := make(chan struct{})
		c.Node(1).Handle(wire.Metadata, func(r *brokertest.Request) brokertest.Reply {
			if r.Conn == 1 {
				return brokertest.Silence().After(release)
			}
			return brokertest.Reply{}
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { // waits for the backoff first
			if _, err := client.Refresh(ctx, snap, "a"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want a cancellation", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if next, err := client.Refresh(t.Context(), snap, "a"); err != nil || next == snap {
				t.Errorf("the other got no news: %v", err)
			}
		})
		synctest.Wait()
		time.Sleep(2 * defaultBackoff)
		cancel()
		wg.Wait()
		close(release)
	})
}

func TestRefreshThatFailsFailsForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Config{Seeds: []string{"a:1"}, Dial: refuse})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		start := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := client.Refresh(t.Context(), nil, "a"); !errors.Is(err, ErrUnavailable) {
					t.Errorf("got %v, want ErrUnavailable", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v: one after another", took)
		}
	})
}

func TestMissingTopicIsInTheResultWithItsError(t *testing.T) {
	for name, old := range map[string]bool{"named": false, "found missing in the list of all": true} {
		t.Run(name, func(t *testing.T) {
			c := brokertest.NewCluster(t, 1)
			c.Create("orders", 1)
			if old {
				c.Node(1).Window(wire.Metadata, 0, 1)
			}
			client := clientOf(t, c)
			snap := refresh(t, client, nil, "orders", "missing")
			if topic, ok := snap.Topic("missing"); !ok || topic.Err != wire.UnknownTopicOrPartition {
				t.Errorf("missing: %+v, %v", topic, ok)
			}
			if topic, ok := snap.Topic("orders"); !ok || topic.Err != wire.None {
				t.Errorf("orders: %+v, %v", topic, ok)
			}
			if node, epoch := snap.Leader(TP{"missing", 0}); node != -1 || epoch != -1 {
				t.Errorf("missing:0 is led by %d in epoch %d", node, epoch)
			}
		})
	}
}

// Metadata requests below version 4 create the topics they name, and there is no
// way to forbid it: also one that somebody deletes while we run.
func TestAskingForATopicNeverCreatesIt(t *testing.T) {
	for version := range int16(14) {
		c := brokertest.NewCluster(t, 1)
		c.AutoCreate()
		c.Create("orders", 1)
		c.Node(1).Window(wire.Metadata, 0, version)
		client := clientOf(t, c, func(cfg *Config) { cfg.RetryBackoff = time.Millisecond })
		snap := refresh(t, client, nil, "missing")
		c.Delete("orders")
		snap = refresh(t, client, snap, "orders", "missing")
		if got := c.Created(); len(got) != 0 {
			t.Errorf("Metadata v%d created %v", version, got)
		}
		if topic, ok := snap.Topic("orders"); !ok || topic.Err != wire.UnknownTopicOrPartition {
			t.Errorf("Metadata v%d: deleted orders is %+v", version, topic)
		}
	}
}

func TestDeletedTopicsLeaveTheListOfAll(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("a", 1)
	c.Create("b", 1)
	client := clientOf(t, c, func(cfg *Config) { cfg.RetryBackoff = time.Millisecond })
	snap := refresh(t, client, nil)
	c.Delete("a")
	snap = refresh(t, client, snap)
	var names []string
	for _, topic := range snap.Topics() {
		names = append(names, topic.Name)
	}
	if !slices.Equal(names, []string{"b"}) {
		t.Errorf("topics %v, want b", names)
	}
}

func TestBrokersAloneCanBeAskedFor(t *testing.T) {
	c := brokertest.NewCluster(t, 2)
	c.Create("a", 1)
	client := clientOf(t, c, seeds(c.Seeds()[0]))
	conn, err := client.Open(t.Context(), 2) // unknown so far
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	req := c.Node(1).Requests(wire.Metadata)[0].Body.(*wire.MetadataRequest)
	if req.Topics == nil || len(req.Topics) != 0 {
		t.Errorf("asked for %+v, want brokers and no topics", req)
	}
	if _, err := client.Open(t.Context(), 7); !errors.Is(err, ErrUnknownNode) {
		t.Errorf("node 7: %v, want ErrUnknownNode", err)
	}
}

func response(id byte, epochs ...int32) *wire.MetadataResponse {
	name := "t"
	topic := wire.MetadataTopic{Name: &name, TopicID: wire.UUID{id}}
	for i, epoch := range epochs {
		topic.Partitions = append(topic.Partitions, wire.MetadataPartition{Index: int32(i), LeaderID: epoch, LeaderEpoch: epoch})
	}
	return &wire.MetadataResponse{Topics: []wire.MetadataTopic{topic}}
}

func TestOldNewsOfALeaderIsNotBelieved(t *testing.T) {
	var s *Snapshot
	for i, step := range []struct {
		resp *wire.MetadataResponse
		want []int32 // leaders, whose ids are their epochs here
	}{
		{response(1, 5, 5), []int32{5, 5}},
		{response(1, 4, 6), []int32{5, 6}}, // a broker that lags behind
		{response(2, 0, 0), []int32{0, 0}}, // deleted and made again
		{response(0, 3, 3), []int32{3, 3}}, // without ids nothing is certain
		{response(0, 1, 1), []int32{1, 1}},
		{response(0, -1, -1), []int32{-1, -1}},
	} {
		s = s.merge(step.resp, nil, false)
		for p, want := range step.want {
			if node, _ := s.Leader(TP{"t", int32(p)}); node != want {
				t.Errorf("step %d: t:%d is led by %d, want %d", i, p, node, want)
			}
		}
	}
}

func TestS19PartitionErrorsInMetadata(t *testing.T) {
	name := "t"
	s := (*Snapshot)(nil).merge(&wire.MetadataResponse{
		Brokers: []wire.MetadataBroker{{NodeID: 1, Host: "a", Port: 1}},
		Topics: []wire.MetadataTopic{{Name: &name, Partitions: []wire.MetadataPartition{
			{Index: 2, LeaderID: 9},
			{Index: 0, LeaderID: 7, ErrorCode: wire.LeaderNotAvailable},
			{Index: 1, LeaderID: 1, ErrorCode: wire.ReplicaNotAvailable},
		}}},
	}, nil, true)
	for p, want := range []int32{-1, 1, 9} {
		if node, _ := s.Leader(TP{"t", int32(p)}); node != want {
			t.Errorf("t:%d is led by %d, want %d", p, node, want)
		}
	}
	topic, _ := s.Topic("t")
	if part, ok := topic.Partition(1); !ok || part.Err != wire.None {
		t.Errorf("t:1 with a replica down is %+v", part)
	}
	if _, ok := s.Broker(9); ok {
		t.Error("a leader that no broker line names has an address")
	}
}

func TestAnswerWithoutBrokersForgetsNone(t *testing.T) {
	s := (*Snapshot)(nil).merge(&wire.MetadataResponse{Brokers: []wire.MetadataBroker{{NodeID: 1, Host: "a", Port: 1}}}, nil, true)
	s = s.merge(&wire.MetadataResponse{}, nil, true)
	if _, ok := s.Broker(1); !ok {
		t.Error("node 1 is gone")
	}
}

func TestTopicThatAnAnswerPassesOverIsMissing(t *testing.T) {
	s := (*Snapshot)(nil).merge(response(1, 5), []string{"t"}, false)
	s = s.merge(&wire.MetadataResponse{}, []string{"t"}, false)
	if topic, _ := s.Topic("t"); topic.Err != wire.UnknownTopicOrPartition {
		t.Errorf("t is %+v, want it missing", topic)
	}
}

func TestNoSnapshotKnowsNothing(t *testing.T) {
	var s *Snapshot
	if _, ok := s.Broker(1); ok || s.Topics() != nil || s.TopicID("t") != (wire.UUID{}) {
		t.Error("nil knows something")
	}
	if node, epoch := s.Leader(TP{"t", 0}); node != -1 || epoch != -1 {
		t.Errorf("led by %d in %d", node, epoch)
	}
}
