package produce

import (
	"errors"
	"testing"
	"time"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

func TestMissingTopicIsMadeOnlyWhenAsked(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.AutoCreate()
	client := connect(t, c, nil)
	if err := Find(t.Context(), client, "new", 0, false); !errors.Is(err, wire.UnknownTopicOrPartition) {
		t.Fatalf("%v", err)
	}
	if made := c.Created(); len(made) != 0 {
		t.Fatalf("made %v by accident", made)
	}
	for range 2 {
		if err := Find(t.Context(), client, "new", 0, true); err != nil {
			t.Fatal(err)
		}
	}
	if made := c.Created(); len(made) != 1 {
		t.Errorf("made %v", made)
	}
}

func TestOldBrokersMakeTopicsTheirOwnWay(t *testing.T) {
	for _, auto := range []bool{true, false} {
		c := brokertest.NewCluster(t, 1)
		if auto {
			c.AutoCreate()
		}
		c.All(func(s *brokertest.Server) { s.Window(wire.CreateTopics, 0, 3) })
		if err := Find(t.Context(), connect(t, c, nil), "new", 0, true); err != nil {
			t.Errorf("auto creation %v: %v", auto, err)
		}
	}
	c := brokertest.NewCluster(t, 1)
	c.AutoCreate()
	c.All((*brokertest.Server).Old)
	if err := Find(t.Context(), connect(t, c, nil), "new", 0, true); err != nil {
		t.Errorf("0.8: %v", err)
	}
}

func TestS19TopicIsWaitedFor(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	client := connect(t, c, nil)
	done := make(chan error, 1)
	go func() { done <- Find(t.Context(), client, "late", time.Minute, false) }()
	c.Node(1).Await(wire.Metadata, 2)
	c.Create("late", 1)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := Find(t.Context(), client, "never", 50*time.Millisecond, false); !errors.Is(err, wire.UnknownTopicOrPartition) {
		t.Error(err)
	}
}
