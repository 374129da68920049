package produce

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// written is what Produce requests of a test carried.
type written struct {
	mu     sync.Mutex
	events []string // "enlist" and "produce", in order, for partition 0
	first  map[int32]int32
	wrong  []string
}

func (w *written) see(t *testing.T, r *brokertest.Request, id string, last int16) {
	req := r.Body.(*wire.ProduceRequest)
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Version > last || req.TransactionalID == nil || *req.TransactionalID != id {
		w.wrong = append(w.wrong, "version or transactional id")
	}
	for _, topic := range req.Topics {
		for _, p := range topic.Partitions {
			span, ok, err := codec.ParseSpan(p.Records)
			if err != nil || !ok {
				t.Errorf("a batch that is none: %v", err)
				continue
			}
			if !span.Transactional() || span.ProducerID != 4711 || span.Epoch != 3 {
				w.wrong = append(w.wrong, "producer or the transactional bit")
			}
			if _, ok := w.first[p.Index]; !ok {
				w.first[p.Index] = span.Sequence
			}
			if p.Index == 0 {
				w.events = append(w.events, "produce")
			}
		}
	}
}

func TestRecordsOfATransactionAreMarkedAndTheirPartitionsEnlistedFirst(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 3)
	w := &written{first: map[int32]int32{}}
	c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
		w.see(t, r, "tx", enlistedByClients)
		return brokertest.Reply{}
	})
	txn := &Txn{ID: "tx", ProducerID: 4711, ProducerEpoch: 3, Next: map[int32]int64{0: 70, 1: 1<<31 - 1}}
	txn.Enlist = func(_ context.Context, partitions []int32) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if slices.Contains(partitions, 0) && len(w.events) == 0 {
			w.events = append(w.events, "enlist")
		}
		return nil
	}
	cfg := quick()
	cfg.Txn, cfg.BatchBytes = txn, 300
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(900, nil))
	if err != nil || rep.Acked != 900 {
		t.Fatalf("%+v %v", rep, err)
	}
	if len(w.wrong) > 0 {
		t.Errorf("wrong in requests: %v", w.wrong)
	}
	if want := map[int32]int32{0: 70, 1: 1<<31 - 1, 2: 0}; !maps.Equal(w.first, want) {
		t.Errorf("first sequences %v, want %v", w.first, want)
	}
	if len(w.events) < 2 || w.events[0] != "enlist" {
		t.Errorf("partition 0: %v", w.events)
	}
	stored := int64(0)
	for p, next := range txn.Next {
		stored += next - int64(uint32(w.first[p]))
	}
	if stored != 900 {
		t.Errorf("the next sequences %v count %d records", txn.Next, stored)
	}
	if n := c.Node(1).Count(wire.InitProducerID); n != 0 {
		t.Errorf("%d producer ids asked for", n)
	}
}

func TestATransactionThatIsFencedEndsTheRun(t *testing.T) {
	for _, code := range []wire.Code{wire.InvalidProducerEpoch, wire.ProducerFenced, wire.OutOfOrderSequenceNumber, wire.InvalidTxnState} {
		c := brokertest.NewCluster(t, 1)
		c.Create("t", 1)
		var mu sync.Mutex
		n := 0
		c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
			mu.Lock()
			defer mu.Unlock()
			if n++; n >= 3 {
				return answerProduce(r, code, nil)
			}
			return brokertest.Reply{}
		})
		cfg := quick()
		cfg.BatchBytes, cfg.Txn = 300, &Txn{ID: "tx", ProducerID: 4711, Next: map[int32]int64{}}
		rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(500, nil))
		if !Lost(err) || !errors.Is(err, code) || rep.Acked == 500 {
			t.Errorf("%v: %+v %v", code, rep, err)
		}
		if n := c.Node(1).Count(wire.InitProducerID); n != 0 {
			t.Errorf("%v: %d producer ids asked for", code, n)
		}
	}
}

func TestACoordinatorThatTakesNoPartitionEndsTheRunWithNothingSent(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	cfg := quick()
	cfg.Txn = &Txn{ID: "tx", ProducerID: 4711, Next: map[int32]int64{}, Enlist: func(context.Context, []int32) error { return wire.InvalidTxnState }}
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(5, nil))
	if !errors.Is(err, wire.InvalidTxnState) || rep.Acked != 0 || rep.Unknown != 0 {
		t.Errorf("%+v %v", rep, err)
	}
	if n := c.Node(1).Count(wire.Produce); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// The next transaction begins before the markers of the last are written.
func TestATransactionWaitsForTheOneBefore(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	var mu sync.Mutex
	n := 0
	c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
		mu.Lock()
		defer mu.Unlock()
		if n++; n <= 4 {
			return answerProduce(r, wire.ConcurrentTransactions, nil)
		}
		return brokertest.Reply{}
	})
	cfg := quick()
	cfg.Retries = 1 // these are none
	cfg.Txn = &Txn{ID: "tx", ProducerID: 4711, Next: map[int32]int64{}}
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(5, nil))
	if err != nil || rep.Acked != 5 {
		t.Errorf("%+v %v", rep, err)
	}
}
