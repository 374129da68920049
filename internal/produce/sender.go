package produce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// sender has the connection to one leader. Requests go out in the order they
// come; every one is reported back to the engine, answered or lost.
type sender struct {
	e    *engine
	node int32
	reqs chan *request // never blocks: it holds all that may be out

	mu   sync.Mutex
	hang context.CancelFunc // ends the session under way
	conn *broker.Conn       // open already, for the first session
}

// idleLimit is how long a connection may rest and still be trusted: brokers and
// what stands before them hang up on the idle, and a request written to a
// connection that is gone has an unknown fate.
const idleLimit = 45 * time.Second

// answerGrace is added to the time a broker may wait for replicas.
const answerGrace = 10 * time.Second

func newSender(e *engine, node int32, conn *broker.Conn) *sender {
	return &sender{e: e, node: node, conn: conn, reqs: make(chan *request, e.cfg.MaxInFlight+1)}
}

// kill cuts the connection, so that what is out is lost at last.
func (s *sender) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang != nil {
		s.hang()
	}
}

// run sends until reqs is closed.
func (s *sender) run(ctx context.Context) {
	var r *request
	for ok := true; ; {
		if r == nil {
			if r, ok = <-s.reqs; !ok {
				break
			}
		}
		r = s.session(ctx, r)
	}
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// sail is a request on the wire.
type sail struct {
	call *broker.Call
	req  *request
}

// session is the life of one connection. It returns a request that is to go on
// the next one, nil for none.
func (s *sender) session(ctx context.Context, r *request) *request {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.hang = cancel
	conn := s.conn
	s.conn = nil
	s.mu.Unlock()
	if conn == nil {
		var err error
		if conn, err = s.e.client.Open(ctx, s.node); err != nil {
			s.e.lost(r, err, true)
			return nil
		}
	}
	calls := make(chan sail, s.e.cfg.MaxInFlight+1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.receive(ctx, conn, calls)
	}()
	defer func() {
		close(calls)
		<-done
		s.settle(ctx, conn)
		_ = conn.Close() // all that was owed is read or lost
		for c := range calls {
			s.e.lost(c.req, broker.ErrClosed, false)
		}
	}()
	for {
		if err := s.launch(ctx, conn, r, calls); err != nil {
			return nil
		}
		rested := time.Now()
		select {
		case <-done: // a receive failed
			return nil
		case r = <-s.reqs:
			if r == nil {
				return nil
			}
			if time.Since(rested) > idleLimit {
				return r
			}
		}
	}
}

// launch writes one request.
func (s *sender) launch(ctx context.Context, conn *broker.Conn, r *request, calls chan<- sail) error {
	txn := s.e.cfg.Txn
	version, err := conn.Version(wire.Produce, txn.cap())
	if err != nil {
		s.refuse(r, conn, err)
		return nil
	}
	if magicOf(version) != s.e.magic {
		s.refuse(r, conn, fmt.Errorf("it speaks Produce v%d, for which records in message format v%d are not made: %w",
			version, s.e.magic, wire.UnsupportedForMessageFormat))
		return nil
	}
	req := wire.Default[wire.ProduceRequest]()
	req.Acks, req.TimeoutMs = s.e.cfg.Acks, int32(s.e.cfg.AckTimeout.Milliseconds())
	if txn != nil {
		req.TransactionalID = &txn.ID
		if err := txn.enlist(ctx, r); err != nil {
			s.e.unlisted(r, err)
			return nil
		}
	}
	topic := wire.Default[wire.ProduceTopic]()
	topic.Name, topic.TopicID = s.e.topic, r.topicID
	for _, b := range r.batches {
		b.stamp(txn != nil)
		part := wire.Default[wire.ProducePartition]()
		part.Index, part.Records = b.tp.Partition, b.wire
		topic.Partitions = append(topic.Partitions, part)
	}
	req.Topics = []wire.ProduceTopic{topic}
	call, err := conn.Send(ctx, &req, txn.cap())
	switch {
	case err != nil:
		var re *broker.RequestError
		s.e.lost(r, err, errors.As(err, &re) && re.Unsent())
		return err
	case call == nil:
		s.e.post(func(now time.Time) {
			answers := make([]answer, len(r.batches))
			for i := range answers {
				answers[i] = answer{base: -1, leader: nobody()}
			}
			s.e.core.answered(r, answers, now)
		})
	default:
		calls <- sail{call, r}
	}
	return nil
}

// settle sees to it that requests without an answer are read before the
// connection is closed: brokers from 0.9 to 1.0 drop what they have received of a
// closed connection and not begun with. They take requests in turn, so one that
// is answered stands for those before it.
func (s *sender) settle(ctx context.Context, conn *broker.Conn) {
	version, err := conn.Version(wire.Produce, -1)
	if s.e.cfg.Acks != 0 || err != nil || version < 1 || version > 5 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.e.cfg.FlushTimeout)
	defer cancel()
	req, resp := wire.Default[wire.ListOffsetsRequest](), wire.Default[wire.ListOffsetsResponse]()
	if _, err := conn.Roundtrip(ctx, &req, &resp, -1); err != nil {
		s.e.cfg.Log(1, "the last records may not have reached the broker: %v", err)
	}
}

// receive reads the answers in turn. After an error the session reports the rest.
func (s *sender) receive(ctx context.Context, conn *broker.Conn, calls <-chan sail) {
	for c := range calls {
		resp := wire.Default[wire.ProduceResponse]()
		wait, cancel := context.WithTimeout(ctx, s.e.cfg.AckTimeout+answerGrace)
		err := c.call.Recv(wait, &resp, nil)
		cancel()
		if err != nil {
			_ = conn.Close()
			s.e.lost(c.req, err, false)
			return
		}
		answers := s.e.read(c.req, &resp, conn)
		s.e.post(func(now time.Time) { s.e.core.answered(c.req, answers, now) })
	}
}

// refuse answers in the broker's place.
func (s *sender) refuse(r *request, conn *broker.Conn, err error) {
	answers := make([]answer, len(r.batches))
	for i := range answers {
		answers[i] = answer{code: wire.UnsupportedForMessageFormat, base: -1, leader: nobody(),
			err: &broker.RequestError{API: wire.Produce, Version: -1, Broker: conn.Addr(), Topic: s.e.topic, Partition: -1, Err: err}}
	}
	s.e.post(func(now time.Time) { s.e.core.answered(r, answers, now) })
}

// read finds the answer to each batch of a request. What it says of other topics
// is nothing that was asked.
func (e *engine) read(r *request, resp *wire.ProduceResponse, conn *broker.Conn) []answer {
	byID := make(map[int32]*wire.ProducePartitionResult)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Name != e.topic && (t.TopicID == (wire.UUID{}) || t.TopicID != r.topicID) {
			continue
		}
		for j := range t.Partitions {
			byID[t.Partitions[j].Index] = &t.Partitions[j]
		}
	}
	answers := make([]answer, len(r.batches))
	for i, b := range r.batches {
		a := &answers[i]
		fault := func(cause error) error {
			return fmt.Errorf("%s:%d: %w", b.tp.Topic, b.tp.Partition, cause)
		}
		p := byID[b.tp.Partition]
		if p == nil {
			*a = answer{lost: true, base: -1, leader: nobody(), err: &broker.RequestError{
				API: wire.Produce, Version: -1, Broker: conn.Addr(), Topic: b.tp.Topic, Partition: b.tp.Partition, Err: errNoResult}}
			continue
		}
		*a = answer{code: p.ErrorCode, base: p.BaseOffset, blame: p.RecordErrors, leader: p.CurrentLeader}
		if p.ErrorCode != wire.None {
			a.err = fault(worded(p.ErrorCode, p))
		}
	}
	return answers
}

// worded adds a broker's own words to its code.
func worded(code wire.Code, p *wire.ProducePartitionResult) error {
	words := ""
	if p.ErrorMessage != nil {
		words = *p.ErrorMessage
	}
	if len(p.RecordErrors) > 0 && p.RecordErrors[0].BatchIndexMessage != nil {
		words = *p.RecordErrors[0].BatchIndexMessage
	}
	if words == "" {
		return code
	}
	return fmt.Errorf("%w: %s", code, words)
}

// blamed is why one record among others was refused.
func blamed(b *Batch, index int32) error {
	for _, r := range b.answer.blame {
		if r.BatchIndex == index && r.BatchIndexMessage != nil {
			return fmt.Errorf("%w: %s", b.answer.code, *r.BatchIndexMessage)
		}
	}
	return b.answer.err
}

// nobody is a hint that names no leader.
func nobody() wire.LeaderAndEpoch { return wire.LeaderAndEpoch{LeaderID: -1, LeaderEpoch: -1} }

// magicOf is the message format that a version of Produce carries.
func magicOf(version int16) int8 {
	switch {
	case version < 2:
		return 0
	case version < 3:
		return 1
	}
	return 2
}
