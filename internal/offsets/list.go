package offsets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

const (
	// perRequest bounds the partitions of one ListOffsets request: a lookup by
	// time costs the broker an index search each, and it answers all at once.
	perRequest = 2000
	// atOnce bounds the leaders asked at the same time.
	atOnce = 32
)

// query is one question to a partition's leader. limit is for version 0 alone:
// how many segment starts to list.
type query struct {
	tp        broker.TP
	time      int64
	isolation int8
	limit     int32
}

// answer is what became of a query. Offset is -1 where no record is that late.
type answer struct {
	offset, time int64
	epoch        int32
	old          []int64 // version 0: descending
	version      int16
	err          error
}

// list puts each query to its partition's leader, one request a leader for as
// many partitions as fit. Leaders that moved, and brokers that went, are asked
// after and tried again until the client's timeout is over. What still fails
// then stands in its answer; the error is ctx's own alone.
func list(ctx context.Context, c *broker.Client, queries []query) ([]answer, error) {
	l := lister{c: c, queries: queries, answers: make([]answer, len(queries))}
	inner, cancel := context.WithTimeout(ctx, c.Config().Timeout)
	defer cancel()
	start := time.Now()
	pending := make([]int, len(queries))
	for i := range pending {
		pending[i] = i
	}
	for try := 1; len(pending) > 0; try++ {
		snap := c.Metadata()
		if pending = l.once(inner, snap, pending); len(pending) == 0 {
			break
		}
		if retries := c.Config().Retries; inner.Err() == nil && (retries < 0 || try <= retries) {
			if c.Pause(inner, try) == nil && l.refresh(inner, snap, pending) == nil {
				continue
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if inner.Err() == nil {
			break // out of retries, or metadata itself cannot be had
		}
		elapsed := time.Since(start)
		for _, i := range pending {
			a := &l.answers[i]
			a.err = &broker.ExhaustedError{Tries: try, Elapsed: elapsed, Err: a.err}
		}
		break
	}
	return l.answers, ctx.Err()
}

type lister struct {
	c       *broker.Client
	queries []query
	answers []answer
}

// refresh gets news of the pending topics.
func (l *lister) refresh(ctx context.Context, stale *broker.Snapshot, pending []int) error {
	topics := map[string]bool{}
	for _, i := range pending {
		topics[l.queries[i].tp.Topic] = true
	}
	_, err := l.c.Refresh(ctx, stale, slices.Sorted(maps.Keys(topics))...)
	return err
}

// once tries each pending query one time and gives those worth another.
func (l *lister) once(ctx context.Context, snap *broker.Snapshot, pending []int) (again []int) {
	batches := l.batches(snap, pending)
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, b := range batches {
		g.Go(func() error {
			l.ask(ctx, snap, b)
			return nil
		})
	}
	_ = g.Wait()
	for _, i := range pending {
		if transient(l.answers[i].err) {
			again = append(again, i)
		}
	}
	return again
}

// batch is the queries of one request: no partition twice, for brokers refuse
// that.
type batch struct {
	node    int32
	queries []int
}

// batches spreads the pending queries over requests; those without a leader get
// their error at once.
func (l *lister) batches(snap *broker.Snapshot, pending []int) []batch {
	type asking struct {
		tp        broker.TP
		isolation int8
	}
	type place struct {
		node      int32
		isolation int8 // a request has one
		round     int
		special   bool // a broker too old for it refuses the whole request
	}
	open := map[place]int{} // index of the batch that still takes queries
	seen := map[asking]int{}
	var all []batch
	for _, i := range pending {
		q := l.queries[i]
		tp, who := q.tp, asking{q.tp, q.isolation}
		node, err := leader(snap, tp)
		if err != nil {
			l.answers[i] = answer{err: &broker.RequestError{API: wire.ListOffsets, Version: -1, Topic: tp.Topic, Partition: tp.Partition, Err: err}}
			continue
		}
		at := place{node, q.isolation, seen[who], q.time < wire.EarliestTimestamp}
		seen[who]++
		n, ok := open[at]
		if !ok || len(all[n].queries) >= perRequest {
			n = len(all)
			open[at] = n
			all = append(all, batch{node: node})
		}
		all[n].queries = append(all[n].queries, i)
	}
	return all
}

// leader is whom to ask, or why there is nobody.
func leader(snap *broker.Snapshot, tp broker.TP) (int32, error) {
	topic, ok := snap.Topic(tp.Topic)
	if !ok {
		return -1, wire.LeaderNotAvailable // not asked after yet
	}
	if topic.Err != wire.None {
		return -1, topic.Err
	}
	p, ok := topic.Partition(tp.Partition)
	switch {
	case !ok:
		return -1, wire.UnknownTopicOrPartition
	case p.Leader >= 0:
		return p.Leader, nil
	case p.Err != wire.None:
		return -1, p.Err
	}
	return -1, wire.LeaderNotAvailable
}

// ask sends one batch and files the answers.
func (l *lister) ask(ctx context.Context, snap *broker.Snapshot, b batch) {
	resp := wire.Default[wire.ListOffsetsResponse]()
	version, err := l.send(ctx, b.node, l.request(snap, b), &resp)
	if err != nil {
		for _, i := range b.queries {
			l.answers[i] = answer{version: version, err: tooOld(l.queries[i].time, err)}
		}
		return
	}
	got := make(map[broker.TP]*wire.ListOffsetsPartitionResult, len(b.queries))
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			got[broker.TP{Topic: t.Name, Partition: t.Partitions[j].Index}] = &t.Partitions[j]
		}
	}
	node, _ := snap.Broker(b.node)
	for _, i := range b.queries {
		tp := l.queries[i].tp
		p := got[tp]
		var err error
		switch {
		case p == nil:
			err = errNotAnswered
		case p.ErrorCode == wire.UnknownTopicOrPartition:
			err = errGoneThere // metadata has it: the leader is a new one, or was
		default:
			err = tooOld(l.queries[i].time, p.ErrorCode.Err())
		}
		if err != nil {
			l.answers[i] = answer{version: version, err: &broker.RequestError{API: wire.ListOffsets, Version: version, Broker: node.Addr(), Topic: tp.Topic, Partition: tp.Partition, Err: err}}
			continue
		}
		l.answers[i] = answer{offset: p.Offset, time: p.Timestamp, epoch: p.LeaderEpoch, version: version}
		if version == 0 {
			l.answers[i].old, l.answers[i].offset = p.OldStyleOffsets, -1
			if len(p.OldStyleOffsets) > 0 {
				l.answers[i].offset = p.OldStyleOffsets[0]
			}
		}
	}
}

// TooOldError is a position that a broker is too old to know.
type TooOldError struct {
	Position Position
	Release  string // the first Kafka release that knows it
	Err      error
}

// Error names the release that is needed.
func (e *TooOldError) Error() string {
	return fmt.Sprintf("%v needs brokers of Kafka %s or later", e.Position, e.Release)
}

// Unwrap is what the request failed of.
func (e *TooOldError) Unwrap() error { return e.Err }

// tooOld explains a version that cannot say a special timestamp.
func tooOld(time int64, err error) error {
	if !errors.Is(err, wire.ErrVersion) && !errors.Is(err, wire.UnsupportedVersion) {
		return err
	}
	since := int16(0)
	var base Base
	switch time {
	case wire.MaxTimestamp:
		base, since = MaxTimestamp, 7
	case wire.EarliestLocalTimestamp:
		base, since = EarliestLocal, 8
	case wire.LatestTieredTimestamp:
		base, since = LatestTiered, 9
	case wire.EarliestPendingUpload:
		base, since = EarliestPendingUpload, 11
	default:
		return err
	}
	return &TooOldError{Position{Base: base}, broker.Release(wire.ListOffsets, since), err}
}

// send makes one attempt. Where segment starts are listed, nothing but version
// 0 will do, which a connection of its own can be held to.
func (l *lister) send(ctx context.Context, node int32, req *wire.ListOffsetsRequest, resp *wire.ListOffsetsResponse) (int16, error) {
	if l.queries[0].limit == 0 {
		return l.c.Try(ctx, broker.Node(node), req, resp)
	}
	conn, err := l.c.Open(ctx, node)
	if err != nil {
		return -1, err
	}
	defer conn.Close()
	return conn.Roundtrip(ctx, req, resp, 0)
}

func (l *lister) request(snap *broker.Snapshot, b batch) *wire.ListOffsetsRequest {
	req := wire.Default[wire.ListOffsetsRequest]()
	req.IsolationLevel = l.queries[b.queries[0]].isolation
	req.TimeoutMs = int32(min(l.c.Config().Timeout.Milliseconds(), 1<<31-1))
	at := map[string]int{}
	for _, i := range b.queries {
		q := l.queries[i]
		t, ok := at[q.tp.Topic]
		if !ok {
			t = len(req.Topics)
			at[q.tp.Topic] = t
			topic := wire.Default[wire.ListOffsetsTopic]()
			topic.Name = q.tp.Topic
			req.Topics = append(req.Topics, topic)
		}
		p := wire.Default[wire.ListOffsetsPartition]()
		p.Index, p.Timestamp = q.tp.Partition, q.time
		_, p.CurrentLeaderEpoch = snap.Leader(q.tp)
		if q.limit > 0 {
			p.MaxNumOffsets = q.limit
		}
		req.Topics[t].Partitions = append(req.Topics[t].Partitions, p)
	}
	return &req
}

var (
	errNotAnswered = errors.New("the broker did not answer for this partition")
	// errGoneThere is UNKNOWN_TOPIC_OR_PARTITION from a leader, which metadata
	// settles: it is transient as long as metadata names a leader.
	errGoneThere error = goneThere{}
)

type goneThere struct{}

func (goneThere) Error() string { return wire.UnknownTopicOrPartition.Error() }
func (goneThere) Unwrap() error { return wire.UnknownTopicOrPartition }

// transient says that asking again, perhaps somebody else, may help.
func transient(err error) bool {
	var code wire.Code
	var dial *broker.DialError
	switch {
	case err == nil, errors.Is(err, broker.ErrTLS), errors.Is(err, broker.ErrNotKafka), errors.Is(err, broker.ErrMalformed):
		return false
	case errors.As(err, new(goneThere)):
		return true
	case errors.As(err, &code):
		return code.Retriable() && code != wire.UnknownTopicOrPartition
	case errors.As(err, &dial), errors.Is(err, broker.ErrClosed), errors.Is(err, broker.ErrUnknownNode):
		return true
	}
	return errors.Is(err, context.DeadlineExceeded)
}
