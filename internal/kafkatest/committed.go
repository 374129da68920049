//go:build unix

package kafkatest

import (
	"context"
	"errors"
	"fmt"
)

// apiOffsetFetch in version 0 reads ZooKeeper, of brokers before 4.0; in
// version 1 Kafka's own store, of all from 0.8.2.
const apiOffsetFetch = 9

// Committed gives what a group has stored in Kafka for a topic's partitions,
// numbered from 0, -1 for none. The broker asked must be the coordinator.
func Committed(ctx context.Context, addr, group, topic string, partitions int) ([]int64, error) {
	return committed(ctx, addr, 1, group, topic, partitions)
}

// CommittedInZooKeeper is Committed for what is stored in ZooKeeper.
func CommittedInZooKeeper(ctx context.Context, addr, group, topic string, partitions int) ([]int64, error) {
	return committed(ctx, addr, 0, group, topic, partitions)
}

func committed(ctx context.Context, addr string, version int16, group, topic string, partitions int) ([]int64, error) {
	var q asker
	q.string(group)
	q.int32(1)
	q.string(topic)
	q.int32(int32(partitions))
	for p := range partitions {
		q.int32(int32(p))
	}
	a, err := ask(ctx, addr, apiOffsetFetch, version, q)
	if err != nil {
		return nil, fmt.Errorf("fetch the offsets of %s: %w", group, err)
	}
	offsets := make([]int64, partitions)
	var refused error
	a.each(func() {
		a.readString()
		a.each(func() {
			p, offset := a.readInt32(), a.readInt64()
			a.readString() // metadata
			code := a.readInt16()
			switch {
			case p < 0 || int(p) >= partitions || code != 0 && (version != 0 || code != 3):
				refused = fmt.Errorf("partition %d: error %d", p, code)
			case code == 3: // nothing stored, in ZooKeeper's way
				offsets[p] = -1
			default:
				offsets[p] = offset
			}
		})
	})
	if err := errors.Join(refused, a.err); err != nil {
		return nil, fmt.Errorf("fetch the offsets of %s: %w", group, err)
	}
	return offsets, nil
}
