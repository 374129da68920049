//go:build unix

package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// API numbers and versions by which a cluster of today's brokers is changed.
const (
	apiFindCoordinator  = 10 // v0
	apiDeleteRecords    = 21 // v0
	apiCreatePartitions = 37 // v0
	apiElectLeaders     = 43 // v1
	apiAlterConfigs     = 44 // IncrementalAlterConfigs v0
	apiReassign         = 45 // AlterPartitionReassignments v0
	apiDescribeQuorum   = 55 // v0
)

// patience is how long one node is waited for: a paused one accepts a connection
// and says nothing.
const patience = 3 * time.Second

// Partition is what one broker believes of a partition.
type Partition struct {
	Leader   int   // -1 for none
	Replicas []int // the first is the preferred leader
	ISR      []int
}

// Partitions asks any living node for a topic's partitions, by number.
func (c *Cluster) Partitions(ctx context.Context, topic string) ([]Partition, error) {
	var q asker
	q.int32(1)
	q.string(topic)
	a, err := c.any(ctx, apiMetadata, 0, q)
	if err != nil {
		return nil, fmt.Errorf("ask for the partitions of %s: %w", topic, err)
	}
	ints := func() (is []int) {
		a.each(func() { is = append(is, int(a.readInt32())) })
		return is
	}
	a.each(func() {
		a.readInt32()
		a.readString()
		a.readInt32()
	})
	found := map[int]Partition{}
	var code int16
	a.each(func() {
		code = a.readInt16()
		a.readString()
		a.each(func() {
			a.readInt16()
			n := int(a.readInt32())
			p := Partition{Leader: int(a.readInt32())}
			p.Replicas = ints()
			p.ISR = ints()
			found[n] = p
		})
	})
	if code != 0 {
		a.err = errors.Join(a.err, fmt.Errorf("error %d", code))
	}
	partitions := make([]Partition, len(found))
	for n, p := range found {
		if n < 0 || n >= len(partitions) {
			return nil, fmt.Errorf("ask for the partitions of %s: one is numbered %d of %d", topic, n, len(partitions))
		}
		partitions[n] = p
	}
	return partitions, a.err
}

// Controller is the number of the node that is the active controller. KRaft
// clusters only.
func (c *Cluster) Controller(ctx context.Context) (int, error) {
	var q asker
	q.count(1)
	q.compact("__cluster_metadata")
	q.count(1)
	q.int32(0)
	q.tags(3)
	a, err := c.any(ctx, apiDescribeQuorum, 0, q)
	if err != nil {
		return 0, fmt.Errorf("ask for the controller: %w", err)
	}
	a.readTags()
	code, leader := a.readInt16(), -1
	for range a.readCount() {
		a.readCompact()
		for range a.readCount() {
			a.readInt32()
			code = max(code, a.readInt16())
			leader = int(a.readInt32())
		}
	}
	if code != 0 || leader < 0 {
		return 0, fmt.Errorf("ask for the controller: error %d", code)
	}
	return leader, nil
}

// Coordinator is the number of the node that coordinates a group. The first
// question creates the brokers' own topic, so it is repeated until ctx ends.
func (c *Cluster) Coordinator(ctx context.Context, group string) (int, error) {
	var q asker
	q.string(group)
	node := 0
	err := poll(ctx, func() error {
		a, err := c.any(ctx, apiFindCoordinator, 0, q)
		if err != nil {
			return err
		}
		if code := a.readInt16(); code != 0 {
			return fmt.Errorf("error %d", code)
		}
		node = int(a.readInt32())
		return a.err
	})
	if err != nil {
		return 0, fmt.Errorf("find the coordinator of %s: %w", group, err)
	}
	return node, nil
}

// CreateAssigned makes a topic with the replicas of each partition told, the
// preferred leader first, and topic settings as name, value pairs.
func (c *Cluster) CreateAssigned(ctx context.Context, topic string, replicas [][]int, settings ...string) error {
	var q asker
	q.int32(1)
	q.string(topic)
	q.int32(-1)
	q.int16(-1)
	q.int32(int32(len(replicas)))
	for p, nodes := range replicas {
		q.int32(int32(p))
		q.int32(int32(len(nodes)))
		for _, n := range nodes {
			q.int32(int32(n))
		}
	}
	q.int32(int32(len(settings) / 2))
	for _, s := range settings {
		q.string(s)
	}
	q.int32(30000)
	q.int8(0) // not only to validate
	err := poll(ctx, func() error { return c.change(ctx, apiCreateTopics, 2, q) })
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	return poll(ctx, func() error {
		found, err := c.Partitions(ctx, topic)
		if err == nil && len(found) < len(replicas) {
			err = fmt.Errorf("topic %s: %d of %d partitions", topic, len(found), len(replicas))
		}
		for _, p := range found {
			if p.Leader < 0 && err == nil {
				err = fmt.Errorf("topic %s: a partition has no leader", topic)
			}
		}
		return err
	})
}

// AddPartitions makes a topic have so many partitions in all.
func (c *Cluster) AddPartitions(ctx context.Context, topic string, partitions int) error {
	var q asker
	q.int32(1)
	q.string(topic)
	q.int32(int32(partitions))
	q.int32(-1) // placed by the cluster
	q.int32(30000)
	q.int8(0)
	if err := c.change(ctx, apiCreatePartitions, 0, q); err != nil {
		return fmt.Errorf("give %s %d partitions: %w", topic, partitions, err)
	}
	return nil
}

// SetTopic sets one setting of a topic.
func (c *Cluster) SetTopic(ctx context.Context, topic, name, value string) error {
	var q asker
	q.int32(1)
	q.int8(2) // a topic
	q.string(topic)
	q.int32(1)
	q.string(name)
	q.int8(0) // set
	q.string(value)
	q.int8(0)
	a, err := c.any(ctx, apiAlterConfigs, 0, q)
	if err == nil {
		a.readInt32() // throttle
		a.each(func() {
			if code := a.readInt16(); code != 0 {
				err = fmt.Errorf("error %d %s", code, a.readString())
			}
		})
	}
	if err != nil {
		return fmt.Errorf("set %s of %s: %w", name, topic, err)
	}
	return nil
}

// Move gives the partitions of topics other replicas, the preferred leader first,
// and hands leadership to whoever is preferred now, in all of them at once.
func (c *Cluster) Move(ctx context.Context, replicas map[string][][]int) error {
	topics := slices.Sorted(maps.Keys(replicas))
	var q asker
	q.int32(30000)
	q.count(len(topics))
	for _, topic := range topics {
		q.compact(topic)
		q.count(len(replicas[topic]))
		for p, nodes := range replicas[topic] {
			q.int32(int32(p))
			q.count(len(nodes))
			for _, n := range nodes {
				q.int32(int32(n))
			}
			q.tags(1)
		}
		q.tags(1)
	}
	q.tags(1)
	a, err := c.any(ctx, apiReassign, 0, q)
	if err == nil {
		a.readTags()
		a.readInt32() // throttle
		if code := a.readInt16(); code != 0 {
			err = fmt.Errorf("error %d", code)
		}
	}
	if err != nil {
		return fmt.Errorf("move the replicas of %v: %w", topics, err)
	}
	return c.electPreferred(ctx, topics, replicas)
}

// electPreferred makes each partition's first replica its leader, as soon as it
// is in sync. That it leads already is no error.
func (c *Cluster) electPreferred(ctx context.Context, topics []string, replicas map[string][][]int) error {
	var q asker
	q.int8(0) // preferred
	q.int32(int32(len(topics)))
	for _, topic := range topics {
		q.string(topic)
		q.int32(int32(len(replicas[topic])))
		for p := range replicas[topic] {
			q.int32(int32(p))
		}
	}
	q.int32(30000)
	err := poll(ctx, func() error {
		a, err := c.any(ctx, apiElectLeaders, 1, q)
		if err != nil {
			return err
		}
		a.readInt32() // throttle
		if code := a.readInt16(); code != 0 {
			return fmt.Errorf("error %d", code)
		}
		a.each(func() {
			topic := a.readString()
			a.each(func() {
				p, code := a.readInt32(), a.readInt16()
				a.readString()
				if code != 0 && code != 84 { // ELECTION_NOT_NEEDED
					err = fmt.Errorf("%s:%d: error %d", topic, p, code)
				}
			})
		})
		return errors.Join(err, a.err)
	})
	if err != nil {
		return fmt.Errorf("elect the leaders of %v: %w", topics, err)
	}
	return nil
}

// DeleteRecords removes what is before an offset, by partition; -1 stands for
// all that every replica has.
func (c *Cluster) DeleteRecords(ctx context.Context, topic string, before []int64) error {
	partitions, err := c.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	for p, offset := range before {
		var q asker
		q.int32(1)
		q.string(topic)
		q.int32(1)
		q.int32(int32(p))
		q.int64(offset)
		q.int32(30000)
		a, err := ask(ctx, c.node(partitions[p].Leader).Addr(), apiDeleteRecords, 0, q)
		if err != nil {
			return fmt.Errorf("delete records of %s:%d: %w", topic, p, err)
		}
		a.readInt32() // throttle
		var code int16
		a.each(func() {
			a.readString()
			a.each(func() {
				a.readInt32()
				a.readInt64()
				code = a.readInt16()
			})
		})
		if code != 0 || a.err != nil {
			return fmt.Errorf("delete records of %s:%d: error %d %w", topic, p, code, a.err)
		}
	}
	return nil
}

// node is the node with a number; a number nobody has is the first.
func (c *Cluster) node(id int) *Node {
	for _, n := range c.Nodes {
		if n.ID == id {
			return n
		}
	}
	return c.Nodes[0]
}

// any asks the nodes that run one after the other until one answers.
func (c *Cluster) any(ctx context.Context, api, version int16, q asker) (*asker, error) {
	errs := []error{errors.New("no node answers")}
	for _, n := range c.Nodes {
		if !n.Running() {
			continue
		}
		asked, cancel := context.WithTimeout(ctx, patience)
		a, err := ask(asked, n.Addr(), api, version, q)
		cancel()
		if err == nil {
			return a, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// change is for the requests whose answer is a throttle time and, by topic, an
// error and its text.
func (c *Cluster) change(ctx context.Context, api, version int16, q asker) error {
	a, err := c.any(ctx, api, version, q)
	if err != nil {
		return err
	}
	a.readInt32()
	a.each(func() {
		a.readString()
		if code := a.readInt16(); code != 0 {
			err = fmt.Errorf("error %d %s", code, a.readString())
		} else {
			a.readString()
		}
	})
	return errors.Join(err, a.err)
}
