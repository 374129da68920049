package group

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kafkactl/internal/broker"
)

// count asks for the partitions of topics; those that do not exist, or that we
// may not see, are not in the result.
func (c *Classic) count(ctx context.Context, topics []string) (map[string]int32, error) {
	counts := map[string]int32{}
	if len(topics) == 0 {
		return counts, nil
	}
	snap, err := c.client.Refresh(ctx, c.client.Metadata(), topics...)
	if err != nil {
		return nil, err
	}
	for _, name := range topics {
		if t, ok := snap.Topic(name); ok && len(t.Partitions) > 0 {
			counts[name] = int32(len(t.Partitions))
		}
	}
	return counts, nil
}

// changed says why the assignment is out of date, "" if it is not: topics that
// we subscribe to by pattern came or went, or, as the leader, there are more
// partitions than were given out. Metadata that cannot be had is no reason.
func (c *Classic) changed(ctx context.Context) string {
	if c.cfg.Match != nil {
		topics, err := c.cfg.subscribed(ctx, c.client)
		if err != nil {
			c.cfg.Log(1, "group %s: looking for new topics: %v", c.cfg.Group, err)
			return ""
		}
		if !slices.Equal(topics, c.topics) {
			return fmt.Sprintf("%d topics match now, %d did", len(topics), len(c.topics))
		}
	}
	if c.counts == nil {
		return ""
	}
	counts, err := c.count(ctx, c.led)
	if err != nil {
		c.cfg.Log(1, "group %s: looking for new partitions: %v", c.cfg.Group, err)
		return ""
	}
	if !maps.Equal(counts, c.counts) {
		return "the partitions of its topics have changed"
	}
	return ""
}

// sorted is tps in order.
func sorted(tps []broker.TP) []broker.TP {
	slices.SortFunc(tps, compareTP)
	return tps
}
