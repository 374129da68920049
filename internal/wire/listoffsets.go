package wire

import (
	"fmt"
	"math"
)

// Timestamps with a meaning of their own in ListOffsets; any other asks for the
// first offset whose record is at or after it (version 1+), or for the starts
// of segments before it (version 0).
const (
	LatestTimestamp        int64 = -1 // the high watermark, or the last stable offset under read_committed
	EarliestTimestamp      int64 = -2 // the log start offset
	MaxTimestamp           int64 = -3 // the record with the largest timestamp (version 7+, KIP-734)
	EarliestLocalTimestamp int64 = -4 // the first offset on the leader's disk (version 8+, KIP-405)
	LatestTieredTimestamp  int64 = -5 // the last offset in tiered storage (version 9+, KIP-1005)
	EarliestPendingUpload  int64 = -6 // the first offset not yet tiered (version 11+, KIP-1023)
)

// ListOffsetsRequest turns timestamps into offsets (API 2). It goes to the
// partition leader. IsolationLevel may be dropped, unlike in Kafka's own schema:
// brokers without version 2 have no transactions, so that both levels see the
// same end.
type ListOffsetsRequest struct {
	ReplicaID      int32 `kafka:"default=-1"` // -1: a client
	IsolationLevel int8  `kafka:"2+,ignorable"`
	Topics         []ListOffsetsTopic
	TimeoutMs      int32 `kafka:"10+,default=30000,ignorable"` // how long a lookup in tiered storage may take; 0 gives up at once
}

// ListOffsetsTopic is one topic of the request.
type ListOffsetsTopic struct {
	Name       string `kafka:"key"`
	Partitions []ListOffsetsPartition
}

// ListOffsetsPartition asks for one timestamp of one partition.
type ListOffsetsPartition struct {
	Index              int32 `kafka:"key"`
	CurrentLeaderEpoch int32 `kafka:"4+,default=-1,ignorable"`
	Timestamp          int64
	MaxNumOffsets      int32 `kafka:"0,default=1"`
}

// At refuses a timestamp with a meaning the version does not know yet: brokers
// would take it for a point in time before all others and answer the first offset.
func (r *ListOffsetsRequest) At(version int16) (Request, error) {
	for i := range r.Topics {
		t := &r.Topics[i]
		for j := range t.Partitions {
			if ts := t.Partitions[j].Timestamp; ts < 0 && version < sinceTimestamp(ts) {
				path := fmt.Sprintf("ListOffsetsRequest.Topics[%d].Partitions[%d].Timestamp", i, j)
				return nil, &FieldError{path, fmt.Errorf("%d %w %d", ts, ErrVersion, version)}
			}
		}
	}
	return r, nil
}

// sinceTimestamp is the first version that knows a negative timestamp's meaning.
func sinceTimestamp(ts int64) int16 {
	switch ts {
	case LatestTimestamp, EarliestTimestamp:
		return 0
	case MaxTimestamp:
		return 7
	case EarliestLocalTimestamp:
		return 8
	case LatestTieredTimestamp:
		return 9
	case EarliestPendingUpload:
		return 11
	}
	return math.MaxInt16
}

// ListOffsetsResponse answers a ListOffsetsRequest.
type ListOffsetsResponse struct {
	ThrottleMs int32 `kafka:"2+,ignorable"`
	Topics     []ListOffsetsTopicResult
}

// ListOffsetsTopicResult is one topic's answers.
type ListOffsetsTopicResult struct {
	Name       string
	Partitions []ListOffsetsPartitionResult
}

// ListOffsetsPartitionResult is one answer: Offset (-1 when no record is that
// late), or OldStyleOffsets, descending, in version 0.
type ListOffsetsPartitionResult struct {
	Index           int32
	ErrorCode       Code
	OldStyleOffsets []int64 `kafka:"0"`
	Timestamp       int64   `kafka:"1+,default=-1"`
	Offset          int64   `kafka:"1+,default=-1"`
	LeaderEpoch     int32   `kafka:"4+,default=-1"`
}
