package produce

import (
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
)

// bendMetadata has the answers about topics changed.
func bendMetadata(s *brokertest.Server, change func(m *wire.MetadataResponse)) {
	s.Bend(wire.Metadata, func(_ *brokertest.Request, reply brokertest.Reply) brokertest.Reply {
		if m, ok := reply.Response().(*wire.MetadataResponse); ok && len(m.Topics) > 0 {
			change(m)
		}
		return reply
	})
}

// A topic has no partitions for a moment while brokers of old make it.
func TestATopicWithoutPartitionsIsWaitedFor(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	left := 3
	bendMetadata(c.Node(1), func(m *wire.MetadataResponse) {
		if left--; left >= 0 {
			m.Topics[0].Partitions = nil
		}
	})
	if rep, err := Run(t.Context(), connect(t, c, nil), quick(), "t", counted(3, nil)); err != nil || rep.Acked != 3 {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestAPartitionOfAHugeNumberCostsNoMoreThanAnother(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	bendMetadata(c.Node(1), func(m *wire.MetadataResponse) {
		p := m.Topics[0].Partitions[0]
		for _, id := range []int32{near - 1, near, math.MaxInt32} {
			p.Index = id
			m.Topics[0].Partitions = append(m.Topics[0].Partitions, p)
		}
	})
	c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply { return answerProduce(r, wire.None, nil) })
	ids := []int32{0, near - 1, near, math.MaxInt32}
	rep, err := Run(t.Context(), connect(t, c, nil), quick(), "t", counted(400, func(n int64, r *record.Record) { r.Partition = ids[n%4] }))
	if err != nil || rep.Acked != 400 {
		t.Errorf("%+v %v", rep, err)
	}
}

// What is said of another topic, or not at all, or twice, acknowledges nothing.
func TestAnAnswerThatIsNotOursAcknowledgesNothing(t *testing.T) {
	for name, lie := range map[string]func(r *wire.ProduceResponse){
		"another topic":     func(r *wire.ProduceResponse) { r.Topics[0].Name, r.Topics[0].TopicID = "u", wire.UUID{1} },
		"another partition": func(r *wire.ProduceResponse) { r.Topics[0].Partitions[0].Index = 7 },
		"nothing":           func(r *wire.ProduceResponse) { r.Topics = nil },
		"twice": func(r *wire.ProduceResponse) {
			ps := r.Topics[0].Partitions
			r.Topics[0].Partitions = append(ps, ps[0])
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := brokertest.NewPipeCluster(t, 1)
			c.Create("t", 1)
			c.Node(1).Bend(wire.Produce, func(_ *brokertest.Request, reply brokertest.Reply) brokertest.Reply {
				lie(reply.Response().(*wire.ProduceResponse))
				return reply
			})
			client := connect(t, c, nil)
			cfg := DefaultConfig()
			cfg.DeliveryTimeout = 10 * time.Second
			var notes []string
			cfg.Log = func(level int, format string, _ ...any) {
				if level == 0 {
					notes = append(notes, format)
				}
			}
			rep, err := Run(t.Context(), client, cfg, "t", counted(2, nil))
			if !errors.Is(err, ErrDeliveryTimeout) || rep.Acked != 0 || rep.Unknown != 2 {
				t.Errorf("%s: %+v %v", name, rep, err)
			}
			if s := err.Error(); !strings.Contains(s, "Produce") || !strings.Contains(s, c.Seeds()[0]) {
				t.Errorf("%s: it does not say who said so of what: %v", name, err)
			}
			if len(notes) != 1 {
				t.Errorf("%s: %d notes: %q; nothing ever came back", name, len(notes), notes)
			}
			_ = client.Close()
			c.All((*brokertest.Server).Stop)
		})
	}
}

// The leader that is asked first may be just the one that is down.
func TestARunBeginsThoughALeaderIsDown(t *testing.T) {
	c := brokertest.NewCluster(t, 2)
	c.Create("t", 2)
	client := connect(t, c, nil)
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	c.Node(1).Stop()
	rep, err := Run(t.Context(), client, quick(), "t", counted(5, func(_ int64, r *record.Record) { r.Partition = 1 }))
	if err != nil || rep.Acked != 5 {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestARunBeginsOnceItsOnlyLeaderIsBack(t *testing.T) {
	c := brokertest.NewCluster(t, 2)
	c.Create("t", 1)
	client := connect(t, c, nil)
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	c.Node(1).Stop()
	done := make(chan error, 1)
	go func() {
		_, err := Run(t.Context(), client, quick(), "t", counted(5, nil))
		done <- err
	}()
	c.Node(2).Await(wire.Metadata, c.Node(2).Count(wire.Metadata)+1) // it has been in vain
	c.Node(1).Start()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestALeaderThatNobodyKnowsIsWaitedForInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		c.Create("t", 1)
		c.Lead("t", 0, 1)
		bendMetadata(c.Node(1), func(m *wire.MetadataResponse) { m.Topics[0].Partitions[0].LeaderID = 99 })
		client := connect(t, c, nil)
		began := time.Now()
		_, err := Run(t.Context(), client, DefaultConfig(), "t", newFeed())
		if took := time.Since(began).Round(time.Second); !errors.Is(err, broker.ErrUnknownNode) || took != 10*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		_ = client.Close()
		c.All((*brokertest.Server).Stop)
	})
}

// What one broker has not heard of yet was made a moment ago.
func TestATopicThatOneBrokerHasNotHeardOfIsThere(t *testing.T) {
	unheard := func(c *brokertest.Cluster, from, to int32) {
		var asked atomic.Int32
		c.All(func(s *brokertest.Server) {
			bendMetadata(s, func(m *wire.MetadataResponse) {
				if n := asked.Add(1); n > from && n <= to {
					m.Topics[0].ErrorCode, m.Topics[0].Partitions = wire.UnknownTopicOrPartition, nil
				}
			})
		})
	}
	c := brokertest.NewCluster(t, 2)
	c.Create("t", 1)
	unheard(c, 0, 1)
	if err := Find(t.Context(), connect(t, c, nil), "t", 0, false); err != nil {
		t.Errorf("found: %v", err)
	}
	// In the beginning of a run, while its leader is away.
	c = brokertest.NewCluster(t, 2)
	c.Create("t", 1)
	unheard(c, 1, 3)
	client := connect(t, c, nil)
	if err := Find(t.Context(), client, "t", 0, false); err != nil {
		t.Fatal(err)
	}
	c.Node(1).Stop()
	done := make(chan error, 1)
	go func() {
		_, err := Run(t.Context(), client, quick(), "t", counted(5, nil))
		done <- err
	}()
	c.Node(2).Await(wire.Metadata, c.Node(2).Count(wire.Metadata)+3)
	c.Node(1).Start()
	if err := <-done; err != nil {
		t.Errorf("begun: %v", err)
	}
	if err := Find(t.Context(), client, "no-such", 0, false); !errors.Is(err, wire.UnknownTopicOrPartition) {
		t.Errorf("none: %v", err)
	}
}
