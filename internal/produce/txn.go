package produce

import (
	"context"
	"errors"
	"time"

	"kafkactl/internal/wire"
)

// ErrTxn says that nothing more can be written in the transaction of a run: the
// producer was fenced, or the log has lost what it knew of it. It has to be
// aborted.
var ErrTxn = errors.New("the transaction cannot go on")

// Txn makes all records of a run part of a transaction (KIP-98), which the
// caller has begun and ends. The run asks for no producer id: where its own no
// longer serves, it ends with ErrTxn. A nil Txn is none.
type Txn struct {
	ID            string // the transactional id
	ProducerID    int64
	ProducerEpoch int16
	// Next is the sequence that a partition's first batch has, 0 where it says
	// nothing. Run leaves there what comes next, which is true where all was
	// acknowledged.
	Next map[int32]int64
	// Enlist tells the transaction's coordinator of partitions before anything is
	// written to them. Several goroutines call it, again and again for the same
	// ones. nil where the leaders see to that: with transaction.version 2 (KIP-890).
	Enlist func(ctx context.Context, partitions []int32) error
}

// enlistedByClients is the last version of Produce before leaders added
// partitions to transactions themselves (KIP-890).
const enlistedByClients = 11

// cap is the last version of Produce to use, -1 for any.
func (t *Txn) cap() int16 {
	if t != nil && t.Enlist != nil {
		return enlistedByClients
	}
	return -1
}

func (t *Txn) identity() identity {
	return identity{known: true, producer: t.ProducerID, epoch: t.ProducerEpoch}
}

func (t *Txn) enlist(ctx context.Context, r *request) error {
	if t.Enlist == nil {
		return nil
	}
	partitions := make([]int32, len(r.batches))
	for i, b := range r.batches {
		partitions[i] = b.tp.Partition
	}
	return t.Enlist(ctx, partitions)
}

// goOn notes the sequences that come next.
func (t *Txn) goOn(c *core) {
	if t == nil {
		return
	}
	for tp, l := range c.lanes {
		if l.id.known && l.next > 0 {
			t.Next[tp.Partition] = l.next
		}
	}
}

// unlisted takes the news that a request was not sent, because the transaction's
// coordinator was not told of its partitions. Who enlists has tried again for as
// long as that makes sense.
func (e *engine) unlisted(r *request, err error) {
	e.post(func(now time.Time) {
		e.core.now = now
		e.fail(err)
		e.core.lost(r, err, true, now)
	})
}

// endTxn stops a run that would need another producer id.
func (e *engine) endTxn(now time.Time) {
	e.core.wantID = false
	e.core.now = now
	var last error
	for _, l := range e.core.busy {
		if l.renew && len(l.queue) > 0 {
			last = l.queue[0].last
			break
		}
	}
	e.fail(because(ErrTxn, last))
}

// fail ends the run for a reason that is no single record's.
func (e *engine) fail(err error) {
	e.ledger.blame(err)
	e.core.halt(err)
}

// Lost says whether an error of a run ended only its transaction: another one
// may succeed with the same records.
func Lost(err error) bool {
	if errors.Is(err, ErrTxn) {
		return true
	}
	for _, code := range []wire.Code{
		wire.InvalidProducerEpoch, wire.ProducerFenced, wire.InvalidTxnState, wire.InvalidProducerIDMapping,
		wire.UnknownProducerID, wire.OutOfOrderSequenceNumber, wire.TransactionAbortable,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
