package brokertest

import (
	"encoding/binary"
	"math"
	"slices"

	"kafkactl/internal/record"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// partition is one log, held as the entries that fetches hand out.
type partition struct {
	leader, epoch int32
	start, end    int64
	entries       []entry
	highest       map[int64][]appended // by producer id: its last batches
}

type entry struct {
	base, next int64
	magic      int8
	newest     int64 // timestamp
	bytes      []byte
}

// appended remembers a batch of an idempotent producer.
type appended struct {
	epoch    int16
	seq, end int32
	base     int64
}

// remembered is how many batches of a producer Kafka can tell from new ones.
const remembered = 5

// Append puts entries into a log as they are, offsets and all: whatever a real
// broker may have stored, damaged data included. next is the offset after them.
func (c *Cluster) Append(topic string, index int32, base, next int64, entries []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.topics[topic].parts[index]
	magic := int8(0)
	if len(entries) > codec.MinHead {
		magic = int8(entries[codec.MinHead-1])
	}
	p.entries = append(p.entries, entry{base, next, magic, -1, entries})
	p.end = next
	c.wake()
}

// Truncate moves the log's start up, as retention does.
func (c *Cluster) Truncate(topic string, index int32, start int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.topics[topic].parts[index]
	p.start = start
	p.entries = slices.DeleteFunc(p.entries, func(e entry) bool { return e.next <= start })
	c.wake()
}

// Bounds gives a log's start and its end, the next offset to be written.
func (c *Cluster) Bounds(topic string, index int32) (start, end int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.topics[topic].parts[index]
	return p.start, p.end
}

// Records reads a whole log, in copies.
func (c *Cluster) Records(topic string, index int32) []record.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []record.Record
	var r codec.Reader
	for _, e := range c.topics[topic].parts[index].entries {
		r.Reset(e.bytes, 0)
		for rec := (record.Record{}); r.Next(&rec); {
			rec.Topic, rec.Partition = topic, index
			rec.Key, rec.Value = slices.Clone(rec.Key), slices.Clone(rec.Value)
			rec.Headers.Raw = slices.Clone(rec.Headers.Raw)
			list = append(list, rec)
		}
		if err := r.Err(); err != nil {
			c.t.Errorf("brokertest: %s:%d: %v", topic, index, err)
		}
	}
	return list
}

// append takes what a Produce request brings, after the checks that Kafka makes.
func (p *partition) append(records []byte) (base int64, code wire.Code) {
	base = p.end
	for len(records) > 0 {
		s, ok, err := codec.ParseSpan(records)
		if !ok || err != nil || s.Size > len(records) {
			return base, wire.CorruptMessage
		}
		b := slices.Clone(records[:s.Size])
		records = records[s.Size:]
		var r codec.Reader
		var plain codec.Builder // what a compressed message set becomes
		plain.Reset(min(s.Magic, 1))
		n, newest := int64(0), int64(-1)
		r.Reset(b, math.MinInt64)
		for rec := (record.Record{}); r.Next(&rec); n++ {
			newest = max(newest, rec.Timestamp)
			if s.Magic < 2 {
				plain.Append(&rec, math.MaxInt)
			}
		}
		switch {
		case r.Err() != nil || n == 0:
			return base, wire.CorruptMessage
		case s.Magic == 2 && (int64(s.Count) != n || s.Next-s.Base != n):
			return base, wire.InvalidRecord
		case s.Magic == 2:
			known, at, code := p.sequence(s)
			if code != wire.None {
				return base, code
			}
			if known {
				base = at
				continue
			}
			binary.BigEndian.PutUint64(b, uint64(p.end))
			binary.BigEndian.PutUint32(b[12:], uint32(p.epoch))
		default:
			if b, err = new(codec.Compressor).Seal(nil, &plain, codec.Options{}); err != nil {
				return base, wire.CorruptMessage
			}
			b = slices.Clone(b)
			offset := p.end
			for m := b; len(m) > 0; offset++ { // each message has its own
				binary.BigEndian.PutUint64(m, uint64(offset))
				m = m[12+binary.BigEndian.Uint32(m[8:]):]
			}
		}
		p.entries = append(p.entries, entry{p.end, p.end + n, s.Magic, newest, b})
		p.end += n
	}
	return base, wire.None
}

// sequence finds out whether an idempotent producer's batch is new, one that is
// here already, or out of order.
func (p *partition) sequence(s codec.Span) (known bool, base int64, code wire.Code) {
	if s.ProducerID < 0 {
		return false, 0, wire.None
	}
	last := p.highest[s.ProducerID]
	end := (s.Sequence + s.Count - 1) & math.MaxInt32 // after 2^31-1 comes 0
	for _, a := range last {
		if a.epoch == s.Epoch && a.seq == s.Sequence && a.end == end {
			return true, a.base, wire.None
		}
	}
	if n := len(last); n > 0 {
		newest := last[n-1]
		switch {
		case s.Epoch < newest.epoch:
			return false, 0, wire.InvalidProducerEpoch
		case s.Epoch > newest.epoch && s.Sequence != 0,
			s.Epoch == newest.epoch && s.Sequence != (newest.end+1)&math.MaxInt32:
			return false, 0, wire.OutOfOrderSequenceNumber
		}
	}
	last = append(last, appended{s.Epoch, s.Sequence, end, p.end})
	p.highest[s.ProducerID] = last[max(0, len(last)-remembered):]
	return false, 0, wire.None
}

// read hands out whole entries from an offset on: as many as fit, and the first
// in any case. Versions before 3 cut the last one, even the first, at limit.
func (p *partition) read(from int64, limit int, cut bool, magic int8) []byte {
	out := []byte{}
	for _, e := range p.entries {
		if e.next <= from {
			continue
		}
		b := e.bytes
		if e.magic > magic {
			b = convert(b, magic)
		}
		if cut {
			out = append(out, b...)
			if len(out) >= limit {
				return out[:max(limit, 0)]
			}
			continue
		}
		if len(out) > 0 && len(out)+len(b) > limit {
			break
		}
		out = append(out, b...)
	}
	return out
}

// convert gives an old client what it can read, as brokers do.
func convert(b []byte, magic int8) []byte {
	var out []byte
	var r codec.Reader
	r.Reset(b, 0)
	for rec := (record.Record{}); r.Next(&rec); {
		var one codec.Builder
		one.Reset(magic)
		rec.Headers.Raw = nil
		one.Append(&rec, math.MaxInt)
		at := len(out)
		out, _ = new(codec.Compressor).Seal(out, &one, codec.Options{})
		binary.BigEndian.PutUint64(out[at:], uint64(rec.Offset))
	}
	return out
}
