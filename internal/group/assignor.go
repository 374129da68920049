package group

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Names of the assignors a classic member can work with, as Kafka calls them.
const (
	Range             = "range"
	RoundRobin        = "roundrobin"
	Sticky            = "sticky"
	CooperativeSticky = "cooperative-sticky"
)

// Names of the assignors that brokers have for the KIP-848 protocol.
const (
	Uniform     = "uniform"
	ServerRange = "range"
)

// subscriber is a member of a classic group as its leader sees it.
type subscriber struct {
	id, instance string
	topics       []string // sorted
	userData     []byte
	owned        []broker.TP // as the cooperative protocol tells (KIP-429), sorted
	generation   int32       // in which they were owned, -1 unknown
}

// assignor says who gets what.
type assignor interface {
	name() string
	// cooperative says that members keep their partitions while they join again.
	cooperative() bool
	// userData is what a member adds to its subscription.
	userData(had []broker.TP, generation int32) ([]byte, error)
	// assign spreads partitions, given as a count for each topic that exists.
	// members are as inOrder has them; each is in the result.
	assign(members []subscriber, counts map[string]int32) map[string][]broker.TP
}

// assignorsNamed looks assignors up; none is the default: range first, as Java's
// consumers have it, and everything else that a group may already have agreed on.
func assignorsNamed(names []string) ([]assignor, error) {
	if len(names) == 0 {
		names = []string{Range, RoundRobin, CooperativeSticky, Sticky}
	}
	var list []assignor
	for _, name := range names {
		var a assignor
		switch name {
		case Range:
			a = rangeAssignor{}
		case RoundRobin:
			a = roundRobin{}
		case Sticky:
			a = stickyAssignor{}
		case CooperativeSticky:
			a = cooperativeSticky{}
		default:
			return nil, &AssignorError{Name: name, Known: []string{Range, RoundRobin, Sticky, CooperativeSticky}}
		}
		list = append(list, a)
	}
	return list, nil
}

// AssignorError is an assignor that a protocol does not have.
type AssignorError struct {
	Name  string
	Known []string
}

// Error names those there are.
func (e *AssignorError) Error() string {
	return fmt.Sprintf("no assignor %q: there are %s", e.Name, strings.Join(e.Known, ", "))
}

// inOrder sorts members as Java's assignors do: static members first, by their
// instance ids, then the others by member id.
func inOrder(members []subscriber) {
	slices.SortFunc(members, func(a, b subscriber) int {
		switch {
		case a.instance != "" && b.instance != "":
			return cmp.Compare(a.instance, b.instance)
		case a.instance != "":
			return -1
		case b.instance != "":
			return 1
		}
		return cmp.Compare(a.id, b.id)
	})
}

// subscribersOf reads what the members of a join told. One whose subscription
// cannot be read is asked for nothing and gets nothing, which problem tells.
func subscribersOf(list []wire.JoinGroupMember, problem func(id string, err error)) []subscriber {
	members := make([]subscriber, 0, len(list))
	for _, m := range list {
		s := subscriber{id: m.MemberID, generation: -1}
		if m.GroupInstanceID != nil {
			s.instance = *m.GroupInstanceID
		}
		var sub wire.ConsumerProtocolSubscription
		if _, err := sub.Decode(m.Metadata); err != nil {
			problem(m.MemberID, err)
		} else {
			slices.Sort(sub.Topics)
			s.topics = slices.Compact(sub.Topics)
			s.userData, s.owned, s.generation = sub.UserData, flatten(sub.OwnedPartitions), sub.GenerationID
		}
		members = append(members, s)
	}
	inOrder(members)
	return members
}

// topicsOf lists what members subscribe to, sorted.
func topicsOf(members []subscriber) []string {
	var all []string
	for _, m := range members {
		all = append(all, m.topics...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// takers gives each topic its subscribers, in the order of members.
func takers(members []subscriber) map[string][]int {
	by := map[string][]int{}
	for i, m := range members {
		for _, t := range m.topics {
			by[t] = append(by[t], i)
		}
	}
	return by
}

// everybody is a result in which nobody has anything yet.
func everybody(members []subscriber) map[string][]broker.TP {
	given := make(map[string][]broker.TP, len(members))
	for _, m := range members {
		given[m.id] = nil
	}
	return given
}
