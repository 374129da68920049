package offsets

import (
	"context"
	"errors"
	"maps"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Forget takes away a group's stored offsets (KIP-496, brokers from 2.4), which
// no commit can. failed names every partition that keeps its own, with the
// cause, and is nil where none does: wire.GroupSubscribedToTopic where a member
// reads the topic. One that had none is no failure. err is what the request
// failed of as a whole, its partitions are in failed too; where brokers have no
// such request it is a *ForgetError.
func Forget(ctx context.Context, c *broker.Client, group string, s Storage, tps []broker.TP) (failed map[broker.TP]error, err error) {
	if len(tps) == 0 {
		return nil, nil
	}
	sorted := slices.SortedFunc(slices.Values(tps), compareTP)
	failed = map[broker.TP]error{}
	whole := func(err error) (map[broker.TP]error, error) {
		for _, tp := range sorted {
			failed[tp] = err
		}
		return failed, err
	}
	if s == ZooKeeper {
		return whole(&ForgetError{Storage: s})
	}
	inner, cancel := context.WithTimeout(ctx, c.Config().Timeout)
	defer cancel()
	pending := sorted
	for try := 1; len(pending) > 0; try++ {
		resp, version, err := forget(inner, c, group, pending)
		switch {
		case errors.Is(err, wire.GroupIDNotFound):
			return nil, nil // it has nothing
		case errors.As(err, new(*broker.VersionError)):
			return whole(&ForgetError{Storage: s, Err: err})
		case err != nil:
			return whole(err)
		}
		pending = fileForgotten(resp, version, pending, failed)
		if len(pending) > 0 && (try == staleTries || c.Pause(inner, try) != nil) {
			break
		}
	}
	if len(failed) == 0 {
		failed = nil
	}
	return failed, ctx.Err()
}

// forget makes one request.
func forget(ctx context.Context, c *broker.Client, group string, tps []broker.TP) (*wire.OffsetDeleteResponse, int16, error) {
	req := wire.OffsetDeleteRequest{GroupID: group}
	for _, tp := range tps {
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Name != tp.Topic {
			req.Topics = append(req.Topics, wire.OffsetDeleteTopic{Name: tp.Topic})
		}
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, wire.OffsetDeletePartition{Index: tp.Partition})
	}
	resp := wire.Default[wire.OffsetDeleteResponse]()
	version, err := c.Do(ctx, broker.GroupCoordinator(group), &req, &resp)
	if err == nil && resp.ErrorCode != wire.None {
		err = &broker.RequestError{API: wire.OffsetDelete, Version: version, Partition: -1, Err: resp.ErrorCode}
	}
	return &resp, version, err
}

// fileForgotten puts the answers in failed, and gives the partitions worth
// another try.
func fileForgotten(resp *wire.OffsetDeleteResponse, version int16, tps []broker.TP, failed map[broker.TP]error) (again []broker.TP) {
	codes := map[broker.TP]wire.Code{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			codes[broker.TP{Topic: t.Name, Partition: p.Index}] = p.ErrorCode
		}
	}
	for _, tp := range tps {
		code, ok := codes[tp]
		var err error = code
		switch {
		case !ok:
			err = errNotAnswered
		case code == wire.None:
			delete(failed, tp)
			continue
		}
		failed[tp] = &broker.RequestError{API: wire.OffsetDelete, Version: version, Topic: tp.Topic, Partition: tp.Partition, Err: err}
		if transient(failed[tp]) {
			again = append(again, tp)
		}
	}
	return again
}

// ForgetError is a broker that has no way to take an offset away.
type ForgetError struct {
	Storage Storage
	Err     error
}

// Error says what is needed.
func (e *ForgetError) Error() string {
	if e.Storage == ZooKeeper {
		return "no request takes an offset out of ZooKeeper; delete its node below /consumers there"
	}
	return "taking a stored offset away needs brokers of Kafka 2.4 or later"
}

// Unwrap is what the broker said.
func (e *ForgetError) Unwrap() error { return e.Err }

// StoredTopics lists the topics of stored offsets, sorted.
func StoredTopics(stored map[broker.TP]Stored) []string {
	return topicsOf(slices.Collect(maps.Keys(stored)))
}
