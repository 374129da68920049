package offsets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// NoOffset stands where a group has stored none.
const NoOffset int64 = -1

// Stored is what a group has stored for a partition: the next offset it wants
// to read.
type Stored struct {
	Offset      int64 // NoOffset for none
	LeaderEpoch int32 // of the record before Offset, -1 unknown (KIP-320)
	Metadata    *string
	Err         error
}

// FetchStored asks a group's coordinator for its offsets of partitions, nil for
// all it has. With stable, offsets that an open transaction is about to change
// are waited for (KIP-447), on brokers that know how. A partition's error stands
// in its Stored.
func FetchStored(ctx context.Context, c *broker.Client, group string, tps []broker.TP, stable bool) (map[broker.TP]Stored, error) {
	inner, cancel := context.WithTimeout(ctx, c.Config().Timeout)
	defer cancel()
	for try := 1; ; try++ {
		got, err := fetchStored(inner, c, group, tps, stable)
		if stable && errors.Is(err, wire.ErrVersion) {
			stable = false
			continue
		}
		if err != nil || !unstable(got) || c.Pause(inner, try) != nil {
			return got, err
		}
	}
}

func unstable(got map[broker.TP]Stored) bool {
	for _, s := range got {
		if errors.Is(s.Err, wire.UnstableOffsetCommit) {
			return true
		}
	}
	return false
}

func fetchStored(ctx context.Context, c *broker.Client, group string, tps []broker.TP, stable bool) (map[broker.TP]Stored, error) {
	snap := c.Metadata()
	g := wire.Default[wire.OffsetFetchGroup]()
	g.GroupID = group
	names := map[wire.UUID]string{}
	if tps != nil {
		g.Topics = fetchTopics(snap, tps, names)
	} else {
		for _, t := range snap.Topics() {
			names[t.ID] = t.Name
		}
	}
	req := wire.Default[wire.OffsetFetchRequest]()
	req.Groups, req.RequireStable = []wire.OffsetFetchGroup{g}, stable
	resp := wire.Default[wire.OffsetFetchResponse]()
	version, err := c.Do(ctx, broker.GroupCoordinator(group), &req, &resp)
	if err != nil {
		return nil, err
	}
	fail := func(topic string, partition int32, err error) error {
		return &broker.RequestError{API: wire.OffsetFetch, Version: version, Topic: topic, Partition: partition, Err: err}
	}
	got := make(map[broker.TP]Stored, len(tps))
	for _, g := range resp.Results(version) {
		if g.ErrorCode == wire.GroupIDNotFound { // as Kafka 4.0 and later say "nothing stored"
			return nothingStored(tps), nil
		}
		if g.ErrorCode != wire.None {
			return nil, fail("", -1, g.ErrorCode)
		}
		for _, t := range g.Topics {
			name := t.Name
			if name == "" {
				name = names[t.TopicID]
			}
			for _, p := range t.Partitions {
				s := Stored{Offset: p.CommittedOffset, LeaderEpoch: p.CommittedLeaderEpoch, Metadata: p.Metadata}
				switch {
				case p.ErrorCode == wire.UnknownTopicOrPartition: // nothing stored, as old brokers say it
					s = Stored{Offset: NoOffset, LeaderEpoch: -1}
				case p.ErrorCode != wire.None:
					s = Stored{Offset: NoOffset, LeaderEpoch: -1, Err: fail(name, p.Index, p.ErrorCode)}
				case s.Offset < 0:
					s.Offset = NoOffset
				}
				got[broker.TP{Topic: name, Partition: p.Index}] = s
			}
		}
	}
	for _, tp := range tps {
		if _, ok := got[tp]; !ok {
			got[tp] = Stored{Offset: NoOffset, LeaderEpoch: -1, Err: fail(tp.Topic, tp.Partition, errNotAnswered)}
		}
	}
	return got, nil
}

func nothingStored(tps []broker.TP) map[broker.TP]Stored {
	got := make(map[broker.TP]Stored, len(tps))
	for _, tp := range tps {
		got[tp] = Stored{Offset: NoOffset, LeaderEpoch: -1}
	}
	return got
}

// fetchTopics groups partitions by topic and remembers the names of topic ids.
func fetchTopics(snap *broker.Snapshot, tps []broker.TP, names map[wire.UUID]string) []wire.OffsetFetchTopic {
	byTopic := map[string][]int32{}
	for _, tp := range tps {
		byTopic[tp.Topic] = append(byTopic[tp.Topic], tp.Partition)
	}
	topics := make([]wire.OffsetFetchTopic, 0, len(byTopic))
	for _, name := range slices.Sorted(maps.Keys(byTopic)) {
		t := wire.Default[wire.OffsetFetchTopic]()
		t.Name, t.TopicID, t.Partitions = name, snap.TopicID(name), byTopic[name]
		names[t.TopicID] = name
		topics = append(topics, t)
	}
	return topics
}

// NoStoredError is "stored" for a partition the group has no offset for.
type NoStoredError struct {
	Group string
	TP    broker.TP
}

// Error names both.
func (e *NoStoredError) Error() string {
	return fmt.Sprintf("%s:%d: group %s has stored no offset", e.TP.Topic, e.TP.Partition, e.Group)
}
