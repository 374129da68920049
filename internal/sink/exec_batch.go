package sink

import (
	"bytes"
	"encoding/base64"
	"hash/maphash"
	"slices"
	"strconv"
	"time"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// lane is whose batches wait for one another, unless it is free.
type lane struct {
	place
	key  string
	free bool
}

// batch is what one child gets: records of one partition in their order.
type batch struct {
	lane
	span      *span
	mark      consume.Mark // of the last record
	begun     time.Time
	count     int
	first     int64 // offset of the first record
	last      int64
	timestamp int64 // of the first record
	key       []byte
	stdin     []byte
	kept      []record.Record // the records themselves, where somebody may want them
	size      int             // bytes it holds
}

// lane says where r goes.
func (x *Exec) lane(r *record.Record, m consume.Mark) lane {
	l := lane{place: placeOf(m.P)}
	switch {
	case x.c.Order == Unordered, x.c.Order == ByKey && r.Key == nil:
		l.free = true
	case x.c.Order == ByKey && x.c.Batch <= 1:
		l.key = string(r.Key)
	case x.c.Order == ByKey:
		// As many batches may fill as children may run: one a key would seldom be full.
		l.key = strconv.FormatUint(maphash.Bytes(x.seed, r.Key)%uint64(x.c.Parallel), 10)
	}
	return l
}

// add takes r in and says by how many bytes b grew.
func (b *batch) add(r *record.Record, m consume.Mark, format Append, keep bool) int {
	before := b.size
	length := len(b.stdin)
	b.stdin = format(b.stdin, r)
	b.size += len(b.stdin) - length
	if keep {
		b.kept = append(b.kept, keepRecord(r))
		b.size += len(r.Key) + len(r.Value) + len(r.Headers.Raw)
	}
	b.count++
	b.last, b.mark = r.Offset, m
	return b.size - before
}

// keepRecord is r with memory of its own.
func keepRecord(r *record.Record) record.Record {
	k := *r
	k.Key, k.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
	k.Headers.Raw = bytes.Clone(r.Headers.Raw)
	return k
}

func (b *batch) failure(tries int, err error) *ExecError {
	return &ExecError{Topic: b.topic, Partition: b.partition, First: b.first, Last: b.last, Tries: tries, Err: err}
}

// String names the records, as messages do.
func (b *batch) String() string { return where(b.topic, b.partition, b.first, b.last) }

// env is what a child sees of its records beside its input.
func (b *batch) env(base []string) []string {
	env := append(placeEnv(base, b.place, b.timestamp),
		"RECORD_OFFSET="+strconv.FormatInt(b.first, 10),
		"RECORD_LAST_OFFSET="+strconv.FormatInt(b.last, 10),
		"RECORD_COUNT="+strconv.Itoa(b.count),
	)
	switch {
	case b.count != 1 || b.key == nil || len(b.key) > keyMost:
	case bytes.IndexByte(b.key, 0) < 0:
		env = append(env, "RECORD_KEY="+string(b.key))
	default:
		env = append(env, "RECORD_KEY64="+base64.StdEncoding.EncodeToString(b.key))
	}
	return env
}

// placeEnv is what all children see of their records.
func placeEnv(base []string, at place, timestamp int64) []string {
	env := append(slices.Clip(base), "RECORD_TOPIC="+at.topic, "RECORD_PARTITION="+strconv.Itoa(int(at.partition)))
	if timestamp >= 0 {
		env = append(env, "RECORD_TIMESTAMP="+strconv.FormatInt(timestamp, 10))
	}
	return env
}
