package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/produce"
	"kafkactl/internal/wire"
)

// txnTimeout is after what a coordinator aborts a transaction of a run that is
// gone and not begun again: so long readers of committed records may wait.
const txnTimeout = time.Minute

const (
	stableFetch = 7 // the first OffsetFetch that waits for open transactions (KIP-447)
	// The last versions for clusters where clients enlist partitions (KIP-890).
	endTxnV1          = 4
	txnOffsetCommitV1 = 4
)

// position is how far the input is committed.
type position struct {
	records int64
	sum     string // of all records before
}

const sumPrefix = "sha256:"

// txn is the transactional producer: one identity, one transaction after another.
type txn struct {
	client           *broker.Client
	id, group, topic string

	producer int64
	epoch    int16
	implicit bool            // leaders enlist partitions: transaction.version 2
	next     map[int32]int64 // sequences

	mu       sync.Mutex
	enlisted map[int32]bool
}

func newTxn(client *broker.Client, id, group, topic string) *txn {
	return &txn{client: client, id: id, group: group, topic: topic}
}

// supported refuses clusters that cannot tell a position for certain.
func (t *txn) supported(ctx context.Context) error {
	conn, err := t.coordinator(ctx, wire.CoordinatorGroup, t.group)
	if err != nil {
		if errors.Is(err, wire.ErrVersion) {
			return tooOld(err)
		}
		return err
	}
	defer conn.Close()
	if version, err := conn.Version(wire.OffsetFetch, -1); err != nil || version < stableFetch {
		return tooOld(err)
	}
	return nil
}

// coordinator opens a connection to a coordinator. One that has just died is
// named until there is another.
func (t *txn) coordinator(ctx context.Context, keyType int8, key string) (*broker.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.client.Config().Timeout)
	defer cancel()
	for try := 1; ; try++ {
		b, err := t.client.Coordinator(ctx, keyType, key)
		if err != nil {
			return nil, err
		}
		conn, err := t.client.Open(ctx, b.ID)
		if err == nil || !passing(err) || t.client.Pause(ctx, try) != nil {
			return conn, err
		}
	}
}

func tooOld(err error) error {
	cause := fmt.Errorf("a checkpoint needs brokers of Kafka %s or later: older ones cannot say for certain what a transaction has committed", broker.Release(wire.OffsetFetch, stableFetch))
	return errors.Join(cause, err)
}

// begin takes the transactional id over: whoever had it is fenced, and what it
// left open is aborted, or committed where that was decided.
func (t *txn) begin(ctx context.Context) error {
	conn, err := t.coordinator(ctx, wire.CoordinatorTransaction, t.id)
	if err != nil {
		return err
	}
	level, _ := conn.Feature("transaction.version")
	_ = conn.Close() // it was asked nothing
	t.implicit = level >= 2
	req, resp := wire.Default[wire.InitProducerIDRequest](), wire.Default[wire.InitProducerIDResponse]()
	req.TransactionalID, req.TransactionTimeoutMs = &t.id, int32(txnTimeout.Milliseconds())
	if err := t.ask(ctx, broker.TxnCoordinator(t.id), &req, &resp); err != nil {
		return err
	}
	if err := fault(wire.InitProducerID, resp.ErrorCode); err != nil {
		return fmt.Errorf("transactional id %s: %w", t.id, err)
	}
	t.turn(resp.ProducerID, resp.ProducerEpoch)
	return nil
}

// turn goes on under a newer epoch, which begins with sequence 0.
func (t *txn) turn(producer int64, epoch int16) {
	t.producer, t.epoch, t.next = producer, epoch, make(map[int32]int64)
	t.enlisted = make(map[int32]bool)
}

// bind is the transaction as produce knows it.
func (t *txn) bind() *produce.Txn {
	p := &produce.Txn{ID: t.id, ProducerID: t.producer, ProducerEpoch: t.epoch, Next: t.next}
	if !t.implicit {
		p.Enlist = t.enlist
	}
	return p
}

// position asks what is committed. found is false where nothing ever was, or the
// cluster has forgotten.
func (t *txn) position(ctx context.Context) (p position, found bool, err error) {
	tp := broker.TP{Topic: t.topic, Partition: 0}
	got, err := offsets.FetchStored(ctx, t.client, t.group, offsets.Kafka, []broker.TP{tp}, true)
	if err != nil {
		return position{}, false, err
	}
	s := got[tp]
	switch {
	case s.Err != nil:
		return position{}, false, s.Err
	case s.Offset == offsets.NoOffset:
		return position{}, false, nil
	case s.Metadata == nil || !strings.HasPrefix(*s.Metadata, sumPrefix):
		return position{}, false, fmt.Errorf("group %s: what it has stored for %s:0 is no checkpoint's", t.group, t.topic)
	}
	return position{s.Offset, strings.TrimPrefix(*s.Metadata, sumPrefix)}, true, nil
}

// enlist tells the coordinator of partitions that are new to the transaction.
func (t *txn) enlist(ctx context.Context, partitions []int32) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var fresh []int32
	for _, p := range partitions {
		if !t.enlisted[p] {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	req, resp := wire.Default[wire.AddPartitionsToTxnRequest](), wire.Default[wire.AddPartitionsToTxnResponse]()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = t.id, t.producer, t.epoch
	req.Topics = []wire.AddPartitionsTopic{{Name: t.topic, Partitions: fresh}}
	if err := t.ask(ctx, broker.TxnCoordinator(t.id), &req, &resp); err != nil {
		return err
	}
	if err := fault(wire.AddPartitionsToTxn, resp.ErrorCode); err != nil {
		return err
	}
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			if p.ErrorCode != wire.None {
				return &broker.RequestError{API: wire.AddPartitionsToTxn, Version: -1, Topic: t.topic, Partition: p.Index, Err: p.ErrorCode}
			}
		}
	}
	for _, p := range fresh {
		t.enlisted[p] = true
	}
	return nil
}

// commit makes records and position count, both or neither. decided says that
// which of them is known.
func (t *txn) commit(ctx context.Context, p position) (decided bool, err error) {
	if !t.implicit {
		req, resp := wire.Default[wire.AddOffsetsToTxnRequest](), wire.Default[wire.AddOffsetsToTxnResponse]()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.GroupID = t.id, t.producer, t.epoch, t.group
		if err := t.ask(ctx, broker.TxnCoordinator(t.id), &req, &resp); err != nil {
			return true, err
		}
		if err := fault(wire.AddOffsetsToTxn, resp.ErrorCode); err != nil {
			return true, err
		}
	}
	if err := t.store(ctx, p); err != nil {
		return true, err
	}
	return t.end(ctx, true)
}

// store writes the position into the transaction.
func (t *txn) store(ctx context.Context, p position) error {
	req, resp := wire.Default[wire.TxnOffsetCommitRequest](), wire.Default[wire.TxnOffsetCommitResponse]()
	req.TransactionalID, req.GroupID, req.ProducerID, req.ProducerEpoch = t.id, t.group, t.producer, t.epoch
	part := wire.Default[wire.TxnOffsetCommitPartition]()
	sum := sumPrefix + p.sum
	part.CommittedOffset, part.Metadata = p.records, &sum
	req.Topics = []wire.TxnOffsetCommitTopic{{Name: t.topic, TopicID: t.client.Metadata().TopicID(t.topic), Partitions: []wire.TxnOffsetCommitPartition{part}}}
	if err := t.ask(ctx, broker.GroupCoordinator(t.group), t.bounded(&req, txnOffsetCommitV1), &resp); err != nil {
		return err
	}
	answered := false
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			answered = true
			if err := fault(wire.TxnOffsetCommit, p.ErrorCode); err != nil {
				return err
			}
		}
	}
	if !answered {
		return fmt.Errorf("%w: TxnOffsetCommit: the answer leaves the partition out", broker.ErrMalformed)
	}
	return nil
}

// end decides the transaction.
func (t *txn) end(ctx context.Context, commit bool) (decided bool, err error) {
	req, resp := wire.Default[wire.EndTxnRequest](), wire.Default[wire.EndTxnResponse]()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Committed = t.id, t.producer, t.epoch, commit
	if _, err := t.client.Do(ctx, broker.TxnCoordinator(t.id), t.bounded(&req, endTxnV1), &resp); err != nil {
		return false, err
	}
	if err := fault(wire.EndTxn, resp.ErrorCode); err != nil {
		return false, err
	}
	if resp.ProducerID >= 0 && t.implicit {
		t.turn(resp.ProducerID, resp.ProducerEpoch)
	}
	t.mu.Lock()
	clear(t.enlisted)
	t.mu.Unlock()
	return true, nil
}

// abort lets readers of committed records pass what is left of a transaction
// that will not be committed. Where it fails, the coordinator's timeout does so.
func (t *txn) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lingering)
	defer cancel()
	_, _ = t.end(ctx, false)
}

func (t *txn) bounded(req wire.Request, last int16) wire.Request {
	if t.implicit {
		return req
	}
	return wire.AtMost{Request: req, Max: last}
}

// ask is Client.Do, but in less of a hurry to give a coordinator time: it
// completes a transaction in milliseconds as a rule, a tenth of the pause that
// Do makes. It takes Config.Timeout in all, and a try that is not answered a third
// of that.
func (t *txn) ask(ctx context.Context, to broker.To, req wire.Request, resp wire.Response) error {
	ctx, cancel := context.WithTimeout(ctx, t.client.Config().Timeout)
	defer cancel()
	for pause := time.Millisecond; pause < 100*time.Millisecond; pause *= 2 {
		_, err := t.client.Try(ctx, to, req, resp)
		if err == nil {
			return nil
		}
		if !errors.Is(err, wire.ConcurrentTransactions) {
			break
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	_, err := t.client.Do(ctx, to, req, resp)
	return err
}

func fault(api wire.Key, code wire.Code) error {
	if code == wire.None {
		return nil
	}
	return &broker.RequestError{API: api, Version: -1, Partition: -1, Err: code}
}
