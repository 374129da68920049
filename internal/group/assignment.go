package group

import (
	"cmp"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// DecodeAssignment reads what a leader of the classic protocol gave to a
// consumer. An empty one, of a member the group is still to give something to, is
// no partitions.
func DecodeAssignment(b []byte) ([]broker.TP, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var a wire.ConsumerProtocolAssignment
	if _, err := a.Decode(b); err != nil {
		return nil, err
	}
	return flatten(a.AssignedPartitions), nil
}

// flatten lists partitions, sorted, each once.
func flatten(topics []wire.ConsumerProtocolTopic) []broker.TP {
	var tps []broker.TP
	for _, t := range topics {
		for _, p := range t.Partitions {
			tps = append(tps, broker.TP{Topic: t.Topic, Partition: p})
		}
	}
	slices.SortFunc(tps, compareTP)
	return slices.Compact(tps)
}

// byTopic is the opposite of flatten; tps are sorted.
func byTopic(tps []broker.TP) []wire.ConsumerProtocolTopic {
	var topics []wire.ConsumerProtocolTopic
	for _, tp := range tps {
		n := len(topics)
		if n == 0 || topics[n-1].Topic != tp.Topic {
			topics = append(topics, wire.ConsumerProtocolTopic{Topic: tp.Topic})
			n++
		}
		topics[n-1].Partitions = append(topics[n-1].Partitions, tp.Partition)
	}
	return topics
}

func compareTP(a, b broker.TP) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
