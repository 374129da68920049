package group

import (
	"encoding/binary"

	"kafkactl/internal/broker"
)

// cooperativeSticky is the sticky assignor for members that keep their
// partitions while they join again (KIP-429): what changes hands is given to
// nobody for one round, until who had it has let go of it and joined again.
type cooperativeSticky struct{}

func (cooperativeSticky) name() string      { return CooperativeSticky }
func (cooperativeSticky) cooperative() bool { return true }

// userData is the generation, for leaders that read subscriptions before
// version 2 only.
func (cooperativeSticky) userData(_ []broker.TP, generation int32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(nil, uint32(generation)), nil
}

func (cooperativeSticky) assign(members []subscriber, counts map[string]int32) map[string][]broker.TP {
	claims := make([]claim, len(members))
	owned := map[broker.TP][]string{}
	for i, m := range members {
		generation := m.generation
		if generation < 0 && len(m.userData) >= 4 {
			generation = int32(binary.BigEndian.Uint32(m.userData))
		}
		claims[i] = claim{m.owned, generation}
		for _, tp := range m.owned {
			owned[tp] = append(owned[tp], m.id)
		}
	}
	given := balance(members, claims, counts)
	for id, tps := range given {
		var free []broker.TP
		for _, tp := range tps {
			if freeFor(id, owned[tp]) {
				free = append(free, tp)
			}
		}
		given[id] = free
	}
	return given
}

// freeFor says that nobody else says it owns a partition.
func freeFor(id string, owners []string) bool {
	for _, o := range owners {
		if o != id {
			return false
		}
	}
	return true
}
