package broker

import (
	"cmp"
	"net"
	"slices"
	"strconv"

	"kafkactl/internal/wire"
)

// Broker is one node's address.
type Broker struct {
	ID   int32
	Host string
	Port int32
	Rack string
}

// Addr is host:port.
func (b Broker) Addr() string { return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))) }

// Partition is one partition in a Snapshot.
type Partition struct {
	ID          int32
	Leader      int32 // -1: nobody
	LeaderEpoch int32 // -1: unknown
	Replicas    []int32
	ISR         []int32
	Offline     []int32
	Err         wire.Code
}

// Topic is one topic in a Snapshot. Partitions are sorted by ID.
type Topic struct {
	Name       string
	ID         wire.UUID
	Internal   bool
	Err        wire.Code
	Partitions []Partition
}

// Partition finds a partition by id.
func (t *Topic) Partition(id int32) (*Partition, bool) {
	i, ok := slices.BinarySearchFunc(t.Partitions, id, func(p Partition, id int32) int { return cmp.Compare(p.ID, id) })
	if !ok {
		return nil, false
	}
	return &t.Partitions[i], true
}

// Snapshot is immutable metadata.
type Snapshot struct {
	ClusterID  string
	Controller int32    // -1: unknown
	Brokers    []Broker // sorted by ID

	topics map[string]known
	gen    int // counts answers
	all    int // the gen of the last answer that covered all topics, 0 for none
}

// known is a topic and the answer it comes from.
type known struct {
	topic *Topic
	gen   int
}

// Topic finds a topic by name.
func (s *Snapshot) Topic(name string) (*Topic, bool) {
	if s == nil {
		return nil, false
	}
	k, ok := s.topics[name]
	return k.topic, ok
}

// Topics lists all topics known, sorted by name; those that were asked for and
// do not exist are among them, with their Err.
func (s *Snapshot) Topics() []*Topic {
	if s == nil {
		return nil
	}
	list := make([]*Topic, 0, len(s.topics))
	for _, k := range s.topics {
		list = append(list, k.topic)
	}
	slices.SortFunc(list, func(a, b *Topic) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Broker finds a broker by id.
func (s *Snapshot) Broker(id int32) (Broker, bool) {
	if s == nil {
		return Broker{}, false
	}
	i, ok := slices.BinarySearchFunc(s.Brokers, id, func(b Broker, id int32) int { return cmp.Compare(b.ID, id) })
	if !ok {
		return Broker{}, false
	}
	return s.Brokers[i], true
}

// Leader gives a partition's leader and its epoch, -1 where unknown.
func (s *Snapshot) Leader(tp TP) (node, epoch int32) {
	t, ok := s.Topic(tp.Topic)
	if !ok {
		return -1, -1
	}
	p, ok := t.Partition(tp.Partition)
	if !ok {
		return -1, -1
	}
	return p.Leader, p.LeaderEpoch
}

// TopicID gives a topic's id, zero where unknown or too old a broker.
func (s *Snapshot) TopicID(topic string) wire.UUID {
	if t, ok := s.Topic(topic); ok {
		return t.ID
	}
	return wire.UUID{}
}

// covers says whether s holds what w waits for.
func (s *Snapshot) covers(w *want) bool {
	if s == nil {
		return false
	}
	after := 0
	if w.stale != nil {
		after = w.stale.gen
	}
	switch {
	case w.brokers:
		return s.gen > after
	case len(w.topics) == 0:
		return s.all > after
	}
	for _, name := range w.topics {
		k, ok := s.topics[name]
		if !ok || k.gen <= after || w.stale == nil && k.topic.Err != wire.None {
			return false
		}
	}
	return true
}

// merge makes the Snapshot that an answer turns s into. names are the topics
// asked for, nil for all.
func (s *Snapshot) merge(resp *wire.MetadataResponse, names []string, all bool) *Snapshot {
	next := &Snapshot{Controller: resp.ControllerID, gen: 1, topics: make(map[string]known)}
	if s != nil {
		next.gen, next.all, next.Brokers, next.ClusterID = s.gen+1, s.all, s.Brokers, s.ClusterID
		if !all {
			for name, k := range s.topics {
				next.topics[name] = k
			}
		}
	}
	if all {
		next.all = next.gen
	}
	if resp.ClusterID != nil {
		next.ClusterID = *resp.ClusterID
	}
	// A broker of 0.8 or 0.9 that has just started, or has no topics yet, may
	// know of no brokers, not even itself. What was known before is better.
	if len(resp.Brokers) > 0 {
		next.Brokers = brokersOf(resp)
	}
	for i := range resp.Topics {
		if t := topicOf(&resp.Topics[i]); t.Name != "" {
			if old, ok := s.Topic(t.Name); ok {
				t.keepNewer(old)
			}
			next.topics[t.Name] = known{t, next.gen}
		}
	}
	for _, name := range names {
		if k, ok := next.topics[name]; !ok || k.gen < next.gen { // asked, and not in the answer
			next.topics[name] = known{&Topic{Name: name, Err: wire.UnknownTopicOrPartition}, next.gen}
		}
	}
	return next
}

func brokersOf(resp *wire.MetadataResponse) []Broker {
	list := make([]Broker, 0, len(resp.Brokers))
	for _, b := range resp.Brokers {
		broker := Broker{ID: b.NodeID, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			broker.Rack = *b.Rack
		}
		list = append(list, broker)
	}
	slices.SortFunc(list, func(a, b Broker) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func topicOf(m *wire.MetadataTopic) *Topic {
	t := &Topic{ID: m.TopicID, Internal: m.IsInternal, Err: m.ErrorCode, Partitions: make([]Partition, 0, len(m.Partitions))}
	if m.Name != nil {
		t.Name = *m.Name
	}
	for _, p := range m.Partitions {
		part := Partition{
			ID: p.Index, Leader: p.LeaderID, LeaderEpoch: p.LeaderEpoch, Err: p.ErrorCode,
			Replicas: p.ReplicaNodes, ISR: p.IsrNodes, Offline: p.OfflineReplicas,
		}
		switch p.ErrorCode {
		case wire.LeaderNotAvailable:
			part.Leader = -1
		case wire.ReplicaNotAvailable: // a replica is down; says nothing of the leader
			part.Err = wire.None
		}
		t.Partitions = append(t.Partitions, part)
	}
	slices.SortFunc(t.Partitions, func(a, b Partition) int { return cmp.Compare(a.ID, b.ID) })
	return t
}

// keepNewer puts partitions of old back where t has them with an older leader
// epoch: a broker that lags behind answered (KIP-320). Only a topic id proves
// that it is the same topic; a new one of the same name begins at epoch 0.
func (t *Topic) keepNewer(old *Topic) {
	if t.ID != old.ID || t.ID == (wire.UUID{}) {
		return
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		was, ok := old.Partition(p.ID)
		if ok && p.LeaderEpoch >= 0 && was.LeaderEpoch > p.LeaderEpoch {
			*p = *was
		}
	}
}
