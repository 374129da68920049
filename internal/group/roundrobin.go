package group

import (
	"slices"

	"kafkactl/internal/broker"
)

// roundRobin deals all partitions of all topics out in turn, passing over
// members that are not subscribed. It is Java's RoundRobinAssignor.
type roundRobin struct{}

func (roundRobin) name() string                                { return RoundRobin }
func (roundRobin) cooperative() bool                           { return false }
func (roundRobin) userData([]broker.TP, int32) ([]byte, error) { return nil, nil }

func (roundRobin) assign(members []subscriber, counts map[string]int32) map[string][]broker.TP {
	given := everybody(members)
	at := 0
	for _, topic := range topicsOf(members) {
		for p := range counts[topic] {
			for { // somebody is subscribed, or the topic would not be here
				m := &members[at%len(members)]
				if _, ok := slices.BinarySearch(m.topics, topic); ok {
					break
				}
				at++
			}
			id := members[at%len(members)].id
			given[id] = append(given[id], broker.TP{Topic: topic, Partition: p})
			at++
		}
	}
	return given
}
