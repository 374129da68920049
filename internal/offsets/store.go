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
	TopicID     wire.UUID // of the topic that Offset is to be committed for; zero: whatever bears the name
	Err         error
}

// FetchStored asks for the offsets a group has stored of partitions, nil for all
// it has. With stable, offsets that an open transaction is about to change are
// waited for (KIP-447), on brokers that know how. A partition's error stands in
// its Stored; err is what a request failed of as a whole.
//
// Kafka's come from the group's coordinator, ZooKeeper's from the partitions'
// leaders (a *StorageError where brokers have no such store).
func FetchStored(ctx context.Context, c *broker.Client, group string, s Storage, tps []broker.TP, stable bool) (map[broker.TP]Stored, error) {
	inner, cancel := context.WithTimeout(ctx, c.Config().Timeout)
	defer cancel()
	if s == ZooKeeper {
		return fetchZooKeeper(inner, c, group, tps)
	}
	for try := 1; ; try++ {
		snap := c.Metadata()
		got, err := fetchStored(inner, c, snap, group, tps, stable)
		switch {
		case stable && errors.Is(err, wire.ErrVersion):
			stable = false
			continue
		case tps == nil && errors.Is(err, wire.ErrVersion): // nor to list all, before 0.10.2
			return fetchEach(inner, c, group, s)
		case err != nil || !has(got, wire.UnstableOffsetCommit) && !has(got, wire.UnknownTopicID):
			return got, s.explain(err)
		}
		if c.Pause(inner, try) != nil {
			return got, nil
		}
		if has(got, wire.UnknownTopicID) { // made anew since
			if _, err := c.Refresh(inner, snap, topicsOf(tps)...); err != nil {
				return got, nil
			}
		}
	}
}

func has(got map[broker.TP]Stored, code wire.Code) bool {
	for _, s := range got {
		if errors.Is(s.Err, code) {
			return true
		}
	}
	return false
}

// fetchEach asks for every partition there is, and gives those with an offset.
func fetchEach(ctx context.Context, c *broker.Client, group string, s Storage) (map[broker.TP]Stored, error) {
	snap, err := c.Refresh(ctx, c.Metadata())
	if err != nil {
		return nil, err
	}
	tps := []broker.TP{}
	for _, t := range snap.Topics() {
		for _, p := range t.Partitions {
			tps = append(tps, broker.TP{Topic: t.Name, Partition: p.ID})
		}
	}
	got, err := FetchStored(ctx, c, group, s, tps, false)
	maps.DeleteFunc(got, func(_ broker.TP, s Stored) bool { return s.Err == nil && s.Offset == NoOffset })
	return got, err
}

// fetchZooKeeper asks each leader for its partitions.
func fetchZooKeeper(ctx context.Context, c *broker.Client, group string, tps []broker.TP) (map[broker.TP]Stored, error) {
	if tps == nil {
		return fetchEach(ctx, c, group, ZooKeeper)
	}
	got := make(map[broker.TP]Stored, len(tps))
	pending := slices.SortedFunc(slices.Values(tps), compareTP)
	for try := 1; ; try++ {
		snap := c.Metadata()
		byLeader := map[int32][]broker.TP{}
		for _, tp := range pending {
			node, err := leader(snap, tp)
			if err != nil {
				got[tp] = Stored{Offset: NoOffset, LeaderEpoch: -1, Err: &broker.RequestError{API: wire.OffsetFetch, Version: -1, Topic: tp.Topic, Partition: tp.Partition, Err: err}}
				continue
			}
			byLeader[node] = append(byLeader[node], tp)
		}
		for _, node := range slices.Sorted(maps.Keys(byLeader)) {
			req := fetchRequest(snap, group, byLeader[node], false, nil)
			resp := wire.Default[wire.OffsetFetchResponse]()
			version, err := c.Try(ctx, broker.Node(node), &zookeeperFetch{req}, &resp)
			if err == nil {
				var part map[broker.TP]Stored
				part, err = readStored(&resp, version, byLeader[node], nil)
				maps.Copy(got, part)
			}
			for _, tp := range byLeader[node] {
				if err != nil {
					got[tp] = Stored{Offset: NoOffset, LeaderEpoch: -1, Err: ZooKeeper.explain(err)}
				}
			}
		}
		pending = slices.DeleteFunc(pending, func(tp broker.TP) bool { return !transient(got[tp].Err) })
		if len(pending) == 0 || c.Pause(ctx, try) != nil {
			return got, wholly(got)
		}
		if _, err := c.Refresh(ctx, snap, topicsOf(pending)...); err != nil {
			return got, wholly(got)
		}
	}
}

// wholly is why the store itself cannot be had, nil where it can.
func wholly(got map[broker.TP]Stored) error {
	for _, s := range got {
		var none *StorageError
		if errors.As(s.Err, &none) {
			return none
		}
	}
	return nil
}

func fetchStored(ctx context.Context, c *broker.Client, snap *broker.Snapshot, group string, tps []broker.TP, stable bool) (map[broker.TP]Stored, error) {
	names := map[wire.UUID]string{}
	req := fetchRequest(snap, group, tps, stable, names)
	resp := wire.Default[wire.OffsetFetchResponse]()
	version, err := c.Do(ctx, broker.GroupCoordinator(group), &kafkaFetch{req, tps == nil}, &resp)
	if err != nil {
		return nil, err
	}
	return readStored(&resp, version, tps, names)
}

// fetchRequest fills names with what the topics' ids mean.
func fetchRequest(snap *broker.Snapshot, group string, tps []broker.TP, stable bool, names map[wire.UUID]string) *wire.OffsetFetchRequest {
	g := wire.Default[wire.OffsetFetchGroup]()
	g.GroupID = group
	if tps != nil {
		g.Topics = fetchTopics(snap, tps, names)
	}
	req := wire.Default[wire.OffsetFetchRequest]()
	req.Groups, req.RequireStable = []wire.OffsetFetchGroup{g}, stable
	return &req
}

// readStored files the answers; every one of tps has one then.
func readStored(resp *wire.OffsetFetchResponse, version int16, tps []broker.TP, names map[wire.UUID]string) (map[broker.TP]Stored, error) {
	for _, g := range resp.Results(version) {
		return readGroup(&g, version, tps, names)
	}
	return readGroup(&wire.OffsetFetchGroupResult{}, version, tps, names)
}

// readGroup files the answers about one group.
func readGroup(g *wire.OffsetFetchGroupResult, version int16, tps []broker.TP, names map[wire.UUID]string) (map[broker.TP]Stored, error) {
	fail := func(topic string, partition int32, err error) error {
		return &broker.RequestError{API: wire.OffsetFetch, Version: version, Topic: topic, Partition: partition, Err: err}
	}
	got := make(map[broker.TP]Stored, len(tps))
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
				s = Stored{Offset: NoOffset, LeaderEpoch: -1}
			}
			got[broker.TP{Topic: name, Partition: p.Index}] = s
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

// zookeeperFetch asks in version 0, which alone reads ZooKeeper.
type zookeeperFetch struct{ req *wire.OffsetFetchRequest }

// Key implements wire.Request.
func (*zookeeperFetch) Key() wire.Key { return wire.OffsetFetch }

// Cap implements wire.Capper.
func (*zookeeperFetch) Cap() int16 { return 0 }

// At implements wire.Adapter.
func (r *zookeeperFetch) At(version int16) (wire.Request, error) { return r.req.At(version) }

// kafkaFetch asks in any version but 0.
type kafkaFetch struct {
	req *wire.OffsetFetchRequest
	all bool
}

// Key implements wire.Request.
func (*kafkaFetch) Key() wire.Key { return wire.OffsetFetch }

// Cap implements wire.Capper. From version 10 on answers have topics' ids alone,
// and to "all" those of topics nobody has asked metadata of.
func (r *kafkaFetch) Cap() int16 {
	if r.all {
		return 9
	}
	return r.req.Cap()
}

// At implements wire.Adapter.
func (r *kafkaFetch) At(version int16) (wire.Request, error) {
	if version == 0 {
		return nil, errOnlyZooKeeper
	}
	return r.req.At(version)
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
		if names != nil {
			names[t.TopicID] = name
		}
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
