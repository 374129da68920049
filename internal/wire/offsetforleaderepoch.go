package wire

// OffsetForLeaderEpochRequest asks leaders where an epoch of theirs ends, which
// tells whether a log was truncated (API 23, KIP-320).
type OffsetForLeaderEpochRequest struct {
	ReplicaID int32 `kafka:"3+,default=-2,ignorable"` // -1 for a consumer
	Topics    []OffsetForLeaderEpochTopic
}

// OffsetForLeaderEpochTopic names partitions of one topic.
type OffsetForLeaderEpochTopic struct {
	Name       string `kafka:"key"`
	Partitions []OffsetForLeaderEpochPartition
}

// OffsetForLeaderEpochPartition asks about one epoch of one partition.
type OffsetForLeaderEpochPartition struct {
	Index              int32 `kafka:"key"`
	CurrentLeaderEpoch int32 `kafka:"2+,default=-1,ignorable"` // by our metadata
	LeaderEpoch        int32 // asked about
}

// OffsetForLeaderEpochResponse answers an OffsetForLeaderEpochRequest.
type OffsetForLeaderEpochResponse struct {
	ThrottleMs int32 `kafka:"2+,ignorable"`
	Topics     []OffsetForLeaderEpochTopicResult
}

// OffsetForLeaderEpochTopicResult is one topic's answers.
type OffsetForLeaderEpochTopicResult struct {
	Name       string
	Partitions []OffsetForLeaderEpochPartitionResult
}

// OffsetForLeaderEpochPartitionResult says where the newest epoch up to the one
// asked about ends; EndOffset is -1 where there was none.
type OffsetForLeaderEpochPartitionResult struct {
	ErrorCode   Code
	Index       int32
	LeaderEpoch int32 `kafka:"1+,default=-1,ignorable"`
	EndOffset   int64 `kafka:"default=-1"`
}
