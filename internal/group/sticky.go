package group

import (
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// stickyAssignor spreads partitions as evenly as subscriptions allow and moves
// as few as that takes (KIP-54). Members tell in their user data what they had;
// all is given up before a rebalance.
type stickyAssignor struct{}

func (stickyAssignor) name() string      { return Sticky }
func (stickyAssignor) cooperative() bool { return false }

// userData tells what the member had, in the form of Java's StickyAssignor.
func (stickyAssignor) userData(had []broker.TP, generation int32) ([]byte, error) {
	if had == nil {
		return nil, nil
	}
	u := wire.StickyUserData{Previous: byTopic(had), Generation: generation}
	return u.Append(nil, 1)
}

func (stickyAssignor) assign(members []subscriber, counts map[string]int32) map[string][]broker.TP {
	claims := make([]claim, len(members))
	for i, m := range members {
		var u wire.StickyUserData
		if len(m.userData) > 0 && u.Decode(m.userData) == nil { // another's assignor's, or none, is no claim
			claims[i] = claim{flatten(u.Previous), u.Generation}
		}
	}
	return balance(members, claims, counts)
}

// claim is what a member says it had in a generation, -1 an unknown one.
type claim struct {
	tps        []broker.TP
	generation int32
}

// load is a member and what it is to get.
type load struct {
	has map[string][]int32 // by topic
	had map[broker.TP]bool
	n   int
}

// balancer is one calculation.
type balancer struct {
	members []subscriber
	loads   []load
	takers  map[string][]int // who may have a topic's partitions
}

// balance gives members what they had, the rest to whoever has least, and then
// levels what is uneven.
func balance(members []subscriber, claims []claim, counts map[string]int32) map[string][]broker.TP {
	b := &balancer{members: members, loads: make([]load, len(members)), takers: takers(members)}
	for i := range b.loads {
		b.loads[i] = load{has: map[string][]int32{}, had: map[broker.TP]bool{}}
	}
	owner := b.owners(claims, counts)
	for _, topic := range topicsOf(members) {
		for p := range counts[topic] {
			if m, ok := owner[broker.TP{Topic: topic, Partition: p}]; ok {
				b.loads[m].had[broker.TP{Topic: topic, Partition: p}] = true
				b.give(m, topic, p)
			}
		}
	}
	for _, topic := range topicsOf(members) {
		for p := range counts[topic] {
			if _, ok := owner[broker.TP{Topic: topic, Partition: p}]; !ok {
				b.give(b.least(b.takers[topic]), topic, p)
			}
		}
	}
	for b.level() {
	}
	given := everybody(members)
	for i, m := range members {
		for topic, ps := range b.loads[i].has {
			for _, p := range ps {
				given[m.id] = append(given[m.id], broker.TP{Topic: topic, Partition: p})
			}
		}
		slices.SortFunc(given[m.id], compareTP)
	}
	return given
}

// owners says who keeps what it had: the claim of the newest generation counts,
// and two of the same generation count for nobody.
func (b *balancer) owners(claims []claim, counts map[string]int32) map[broker.TP]int {
	owner, newest, disputed := map[broker.TP]int{}, map[broker.TP]int32{}, map[broker.TP]bool{}
	for i, c := range claims {
		for _, tp := range c.tps {
			_, subscribed := slices.BinarySearch(b.members[i].topics, tp.Topic)
			if !subscribed || tp.Partition < 0 || tp.Partition >= counts[tp.Topic] {
				continue
			}
			was, claimed := newest[tp]
			switch {
			case !claimed || c.generation > was:
				owner[tp], newest[tp], disputed[tp] = i, c.generation, false
			case c.generation == was:
				disputed[tp] = true
			}
		}
	}
	for tp, two := range disputed {
		if two {
			delete(owner, tp)
		}
	}
	return owner
}

func (b *balancer) give(m int, topic string, p int32) {
	l := &b.loads[m]
	l.has[topic] = append(l.has[topic], p)
	l.n++
}

// take removes a partition that m did not have before, if there is one.
func (b *balancer) take(m int, topic string) int32 {
	l := &b.loads[m]
	ps := l.has[topic]
	i := len(ps) - 1
	for j := i; j >= 0; j-- {
		if !l.had[broker.TP{Topic: topic, Partition: ps[j]}] {
			i = j
			break
		}
	}
	p := ps[i]
	l.has[topic] = slices.Delete(ps, i, i+1)
	l.n--
	return p
}

// least finds who of who has least.
func (b *balancer) least(who []int) int {
	best := who[0]
	for _, m := range who[1:] {
		if b.loads[m].n < b.loads[best].n {
			best = m
		}
	}
	return best
}

// level moves one partition, or a chain of them, from a member to one that has
// at least two fewer. It says whether there was anything to move. Each move
// makes the sum of squares smaller, so there is an end.
func (b *balancer) level() bool {
	order := make([]int, len(b.members))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return b.loads[y].n - b.loads[x].n })
	for _, from := range order {
		if b.loads[from].n < 2 {
			return false
		}
		if b.relieve(from) {
			return true
		}
	}
	return false
}

// relieve looks for the least loaded member that can be reached from a loaded
// one by handing partitions on, each to a subscriber of its topic.
func (b *balancer) relieve(from int) bool {
	type step struct {
		member int
		topic  string // by which the next one was reached
	}
	came := make([]*step, len(b.members))
	came[from] = &step{}
	seen := map[string]bool{}
	queue := []int{from} // all that were reached, in order
	best := from
	for next := 0; next < len(queue); next++ {
		m := queue[next]
		if b.loads[m].n < b.loads[best].n {
			best = m
		}
		for _, topic := range b.members[m].topics {
			if len(queue) == len(b.members) {
				break
			}
			if seen[topic] || len(b.loads[m].has[topic]) == 0 {
				continue
			}
			seen[topic] = true
			for _, to := range b.takers[topic] {
				if came[to] == nil {
					came[to] = &step{m, topic}
					queue = append(queue, to)
				}
			}
		}
	}
	if b.loads[best].n > b.loads[from].n-2 {
		return false
	}
	for to := best; to != from; {
		s := came[to]
		b.give(to, s.topic, b.take(s.member, s.topic))
		to = s.member
	}
	return true
}
