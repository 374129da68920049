package produce

import (
	"context"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// reach waits until the topic has a leader that lets us in. One may be on its way
// down or up, and metadata name it all the same, so the others are tried, and
// after them the cluster is asked again.
func (e *engine) reach(ctx context.Context) (*broker.Conn, int32, error) {
	inner, cancel := context.WithTimeout(ctx, min(e.client.Config().Timeout, e.cfg.DeliveryTimeout))
	defer cancel()
	var stale *broker.Snapshot
	var last error
	for round := 1; ; round++ {
		nodes, err := e.leaders(inner, stale)
		if missing(err) && stale != nil && inner.Err() == nil {
			// It was there a moment ago. A broker that has just started, or lags, does
			// not know it yet.
			if last = err; e.client.Pause(inner, round) != nil {
				return nil, -1, last
			}
			stale = e.client.Metadata()
			continue
		}
		if err != nil {
			if last != nil && inner.Err() != nil && ctx.Err() == nil {
				err = last // it tells where the time went
			}
			return nil, -1, err
		}
		stale = e.snap
		for _, node := range nodes {
			conn, err := e.client.Open(inner, node)
			if err == nil {
				return conn, node, nil
			}
			if inner.Err() == nil || last == nil {
				last = err
			}
			if inner.Err() != nil || !e.client.Again(err, round) {
				return nil, -1, last
			}
			e.client.Retrying(wire.Produce, err)
		}
		if len(nodes) == 0 {
			last = &broker.RequestError{API: wire.Metadata, Version: -1, Topic: e.topic, Partition: -1, Err: wire.LeaderNotAvailable}
		}
		if e.client.Pause(inner, round) != nil {
			return nil, -1, last
		}
	}
}

// leaders are the nodes that lead partitions of the topic, in the order of those.
func (e *engine) leaders(ctx context.Context, stale *broker.Snapshot) ([]int32, error) {
	snap, err := e.client.Refresh(ctx, stale, e.topic)
	if err != nil {
		return nil, err
	}
	t, _ := snap.Topic(e.topic)
	if t == nil || t.Err != wire.None && !t.Err.Retriable() || t.Err == wire.UnknownTopicOrPartition {
		code := wire.UnknownTopicOrPartition
		if t != nil {
			code = t.Err
		}
		return nil, &broker.RequestError{API: wire.Metadata, Version: -1, Topic: e.topic, Partition: -1, Err: code}
	}
	e.take(snap, t)
	var nodes []int32
	for i := range t.Partitions {
		if node := t.Partitions[i].Leader; node >= 0 && !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}
