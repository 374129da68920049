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
	Name       string `kafka:"0-9,ignorable,key"`
	TopicID    UUID   `kafka:"10+,ignorable,key"`
	Partitions []OffsetCommitPartition
}

// OffsetCommitPartition is the next offset to read.
type OffsetCommitPartition struct {
	Index           int32 `kafka:"key"`
	CommittedOffset int64
	CommitTimestamp int64   `kafka:"1,default=-1"`
	LeaderEpoch     int32   `kafka:"6+,default=-1,ignorable"`
	Metadata        *string `kafka:"null=0+"`
}

// At makes sure that every topic is named the way the version names it.
func (r *OffsetCommitRequest) At(version int16) (Request, error) {
	for i := range r.Topics {
		t := &r.Topics[i]
		if err := named(version, t.Name, t.TopicID, version >= 10); err != nil {
			return nil, inTopic("OffsetCommitRequest", i, err)
		}
	}
	return r, nil
}

// Cap implements Capper: version 10 needs every topic's id.
func (r *OffsetCommitRequest) Cap() int16 {
	for i := range r.Topics {
		if r.Topics[i].TopicID == (UUID{}) {
			return 9
		}
	}
	return noCap
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
