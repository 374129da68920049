package group

import "kafkactl/internal/broker"

// rangeAssignor gives each subscriber of a topic one run of its partitions, the
// first ones one more where they do not come out even. It is Java's
// RangeAssignor, but for racks.
type rangeAssignor struct{}

func (rangeAssignor) name() string                                { return Range }
func (rangeAssignor) cooperative() bool                           { return false }
func (rangeAssignor) userData([]broker.TP, int32) ([]byte, error) { return nil, nil }

func (rangeAssignor) assign(members []subscriber, counts map[string]int32) map[string][]broker.TP {
	given := everybody(members)
	by := takers(members)
	for _, topic := range topicsOf(members) {
		n, who := counts[topic], by[topic]
		each, extra := n/int32(len(who)), n%int32(len(who))
		next := int32(0)
		for i, m := range who {
			until := next + each
			if int32(i) < extra {
				until++
			}
			for ; next < until; next++ {
				id := members[m].id
				given[id] = append(given[id], broker.TP{Topic: topic, Partition: next})
			}
		}
	}
	return given
}
