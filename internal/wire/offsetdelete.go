package wire

// OffsetDeleteRequest forgets a group's offsets of partitions that none of its
// members is subscribed to (API 47, KIP-496).
type OffsetDeleteRequest struct {
	GroupID string
	Topics  []OffsetDeleteTopic
}

// OffsetDeleteTopic names partitions of one topic.
type OffsetDeleteTopic struct {
	Name       string `kafka:"key"`
	Partitions []OffsetDeletePartition
}

// OffsetDeletePartition is one partition.
type OffsetDeletePartition struct {
	Index int32 `kafka:"key"`
}

// OffsetDeleteResponse answers an OffsetDeleteRequest.
type OffsetDeleteResponse struct {
	ErrorCode  Code
	ThrottleMs int32 `kafka:"ignorable"`
	Topics     []OffsetDeleteTopicResult
}

// OffsetDeleteTopicResult is one topic's answers.
type OffsetDeleteTopicResult struct {
	Name       string
	Partitions []OffsetDeletePartitionResult
}

// OffsetDeletePartitionResult is one partition's answer.
type OffsetDeletePartitionResult struct {
	Index     int32
	ErrorCode Code
}
