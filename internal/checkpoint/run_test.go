package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/produce"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
)

// ledger is a coordinator of transactions and groups where clients enlist
// partitions. An answer made up by a test goes before its own.
type ledger struct {
	mu      sync.Mutex
	pending *wire.TxnOffsetCommitPartition
	stored  *wire.TxnOffsetCommitPartition
	commits int
	made    map[wire.Key][]wire.Response
}

// next is the answer made up for a request, nil for none left.
func (l *ledger) next(key wire.Key) wire.Response {
	list := l.made[key]
	if len(list) == 0 {
		return nil
	}
	l.made[key] = list[1:]
	return list[0]
}

// stage is a cluster of two, the topic t with two partitions led by node 1, and
// all coordination by node 2.
func stage(t *testing.T, made map[wire.Key][]wire.Response) (*brokertest.Cluster, *ledger, *broker.Client) {
	t.Helper()
	c := brokertest.NewCluster(t, 2)
	c.Create("t", 2)
	c.Lead("t", 0, 1)
	c.Lead("t", 1, 1)
	l := &ledger{made: made}
	node := c.Node(2)
	node.Window(wire.OffsetFetch, 0, 9)
	node.Window(wire.TxnOffsetCommit, 0, 4)
	node.Window(wire.EndTxn, 0, 4)
	for _, key := range []wire.Key{wire.AddPartitionsToTxn, wire.AddOffsetsToTxn, wire.TxnOffsetCommit, wire.EndTxn, wire.OffsetFetch} {
		node.Handle(key, func(r *brokertest.Request) brokertest.Reply {
			l.mu.Lock()
			defer l.mu.Unlock()
			if resp := l.next(key); resp != nil {
				return brokertest.Answer(resp)
			}
			return brokertest.Answer(l.answer(r))
		})
	}
	client, err := broker.New(broker.Config{Seeds: c.Seeds(), Dial: c.Dial, Timeout: 10 * time.Second, RetryBackoff: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	return c, l, client
}

func (l *ledger) answer(r *brokertest.Request) wire.Response {
	switch req := r.Body.(type) {
	case *wire.AddPartitionsToTxnRequest:
		return enlisted(req.Topics[0].Partitions, nil)
	case *wire.AddOffsetsToTxnRequest:
		return new(wire.AddOffsetsToTxnResponse)
	case *wire.TxnOffsetCommitRequest:
		p := req.Topics[0].Partitions[0]
		l.pending = &p
		return positioned(wire.None)
	case *wire.EndTxnRequest:
		if req.Committed {
			l.stored = l.pending
			l.commits++
		}
		resp := wire.Default[wire.EndTxnResponse]()
		return &resp
	case *wire.OffsetFetchRequest:
		p := wire.Default[wire.OffsetFetchPartitionResult]()
		p.CommittedOffset = -1
		if l.stored != nil {
			p.CommittedOffset, p.Metadata = l.stored.CommittedOffset, l.stored.Metadata
		}
		topics := []wire.OffsetFetchTopicResult{{Name: "t", Partitions: []wire.OffsetFetchPartitionResult{p}}}
		resp := wire.Default[wire.OffsetFetchResponse]()
		resp.Groups = []wire.OffsetFetchGroupResult{{GroupID: req.Groups[0].GroupID, Topics: topics}}
		return &resp
	}
	return nil
}

func enlisted(partitions []int32, codes map[int32]wire.Code) wire.Response {
	topic := wire.AddPartitionsTopicResult{Name: "t"}
	for _, p := range partitions {
		topic.Partitions = append(topic.Partitions, wire.AddPartitionsPartitionResult{Index: p, ErrorCode: codes[p]})
	}
	return &wire.AddPartitionsToTxnResponse{Topics: []wire.AddPartitionsTopicResult{topic}}
}

func positioned(code wire.Code) wire.Response {
	return &wire.TxnOffsetCommitResponse{Topics: []wire.TxnOffsetCommitTopicResult{
		{Name: "t", Partitions: []wire.TxnOffsetCommitPartitionResult{{Index: 0, ErrorCode: code}}}}}
}

// fed is an Input that gives what it was let.
type fed struct {
	mu    sync.Mutex
	let   int64
	total int64
	at    int64
	ready chan struct{}
}

func (f *fed) Next(r *record.Record) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch f.at {
	case f.total:
		return 0, io.EOF
	case f.let:
		return 0, produce.ErrIdle
	}
	f.at++
	*r = record.Record{Partition: int32(f.at % 2), Timestamp: record.NoTimestamp, Value: fmt.Appendf(nil, "%d", f.at)}
	return f.at, nil
}

func (f *fed) Ready() <-chan struct{} { return f.ready }
func (f *fed) Where(int64) string     { return "f" }

func (f *fed) allow(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.let = n
	f.ready <- struct{}{}
}

func config(t *testing.T) Config {
	cfg := Config{Path: filepath.Join(t.TempDir(), "c"), Topic: "t", Produce: produce.DefaultConfig(), Log: func(int, string, ...any) {}}
	cfg.Produce.RetryBackoff = 2 * time.Millisecond
	return cfg
}

func values(c *brokertest.Cluster) (n int) {
	return len(c.Records("t", 0)) + len(c.Records("t", 1))
}

// TestCoordinatorsThatAreNotReady: a coordinator that has not heard of a new
// partition yet refuses it, and all others with it; one of groups may have no time.
func TestCoordinatorsThatAreNotReady(t *testing.T) {
	c, l, client := stage(t, map[wire.Key][]wire.Response{
		wire.AddPartitionsToTxn: {
			enlisted([]int32{0, 1}, map[int32]wire.Code{0: wire.OperationNotAttempted, 1: wire.UnknownTopicOrPartition}),
			enlisted([]int32{0, 1}, map[int32]wire.Code{0: wire.UnknownTopicOrPartition, 1: wire.UnknownTopicOrPartition}),
		},
		wire.TxnOffsetCommit: {positioned(wire.RequestTimedOut), positioned(wire.UnknownTopicOrPartition)},
	})
	rep, err := Run(t.Context(), client, config(t), &fed{total: 6, let: 6, ready: make(chan struct{}, 1)})
	if err != nil || rep.Committed != 6 || l.commits != 1 || values(c) != 6 {
		t.Errorf("%+v, %v; %d commits, %d records in the log", rep, err, l.commits, values(c))
	}
	if n := c.Count(wire.InitProducerID); n != 1 {
		t.Errorf("%d epochs for one transaction", n)
	}
}

// TestALeaderThatIsAwayBetweenTransactions: the next one waits for it, as it
// would for one that goes away in its midst.
func TestALeaderThatIsAwayBetweenTransactions(t *testing.T) {
	c, _, client := stage(t, nil)
	in := &fed{total: 8, let: 4, ready: make(chan struct{}, 1)}
	cfg := config(t)
	go func() {
		c.Node(2).Await(wire.EndTxn, 1)
		asked := c.Node(2).Count(wire.Metadata)
		c.Node(1).Stop()
		in.allow(8)
		c.Node(2).Await(wire.Metadata, asked+3) // it is looked for, again and again
		c.Node(1).Start()
	}()
	rep, err := Run(t.Context(), client, cfg, in)
	if err != nil || rep.Committed != 8 || values(c) != 8 {
		t.Errorf("%+v, %v; %d records in the log", rep, err, values(c))
	}
}

// TestALeaderThatStaysAway ends the run, with what was committed before it.
func TestALeaderThatStaysAway(t *testing.T) {
	c, l, client := stage(t, nil)
	in := &fed{total: 8, let: 4, ready: make(chan struct{}, 1)}
	cfg := config(t)
	cfg.Produce.DeliveryTimeout = 50 * time.Millisecond
	go func() {
		c.Node(2).Await(wire.EndTxn, 1)
		c.Node(1).Stop()
		in.allow(8)
	}()
	rep, err := Run(t.Context(), client, cfg, in)
	away := errors.As(err, new(*broker.DialError)) || errors.Is(err, broker.ErrUnknownNode)
	if !away || rep.Committed != 4 || rep.Doubtful != 0 || l.stored.CommittedOffset != 4 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// TestALockThatIsAboutToGo: the system takes a moment to clear a killed run away.
func TestALockThatIsAboutToGo(t *testing.T) {
	cfg := config(t)
	before, err := openFile(t.Context(), &cfg)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, before.close)
	f, err := openFile(t.Context(), &cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.close()
}
