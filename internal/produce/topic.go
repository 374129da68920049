package produce

import (
	"context"
	"errors"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Find says whether a topic is there: nil, or the cluster's own word for what is
// wrong with it. wait is how long it may take to appear; create has the cluster
// make it, with the defaults the cluster has for new topics.
func Find(ctx context.Context, client *broker.Client, topic string, wait time.Duration, create bool) error {
	err := find(ctx, client, nil, topic)
	if missing(err) && !create && client.Pause(ctx, 1) == nil {
		// A broker that lags behind the others has not heard of a new topic yet.
		err = find(ctx, client, client.Metadata(), topic)
	}
	if err == nil || !missing(err) {
		return err
	}
	if create {
		if err := makeTopic(ctx, client, topic); err != nil {
			return err
		}
		wait = max(wait, client.Config().Timeout)
	}
	if wait <= 0 {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		stale := client.Metadata()
		last := find(limit, client, stale, topic)
		switch {
		case last == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case limit.Err() != nil:
			return err
		case !missing(last):
			return last
		}
		t := time.NewTimer(100 * time.Millisecond)
		select {
		case <-t.C:
		case <-limit.Done():
			t.Stop()
		}
	}
}

func missing(err error) bool { return errors.Is(err, wire.UnknownTopicOrPartition) }

// find asks once. A topic without leaders yet is there.
func find(ctx context.Context, client *broker.Client, stale *broker.Snapshot, topic string) error {
	snap, err := client.Refresh(ctx, stale, topic)
	if err != nil {
		return err
	}
	t, ok := snap.Topic(topic)
	switch {
	case !ok:
		return wire.UnknownTopicOrPartition
	case t.Err == wire.LeaderNotAvailable:
		return nil
	}
	return t.Err.Err()
}

// makeTopic asks for a topic with the cluster's defaults. Brokers before 2.4 do
// not take defaults in CreateTopics (KIP-464); they make topics when they are
// asked about them, unless auto.create.topics.enable is off, and then one
// partition with one replica is asked for.
func makeTopic(ctx context.Context, client *broker.Client, topic string) error {
	err := createTopic(ctx, client, topic, -1)
	switch {
	case errors.Is(err, wire.InvalidPartitions), errors.Is(err, wire.InvalidReplicationFactor),
		errors.Is(err, wire.UnsupportedVersion), errors.Is(err, wire.ErrVersion):
	default:
		return err
	}
	req := wire.Default[wire.MetadataRequest]()
	req.AllowAutoTopicCreation = true
	t := wire.Default[wire.MetadataRequestTopic]()
	t.Name = &topic
	req.Topics = []wire.MetadataRequestTopic{t}
	resp := wire.Default[wire.MetadataResponse]()
	if _, err := client.Do(ctx, broker.Any(), &req, &resp); err != nil {
		return err
	}
	for i := range resp.Topics {
		r := &resp.Topics[i]
		if r.Name != nil && *r.Name == topic && r.ErrorCode != wire.UnknownTopicOrPartition {
			if r.ErrorCode == wire.LeaderNotAvailable {
				return nil // just made
			}
			return r.ErrorCode.Err()
		}
	}
	return createTopic(ctx, client, topic, 1)
}

// createTopic asks for n partitions with n replicas, -1 being the defaults. One
// that is there already will do.
func createTopic(ctx context.Context, client *broker.Client, topic string, n int) error {
	req := wire.Default[wire.CreateTopicsRequest]()
	req.TimeoutMs = int32(client.Config().Timeout.Milliseconds())
	t := wire.Default[wire.CreatableTopic]()
	t.Name, t.NumPartitions, t.ReplicationFactor = topic, int32(n), int16(n)
	req.Topics = []wire.CreatableTopic{t}
	resp := wire.Default[wire.CreateTopicsResponse]()
	if _, err := client.Do(ctx, broker.Controller(), &req, &resp); err != nil {
		return err
	}
	for i := range resp.Topics {
		if r := &resp.Topics[i]; r.Name == topic && r.ErrorCode != wire.None && r.ErrorCode != wire.TopicAlreadyExists {
			return r.ErrorCode
		}
	}
	return nil
}
