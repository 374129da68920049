package produce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// source is an Input from a function; nil is idle until tell.
type source struct {
	next  func(n int64) *record.Record // nil: the end
	n     int64
	ready chan struct{}
	err   error // in place of the end
}

func counted(total int64, shape func(n int64, r *record.Record)) *source {
	return &source{next: func(n int64) *record.Record {
		if n > total {
			return nil
		}
		r := &record.Record{Partition: -1, Timestamp: record.NoTimestamp, Value: fmt.Appendf(nil, "%d", n)}
		if shape != nil {
			shape(n, r)
		}
		return r
	}, ready: make(chan struct{}, 1)}
}

func (s *source) Next(r *record.Record) (int64, error) {
	got := s.next(s.n + 1)
	if got == nil {
		if s.err != nil {
			return s.n, s.err
		}
		return s.n, io.EOF
	}
	s.n++
	*r = *got
	return s.n, nil
}

func (s *source) Ready() <-chan struct{} { return s.ready }

func (*source) Where(line int64) string { return fmt.Sprintf("f:%d", line) }

// feedInput is an Input that gives what is sent to it.
type feedInput struct {
	mu    sync.Mutex
	queue []*record.Record
	ended bool
	n     int64
	ready chan struct{}
}

func newFeed() *feedInput { return &feedInput{ready: make(chan struct{}, 1)} }

func (f *feedInput) put(value string) {
	f.mu.Lock()
	f.queue = append(f.queue, &record.Record{Partition: -1, Timestamp: record.NoTimestamp, Value: []byte(value)})
	f.mu.Unlock()
	f.signal()
}

func (f *feedInput) end() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.signal()
}

func (f *feedInput) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *feedInput) Next(r *record.Record) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(f.queue) > 0:
		*r = *f.queue[0]
		f.queue = f.queue[1:]
		f.n++
		return f.n, nil
	case f.ended:
		return f.n, io.EOF
	}
	return f.n, ErrIdle
}

func (f *feedInput) Ready() <-chan struct{} { return f.ready }

func (*feedInput) Where(line int64) string { return fmt.Sprintf("f:%d", line) }

func connect(t *testing.T, c *brokertest.Cluster, dial func(context.Context, string) (net.Conn, error)) *broker.Client {
	t.Helper()
	if dial == nil {
		dial = c.Dial
	}
	client, err := broker.New(broker.Config{Seeds: c.Seeds(), Dial: dial, Timeout: 10 * time.Second, RetryBackoff: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// quick is a Config for tests.
func quick() Config {
	cfg := DefaultConfig()
	cfg.RetryBackoff = 2 * time.Millisecond
	cfg.DeliveryTimeout = 30 * time.Second
	return cfg
}

func values(c *brokertest.Cluster, topic string, index int32) []string {
	var got []string
	for _, r := range c.Records(topic, index) {
		got = append(got, string(r.Value))
	}
	return got
}

// inOrder checks that the partitions hold 1..total, each once and ascending in
// its partition.
func inOrder(t *testing.T, c *brokertest.Cluster, topic string, partitions int32, total int64) {
	t.Helper()
	seen := make(map[int64]bool)
	for p := range partitions {
		last := int64(0)
		for _, v := range values(c, topic, p) {
			var n int64
			if _, err := fmt.Sscan(v, &n); err != nil {
				t.Fatalf("value %q", v)
			}
			if n <= last {
				t.Fatalf("partition %d: %d after %d", p, n, last)
			}
			if seen[n] {
				t.Fatalf("%d is stored twice", n)
			}
			seen[n], last = true, n
		}
	}
	if int64(len(seen)) != total {
		t.Fatalf("%d records stored, want %d", len(seen), total)
	}
}

func TestRecordsArriveOnceInOrderWithEveryCompression(t *testing.T) {
	for _, typ := range []codec.Type{codec.Uncompressed, codec.Gzip, codec.Snappy, codec.LZ4, codec.Zstd} {
		t.Run(typ.String(), func(t *testing.T) {
			c := brokertest.NewCluster(t, 2)
			c.Create("t", 3)
			cfg := quick()
			cfg.Compression, cfg.BatchBytes = typ, 2000
			rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(5000, func(n int64, r *record.Record) {
				if n%2 == 0 {
					r.Key = fmt.Appendf(nil, "key%d", n%7)
				}
			}))
			if err != nil || rep.Acked != 5000 || rep.FirstOpen != 0 {
				t.Fatalf("%+v %v", rep, err)
			}
			inOrder(t, c, "t", 3, 5000)
		})
	}
}

func TestOldBrokersGetTheirMessageFormat(t *testing.T) {
	for version, magic := range map[int16]int8{0: 0, 1: 0, 2: 1, 3: 2} {
		t.Run(fmt.Sprintf("Produce v%d", version), func(t *testing.T) {
			c := brokertest.NewCluster(t, 1)
			c.All(func(s *brokertest.Server) {
				s.Window(wire.Produce, 0, version)
				if version < 3 {
					s.Window(wire.InitProducerID, 1, 0)
				}
			})
			c.Create("t", 1)
			var notes []string
			cfg := quick()
			cfg.Log = func(level int, f string, a ...any) { notes = append(notes, fmt.Sprintf(f, a...)) }
			rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(300, nil))
			if err != nil || rep.Acked != 300 {
				t.Fatalf("%+v %v", rep, err)
			}
			inOrder(t, c, "t", 1, 300)
			req := c.Node(1).Requests(wire.Produce)[0].Body.(*wire.ProduceRequest)
			s, _, err := codec.ParseSpan(req.Topics[0].Partitions[0].Records)
			if err != nil || s.Magic != magic {
				t.Errorf("magic %d, want %d (%v)", s.Magic, magic, err)
			}
			if noted := strings.Contains(strings.Join(notes, "\n"), "without idempotence"); noted != (version < 3) {
				t.Errorf("notes: %q", notes)
			}
		})
	}
}

func TestHeadersNeedANewEnoughBroker(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.All(func(s *brokertest.Server) { s.Window(wire.Produce, 0, 2); s.Window(wire.InitProducerID, 1, 0) })
	c.Create("t", 1)
	h := record.Headers{}.Append([]byte("a"), []byte("b"))
	rep, err := Run(t.Context(), connect(t, c, nil), quick(), "t", counted(3, func(n int64, r *record.Record) {
		if n == 2 {
			r.Headers = h
		}
	}))
	if err == nil || !strings.Contains(err.Error(), "0.11") || rep.FirstOpen != 2 || rep.Acked != 1 {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestTimestampsNeedANewEnoughBroker(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.All((*brokertest.Server).Old)
	c.Create("t", 1)
	cfg := quick()
	cfg.Timestamps = true
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(3, nil))
	if err == nil || !strings.Contains(err.Error(), "0.10.0") || rep.Read != 0 || c.Count(wire.Produce) != 0 {
		t.Errorf("%+v %v", rep, err)
	}
}

// From 0.9 on acks is 0, 1 or all; before, any number of replicas.
func TestS09AcksOfSoManyReplicasNeedAnOldBroker(t *testing.T) {
	for _, old := range []bool{true, false} {
		c := brokertest.NewCluster(t, 1)
		if old {
			c.All((*brokertest.Server).Old)
		}
		c.Create("t", 1)
		cfg := quick()
		cfg.Acks = 2
		rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(3, nil))
		switch {
		case old && (err != nil || rep.Acked != 3):
			t.Errorf("%+v %v", rep, err)
		case old:
			if r := c.Node(1).Requests(wire.Produce)[0].Body.(*wire.ProduceRequest); r.Acks != 2 {
				t.Errorf("acks %d on the wire", r.Acks)
			}
		case err == nil || !strings.Contains(err.Error(), "0.9.0") || rep.Read != 0 || c.Count(wire.Produce) != 0:
			t.Errorf("%+v %v", rep, err)
		}
	}
}

// A topic with message.format.version below 0.11 takes no sequences. Nothing was
// stored, so the same records go again without them.
func TestTopicOfAnOldMessageFormatIsWrittenWithoutIdempotence(t *testing.T) {
	for _, partitions := range []int{1, 3} {
		c := brokertest.NewCluster(t, 1)
		c.Create("t", partitions)
		c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
			for _, topic := range r.Body.(*wire.ProduceRequest).Topics {
				for _, p := range topic.Partitions {
					if s, _, _ := codec.ParseSpan(p.Records); s.ProducerID >= 0 {
						return answerProduce(r, wire.UnsupportedForMessageFormat, nil)
					}
				}
			}
			return brokertest.Reply{}
		})
		cfg := quick()
		cfg.BatchBytes = 300
		var said atomic.Int32
		cfg.Log = func(_ int, format string, args ...any) {
			if text := fmt.Sprintf(format, args...); strings.Contains(text, "without idempotence") && strings.Contains(text, "UNSUPPORTED_FOR_MESSAGE_FORMAT") {
				said.Add(1)
			}
		}
		rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(500, nil))
		if err != nil || rep.Acked != 500 || said.Load() != 1 {
			t.Errorf("%+v %v, said %d times", rep, err, said.Load())
		}
		if partitions == 1 {
			inOrder(t, c, "t", 1, 500)
		}
	}
}

func TestZstdNeedsANewEnoughBroker(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.All(func(s *brokertest.Server) { s.Window(wire.Produce, 0, 6) })
	c.Create("t", 1)
	cfg := quick()
	cfg.Compression = codec.Zstd
	if _, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(3, nil)); err == nil || !strings.Contains(err.Error(), "2.1") {
		t.Errorf("%v", err)
	}
}

func TestIdempotenceIsAskedForAndGivenUpWithoutACLs(t *testing.T) {
	for _, code := range []wire.Code{wire.None, wire.ClusterAuthorizationFailed} {
		c := brokertest.NewCluster(t, 1)
		c.Create("t", 1)
		if code != wire.None {
			c.Node(1).Handle(wire.InitProducerID, func(*brokertest.Request) brokertest.Reply {
				resp := wire.Default[wire.InitProducerIDResponse]()
				resp.ErrorCode = code
				return brokertest.Answer(&resp)
			})
		}
		rep, err := Run(t.Context(), connect(t, c, nil), quick(), "t", counted(10, nil))
		if err != nil || rep.Acked != 10 {
			t.Fatalf("%v: %+v %v", code, rep, err)
		}
		req := c.Node(1).Requests(wire.Produce)[0].Body.(*wire.ProduceRequest)
		s, _, _ := codec.ParseSpan(req.Topics[0].Partitions[0].Records)
		if idempotent := s.ProducerID >= 0; idempotent != (code == wire.None) {
			t.Errorf("%v: producer id %d, sequence %d", code, s.ProducerID, s.Sequence)
		}
	}
}

func TestS09AcksZeroReturnsAtOnceFromAMuteBroker(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	c.Node(1).Handle(wire.Produce, func(*brokertest.Request) brokertest.Reply { return brokertest.Silence() })
	cfg := quick()
	cfg.Acks = 0
	var got []string
	cfg.Receipts = &receiptLog{&got}
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(3, nil))
	if err != nil || rep.Acked != 3 {
		t.Fatalf("%+v %v", rep, err)
	}
	if want := "1 0 -1,2 0 -1,3 0 -1,flush"; strings.Join(got, ",") != want {
		t.Errorf("receipts %v", got)
	}
	c.Node(1).Await(wire.Produce, 1)
}

// A message set carries the framing that was asked for, in the wrapper's value.
func TestS01FramingReachesTheMessageSet(t *testing.T) {
	header := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
	for _, raw := range []bool{false, true} {
		c := brokertest.NewCluster(t, 1)
		c.All((*brokertest.Server).Old)
		c.Create("t", 1)
		cfg := quick()
		cfg.Compression, cfg.SnappyRaw, cfg.SnappyBlock = codec.Snappy, raw, 100
		if rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(50, nil)); err != nil || rep.Acked != 50 {
			t.Fatalf("%+v %v", rep, err)
		}
		sent := c.Node(1).Requests(wire.Produce)[0].Raw
		at := bytes.Index(sent, header)
		if (at >= 0) == raw {
			t.Fatalf("raw %v: the header stands at %d", raw, at)
		}
		if block := at + len(header); !raw && sent[block+4] != 100 { // a snappy buffer begins with its plain length
			t.Errorf("the first block has %d bytes", sent[block+4])
		}
		inOrder(t, c, "t", 1, 50)
	}
}

// Brokers of 0.9 drop what they have not begun with when a connection is closed.
func TestS09AcksZeroWaitsUntilAnOldBrokerHasReadIt(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.All((*brokertest.Server).OldMute)
	c.Create("t", 1)
	cfg := quick()
	cfg.Acks = 0
	if rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(3, nil)); err != nil || rep.Acked != 3 {
		t.Fatalf("%+v %v", rep, err)
	}
	sent, asked := c.Node(1).Requests(wire.Produce), c.Node(1).Requests(wire.ListOffsets)
	if last := asked[len(asked)-1].Conn; last != sent[len(sent)-1].Conn {
		t.Errorf("the records went over connection %d, and were not followed by a question; the last was on %d", sent[len(sent)-1].Conn, last)
	}
}

type receiptLog struct{ got *[]string }

func (l *receiptLog) Receipt(line int64, tp broker.TP, offset int64) error {
	*l.got = append(*l.got, fmt.Sprintf("%d %d %d", line, tp.Partition, offset))
	return nil
}

func (l *receiptLog) Flush() error {
	*l.got = append(*l.got, "flush")
	return nil
}

func TestReceiptsComeInTheOrderOfTheInput(t *testing.T) {
	c := brokertest.NewCluster(t, 2)
	c.Create("t", 4)
	cfg := quick()
	cfg.BatchBytes = 500
	cfg.Partitioner = mustPartitioner(t, "roundrobin", false)
	var got []string
	cfg.Receipts = &receiptLog{&got}
	if rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(1000, nil)); err != nil {
		t.Fatalf("%+v %v", rep, err)
	}
	got = slices.DeleteFunc(got, func(s string) bool { return s == "flush" })
	if len(got) != 1000 {
		t.Fatalf("%d receipts", len(got))
	}
	for i, s := range got {
		if want := fmt.Sprintf("%d %d %d", i+1, i%4, i/4); s != want {
			t.Fatalf("receipt %d is %q, want %q", i, s, want)
		}
	}
}

// answerProduce answers every partition of a request with a code.
func answerProduce(r *brokertest.Request, code wire.Code, shape func(*wire.ProducePartitionResult)) brokertest.Reply {
	req := r.Body.(*wire.ProduceRequest)
	resp := wire.Default[wire.ProduceResponse]()
	for _, topic := range req.Topics {
		tr := wire.Default[wire.ProduceTopicResult]()
		tr.Name, tr.TopicID = topic.Name, topic.TopicID
		for _, p := range topic.Partitions {
			pr := wire.Default[wire.ProducePartitionResult]()
			pr.Index, pr.ErrorCode, pr.BaseOffset = p.Index, code, -1
			if shape != nil {
				shape(&pr)
			}
			tr.Partitions = append(tr.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, tr)
	}
	return brokertest.Answer(&resp)
}

// countIn is how many records the batches of a request claim.
func countIn(r *brokertest.Request) (n int32) {
	for _, topic := range r.Body.(*wire.ProduceRequest).Topics {
		for _, p := range topic.Partitions {
			s, _, _ := codec.ParseSpan(p.Records)
			n += s.Count
		}
	}
	return n
}

func TestLoneRefusedRecordIsNamed(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
		return answerProduce(r, wire.MessageTooLarge, nil)
	})
	rep, err := Run(t.Context(), connect(t, c, nil), quick(), "t", counted(1, nil))
	if !errors.Is(err, wire.MessageTooLarge) || rep.Refused != 1 || rep.FirstOpen != 1 || rep.CauseFirst != 1 || rep.CauseLast != 1 {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestS34TooLargeABatchIsSplitDownToTheRecordAtFault(t *testing.T) {
	for _, keepGoing := range []bool{false, true} {
		for _, version := range []int16{1, 13} {
			c := brokertest.NewCluster(t, 1)
			c.All(func(s *brokertest.Server) {
				if version < 3 {
					s.Window(wire.Produce, 0, version)
					s.Window(wire.InitProducerID, 1, 0)
				}
			})
			c.Create("t", 1)
			c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
				for _, topic := range r.Body.(*wire.ProduceRequest).Topics {
					for _, p := range topic.Partitions {
						if len(p.Records) > 3000 {
							return answerProduce(r, wire.MessageTooLarge, nil)
						}
					}
				}
				return brokertest.Reply{}
			})
			cfg := quick()
			cfg.KeepGoing = keepGoing
			rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(1000, func(n int64, r *record.Record) {
				if n == 500 {
					r.Value = []byte(strings.Repeat("x", 4000))
				}
			}))
			if !errors.Is(err, wire.MessageTooLarge) || rep.FirstOpen != 500 || rep.CauseFirst != 500 || rep.CauseLast != 500 {
				t.Fatalf("v%d keep going %v: %+v %v", version, keepGoing, rep, err)
			}
			got := values(c, "t", 0)
			if keepGoing {
				if rep.Acked != 999 || rep.Refused != 1 || len(got) != 999 || got[499] != "501" {
					t.Errorf("v%d: %+v, %d stored", version, rep, len(got))
				}
			} else if int64(len(got)) != rep.Acked || rep.Acked+rep.Refused != rep.Read {
				t.Errorf("v%d: %+v, %d stored", version, rep, len(got))
			}
		}
	}
}

func TestBlamedRecordIsNamedAndLeftOutWithKeepGoing(t *testing.T) {
	for _, keepGoing := range []bool{false, true} {
		c := brokertest.NewCluster(t, 1)
		c.Create("t", 1)
		c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
			if countIn(r) < 100 {
				return brokertest.Reply{}
			}
			return answerProduce(r, wire.InvalidRecord, func(p *wire.ProducePartitionResult) {
				words := "no key"
				p.RecordErrors = []wire.ProduceRecordError{{BatchIndex: 41, BatchIndexMessage: &words}}
			})
		})
		cfg := quick()
		cfg.KeepGoing = keepGoing
		rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(100, nil))
		if !errors.Is(err, wire.InvalidRecord) || !strings.Contains(err.Error(), "no key") || rep.CauseFirst != 42 || rep.CauseLast != 42 {
			t.Errorf("keep going %v: %+v %v", keepGoing, rep, err)
		}
		want := Report{Read: 100, Refused: 100, FirstOpen: 1}
		if keepGoing {
			want = Report{Read: 100, Refused: 1, Acked: 99, FirstOpen: 42}
		}
		if rep.Acked != want.Acked || rep.Refused != want.Refused || rep.FirstOpen != want.FirstOpen || len(values(c, "t", 0)) != int(want.Acked) {
			t.Errorf("keep going %v: %+v, want %+v", keepGoing, rep, want)
		}
	}
}

func TestS35RetriesZeroCountsAndReports(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
		return answerProduce(r, wire.NotEnoughReplicas, nil)
	})
	cfg := quick()
	cfg.Retries = 0
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(7, nil))
	if !errors.Is(err, wire.NotEnoughReplicas) || rep.Refused != 7 || rep.FirstOpen != 1 {
		t.Errorf("%+v %v", rep, err)
	}
	if n := c.Node(1).Count(wire.Produce); n != 1 {
		t.Errorf("%d attempts", n)
	}
}

// A broker whose replicas were too slow may have stored the batch all the same:
// sending it again is the default, and can be declined.
func TestS35TimeoutsAreTriedAgainUnlessDeclined(t *testing.T) {
	for _, final := range []bool{false, true} {
		c := brokertest.NewCluster(t, 1)
		c.Create("t", 1)
		var asked atomic.Int32
		c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
			if asked.Add(1) == 1 {
				return answerProduce(r, wire.RequestTimedOut, nil)
			}
			return brokertest.Reply{}
		})
		cfg := quick()
		cfg.TimeoutsFinal = final
		rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(7, nil))
		if !final && (err != nil || rep.Acked != 7) {
			t.Errorf("%+v %v", rep, err)
		}
		if final && (!errors.Is(err, wire.RequestTimedOut) || rep.Unknown != 7 || c.Node(1).Count(wire.Produce) != 1) {
			t.Errorf("%+v %v after %d requests", rep, err, c.Node(1).Count(wire.Produce))
		}
	}
}

// However slow the broker is, no more than so many records are taken ahead of it.
func TestS35QueueIsBoundedByRecords(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	const most = 10
	var taken, most1 atomic.Int64
	c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
		ahead := taken.Load() - int64(len(values(c, "t", 0)))
		most1.Store(max(most1.Load(), ahead))
		return brokertest.Reply{}
	})
	cfg := quick()
	cfg.QueueRecords = most
	cfg.Linger = time.Hour // only a full queue ships
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(1005, func(n int64, r *record.Record) { taken.Store(n) }))
	if err != nil || rep.Acked != 1005 {
		t.Fatalf("%+v %v", rep, err)
	}
	if n := most1.Load(); n > most || n < 2 {
		t.Errorf("%d records were taken ahead of the broker, want %d at most", n, most)
	}
	inOrder(t, c, "t", 1, 1005)
}

func TestS20LeaderMovesAreFollowed(t *testing.T) {
	c := brokertest.NewCluster(t, 2)
	c.Create("t", 1)
	var once sync.Once
	c.Node(1).Handle(wire.Produce, func(*brokertest.Request) brokertest.Reply {
		once.Do(func() { c.Lead("t", 0, 2) })
		return brokertest.Reply{} // NOT_LEADER_OR_FOLLOWER from now on
	})
	cfg := quick()
	cfg.BatchBytes = 300
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(500, nil))
	if err != nil || rep.Acked != 500 {
		t.Fatalf("%+v %v", rep, err)
	}
	inOrder(t, c, "t", 1, 500)
}

func TestOutOfOrderAtTheHeadTakesANewEpoch(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	var mu sync.Mutex
	n := 0
	c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
		mu.Lock()
		defer mu.Unlock()
		if n++; n == 4 {
			return answerProduce(r, wire.OutOfOrderSequenceNumber, nil)
		}
		return brokertest.Reply{}
	})
	cfg := quick()
	cfg.BatchBytes, cfg.MaxInFlight = 300, 1
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(500, nil))
	if err != nil || rep.Acked != 500 {
		t.Fatalf("%+v %v", rep, err)
	}
	inOrder(t, c, "t", 1, 500)
	if n := c.Node(1).Count(wire.InitProducerID); n != 2 {
		t.Errorf("%d producer ids asked for", n)
	}
}

// A broker that stops first gives its leaderships up, and one that has just
// started may not know its topics yet.
func TestATopicThatIsMissingForAWhileInMidRunIsAskedForAgain(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	var mu sync.Mutex
	tries, asked := 0, 0
	c.Node(1).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
		mu.Lock()
		defer mu.Unlock()
		if tries++; tries == 1 {
			return answerProduce(r, wire.NotLeaderOrFollower, nil)
		}
		return brokertest.Reply{}
	})
	c.Node(1).Handle(wire.Metadata, func(*brokertest.Request) brokertest.Reply {
		mu.Lock()
		defer mu.Unlock()
		if tries > 0 {
			asked++
		}
		if asked == 0 || asked > 4 {
			return brokertest.Reply{}
		}
		resp := wire.Default[wire.MetadataResponse]()
		resp.Brokers = []wire.MetadataBroker{{NodeID: 1, Host: c.Node(1).Host(), Port: c.Node(1).Port()}}
		if asked == 1 {
			name := "t"
			part := wire.Default[wire.MetadataPartition]()
			part.ErrorCode, part.LeaderID = wire.LeaderNotAvailable, -1
			topic := wire.Default[wire.MetadataTopic]()
			topic.Name, topic.Partitions = &name, []wire.MetadataPartition{part}
			resp.Topics = []wire.MetadataTopic{topic}
		}
		return brokertest.Answer(&resp)
	})
	cfg := quick()
	cfg.RetryBackoff = 100 * time.Millisecond // the metadata come before the next try
	cfg.DeliveryTimeout = 10 * time.Second
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(500, nil))
	if err != nil || rep.Acked != 500 {
		t.Fatalf("%+v %v", rep, err)
	}
	inOrder(t, c, "t", 1, 500)
}

func TestTopicDeletedInMidRunEnds(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	in := newFeed()
	in.put("1")
	done := make(chan error, 1)
	var rep Report
	cfg := quick()
	cfg.DeliveryTimeout = 500 * time.Millisecond
	client := connect(t, c, nil)
	go func() {
		var err error
		rep, err = Run(t.Context(), client, cfg, "t", in)
		done <- err
	}()
	c.Node(1).Await(wire.Produce, 1)
	c.Delete("t")
	in.put("2")
	if err := <-done; !errors.Is(err, ErrDeliveryTimeout) && !errors.Is(err, wire.UnknownTopicOrPartition) || rep.Acked != 1 || rep.FirstOpen != 2 {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestMissingTopicAndPartitionAreFoundBeforeAnythingIsSent(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 2)
	client := connect(t, c, nil)
	if _, err := Run(t.Context(), client, quick(), "missing", counted(1, nil)); !errors.Is(err, wire.UnknownTopicOrPartition) {
		t.Errorf("topic: %v", err)
	}
	rep, err := Run(t.Context(), client, quick(), "t", counted(1, func(_ int64, r *record.Record) { r.Partition = 2 }))
	if err == nil || rep.Refused != 1 {
		t.Errorf("partition: %+v %v", rep, err)
	}
	if n := c.Count(wire.Produce); n != 0 {
		t.Errorf("%d requests sent", n)
	}
}

func TestInterruptedRunReportsExactlyWhatWasAcknowledged(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	in := counted(1<<40, nil)
	inner := in.next
	in.next = func(n int64) *record.Record {
		if n == 10_000 {
			cancel(why)
		}
		return inner(n)
	}
	rep, err := Run(ctx, connect(t, c, nil), quick(), "t", in)
	if !errors.Is(err, why) || rep.Acked != rep.Read || rep.FirstOpen != 0 || rep.Last < 10_000 {
		t.Fatalf("%+v %v", rep, err)
	}
	inOrder(t, c, "t", 1, rep.Acked)
}

func TestInterruptedRunDoesNotWaitForABrokerThatIsSilent(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	ctx, cancel := context.WithCancel(t.Context())
	c.Node(1).Handle(wire.Produce, func(*brokertest.Request) brokertest.Reply {
		cancel()
		return brokertest.Silence()
	})
	cfg := quick()
	cfg.BatchBytes, cfg.FlushTimeout = 100, 50*time.Millisecond
	rep, err := Run(ctx, connect(t, c, nil), cfg, "t", counted(1<<40, nil))
	if !errors.Is(err, context.Canceled) || rep.Acked != 0 || rep.Unknown == 0 || rep.FirstOpen != 1 || rep.Unknown+rep.Refused != rep.Last {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestDeadBrokerEndsTheRun(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	in := newFeed()
	in.put("1")
	client := connect(t, c, nil)
	cfg := quick()
	cfg.DeliveryTimeout = 100 * time.Millisecond
	done := make(chan error, 1)
	var rep Report
	go func() {
		var err error
		rep, err = Run(t.Context(), client, cfg, "t", in)
		done <- err
	}()
	c.Node(1).Await(wire.Produce, 1)
	c.Node(1).Stop()
	in.put("2")
	in.put("3")
	err := <-done
	var dial *broker.DialError
	if !errors.Is(err, ErrDeliveryTimeout) || !errors.As(err, &dial) || rep.Unknown+rep.Refused < 1 || rep.FirstOpen == 0 {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestManyPartitionsAndLargeRecordsFitASmallBudget(t *testing.T) {
	c := brokertest.NewCluster(t, 2)
	c.Create("t", 50)
	cfg := quick()
	cfg.Memory, cfg.Linger = 300<<10, time.Hour
	cfg.Partitioner = mustPartitioner(t, "roundrobin", false)
	rep, err := Run(t.Context(), connect(t, c, nil), cfg, "t", counted(2000, func(n int64, r *record.Record) {
		if n%100 == 0 {
			r.Headers = record.Headers{}.Append([]byte("pad"), make([]byte, 1<<20))
		}
	}))
	if err != nil || rep.Acked != 2000 {
		t.Fatalf("%+v %v", rep, err)
	}
	inOrder(t, c, "t", 50, 2000)
}

func TestS35BatchOfNShipsWithTheNth(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 1)
	cfg := quick()
	cfg.BatchRecords, cfg.Linger = 5, time.Hour
	in := newFeed()
	done := make(chan error, 1)
	client := connect(t, c, nil)
	go func() {
		_, err := Run(t.Context(), client, cfg, "t", in)
		done <- err
	}()
	for n := range 5 {
		in.put(fmt.Sprint(n))
	}
	r := c.Node(1).Await(wire.Produce, 1)
	if n := countIn(r); n != 5 {
		t.Errorf("%d records in the first request", n)
	}
	in.put("5")
	in.end()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := len(values(c, "t", 0)); n != 6 {
		t.Errorf("%d records: the end of the input flushes", n)
	}
}

// flaky cuts connections: before a request arrives, or after, so that its answer
// is lost.
type flaky struct {
	dial func(context.Context, string) (net.Conn, error)
	mu   sync.Mutex
	rng  *rand.Rand
	rate float64
}

func (f *flaky) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := f.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &flakyConn{Conn: c, f: f}, nil
}

func (f *flaky) bad() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rng.Float64() < f.rate
}

type flakyConn struct {
	net.Conn
	f *flaky
}

func (c *flakyConn) Write(p []byte) (int, error) {
	if c.f.bad() {
		n, _ := c.Conn.Write(p[:len(p)/2])
		_ = c.Close()
		return n, net.ErrClosed
	}
	return c.Conn.Write(p)
}

func (c *flakyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && c.f.bad() {
		_ = c.Close()
		return 0, io.EOF
	}
	return n, err
}

func TestNothingIsLostDoubledOrReorderedByABadNetwork(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			c := brokertest.NewCluster(t, 3)
			c.Create("t", 4)
			for id := int32(1); id <= 3; id++ {
				dice := rand.New(rand.NewPCG(seed, uint64(id)))
				var mu sync.Mutex
				c.Node(id).Handle(wire.Produce, func(r *brokertest.Request) brokertest.Reply {
					mu.Lock()
					defer mu.Unlock()
					switch dice.IntN(60) {
					case 0:
						c.Lead("t", dice.Int32N(4), 1+dice.Int32N(3))
					case 1:
						return answerProduce(r, wire.NotEnoughReplicas, nil)
					case 2:
						return answerProduce(r, wire.NotLeaderOrFollower, nil)
					}
					return brokertest.Reply{}
				})
			}
			f := &flaky{dial: c.Dial, rng: rng, rate: 0.01}
			cfg := quick()
			cfg.BatchBytes = 200 + rng.IntN(2000)
			cfg.Compression = codec.Type(rng.IntN(5))
			cfg.MaxInFlight = 1 + rng.IntN(5)
			rep, err := Run(t.Context(), connect(t, c, f.Dial), cfg, "t", counted(5000, func(n int64, r *record.Record) {
				if n%3 == 0 {
					r.Key = fmt.Appendf(nil, "%d", n%11)
				}
			}))
			if err != nil || rep.Acked != 5000 {
				t.Fatalf("%+v %v", rep, err)
			}
			inOrder(t, c, "t", 4, 5000)
		})
	}
}
