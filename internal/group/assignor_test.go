package group

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

func subs(list ...subscriber) []subscriber {
	inOrder(list)
	return list
}

func give(topic string, ps ...int32) []broker.TP {
	var list []broker.TP
	for _, p := range ps {
		list = append(list, broker.TP{Topic: topic, Partition: p})
	}
	return list
}

// The expected assignments are those of the examples and tests of Java's
// RangeAssignor and RoundRobinAssignor.
func TestRangeAndRoundRobinGiveWhatJavaGives(t *testing.T) {
	both := []string{"t0", "t1"}
	for _, test := range []struct {
		name    string
		by      assignor
		members []subscriber
		counts  map[string]int32
		want    map[string][]broker.TP
	}{
		{"range: two topics of three", rangeAssignor{},
			subs(subscriber{id: "C0", topics: both}, subscriber{id: "C1", topics: both}),
			map[string]int32{"t0": 3, "t1": 3},
			map[string][]broker.TP{
				"C0": append(give("t0", 0, 1), give("t1", 0, 1)...),
				"C1": append(give("t0", 2), give("t1", 2)...)}},
		{"range: mixed topics", rangeAssignor{},
			subs(subscriber{id: "C0", topics: []string{"t0"}}, subscriber{id: "C1", topics: both}, subscriber{id: "C2", topics: []string{"t0"}}),
			map[string]int32{"t0": 3, "t1": 2},
			map[string][]broker.TP{"C0": give("t0", 0), "C1": append(give("t0", 1), give("t1", 0, 1)...), "C2": give("t0", 2)}},
		{"range: more members than partitions", rangeAssignor{},
			subs(subscriber{id: "C0", topics: []string{"t0"}}, subscriber{id: "C1", topics: []string{"t0"}}),
			map[string]int32{"t0": 1}, map[string][]broker.TP{"C0": give("t0", 0), "C1": nil}},
		{"range: static members come first, by instance", rangeAssignor{},
			subs(subscriber{id: "a", topics: []string{"t0"}}, subscriber{id: "z", instance: "2", topics: []string{"t0"}}, subscriber{id: "y", instance: "3", topics: []string{"t0"}}),
			map[string]int32{"t0": 4}, map[string][]broker.TP{"z": give("t0", 0, 1), "y": give("t0", 2), "a": give("t0", 3)}},
		{"range: a topic that is not there", rangeAssignor{},
			subs(subscriber{id: "C0", topics: []string{"none", "t0"}}),
			map[string]int32{"t0": 2}, map[string][]broker.TP{"C0": give("t0", 0, 1)}},
		{"roundrobin: two topics of three", roundRobin{},
			subs(subscriber{id: "C0", topics: both}, subscriber{id: "C1", topics: both}),
			map[string]int32{"t0": 3, "t1": 3},
			map[string][]broker.TP{
				"C0": append(give("t0", 0, 2), give("t1", 1)...),
				"C1": append(give("t0", 1), give("t1", 0, 2)...)}},
		{"roundrobin: unequal subscriptions", roundRobin{},
			subs(subscriber{id: "C0", topics: []string{"t0"}}, subscriber{id: "C1", topics: both}, subscriber{id: "C2", topics: []string{"t0", "t1", "t2"}}),
			map[string]int32{"t0": 1, "t1": 2, "t2": 3},
			map[string][]broker.TP{"C0": give("t0", 0), "C1": give("t1", 0), "C2": append(give("t1", 1), give("t2", 0, 1, 2)...)}},
		{"roundrobin: static members come first, by instance", roundRobin{},
			subs(subscriber{id: "a", topics: []string{"t0"}}, subscriber{id: "z", instance: "2", topics: []string{"t0"}}, subscriber{id: "y", instance: "3", topics: []string{"t0"}}),
			map[string]int32{"t0": 4}, map[string][]broker.TP{"z": give("t0", 0, 3), "y": give("t0", 1), "a": give("t0", 2)}},
	} {
		if got := test.by.assign(test.members, test.counts); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n got %v\nwant %v", test.name, got, test.want)
		}
	}
}

// whole checks that every partition somebody may have has one owner, who is
// subscribed to it.
func whole(t *testing.T, members []subscriber, counts map[string]int32, given map[string][]broker.TP) {
	t.Helper()
	owner := map[broker.TP]string{}
	for _, m := range members {
		tps, ok := given[m.id]
		if !ok {
			t.Fatalf("%s is not in the result", m.id)
		}
		for _, tp := range tps {
			if was, ok := owner[tp]; ok {
				t.Fatalf("%v is given to %s and %s", tp, was, m.id)
			}
			if !slices.Contains(m.topics, tp.Topic) || tp.Partition >= counts[tp.Topic] {
				t.Fatalf("%v is given to %s, subscribed to %v", tp, m.id, m.topics)
			}
			owner[tp] = m.id
		}
	}
	n := 0
	for _, topic := range topicsOf(members) {
		n += int(counts[topic])
	}
	if len(owner) != n || len(given) != len(members) {
		t.Fatalf("%d of %d partitions are given out, to %d of %d members", len(owner), n, len(given), len(members))
	}
}

// level checks that no chain of partitions handed on would make two members'
// loads more alike.
func levelled(t *testing.T, members []subscriber, given map[string][]broker.TP) {
	t.Helper()
	reach := map[string]map[string]bool{} // who can hand something to whom, at once
	for _, a := range members {
		reach[a.id] = map[string]bool{}
		for _, b := range members {
			for _, tp := range given[a.id] {
				if slices.Contains(b.topics, tp.Topic) {
					reach[a.id][b.id] = true
				}
			}
		}
	}
	for _, k := range members {
		for _, i := range members {
			for _, j := range members {
				if reach[i.id][k.id] && reach[k.id][j.id] {
					reach[i.id][j.id] = true
				}
			}
		}
	}
	for _, a := range members {
		for _, b := range members {
			if reach[a.id][b.id] && len(given[a.id]) > len(given[b.id])+1 {
				t.Fatalf("%s has %d, and %s, which could have one of them, %d", a.id, len(given[a.id]), b.id, len(given[b.id]))
			}
		}
	}
}

// scene is a random group.
type scene struct {
	*rand.Rand
	members []subscriber
	counts  map[string]int32
	next    int
}

func newScene(seed uint64) *scene {
	s := &scene{Rand: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int32{}}
	for i := range 1 + s.IntN(4) {
		s.counts[fmt.Sprint("t", i)] = int32(s.IntN(9))
	}
	for range 1 + s.IntN(6) {
		s.add()
	}
	return s
}

func (s *scene) add() {
	m := subscriber{id: fmt.Sprintf("m%02d-%d", s.IntN(100), s.next), generation: -1}
	if s.next++; s.IntN(4) == 0 {
		m.instance = fmt.Sprint("i", s.IntN(1000), "-", s.next)
	}
	for topic := range s.counts {
		if s.IntN(3) > 0 {
			m.topics = append(m.topics, topic)
		}
	}
	slices.Sort(m.topics)
	s.members = append(s.members, m)
	inOrder(s.members)
}

// change is what happens between two generations.
func (s *scene) change() {
	switch s.IntN(4) {
	case 0:
		s.add()
	case 1:
		if len(s.members) > 1 {
			i := s.IntN(len(s.members))
			s.members = slices.Delete(s.members, i, i+1)
		}
	case 2:
		s.counts[fmt.Sprint("t", s.IntN(4))] += int32(s.IntN(3))
	}
}

func TestEveryAssignorGivesEveryPartitionToOneSubscriber(t *testing.T) {
	for seed := range uint64(300) {
		s := newScene(seed)
		for _, by := range []assignor{rangeAssignor{}, roundRobin{}, stickyAssignor{}, cooperativeSticky{}} {
			given := by.assign(s.members, s.counts)
			whole(t, s.members, s.counts, given)
			if by.name() == Sticky || by.name() == CooperativeSticky {
				levelled(t, s.members, given)
			}
		}
	}
}

// had is what the members of both had before and do not have now.
func moved(members []subscriber, before, now map[string][]broker.TP) int {
	n := 0
	for _, m := range members {
		n += len(minus(sorted(slices.Clone(before[m.id])), sorted(slices.Clone(now[m.id]))))
	}
	return n
}

func TestStickyIsLevelAndMovesNoMoreThanThatTakes(t *testing.T) {
	for seed := range uint64(200) {
		s := newScene(seed)
		before := map[string][]broker.TP{}
		for generation := range int32(8) {
			for i := range s.members {
				m := &s.members[i]
				data, err := stickyAssignor{}.userData(before[m.id], generation)
				if err != nil {
					t.Fatal(err)
				}
				m.userData = data
			}
			now := stickyAssignor{}.assign(s.members, s.counts)
			whole(t, s.members, s.counts, now)
			levelled(t, s.members, now)
			if again := (stickyAssignor{}).assign(withData(t, s.members, now, generation+1), s.counts); moved(s.members, now, again) != 0 {
				t.Fatalf("seed %d: nothing has changed, and %d partitions move", seed, moved(s.members, now, again))
			}
			before = now
			s.change()
		}
	}
}

func withData(t *testing.T, members []subscriber, had map[string][]broker.TP, generation int32) []subscriber {
	t.Helper()
	list := slices.Clone(members)
	for i := range list {
		var err error
		if list[i].userData, err = (stickyAssignor{}).userData(sorted(slices.Clone(had[list[i].id])), generation); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// With equal subscriptions the least that must move is what members have above
// their share.
func TestStickyMovesTheLeastWhereAllSubscribeAlike(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		counts := map[string]int32{"t": int32(rnd.IntN(60)), "u": int32(rnd.IntN(10))}
		total := int(counts["t"] + counts["u"])
		all := append(tps("t", counts["t"]), tps("u", counts["u"])...)
		var members []subscriber
		had := map[string][]broker.TP{}
		for i := range 1 + rnd.IntN(8) {
			members = append(members, subscriber{id: fmt.Sprint("m", i), topics: []string{"t", "u"}})
		}
		for _, tp := range all {
			if i := rnd.IntN(len(members) + 1); i < len(members) {
				had[members[i].id] = append(had[members[i].id], tp)
			}
		}
		given := stickyAssignor{}.assign(withData(t, members, had, 3), counts)
		whole(t, members, counts, given)
		levelled(t, members, given)
		share, extra := total/len(members), total%len(members)
		var loads []int
		for _, m := range members {
			loads = append(loads, len(had[m.id]))
		}
		slices.SortFunc(loads, func(a, b int) int { return b - a })
		least := 0
		for i, n := range loads {
			quota := share
			if i < extra {
				quota++
			}
			least += max(0, n-quota)
		}
		if n := moved(members, had, given); n != least {
			t.Fatalf("seed %d: %d partitions move, %d would do", seed, n, least)
		}
	}
}

func TestStickyBelievesTheNewestGeneration(t *testing.T) {
	old, _ := stickyAssignor{}.userData(tps("t", 2), 4)
	now, _ := stickyAssignor{}.userData(tps("t", 2), 5)
	none, err := (&wire.StickyUserData{Previous: byTopic(tps("t", 2))}).Append(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	one := []string{"t"}
	for name, members := range map[string][]subscriber{
		"newer and older":     {{id: "a", topics: one, userData: old}, {id: "b", topics: one, userData: now}},
		"newer and version 0": {{id: "a", topics: one, userData: none}, {id: "b", topics: one, userData: now}},
		"junk is no claim":    {{id: "a", topics: one, userData: []byte{1, 2, 3}}, {id: "b", topics: one, userData: now}},
	} {
		given := stickyAssignor{}.assign(members, map[string]int32{"t": 2})
		if len(given["a"]) != 1 || len(given["b"]) != 1 {
			t.Errorf("%s: %v", name, given)
		}
		given = stickyAssignor{}.assign(members, map[string]int32{"t": 1})
		if len(given["b"]) != 1 {
			t.Errorf("%s: b keeps what it has: %v", name, given)
		}
	}
}

// In a cooperative group nobody is given what another still has, and a few
// rounds later all is level and everything has an owner.
func TestCooperativeStickyTakesBeforeItGives(t *testing.T) {
	for seed := range uint64(200) {
		s := newScene(seed)
		owns := map[string][]broker.TP{}
		for generation := range int32(40) {
			for i := range s.members {
				m := &s.members[i]
				m.owned, m.generation = sorted(slices.Clone(owns[m.id])), generation
			}
			given := cooperativeSticky{}.assign(s.members, s.counts)
			owner := map[broker.TP]string{}
			for _, m := range s.members {
				for _, tp := range m.owned {
					owner[tp] = m.id
				}
			}
			waits := false
			for _, m := range s.members {
				for _, tp := range given[m.id] {
					if o := owner[tp]; o != "" && o != m.id {
						t.Fatalf("seed %d: %v is given to %s, and %s has it", seed, tp, m.id, o)
					}
				}
				waits = waits || len(minus(m.owned, sorted(slices.Clone(given[m.id])))) > 0
			}
			owns = map[string][]broker.TP{}
			for _, m := range s.members {
				owns[m.id] = given[m.id]
			}
			if !waits { // nobody joins again
				whole(t, s.members, s.counts, given)
				levelled(t, s.members, given)
				s.change()
			}
		}
	}
}

func TestAMemberWhoseSubscriptionCannotBeReadGetsNothing(t *testing.T) {
	good, err := (&wire.ConsumerProtocolSubscription{Topics: []string{"t", "t", "a"}}).Append(nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	var blamed []string
	members := subscribersOf([]wire.JoinGroupMember{{MemberID: "bad", Metadata: []byte{0, 1, 2}}, {MemberID: "good", Metadata: good}},
		func(id string, _ error) { blamed = append(blamed, id) })
	for _, by := range []assignor{rangeAssignor{}, roundRobin{}, stickyAssignor{}, cooperativeSticky{}} {
		given := by.assign(members, map[string]int32{"t": 3})
		whole(t, members, map[string]int32{"t": 3}, given)
		if len(given["good"]) != 3 || len(given["bad"]) != 0 {
			t.Errorf("%s: %v", by.name(), given)
		}
	}
	if !slices.Equal(blamed, []string{"bad"}) {
		t.Error(blamed)
	}
}

func BenchmarkStickyLevelling(b *testing.B) {
	var members []subscriber
	var topics []string
	counts := map[string]int32{}
	for i := range 100 {
		topics = append(topics, fmt.Sprintf("t%03d", i))
		counts[topics[i]] = 100
	}
	for i := range 50 {
		members = append(members, subscriber{id: fmt.Sprintf("m%02d", i), topics: topics, generation: -1})
	}
	given := cooperativeSticky{}.assign(members[:25], counts)
	for i := range members {
		members[i].owned, members[i].generation = given[members[i].id], 1
	}
	for b.Loop() {
		cooperativeSticky{}.assign(members, counts)
	}
}
