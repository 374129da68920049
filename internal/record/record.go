// Package record is one Kafka record as every other room sees it. It knows no
// wire, no socket and no file, and it copies nothing.
package record

// TimestampType says who set a record's timestamp.
type TimestampType int8

const (
	// NoTimestampType marks records of message format v0, which carry no timestamp.
	NoTimestampType TimestampType = -1
	// CreateTime is a timestamp the producer set.
	CreateTime TimestampType = 0
	// LogAppendTime is a timestamp the partition leader set when it appended.
	LogAppendTime TimestampType = 1
)

// NoTimestamp stands where a record has no timestamp (message format v0, or a
// producer that wrote none).
const NoTimestamp int64 = -1

// Record is a view of one record: its slices belong to whoever filled it and
// die at that owner's next call. A nil Key or Value is Kafka's null; an empty
// one is []byte{}.
type Record struct {
	Topic         string
	Partition     int32
	Offset        int64
	Timestamp     int64 // milliseconds since the epoch, NoTimestamp when absent
	TimestampType TimestampType
	LeaderEpoch   int32 // of the batch, -1 when unknown
	Key, Value    []byte
	Headers       Headers
}
