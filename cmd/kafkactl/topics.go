package main

import (
	"context"
	"fmt"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// topicError words what the cluster says of a topic that was named. For one that
// is not there it looks for the name that may have been meant.
func (e *env) topicError(ctx context.Context, client *broker.Client, name string, code wire.Code) error {
	switch code {
	case wire.UnknownTopicOrPartition, wire.UnknownTopicID, wire.InvalidTopic:
		return &notFoundError{kind: "topic", name: name, near: e.nearestTopic(ctx, client, name), err: code}
	}
	return fmt.Errorf("%s: %w", name, code)
}

// nearestTopic is the topic most like name. It only serves a hint, so it is
// silent about its own troubles and does not take long.
func (e *env) nearestTopic(ctx context.Context, client *broker.Client, name string) string {
	ctx, cancel := context.WithTimeout(ctx, min(e.cfg.timeout, 2*time.Second))
	defer cancel()
	snap, err := client.Refresh(ctx, nil)
	if err != nil {
		return ""
	}
	return nearest(name, topicNames(snap))
}

// topicNames lists the topics that are there, sorted.
func topicNames(snap *broker.Snapshot) []string {
	var names []string
	for _, t := range snap.Topics() {
		if t.Err != wire.UnknownTopicOrPartition && t.Err != wire.InvalidTopic {
			names = append(names, t.Name)
		}
	}
	return names
}
