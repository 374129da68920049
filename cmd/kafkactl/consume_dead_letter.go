package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"kafkactl/internal/broker"
	"kafkactl/internal/produce"
	"kafkactl/internal/record"
	"kafkactl/internal/sink"
	"kafkactl/internal/wire"
)

// deadLetters sends records whose child failed to a topic. One produce run takes
// all of them, from the first on: an idempotent producer for each would leave
// the broker as many to remember.
type deadLetters struct {
	topic string
	group string // the consumer group's name, "" for none
	start func() (produce.Report, error)

	ready   chan struct{} // one token: Next is worth calling again
	over    chan struct{} // closed when the run has ended, if it began
	runErr  error         // read once over is closed
	mu      sync.Mutex
	began   bool
	closed  bool
	line    int64 // of the last record that was taken
	queue   []letter
	waiting map[int64]*lettersSent // by line
}

type letter struct {
	line int64
	rec  record.Record
}

// lettersSent is closed when as many as are left are acknowledged.
type lettersSent struct {
	left int
	all  chan struct{}
}

// headersSince is the Produce version whose records have headers.
const headersSince = 3

// beginLetters sees to it that the dead-letter topic is there, and can keep what
// is to be said of records, before anything is read.
func (o *consumeOptions) beginLetters(ctx context.Context, client *broker.Client) error {
	if o.deadLetter == "" {
		return nil
	}
	if err := produce.Find(ctx, client, o.deadLetter, 0, false); err != nil {
		var code wire.Code
		if errors.As(err, &code) {
			err = o.topicError(ctx, client, o.deadLetter, code)
		}
		return fmt.Errorf("--dead-letter: %w", err)
	}
	if err := keepsHeaders(ctx, client, o.deadLetter); err != nil {
		return fmt.Errorf("--dead-letter: %w", err)
	}
	d := &deadLetters{
		topic: o.deadLetter, group: o.group,
		ready: make(chan struct{}, 1), over: make(chan struct{}), waiting: make(map[int64]*lettersSent),
	}
	t := o.cfg.tuning
	cfg := produce.DefaultConfig()
	cfg.Receipts, cfg.Log = d, o.logged
	cfg.Linger, cfg.RetryBackoff, cfg.AckTimeout = 0, t.retryBackoff, t.ackTimeout
	cfg.DeliveryTimeout = min(t.deliveryTimeout, o.cfg.timeout)
	cfg.FlushTimeout = o.cfg.timeout
	// What is being sent when the run is interrupted is seen to its end, which
	// DeliveryTimeout bounds.
	outlive := context.WithoutCancel(ctx)
	d.start = func() (produce.Report, error) { return produce.Run(outlive, client, cfg, d.topic, d) }
	o.letters = d
	return nil
}

// keepsHeaders refuses brokers of before Kafka 0.11. A topic without a leader is
// asked later.
func keepsHeaders(ctx context.Context, client *broker.Client, topic string) error {
	t, ok := client.Metadata().Topic(topic)
	if !ok {
		return nil
	}
	for i := range t.Partitions {
		if t.Partitions[i].Leader < 0 {
			continue
		}
		conn, err := client.Open(ctx, t.Partitions[i].Leader)
		if err != nil {
			return err
		}
		version, err := conn.Version(wire.Produce, -1)
		if cerr := conn.Close(); err == nil {
			err = cerr
		}
		if err == nil && version < headersSince {
			err = fmt.Errorf("headers say where records come from, and brokers keep headers from Kafka %s on", broker.Release(wire.Produce, headersSince))
		}
		return err
	}
	return nil
}

// take sends the records of one child and returns once all are acknowledged.
func (d *deadLetters) take(_ context.Context, why *sink.ExecError, records []record.Record) error {
	sent := &lettersSent{left: len(records), all: make(chan struct{})}
	d.mu.Lock()
	for i := range records {
		d.line++
		d.queue = append(d.queue, letter{d.line, d.address(records[i], why)})
		d.waiting[d.line] = sent
	}
	if !d.began {
		d.began = true
		go func() {
			defer close(d.over)
			_, d.runErr = d.start()
		}()
	}
	d.mu.Unlock()
	d.wake()
	select {
	case <-sent.all:
		return nil
	case <-d.over:
	}
	select {
	case <-sent.all: // the last of them before the end
		return nil
	default:
	}
	err := d.runErr
	if err == nil {
		err = produce.ErrNotSent
	}
	return fmt.Errorf("--dead-letter %s: %w", d.topic, err)
}

// address is r as it is sent: as it was, and behind its headers where it comes
// from and what became of it.
func (d *deadLetters) address(r record.Record, why *sink.ExecError) record.Record {
	add := func(name, value string) { r.Headers = r.Headers.Append([]byte("kafkactl."+name), []byte(value)) }
	add("error", why.Reason())
	add("topic", r.Topic)
	add("partition", strconv.Itoa(int(r.Partition)))
	add("offset", strconv.FormatInt(r.Offset, 10))
	if r.Timestamp != record.NoTimestamp {
		add("timestamp", strconv.FormatInt(r.Timestamp, 10))
	}
	if code, signal := why.Status(); signal != "" {
		add("signal", signal)
	} else {
		add("status", strconv.Itoa(code))
	}
	add("attempts", strconv.Itoa(why.Tries))
	if d.group != "" {
		add("group", d.group)
	}
	r.Topic, r.Partition = d.topic, -1
	if r.Timestamp == record.NoTimestamp {
		r.TimestampType = record.NoTimestampType // else it would be sent as of now
	}
	return r
}

func (d *deadLetters) wake() {
	select {
	case d.ready <- struct{}{}:
	default:
	}
}

// close ends the run that sends them, if there was one.
func (d *deadLetters) close() {
	d.mu.Lock()
	d.closed = true
	began := d.began
	d.mu.Unlock()
	d.wake()
	if began {
		<-d.over
	}
}

// Next implements produce.Input.
func (d *deadLetters) Next(r *record.Record) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		if d.closed {
			return 0, io.EOF
		}
		return 0, produce.ErrIdle
	}
	l := d.queue[0]
	d.queue[0] = letter{}
	d.queue = d.queue[1:]
	*r = l.rec
	return l.line, nil
}

// Ready implements produce.Input.
func (d *deadLetters) Ready() <-chan struct{} { return d.ready }

// Where implements produce.Input.
func (d *deadLetters) Where(line int64) string { return "dead letter " + strconv.FormatInt(line, 10) }

// Receipt implements produce.Receipts: one more is acknowledged.
func (d *deadLetters) Receipt(line int64, _ broker.TP, _ int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	sent := d.waiting[line]
	delete(d.waiting, line)
	if sent.left--; sent.left == 0 {
		close(sent.all)
	}
	return nil
}

// Flush implements produce.Receipts.
func (d *deadLetters) Flush() error { return nil }
