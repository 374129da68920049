//go:build unix

package kafkatest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// API numbers and versions asked here, each understood by every release that
// has the API at all and has not dropped it (KIP-896).
const (
	apiProduce      = 0  // v3, from 0.11
	apiListOffsets  = 2  // v1, from 0.10.1
	apiMetadata     = 3  // v0
	apiCreateTopics = 19 // v2, from 0.11
	apiDeleteTopics = 20 // v1, from 0.11
)

// asker builds one request body and takes one response apart. The first error
// sticks and later reads give zeros.
type asker struct {
	buf []byte
	err error
}

func (a *asker) int8(n int8)   { a.buf = append(a.buf, byte(n)) }
func (a *asker) int16(n int16) { a.buf = binary.BigEndian.AppendUint16(a.buf, uint16(n)) }
func (a *asker) int32(n int32) { a.buf = binary.BigEndian.AppendUint32(a.buf, uint32(n)) }
func (a *asker) int64(n int64) { a.buf = binary.BigEndian.AppendUint64(a.buf, uint64(n)) }
func (a *asker) string(s string) {
	a.int16(int16(len(s)))
	a.buf = append(a.buf, s...)
}

func (a *asker) take(n int) []byte {
	if a.err != nil || n < 0 || n > len(a.buf) {
		if a.err == nil {
			a.err = io.ErrUnexpectedEOF
		}
		return make([]byte, min(max(n, 0), 8))
	}
	b := a.buf[:n]
	a.buf = a.buf[n:]
	return b
}

func (a *asker) readInt16() int16 { return int16(binary.BigEndian.Uint16(a.take(2))) }
func (a *asker) readInt32() int32 { return int32(binary.BigEndian.Uint32(a.take(4))) }
func (a *asker) readInt64() int64 { return int64(binary.BigEndian.Uint64(a.take(8))) }
func (a *asker) readString() string {
	n := a.readInt16()
	if n <= 0 || a.err != nil {
		return ""
	}
	return string(a.take(int(n)))
}

// each runs f for every element of an array, as long as there is something to read.
func (a *asker) each(f func()) {
	for n := a.readInt32(); n > 0 && a.err == nil; n-- {
		f()
	}
}

// Conn asks one broker one thing at a time.
type Conn struct{ net.Conn }

// Dial connects to a broker, with patience for its answers until ctx ends.
func Dial(ctx context.Context, addr string) (*Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	return &Conn{conn}, nil
}

// ask sends one request and returns its response behind the correlation id.
func (c *Conn) ask(api, version int16, body asker) (*asker, error) {
	var frame asker
	frame.int32(0)
	frame.int16(api)
	frame.int16(version)
	frame.int32(1)
	frame.string("kafkatest")
	if api == apiReassign || api == apiDescribeQuorum {
		frame.tags(1) // flexible in every version
	}
	frame.buf = append(frame.buf, body.buf...)
	binary.BigEndian.PutUint32(frame.buf, uint32(len(frame.buf)-4))
	if _, err := c.Write(frame.buf); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(head[:])) - 4
	if size < 0 || size > 64<<20 {
		return nil, fmt.Errorf("a response of %d bytes", size)
	}
	answer := &asker{buf: make([]byte, size)}
	if _, err := io.ReadFull(c, answer.buf); err != nil {
		return nil, err
	}
	return answer, nil
}

// ask asks one thing of a broker on a connection of its own.
func ask(ctx context.Context, addr string, api, version int16, body asker) (*asker, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ask(api, version, body)
}

// metadata asks one broker for the brokers it knows and, by topic, how many
// partitions have a leader. Naming topics creates them where the broker does so.
func metadata(ctx context.Context, addr string, topics ...string) (brokers int, led map[string]int, err error) {
	var q asker
	q.int32(int32(len(topics)))
	for _, t := range topics {
		q.string(t)
	}
	a, err := ask(ctx, addr, apiMetadata, 0, q)
	if err != nil {
		return 0, nil, fmt.Errorf("ask %s for metadata: %w", addr, err)
	}
	a.each(func() {
		a.readInt32()
		a.readString()
		a.readInt32()
		brokers++
	})
	led = map[string]int{}
	a.each(func() {
		a.readInt16()
		name := a.readString()
		a.each(func() {
			a.readInt16()
			a.readInt32()
			if a.readInt32() >= 0 {
				led[name]++
			}
			a.each(func() { a.readInt32() })
			a.each(func() { a.readInt32() })
		})
	})
	if a.err != nil {
		return 0, nil, fmt.Errorf("read metadata of %s: %w", addr, a.err)
	}
	return brokers, led, nil
}

// errTopicExists is what CreateTopic's error wraps when the name is taken.
var errTopicExists = errors.New("TOPIC_ALREADY_EXISTS")

// CreateTopic makes a topic with topic settings given as name, value pairs, and
// returns when every partition has a leader which, on a single broker, also
// serves. Brokers from 0.11 only.
func CreateTopic(ctx context.Context, addr, topic string, partitions, replicas int, settings ...string) error {
	return createTopic(ctx, addr, 2, topic, partitions, replicas, settings...)
}

// createTopic asks in version 0 or 2, of brokers from 0.10.1 or 0.11.
func createTopic(ctx context.Context, addr string, version int16, topic string, partitions, replicas int, settings ...string) error {
	if len(settings)%2 != 0 {
		return fmt.Errorf("create topic %s: a setting without a value", topic)
	}
	var q asker
	q.int32(1)
	q.string(topic)
	q.int32(int32(partitions))
	q.int16(int16(replicas))
	q.int32(0)
	q.int32(int32(len(settings) / 2))
	for _, s := range settings {
		q.string(s)
	}
	q.int32(30000)
	if version > 0 {
		q.int8(0) // not only to validate
	}
	a, err := ask(ctx, addr, apiCreateTopics, version, q)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	if version > 0 {
		a.readInt32() // throttle
	}
	var refused error
	a.each(func() {
		a.readString()
		code, text := a.readInt16(), ""
		if version > 0 {
			text = a.readString()
		}
		if code == 36 {
			refused = errTopicExists
		} else if code != 0 {
			refused = fmt.Errorf("error %d %s", code, text)
		}
	})
	if err := errors.Join(refused, a.err); err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	return awaitTopic(ctx, addr, topic, partitions)
}

// awaitTopic returns when every partition has a leader which, on a single
// broker, also serves. Naming the topic creates it where brokers do so.
func awaitTopic(ctx context.Context, addr, topic string, partitions int) error {
	return poll(ctx, func() error {
		brokers, led, err := metadata(ctx, addr, topic)
		if err == nil && led[topic] < partitions {
			err = fmt.Errorf("topic %s: %d of %d partitions have a leader", topic, led[topic], partitions)
		}
		if err == nil && brokers == 1 {
			// A leader that is known does not serve at once.
			_, err = EndOffsets(ctx, addr, topic, partitions)
		}
		return err
	})
}

// DeleteTopic removes a topic; the broker reclaims its files a little later.
// Brokers from 0.11 only.
func DeleteTopic(ctx context.Context, addr, topic string) error {
	var q asker
	q.int32(1)
	q.string(topic)
	q.int32(30000)
	a, err := ask(ctx, addr, apiDeleteTopics, 1, q)
	if err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	a.readInt32() // throttle
	var refused error
	a.each(func() {
		a.readString()
		if code := a.readInt16(); code != 0 {
			refused = fmt.Errorf("error %d", code)
		}
	})
	if err := errors.Join(refused, a.err); err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	return nil
}

// poll repeats check ten times a second until it passes or ctx ends, and then
// reports the last reason why not.
func poll(ctx context.Context, check func() error) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last: %w)", context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

// EndOffsets asks for the end of each of a topic's partitions, numbered from 0,
// of a broker that leads them all. Brokers from 0.10.1 only.
func EndOffsets(ctx context.Context, addr, topic string, partitions int) ([]int64, error) {
	var q asker
	q.int32(-1) // no replica
	q.int32(1)
	q.string(topic)
	q.int32(int32(partitions))
	for p := range partitions {
		q.int32(int32(p))
		q.int64(-1)
	}
	a, err := ask(ctx, addr, apiListOffsets, 1, q)
	if err != nil {
		return nil, fmt.Errorf("list the ends of %s: %w", topic, err)
	}
	ends := make([]int64, partitions)
	var refused error
	a.each(func() {
		a.readString()
		a.each(func() {
			p, code := a.readInt32(), a.readInt16()
			a.readInt64() // timestamp
			offset := a.readInt64()
			if code != 0 || int(p) >= partitions || p < 0 {
				refused = fmt.Errorf("partition %d: error %d", p, code)
				return
			}
			ends[p] = offset
		})
	})
	if err := errors.Join(refused, a.err); err != nil {
		return nil, fmt.Errorf("list the ends of %s: %w", topic, err)
	}
	return ends, nil
}
