package offsets

import "fmt"

// Storage is where a group's offsets are kept.
type Storage int8

const (
	// Kafka keeps them with the group's coordinator, in __consumer_offsets:
	// OffsetCommit and OffsetFetch from version 1 on, brokers from 0.8.2.
	Kafka Storage = iota
	// ZooKeeper keeps them under /consumers: OffsetCommit and OffsetFetch version
	// 0, which any broker up to 3.x takes for the partitions it leads.
	ZooKeeper
)

// String is the storage as --offset-storage has it.
func (s Storage) String() string {
	if s == ZooKeeper {
		return "zookeeper"
	}
	return "kafka"
}

// ParseStorage reads what String wrote.
func ParseStorage(s string) (Storage, error) {
	switch s {
	case "kafka":
		return Kafka, nil
	case "zookeeper":
		return ZooKeeper, nil
	}
	return Kafka, fmt.Errorf("offsets are stored in kafka or zookeeper, not in %q", s)
}

// Member is who stores offsets for a group: one of its members, or, with Epoch
// -1 and no ID, somebody from outside, whom brokers refuse while it has members.
type Member struct {
	Group    string
	ID       string
	Instance string // of a static member (KIP-345), or ""
	Epoch    int32  // generation (classic) or member epoch (KIP-848)
}

// Outside is nobody of the group.
func Outside(group string) Member { return Member{Group: group, Epoch: -1} }
