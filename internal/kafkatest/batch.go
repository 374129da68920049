//go:build unix

package kafkatest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Record is one record to write by hand. A nil key or value is null.
type Record struct {
	Key, Value []byte
	Headers    [][2]string
}

// EncodeRecords gives the records section of a batch of format 2 (KIP-98),
// uncompressed: what a codec compresses.
func EncodeRecords(records ...Record) []byte {
	var out, one []byte
	nullable := func(b []byte) {
		if b == nil {
			one = binary.AppendVarint(one, -1)
			return
		}
		one = append(binary.AppendVarint(one, int64(len(b))), b...)
	}
	for i, r := range records {
		one = append(one[:0], 0) // attributes
		one = binary.AppendVarint(one, 0)
		one = binary.AppendVarint(one, int64(i))
		nullable(r.Key)
		nullable(r.Value)
		one = binary.AppendVarint(one, int64(len(r.Headers)))
		for _, h := range r.Headers {
			nullable([]byte(h[0]))
			nullable([]byte(h[1]))
		}
		out = append(binary.AppendVarint(out, int64(len(one))), one...)
	}
	return out
}

// Batch is a record batch of format 2 around a records section, compressed or
// not, that need not be well made: the checksum is right whatever it covers.
// The low three bits of attributes name the codec. Every record has timestamp.
func Batch(attributes int16, count int, timestamp int64, records []byte) []byte {
	b := make([]byte, 61, 61+len(records))
	binary.BigEndian.PutUint32(b[8:], uint32(49+len(records)))
	binary.BigEndian.PutUint32(b[12:], ^uint32(0)) // partition leader epoch
	b[16] = 2
	binary.BigEndian.PutUint16(b[21:], uint16(attributes))
	binary.BigEndian.PutUint32(b[23:], uint32(count-1))
	binary.BigEndian.PutUint64(b[27:], uint64(timestamp))
	binary.BigEndian.PutUint64(b[35:], uint64(timestamp))
	for i := 43; i < 57; i++ {
		b[i] = 0xff // no producer id, epoch or sequence
	}
	binary.BigEndian.PutUint32(b[57:], uint32(count))
	b = append(b, records...)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// Produce writes one batch, as it is, to a partition the broker leads, and
// returns the offset of its first record once all replicas have it. The error
// names Kafka's code if the broker refused it.
func (c *Conn) Produce(topic string, partition int32, batch []byte) (int64, error) {
	var q asker
	q.int16(-1) // no transactional id
	q.int16(-1) // acks
	q.int32(30000)
	q.int32(1)
	q.string(topic)
	q.int32(1)
	q.int32(partition)
	q.int32(int32(len(batch)))
	q.buf = append(q.buf, batch...)
	a, err := c.ask(apiProduce, 3, q)
	if err != nil {
		return 0, fmt.Errorf("produce to %s:%d: %w", topic, partition, err)
	}
	base, refused := int64(-1), error(nil)
	a.each(func() {
		a.readString()
		a.each(func() {
			a.readInt32()
			if code := a.readInt16(); code != 0 {
				refused = fmt.Errorf("error %d", code)
			}
			base = a.readInt64()
			a.readInt64() // append time
		})
	})
	if err := errors.Join(refused, a.err); err != nil {
		return 0, fmt.Errorf("produce to %s:%d: %w", topic, partition, err)
	}
	return base, nil
}
