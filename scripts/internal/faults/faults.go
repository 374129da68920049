//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"kafkactl/internal/kafkatest"
)

// outage is how long a killed or paused broker is away: longer than the
// cluster's six seconds of patience with it, so that it is given up.
const outage = 10 * time.Second

// fault is one thing that goes wrong.
type fault struct {
	name  string
	what  string
	thin  bool // each partition has two replicas, one of them a follower on the victim
	takes bool // it takes records away
	do    func(context.Context, *scene) error
}

// faults are all that are known, in the order of the table.
func faults() []fault {
	return []fault{
		{name: "leader-killed", what: "kill -9 of a leader, started again after 10 s", do: killLeader},
		{name: "controller-killed", what: "kill -9 of the active controller, started again after 10 s", do: killController},
		{name: "coordinator-killed", what: "kill -9 of the groups' coordinator, started again after 10 s", do: killCoordinator},
		{name: "rolling-restart", what: "each broker in turn stopped in good order and started again", do: roll},
		{name: "leaders-moved", what: "every partition's leadership handed to another replica, three times", do: moveLeaders},
		{name: "follower-paused", what: "SIGSTOP of every partition's only follower for 10 s: below min.insync.replicas", thin: true, do: pauseFollower},
		{name: "follower-killed", what: "kill -9 of every partition's only follower: below min.insync.replicas until it is back", thin: true, do: killFollower},
		{name: "topic-recreated", what: "the topic deleted, and made again two seconds later", takes: true, do: recreate},
		{name: "partitions-added", what: "from six partitions to nine", do: addPartitions},
		{name: "log-truncated", what: "DeleteRecords of all that is stored", takes: true, do: truncate},
		{name: "log-expired", what: "retention of one second, for five", takes: true, do: expire},
	}
}

func faultNamed(name string) (fault, error) {
	for _, f := range faults() {
		if f.name == name {
			return f, nil
		}
	}
	return fault{}, fmt.Errorf("no fault is called %q", name)
}

// crash kills a node and starts it again after the outage.
func (s *scene) crash(ctx context.Context, id int) error {
	n := s.cluster.Nodes[id-1]
	if err := n.Kill(); err != nil {
		return err
	}
	if err := sleep(ctx, outage); err != nil {
		return err
	}
	return s.restart(ctx, n)
}

// restart starts a node that was ended, and again if its process ends by itself
// before it answers: on a machine as busy as ours some do. What they said is
// printed, for it may be the broker's fault and none of the machine's.
func (s *scene) restart(ctx context.Context, n *kafkatest.Node) error {
	const tries = 3
	for try := 1; ; try++ {
		err := n.Start(ctx)
		if err == nil || try == tries || ctx.Err() != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "node %d, start %d of %d: %v\n", n.ID, try, tries, err)
		if err := n.Kill(); err != nil {
			return err
		}
	}
}

func killLeader(ctx context.Context, s *scene) error {
	found, err := s.cluster.Partitions(ctx, s.topic)
	if err != nil {
		return err
	}
	return s.crash(ctx, found[s.random.IntN(len(found))].Leader)
}

func killController(ctx context.Context, s *scene) error {
	id, err := s.cluster.Controller(ctx)
	if err != nil {
		return err
	}
	return s.crash(ctx, id)
}

func killCoordinator(ctx context.Context, s *scene) error {
	id, err := s.cluster.Coordinator(ctx, s.groups[0])
	if err != nil {
		return err
	}
	return s.crash(ctx, id)
}

func roll(ctx context.Context, s *scene) error {
	first := s.random.IntN(nodes)
	for i := range nodes {
		n := s.cluster.Nodes[(first+i)%nodes]
		if err := n.Stop(); err != nil {
			return err
		}
		if err := s.restart(ctx, n); err != nil {
			return err
		}
		if err := s.healthy(ctx); err != nil {
			return err
		}
	}
	return nil
}

// moveLeaders moves those of all topics at once: whoever writes to the topic that
// is moved first waits the longest for its followers.
func moveLeaders(ctx context.Context, s *scene) error {
	for range 3 {
		moved := make(map[string][][]int)
		for _, topic := range s.topics() {
			found, err := s.cluster.Partitions(ctx, topic)
			if err != nil {
				return err
			}
			moved[topic] = rotated(found)
		}
		if err := s.cluster.Move(ctx, moved); err != nil {
			return err
		}
		if err := sleep(ctx, 2*time.Second); err != nil {
			return err
		}
	}
	return nil
}

// rotated makes each partition's second replica its first.
func rotated(found []kafkatest.Partition) (replicas [][]int) {
	for _, p := range found {
		replicas = append(replicas, append(append([]int{}, p.Replicas[1:]...), p.Replicas[0]))
	}
	return replicas
}

func pauseFollower(ctx context.Context, s *scene) error {
	n := s.cluster.Nodes[s.victim-1]
	if err := n.Pause(); err != nil {
		return err
	}
	return errors.Join(sleep(ctx, outage), n.Resume())
}

func killFollower(ctx context.Context, s *scene) error { return s.crash(ctx, s.victim) }

func recreate(ctx context.Context, s *scene) error {
	for _, topic := range s.topics() {
		if err := kafkatest.DeleteTopic(ctx, s.cluster.Nodes[0].Addr(), topic); err != nil {
			return err
		}
	}
	if err := sleep(ctx, 2*time.Second); err != nil {
		return err
	}
	return s.create(ctx)
}

func addPartitions(ctx context.Context, s *scene) error {
	for _, topic := range s.topics() {
		if err := s.cluster.AddPartitions(ctx, topic, partitions+3); err != nil {
			return err
		}
	}
	return nil
}

func truncate(ctx context.Context, s *scene) error {
	all := make([]int64, partitions)
	for p := range all {
		all[p] = -1
	}
	for _, topic := range s.topics() {
		if err := s.cluster.DeleteRecords(ctx, topic, all); err != nil {
			return err
		}
	}
	return nil
}

func expire(ctx context.Context, s *scene) error {
	set := func(ms string) error {
		for _, topic := range s.topics() {
			if err := s.cluster.SetTopic(ctx, topic, "retention.ms", ms); err != nil {
				return err
			}
		}
		return nil
	}
	if err := set("1000"); err != nil {
		return err
	}
	return errors.Join(sleep(ctx, 5*time.Second), set("-1"))
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
