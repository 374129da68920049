// Package produce turns a stream of records into acknowledged batches and says
// of every record what became of it. Order within a partition is kept through
// every retry, and no record is sent twice without being named. It reads no
// files and prints nothing.
package produce

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// AcksAll waits for all replicas in sync.
const AcksAll = -1

// Config says how to produce. Begin with DefaultConfig.
type Config struct {
	Acks        int16 // AcksAll, 0 none, 1 the leader, N so many replicas (brokers before 0.9)
	Idempotent  bool  // ask for sequences; they need AcksAll and a broker that grants them
	Timestamps  bool  // refuse brokers that keep none
	Compression codec.Type
	Level       int // 0 or codec.DefaultLevel: the compression's own default
	SnappyRaw   bool
	SnappyBlock int

	Partitioner     Partitioner
	Linger          time.Duration // longest a record waits for others
	BatchBytes      int           // largest batch before compression; one record may be larger
	BatchRecords    int           // most records in a batch, 0 for no limit
	MaxInFlight     int           // requests to one broker without an answer
	Retries         int           // attempts after the first, -1 until DeliveryTimeout
	RetryBackoff    time.Duration
	TimeoutsFinal   bool          // a batch whose replicas were too slow for AckTimeout is not sent again
	DeliveryTimeout time.Duration // from the closing of a batch to its acknowledgement
	AckTimeout      time.Duration // what a broker may take for Acks
	FlushTimeout    time.Duration // what is on its way when a run is cut short may take so long
	QueueRecords    int           // most records taken and not settled, 0 for no limit
	Memory          int           // bytes of records held at once, 0: eight batches for each leader
	KeepGoing       bool          // a record refused is skipped, not the end

	Txn      *Txn     // nil: records are part of none
	Receipts Receipts // nil: none
	Stats    *Stats   // nil: none
	// Log is told of what a user may want to know: level 0 of outages, 1 with -v, 2 with -vv.
	Log func(level int, format string, args ...any)
}

// DefaultConfig has the defaults of the Java producer, but for larger batches.
func DefaultConfig() Config {
	return Config{
		Acks: AcksAll, Idempotent: true, Linger: 5 * time.Millisecond, BatchBytes: 1_000_000, MaxInFlight: 5,
		Retries: -1, RetryBackoff: 100 * time.Millisecond, DeliveryTimeout: 2 * time.Minute,
		AckTimeout: 30 * time.Second, FlushTimeout: 30 * time.Second,
	}
}

func (c *Config) fill() error {
	d := DefaultConfig()
	for _, f := range []struct{ have, def *int }{
		{&c.BatchBytes, &d.BatchBytes}, {&c.MaxInFlight, &d.MaxInFlight},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	for _, f := range []struct{ have, def *time.Duration }{
		{&c.RetryBackoff, &d.RetryBackoff}, {&c.DeliveryTimeout, &d.DeliveryTimeout},
		{&c.AckTimeout, &d.AckTimeout}, {&c.FlushTimeout, &d.FlushTimeout},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	if c.Partitioner == nil {
		c.Partitioner, _ = NewPartitioner("", true) // "" is known
	}
	if c.Stats == nil {
		c.Stats = new(Stats)
	}
	if c.Log == nil {
		c.Log = func(int, string, ...any) {}
	}
	c.BatchBytes = min(c.BatchBytes, maxBatch)
	if c.Acks < AcksAll {
		return fmt.Errorf("acks %d: must be -1 (all), 0, 1 or a number of replicas", c.Acks)
	}
	return codec.CheckLevel(c.Compression, c.Level)
}

// engine is one run.
type engine struct {
	cfg    Config
	client *broker.Client
	topic  string
	magic  int8
	seals  codec.Options

	core       *core
	ledger     *ledger
	pool       *pool
	compressor codec.Compressor // the dispatcher's own, for batches made anew
	snap       *broker.Snapshot
	topicID    wire.UUID // zero where brokers know none
	parts      atomic.Pointer[Partitions]
	senders    map[int32]*sender

	events chan func(now time.Time)
	closed chan *Batch   // to be sealed
	unheld chan struct{} // one token: a partition's queue is empty again
	over   chan struct{} // closed once nothing more is dispatched
	work   sync.WaitGroup

	stop    chan struct{} // closed: read no more
	stopErr error         // why, set before stop is closed
	ended   sync.Once

	fed        bool // the feeder has shipped all it will
	asking     bool // for an identity
	refreshing bool
	freshAt    time.Time // when metadata is to be asked for next
	missing    time.Time // since when metadata says that there is no such topic
	heldPorts  []*port
	outage     outage
}

// Run sends in's records to topic until in ends, and returns once all are
// settled and every goroutine has ended, but for one that in may have left in a
// read. The Report is true whatever the error is. When ctx ends, reading stops
// and what was taken is seen to its end for at most FlushTimeout. The error is
// nil when every record was acknowledged.
func Run(ctx context.Context, client *broker.Client, cfg Config, topic string, in Input) (Report, error) {
	if err := cfg.fill(); err != nil {
		return Report{}, err
	}
	e := &engine{
		cfg: cfg, client: client, topic: topic,
		seals: codec.Options{Type: cfg.Compression, Level: cfg.Level, SnappyRaw: cfg.SnappyRaw, SnappyBlock: cfg.SnappyBlock, NoCRC: true},
		pool:  newPool(cfg.Memory, cfg.BatchBytes), senders: make(map[int32]*sender),
		events: make(chan func(time.Time), 64), closed: make(chan *Batch, 1), unheld: make(chan struct{}, 1),
		over: make(chan struct{}), stop: make(chan struct{}),
	}
	e.ledger = &ledger{stats: cfg.Stats, release: e.release}
	if cfg.Receipts != nil {
		e.ledger.receipts = newReceipts(cfg.Receipts, e.pool)
	}
	e.core = newCore(rules{
		txn: cfg.Txn != nil, acks: cfg.Acks, maxInFlight: cfg.MaxInFlight, retries: cfg.Retries, backoff: cfg.RetryBackoff,
		delivery: cfg.DeliveryTimeout, flush: cfg.FlushTimeout, keepGoing: cfg.KeepGoing, timeoutsFinal: cfg.TimeoutsFinal,
	})
	e.core.settled, e.core.halve, e.core.without = e.ledger.settle, e.halve, e.without
	e.core.repeating = func(b *Batch) { client.Retrying(wire.Produce, b.last) }
	e.core.simplified = func(why error) { e.cfg.Log(1, "producing without idempotence: %v", why) }
	conn, node, err := e.begin(ctx)
	if err != nil {
		return Report{}, err
	}
	return e.run(ctx, in, conn, node)
}

// begin finds the topic and learns from one of its leaders what it speaks.
func (e *engine) begin(ctx context.Context) (*broker.Conn, int32, error) {
	conn, node, err := e.reach(ctx)
	if err != nil {
		return nil, -1, err
	}
	version, err := conn.Version(wire.Produce, e.cfg.Txn.cap())
	if err != nil {
		_ = conn.Close() // the error before says it
		return nil, -1, &broker.RequestError{API: wire.Produce, Version: -1, Broker: conn.Addr(), Partition: -1, Err: err}
	}
	e.magic = magicOf(version)
	if err := e.allowed(version); err != nil {
		_ = conn.Close() // the error says it
		return nil, -1, err
	}
	if e.cfg.Memory <= 0 {
		e.pool.bound(e.budget(), e.cfg.BatchBytes)
	}
	e.core.id = anonymous()
	if t := e.cfg.Txn; t != nil {
		e.core.id, e.core.first = t.identity(), t.Next
		return conn, node, nil
	}
	if e.cfg.Idempotent && e.cfg.Acks == AcksAll {
		if e.magic >= 2 {
			e.core.id, e.core.wantID = identity{}, true
		} else {
			e.cfg.Log(1, "producing without idempotence: %v", e.tooOld("idempotence", 3))
		}
	}
	return conn, node, nil
}

// allowed refuses what the broker cannot do, before any record is taken.
func (e *engine) allowed(version int16) error {
	switch {
	case e.cfg.Txn != nil && version < 3:
		return e.tooOld("a transaction", 3)
	case e.cfg.Compression == codec.Zstd && version < 7:
		return e.tooOld("zstd", 7)
	case e.cfg.Timestamps && e.magic < 1:
		return e.tooOld("a timestamp", 2)
	case e.cfg.Acks > 1 && version >= 1:
		return fmt.Errorf("acks %d needs a broker of before Kafka %s: since then it is 0, 1 or all", e.cfg.Acks, broker.Release(wire.Produce, 1))
	}
	return nil
}

// budget is enough for every leader to be kept busy: what is on the wire, what
// waits its turn and what is open. More would only be memory.
func (e *engine) budget() int {
	leaders := make(map[int32]bool)
	for _, l := range e.core.lanes {
		leaders[l.leader] = true
	}
	each := (e.cfg.MaxInFlight + 3) * (e.cfg.BatchBytes + firstBuffer)
	return min(max(1, len(leaders))*max(each, 1<<20), 64<<20)
}

// take tells core and feeder what metadata says.
func (e *engine) take(snap *broker.Snapshot, t *broker.Topic) {
	e.snap = snap
	if id := snap.TopicID(e.topic); id != e.topicID && id != (wire.UUID{}) {
		if e.topicID != (wire.UUID{}) {
			e.core.reborn()
		}
		e.topicID = id
	}
	ps := &Partitions{}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		ps.All = append(ps.All, p.ID)
		if p.Leader >= 0 {
			ps.Available = append(ps.Available, p.ID)
		}
		e.core.leads(broker.TP{Topic: e.topic, Partition: p.ID}, p.Leader, p.LeaderEpoch)
	}
	if old := e.parts.Load(); len(ps.All) == 0 || old != nil && slices.Equal(old.All, ps.All) && slices.Equal(old.Available, ps.Available) {
		return
	}
	e.parts.Store(ps)
}

// run works until all is settled.
func (e *engine) run(ctx context.Context, in Input, conn *broker.Conn, node int32) (Report, error) {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	first := newSender(e, node, conn)
	e.senders[node] = first
	e.spawn(func() { first.run(inner) })
	sealers := 1
	if e.cfg.Compression != codec.Uncompressed {
		sealers = max(1, min(4, runtime.GOMAXPROCS(0)-1))
	}
	for range sealers {
		e.spawn(e.sealer)
	}
	dispatched := make(chan struct{})
	go func() {
		defer close(dispatched)
		e.dispatch(inner)
	}()
	told := make(chan struct{})
	go func() {
		defer close(told)
		if r := e.ledger.receipts; r != nil {
			r.run(e.stopReading)
		}
	}()

	f := &feeder{e: e, in: in}
	readErr := f.run(ctx)
	e.post(func(now time.Time) {
		e.fed = true
		if ctx.Err() != nil {
			e.core.now = now
			e.core.hurry()
		}
	})
	<-dispatched
	close(e.over)
	cancel()
	close(e.closed)
	for _, s := range e.senders {
		close(s.reqs)
	}
	e.work.Wait()
	if r := e.ledger.receipts; r != nil {
		r.close()
	}
	<-told
	e.cfg.Txn.goOn(e.core)
	return e.report(f, readErr)
}

// report sums up. The first of these is the error: why reading stopped, why a
// record was not acknowledged.
func (e *engine) report(f *feeder, readErr error) (Report, error) {
	r := e.ledger.report
	r.Last, r.Twice = f.line, e.core.twice
	r.Read = r.Acked + r.Refused + r.Unknown
	var bad *RecordError
	switch {
	case e.stopErr != nil && !errors.Is(e.stopErr, errHalted):
		return r, e.stopErr
	case readErr != nil && !errors.Is(readErr, errHalted) && !errors.As(readErr, &bad):
		return r, readErr
	case r.Cause != nil:
		return r, r.Cause
	case r.FirstOpen > 0:
		return r, ErrNotSent
	}
	return r, nil
}

func (e *engine) spawn(work func()) {
	e.work.Add(1)
	go func() {
		defer e.work.Done()
		work()
	}()
}

// sleep waits and reports whether it was left to finish.
func (e *engine) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// tooOld says that a broker cannot carry something.
func (e *engine) tooOld(what string, version int16) error {
	release := broker.Release(wire.Produce, version)
	return fmt.Errorf("%s needs Produce v%d, which brokers speak from Kafka %s on", what, version, release)
}
