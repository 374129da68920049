package wire

// OffsetCommitRequest stores a group's offsets (API 8). Version 0 stores them in
// ZooKeeper, every later one with the group coordinator.
type OffsetCommitRequest struct {
	GroupID           string
	GenerationOrEpoch int32   `kafka:"1+,default=-1,ignorable"` // generation (classic) or member epoch (KIP-848), -1 from outside
	MemberID          string  `kafka:"1+,ignorable"`
	GroupInstanceID   *string `kafka:"7+,null=7+"`
	RetentionTimeMs   int64   `kafka:"2-4,default=-1,ignorable"`
	Topics            []OffsetCommitTopic
}

// OffsetCommitTopic names a topic by Name below version 10 and by TopicID from
// there; callers fill both.
type OffsetCommitTopic struct {
	Name       string `kafka:"0-9,ignorable"`
	TopicID    UUID   `kafka:"10+,ignorable"`
	Partitions []OffsetCommitPartition
}

// OffsetCommitPartition is the next offset to read.
type OffsetCommitPartition struct {
	Index           int32
	CommittedOffset int64
	CommitTimestamp int64   `kafka:"1,default=-1,ignorable"`
	LeaderEpoch     int32   `kafka:"6+,default=-1,ignorable"`
	Metadata        *string `kafka:"null=0+"`
}

// OffsetCommitResponse answers an OffsetCommitRequest.
type OffsetCommitResponse struct {
	ThrottleMs int32 `kafka:"3+,ignorable"`
	Topics     []OffsetCommitTopicResult
}

// OffsetCommitTopicResult is one topic's answers.
type OffsetCommitTopicResult struct {
	Name       string `kafka:"0-9,ignorable"`
	TopicID    UUID   `kafka:"10+,ignorable"`
	Partitions []OffsetCommitPartitionResult
}

// OffsetCommitPartitionResult is one partition's answer.
type OffsetCommitPartitionResult struct {
	Index     int32
	ErrorCode Code
}
