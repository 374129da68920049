package offsets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// maxCommitBytes bounds what the records of one commit may come to: the broker
// appends them to __consumer_offsets as one batch, which has to fit in that
// topic's max.message.bytes (1,048,588; 1,000,012 before Kafka 2.5).
const maxCommitBytes = 512 << 10

// staleTries is how often a topic that metadata has and the coordinator has not
// is tried: one that is new gets around within them.
const staleTries = 5

// Commit stores offsets for a group, the next ones to read, as m or, with
// Outside, as nobody of the group. Nothing is asked of at's Err. Commits too
// large for one request are split; those already stored stay stored if a later
// one fails.
//
// failed names every partition that was not stored, or not certainly, with its
// cause, and is nil where all were: among others wire.UnknownMemberID,
// IllegalGeneration, FencedInstanceID, StaleMemberEpoch and RebalanceInProgress
// to members, and UnknownMemberID to outsiders of a group that has members.
// Coordinators that move or load are waited for within the client's timeout. err
// is what a request failed of as a whole, ctx's end included; its partitions are
// in failed too. Offsets in ZooKeeper go to their partitions' leaders; brokers
// without that store make it a *StorageError.
func Commit(ctx context.Context, c *broker.Client, m Member, s Storage, at map[broker.TP]Stored) (failed map[broker.TP]error, err error) {
	inner, cancel := context.WithTimeout(ctx, c.Config().Timeout)
	defer cancel()
	k := &committer{c: c, m: m, s: s, at: at, failed: map[broker.TP]error{}}
	pending := slices.SortedFunc(maps.Keys(at), compareTP)
	for try := 1; len(pending) > 0; try++ {
		snap := c.Metadata()
		pending = k.once(inner, snap, pending, try)
		retries := c.Config().Retries
		if len(pending) == 0 || inner.Err() != nil || retries >= 0 && try > retries {
			break
		}
		if c.Pause(inner, try) != nil {
			break
		}
		if _, err := c.Refresh(inner, snap, topicsOf(pending)...); err != nil {
			break
		}
	}
	if err := ctx.Err(); err != nil && (k.err == nil || errors.Is(err, context.Canceled)) {
		return k.failed, err // else k.err says what the time was spent on
	}
	if len(k.failed) == 0 {
		return nil, nil
	}
	return k.failed, k.err
}

// committer is one call of Commit.
type committer struct {
	c      *broker.Client
	m      Member
	s      Storage
	at     map[broker.TP]Stored
	failed map[broker.TP]error
	err    error // of the first request that failed as a whole
}

// ErrMadeAnew is an offset of a topic that was deleted since; one of its name is
// there, and would take the offset for its own.
var ErrMadeAnew = errors.New("the topic was deleted and made anew")

// outlived takes what is meant for topics that are no more out of pending.
func (k *committer) outlived(snap *broker.Snapshot, pending []broker.TP) (left []broker.TP) {
	none := wire.UUID{}
	for _, tp := range pending {
		if was, is := k.at[tp].TopicID, snap.TopicID(tp.Topic); was != none && is != none && was != is {
			k.failed[tp] = k.fault(-1, tp, ErrMadeAnew)
			continue
		}
		left = append(left, tp)
	}
	return left
}

// once sends pending and gives the partitions worth another try.
func (k *committer) once(ctx context.Context, snap *broker.Snapshot, pending []broker.TP, try int) (again []broker.TP) {
	k.err = nil
	pending = k.outlived(snap, pending)
	settled := map[broker.TP]bool{}
	for _, b := range k.batches(snap, pending) {
		if err := k.send(ctx, snap, b.to, b.tps); err != nil {
			settles := k.s == Kafka || !transient(err) // Do has tried long enough
			for _, tp := range b.tps {
				k.failed[tp], settled[tp] = err, settles
			}
			if k.err == nil {
				k.err = err
			}
		}
	}
	for _, tp := range pending {
		err := k.failed[tp]
		if err == nil || settled[tp] {
			continue
		}
		leader, _ := snap.Leader(tp)
		news := errors.Is(err, wire.UnknownTopicOrPartition) && leader >= 0 && try < staleTries
		if news || transient(err) {
			again = append(again, tp)
		}
	}
	return again
}

// commitBatch is the partitions of one request.
type commitBatch struct {
	to    broker.To
	tps   []broker.TP
	bytes int
}

// batches spreads partitions over requests: as many as fit to the coordinator,
// or to each leader. One without a leader gets its error at once.
func (k *committer) batches(snap *broker.Snapshot, pending []broker.TP) []commitBatch {
	open := map[int32]int{} // by leader, -1 the coordinator
	var all []commitBatch
	for _, tp := range pending {
		node, to := int32(-1), broker.GroupCoordinator(k.m.Group)
		if k.s == ZooKeeper {
			var err error
			if node, err = leader(snap, tp); err != nil {
				k.failed[tp] = &broker.RequestError{API: wire.OffsetCommit, Version: -1, Topic: tp.Topic, Partition: tp.Partition, Err: err}
				continue
			}
			to = broker.Node(node)
		}
		size := k.size(tp)
		n, ok := open[node]
		if !ok || all[n].bytes+size > maxCommitBytes {
			n = len(all)
			open[node] = n
			all = append(all, commitBatch{to: to})
		}
		all[n].tps, all[n].bytes = append(all[n].tps, tp), all[n].bytes+size
	}
	return all
}

// size is about what one offset comes to in __consumer_offsets.
func (k *committer) size(tp broker.TP) int {
	n := 80 + len(k.m.Group) + len(tp.Topic)
	if md := k.at[tp].Metadata; md != nil {
		n += len(*md)
	}
	return n
}

// send makes one request, or several where the broker's limit is lower than
// ours, and files the answers. The error is of the request as a whole.
func (k *committer) send(ctx context.Context, snap *broker.Snapshot, to broker.To, tps []broker.TP) error {
	req, names := k.request(snap, tps)
	resp := wire.Default[wire.OffsetCommitResponse]()
	var version int16
	var err error
	if k.s == ZooKeeper {
		version, err = k.c.Try(ctx, to, &zookeeperCommit{req}, &resp)
	} else {
		version, err = k.c.Do(ctx, to, &kafkaCommit{req}, &resp)
	}
	if err != nil {
		return k.s.explain(err)
	}
	codes := map[broker.TP]wire.Code{}
	tooLarge := len(tps) > 1
	for _, t := range resp.Topics {
		name := t.Name
		if version >= 10 {
			name = names[t.TopicID]
		}
		for _, p := range t.Partitions {
			codes[broker.TP{Topic: name, Partition: p.Index}] = p.ErrorCode
			tooLarge = tooLarge && p.ErrorCode == wire.InvalidCommitOffsetSize
		}
	}
	if tooLarge && len(codes) > 0 {
		half := len(tps) / 2
		return errors.Join(k.send(ctx, snap, to, tps[:half]), k.send(ctx, snap, to, tps[half:]))
	}
	for _, tp := range tps {
		code, ok := codes[tp]
		switch {
		case !ok:
			k.failed[tp] = k.fault(version, tp, errNotAnswered)
		case code != wire.None:
			k.failed[tp] = k.fault(version, tp, k.s.explain(code))
		default:
			delete(k.failed, tp)
		}
	}
	return nil
}

func (k *committer) fault(version int16, tp broker.TP, err error) error {
	return &broker.RequestError{API: wire.OffsetCommit, Version: version, Topic: tp.Topic, Partition: tp.Partition, Err: err}
}

// request names topics in order; names has those of the ids in it.
func (k *committer) request(snap *broker.Snapshot, tps []broker.TP) (req *wire.OffsetCommitRequest, names map[wire.UUID]string) {
	r := wire.Default[wire.OffsetCommitRequest]()
	r.GroupID, r.GenerationOrEpoch, r.MemberID = k.m.Group, k.m.Epoch, k.m.ID
	if k.m.Instance != "" {
		r.GroupInstanceID = &k.m.Instance
	}
	names = map[wire.UUID]string{}
	for _, tp := range tps { // sorted
		if n := len(r.Topics); n == 0 || r.Topics[n-1].Name != tp.Topic {
			t := wire.Default[wire.OffsetCommitTopic]()
			t.Name, t.TopicID = tp.Topic, snap.TopicID(tp.Topic)
			if id := k.at[tp].TopicID; id != (wire.UUID{}) {
				t.TopicID = id
			}
			names[t.TopicID] = tp.Topic
			r.Topics = append(r.Topics, t)
		}
		s := k.at[tp]
		p := wire.Default[wire.OffsetCommitPartition]()
		p.Index, p.CommittedOffset, p.LeaderEpoch, p.Metadata = tp.Partition, s.Offset, s.LeaderEpoch, s.Metadata
		t := &r.Topics[len(r.Topics)-1]
		t.Partitions = append(t.Partitions, p)
	}
	return &r, names
}

func topicsOf(tps []broker.TP) []string {
	names := make([]string, len(tps))
	for i, tp := range tps {
		names[i] = tp.Topic
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// zookeeperCommit is a commit in version 0, which alone goes to ZooKeeper.
type zookeeperCommit struct{ req *wire.OffsetCommitRequest }

// Key implements wire.Request.
func (*zookeeperCommit) Key() wire.Key { return wire.OffsetCommit }

// Cap implements wire.Capper.
func (*zookeeperCommit) Cap() int16 { return 0 }

// At implements wire.Adapter.
func (r *zookeeperCommit) At(version int16) (wire.Request, error) { return r.req.At(version) }

// kafkaCommit is a commit in any version but 0.
type kafkaCommit struct{ req *wire.OffsetCommitRequest }

// Key implements wire.Request.
func (*kafkaCommit) Key() wire.Key { return wire.OffsetCommit }

// Cap implements wire.Capper.
func (r *kafkaCommit) Cap() int16 { return r.req.Cap() }

// At implements wire.Adapter.
func (r *kafkaCommit) At(version int16) (wire.Request, error) {
	if version == 0 {
		return nil, errOnlyZooKeeper
	}
	return r.req.At(version)
}

// StorageError is a broker that does not have the store asked for.
type StorageError struct {
	Storage Storage
	Err     error
}

// Error says which releases have it.
func (e *StorageError) Error() string {
	if e.Storage == ZooKeeper {
		return "offsets in ZooKeeper need brokers of Kafka 0.8.1 to 3.9 that run on ZooKeeper"
	}
	return "offsets kept by Kafka need brokers of Kafka 0.8.2 or later"
}

// Unwrap is what the broker said.
func (e *StorageError) Unwrap() error { return e.Err }

// errOnlyZooKeeper is version 0 where Kafka is to keep an offset.
var errOnlyZooKeeper = fmt.Errorf("an offset kept by Kafka %w 0", wire.ErrVersion)

// explain says that it is the store which a broker does not have: it does not
// speak the version that means it, or refuses that (KRaft).
func (s Storage) explain(err error) error {
	if errors.Is(err, errOnlyZooKeeper) || s == ZooKeeper && (errors.Is(err, wire.ErrVersion) || errors.Is(err, wire.UnsupportedVersion)) {
		return &StorageError{Storage: s, Err: err}
	}
	return err
}
