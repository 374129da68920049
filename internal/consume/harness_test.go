package consume

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
)

// entry is one batch of a scripted log.
type entry struct {
	base, next int64
	raw        []byte
	recs       []rec
}

// Attribute bits of a batch.
const (
	transactional = 0x10
	control       = 0x20
)

// rec is one record of a batch: where it stands after the base, when, and what.
type rec struct {
	delta     int
	timestamp int64
	value     string
}

// numbered is n records, their values their offsets.
func numbered(base int64, n int) []rec {
	list := make([]rec, n)
	for i := range list {
		list[i] = rec{i, 1000 + base + int64(i), fmt.Sprint(base + int64(i))}
	}
	return list
}

// batch encodes a v2 batch whose header claims offsets up to last after base.
func batch(base int64, last int, attributes int16, pid int64, recs ...rec) entry {
	b := make([]byte, 61)
	binary.BigEndian.PutUint64(b, uint64(base))
	b[16] = 2
	binary.BigEndian.PutUint16(b[21:], uint16(attributes))
	binary.BigEndian.PutUint32(b[23:], uint32(last))
	first, most := int64(1000), int64(1000)
	if len(recs) > 0 {
		first, most = recs[0].timestamp, recs[0].timestamp
	}
	for _, r := range recs {
		most = max(most, r.timestamp)
	}
	binary.BigEndian.PutUint64(b[27:], uint64(first))
	binary.BigEndian.PutUint64(b[35:], uint64(most))
	binary.BigEndian.PutUint64(b[43:], uint64(pid))
	binary.BigEndian.PutUint32(b[57:], uint32(len(recs)))
	for _, r := range recs {
		key, value := []byte(nil), []byte(r.value)
		if attributes&control != 0 {
			key, value = []byte(r.value), nil
		}
		one := []byte{0}
		one = binary.AppendVarint(one, r.timestamp-first)
		one = binary.AppendVarint(one, int64(r.delta))
		one = appendField(one, key)
		one = appendField(one, value)
		one = binary.AppendVarint(one, 0)
		b = binary.AppendVarint(b, int64(len(one)))
		b = append(b, one...)
	}
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	seal(b)
	return entry{base, base + int64(last) + 1, b, recs}
}

func appendField(b, f []byte) []byte {
	if f == nil {
		return binary.AppendVarint(b, -1)
	}
	return append(binary.AppendVarint(b, int64(len(f))), f...)
}

func seal(b []byte) {
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
}

// plain is a batch of records one after the other.
func plain(base int64, recs ...rec) entry { return batch(base, len(recs)-1, 0, -1, recs...) }

// marker is the end of a transaction: of 0 it was aborted, of 1 committed.
func marker(base, pid int64, kind byte) entry {
	return batch(base, 0, transactional|control, pid, rec{0, 1000, string([]byte{0, 0, 0, kind})})
}

// plog is one partition of a scripted cluster.
type plog struct {
	leader, epoch int32
	start         int64
	stable        int64 // -1: as far as the log goes
	entries       []entry
	aborted       []wire.AbortedTransaction
	err           wire.Code // of every fetch
}

func (l *plog) end() int64 {
	if n := len(l.entries); n > 0 {
		return l.entries[n-1].next
	}
	return l.start
}

// since is the offset of the first record that is not older, -1 for none.
func (l *plog) since(timestamp int64) int64 {
	for _, e := range l.entries {
		for _, r := range e.recs {
			if r.timestamp >= timestamp {
				return e.base + int64(r.delta)
			}
		}
	}
	return -1
}

func (l *plog) lso() int64 {
	if l.stable >= 0 {
		return l.stable
	}
	return l.end()
}

// cluster is brokers whose logs a test writes by hand.
type cluster struct {
	t       *testing.T
	servers []*brokertest.Server
	dial    func(ctx context.Context, addr string) (net.Conn, error)

	mu      sync.Mutex
	logs    map[broker.TP]*plog
	topicID wire.UUID
	grown   chan struct{} // closed when a log changes
	bending bender
	fetches []asking1
}

// bender sees the answers to fetches before they leave, and may give another.
type bender func(node int32, r *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool)

func (c *cluster) bend(f bender) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bending = f
}

// asking1 is one partition of one fetch as it was asked for.
type asking1 struct {
	node   int32
	tp     broker.TP
	offset int64
	bytes  int32
	epoch  int32
}

func newCluster(t *testing.T, nodes int) *cluster {
	var servers []*brokertest.Server
	for range nodes {
		servers = append(servers, brokertest.New(t))
	}
	return clusterOf(t, servers)
}

// newPiped is a cluster of one broker for a test within a synctest bubble.
func newPiped(t *testing.T) *cluster {
	c := clusterOf(t, []*brokertest.Server{brokertest.NewPipe(t)})
	c.dial = c.servers[0].Dial
	return c
}

func clusterOf(t *testing.T, servers []*brokertest.Server) *cluster {
	c := &cluster{t: t, servers: servers, logs: make(map[broker.TP]*plog), grown: make(chan struct{})}
	for i, s := range servers {
		s.Handle(wire.Metadata, func(*brokertest.Request) brokertest.Reply { return c.metadata() })
		s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply { return c.list(int32(i), r) })
		s.Handle(wire.Fetch, func(r *brokertest.Request) brokertest.Reply { return c.fetch(int32(i), r) })
	}
	return c
}

// log makes partition p of topic t on node 0.
func (c *cluster) log(p int32, entries ...entry) broker.TP {
	tp := broker.TP{Topic: "t", Partition: p}
	c.set(func() { c.logs[tp] = &plog{stable: -1, entries: entries} })
	return tp
}

// set changes logs and lets waiting fetches see it.
func (c *cluster) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.grown)
	c.grown = make(chan struct{})
}

func (c *cluster) append(tp broker.TP, e entry) {
	c.set(func() { c.logs[tp].entries = append(c.logs[tp].entries, e) })
}

func (c *cluster) client(change ...func(*broker.Config)) *broker.Client {
	c.t.Helper()
	cfg := broker.Config{Seeds: []string{c.servers[0].Addr()}, RetryBackoff: time.Millisecond, Dial: c.dial}
	for _, f := range change {
		f(&cfg)
	}
	client, err := broker.New(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

func (c *cluster) metadata() brokertest.Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	resp := wire.Default[wire.MetadataResponse]()
	for i, s := range c.servers {
		b := wire.Default[wire.MetadataBroker]()
		b.NodeID, b.Host, b.Port = int32(i), s.Host(), s.Port()
		resp.Brokers = append(resp.Brokers, b)
	}
	topics := map[string]*wire.MetadataTopic{}
	var tps []broker.TP
	for tp := range c.logs {
		tps = append(tps, tp)
	}
	slices.SortFunc(tps, compareTP)
	for _, tp := range tps {
		t := topics[tp.Topic]
		if t == nil {
			nt := wire.Default[wire.MetadataTopic]()
			t = &nt
			t.Name, t.TopicID = &tp.Topic, c.topicID
			topics[tp.Topic] = t
		}
		p := wire.Default[wire.MetadataPartition]()
		p.Index, p.LeaderID, p.LeaderEpoch = tp.Partition, c.logs[tp].leader, c.logs[tp].epoch
		if p.LeaderID < 0 {
			p.ErrorCode = wire.LeaderNotAvailable
		}
		t.Partitions = append(t.Partitions, p)
	}
	for _, t := range topics {
		resp.Topics = append(resp.Topics, *t)
	}
	return brokertest.Answer(&resp)
}

func (c *cluster) list(node int32, r *brokertest.Request) brokertest.Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	req := r.Body.(*wire.ListOffsetsRequest)
	resp := wire.Default[wire.ListOffsetsResponse]()
	resp.Topics = []wire.ListOffsetsTopicResult{}
	for _, t := range req.Topics {
		res := wire.ListOffsetsTopicResult{Name: t.Name}
		for _, p := range t.Partitions {
			out := wire.Default[wire.ListOffsetsPartitionResult]()
			out.Index = p.Index
			l := c.logs[broker.TP{Topic: t.Name, Partition: p.Index}]
			switch {
			case l == nil:
				out.ErrorCode = wire.UnknownTopicOrPartition
			case l.leader != node:
				out.ErrorCode = wire.NotLeaderOrFollower
			case p.Timestamp == wire.EarliestTimestamp:
				out.Offset = l.start
			case p.Timestamp >= 0:
				out.Offset = l.since(p.Timestamp)
			case req.IsolationLevel == ReadCommitted:
				out.Offset = l.lso()
			default:
				out.Offset = l.end()
			}
			if r.Version == 0 {
				out.OldStyleOffsets = []int64{out.Offset}
			}
			res.Partitions = append(res.Partitions, out)
		}
		resp.Topics = append(resp.Topics, res)
	}
	return brokertest.Answer(&resp)
}

// fetch answers as a broker does: at once when there is something to say, else
// after the wait asked for.
func (c *cluster) fetch(node int32, r *brokertest.Request) brokertest.Reply {
	req := r.Body.(*wire.FetchRequest)
	due := time.After(time.Duration(req.MaxWaitMs) * time.Millisecond)
	for first := true; ; first = false {
		c.mu.Lock()
		resp, something := c.answer(node, r.Version, req, first)
		grown, bend := c.grown, c.bending
		c.mu.Unlock()
		if bend != nil {
			if reply, ok := bend(node, r, resp); ok {
				return reply
			}
		}
		if something {
			return brokertest.Answer(resp)
		}
		select {
		case <-grown:
		case <-due:
			return brokertest.Answer(resp)
		case <-c.t.Context().Done():
			return brokertest.Hangup()
		}
	}
}

func (c *cluster) answer(node int32, version int16, req *wire.FetchRequest, note bool) (*wire.FetchResponse, bool) {
	resp := wire.Default[wire.FetchResponse]()
	resp.Topics = []wire.FetchTopicResult{}
	something, room := false, int(req.MaxBytes)
	if version < 3 {
		room = 1 << 30
	}
	for _, t := range req.Topics {
		res := wire.FetchTopicResult{Name: t.Name, TopicID: t.TopicID}
		name := t.Name
		if version >= 13 {
			name = "t"
		}
		for _, p := range t.Partitions {
			tp := broker.TP{Topic: name, Partition: p.Index}
			if note {
				c.fetches = append(c.fetches, asking1{node, tp, p.FetchOffset, p.MaxBytes, p.CurrentLeaderEpoch})
			}
			out := wire.Default[wire.FetchPartitionResult]()
			out.Index, out.HighWatermark, out.LastStableOffset, out.LogStartOffset = p.Index, -1, -1, -1
			l := c.logs[tp]
			switch {
			case l == nil:
				out.ErrorCode = wire.UnknownTopicOrPartition
			case version >= 13 && t.TopicID != c.topicID:
				out.ErrorCode = wire.UnknownTopicID
			case l.err != wire.None:
				out.ErrorCode = l.err
			case l.leader != node:
				out.ErrorCode = wire.NotLeaderOrFollower
			case p.CurrentLeaderEpoch >= 0 && p.CurrentLeaderEpoch < l.epoch:
				out.ErrorCode = wire.FencedLeaderEpoch
			case p.CurrentLeaderEpoch > l.epoch:
				out.ErrorCode = wire.UnknownLeaderEpoch
			case p.FetchOffset < l.start || p.FetchOffset > l.end():
				out.ErrorCode = wire.OffsetOutOfRange
			default:
				l.read(&out, p, req.IsolationLevel, version, &room)
			}
			something = something || out.ErrorCode != wire.None || len(out.Records) > 0
			res.Partitions = append(res.Partitions, out)
		}
		resp.Topics = append(resp.Topics, res)
	}
	return &resp, something
}

// read fills in records as a broker cuts them: up to the bytes asked for, in
// mid-batch, but from version 3 the first batch of an answer whole.
func (l *plog) read(out *wire.FetchPartitionResult, p wire.FetchPartition, isolation int8, version int16, room *int) {
	out.HighWatermark, out.LastStableOffset, out.LogStartOffset = l.end(), l.lso(), l.start
	limit := l.end()
	if isolation == ReadCommitted {
		limit = l.lso()
		out.AbortedTransactions = l.aborted
	}
	most := min(int(p.MaxBytes), *room)
	out.Records = wire.Records{}
	for _, e := range l.entries {
		if e.next <= p.FetchOffset || e.base >= limit {
			continue
		}
		if len(out.Records) == 0 && version >= 3 && len(e.raw) > most {
			if *room < int(1<<30) && *room <= 0 {
				break
			}
			out.Records = append(out.Records, e.raw...)
			break
		}
		if left := most - len(out.Records); len(e.raw) > left {
			out.Records = append(out.Records, e.raw[:max(left, 0)]...)
			break
		}
		out.Records = append(out.Records, e.raw...)
	}
	*room -= len(out.Records)
}

// collector is a sink that keeps what it gets.
type collector struct {
	progress Progress
	mu       sync.Mutex
	got      map[broker.TP][]int64
	order    []string
	values   map[broker.TP][]string
	skipped  map[broker.TP]int64
	flushes  int
	marks    []Mark
	each     func(r *record.Record) error
	news     chan struct{}
}

func newCollector() *collector {
	return &collector{
		got: make(map[broker.TP][]int64), values: make(map[broker.TP][]string),
		skipped: make(map[broker.TP]int64), news: make(chan struct{}, 1),
	}
}

func (c *collector) Record(_ context.Context, r *record.Record, m Mark) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.each != nil {
		if err := c.each(r); err != nil {
			return err
		}
	}
	c.got[m.P.TP] = append(c.got[m.P.TP], r.Offset)
	c.values[m.P.TP] = append(c.values[m.P.TP], string(r.Value))
	c.order = append(c.order, fmt.Sprintf("%d:%d", r.Partition, r.Offset))
	c.marks = append(c.marks, m)
	return nil
}

func (c *collector) Skip(m Mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped[m.P.TP] = m.Next
	c.marks = append(c.marks, m)
}

func (c *collector) Flush(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.marks {
		c.progress.Done(m)
	}
	c.marks = nil
	c.flushes++
	poke(c.news)
	return nil
}

// await waits until n records are flushed.
func (c *collector) await(t *testing.T, n int) {
	t.Helper()
	for {
		c.mu.Lock()
		have := 0
		for _, g := range c.got {
			have += len(g)
		}
		flushed := len(c.marks) == 0
		c.mu.Unlock()
		if have >= n && flushed {
			return
		}
		select {
		case <-c.news:
		case <-time.After(time.Minute):
			t.Fatalf("%d records came in a minute, %d were awaited", have, n)
		}
	}
}

// wantOffsets fails unless exactly these came of tp.
func (c *collector) wantOffsets(t *testing.T, tp broker.TP, want ...int64) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.got[tp], want) {
		t.Errorf("%v: offsets %v, want %v", tp, c.got[tp], want)
	}
}

func from(a, b int64) []int64 {
	var list []int64
	for ; a < b; a++ {
		list = append(list, a)
	}
	return list
}

// quick is options whose waits are short.
func quick() Options {
	return Options{Timeout: 20 * time.Second, Fetch: Fetch{Wait: 20 * time.Millisecond}}
}

// read runs a session over one range of each partition to its end.
func (c *cluster) read(o Options, sink Sink, ranges map[broker.TP]offsets.Range) *Report {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	report, err := Run(ctx, c.client(), o, ranges, sink)
	if err != nil {
		c.t.Fatalf("run: %v", err)
	}
	return report
}

func span(tp broker.TP, from, to int64) map[broker.TP]offsets.Range {
	return map[broker.TP]offsets.Range{tp: {From: from, To: to}}
}

// trimAborted names in each answer only the aborted transactions that reach
// behind the offset asked for, as brokers do.
func (c *cluster) trimAborted(tp broker.TP) {
	all := c.logs[tp].aborted
	c.bend(func(_ int32, r *brokertest.Request, resp *wire.FetchResponse) (brokertest.Reply, bool) {
		from := r.Body.(*wire.FetchRequest).Topics[0].Partitions[0].FetchOffset
		res := &resp.Topics[0].Partitions[0]
		if res.AbortedTransactions == nil {
			return brokertest.Reply{}, false
		}
		res.AbortedTransactions = nil
		for _, a := range all {
			if a.FirstOffset+2 >= from {
				res.AbortedTransactions = append(res.AbortedTransactions, a)
			}
		}
		return brokertest.Reply{}, false
	})
}
