package wire

// OffsetFetchRequest reads groups' stored offsets (API 9). Version 0 reads them
// from ZooKeeper, every later one from the group coordinator. Callers fill
// Groups; At moves a single group where versions below 8 want it.
type OffsetFetchRequest struct {
	GroupID       string             `kafka:"0-7"`
	Topics        []OffsetFetchTopic `kafka:"0-7,null=2-7"` // nil: all (version 2+)
	Groups        []OffsetFetchGroup `kafka:"8+"`
	RequireStable bool               `kafka:"7+,ignorable"` // refuse while a transaction's commit is pending (KIP-447)
}

// OffsetFetchGroup is one group; nil Topics means all it has offsets for.
type OffsetFetchGroup struct {
	GroupID     string
	MemberID    *string            `kafka:"9+,null=9+,ignorable"`
	MemberEpoch int32              `kafka:"9+,default=-1,ignorable"`
	Topics      []OffsetFetchTopic `kafka:"null=8+"`
}

// OffsetFetchTopic names a topic by Name below version 10 and by TopicID from
// there; callers fill both.
type OffsetFetchTopic struct {
	Name       string `kafka:"0-9,ignorable"`
	TopicID    UUID   `kafka:"10+,ignorable"`
	Partitions []int32
}

// OffsetFetchResponse answers an OffsetFetchRequest. Callers read it through
// Results, which knows both shapes.
type OffsetFetchResponse struct {
	ThrottleMs int32                    `kafka:"3+,ignorable"`
	Topics     []OffsetFetchTopicResult `kafka:"0-7"`
	ErrorCode  Code                     `kafka:"2-7,ignorable"`
	Groups     []OffsetFetchGroupResult `kafka:"8+"`
}

// OffsetFetchGroupResult is one group's answers.
type OffsetFetchGroupResult struct {
	GroupID   string
	Topics    []OffsetFetchTopicResult
	ErrorCode Code
}

// OffsetFetchTopicResult is one topic's answers.
type OffsetFetchTopicResult struct {
	Name       string `kafka:"0-9,ignorable"`
	TopicID    UUID   `kafka:"10+,ignorable"`
	Partitions []OffsetFetchPartitionResult
}

// OffsetFetchPartitionResult is one stored offset; CommittedOffset -1 means none.
type OffsetFetchPartitionResult struct {
	Index                int32
	CommittedOffset      int64
	CommittedLeaderEpoch int32   `kafka:"5+,default=-1,ignorable"`
	Metadata             *string `kafka:"null=0+"`
	ErrorCode            Code
}

// Results gives the answers of any version; below version 8 there is one, and
// its GroupID is empty.
func (r *OffsetFetchResponse) Results(version int16) []OffsetFetchGroupResult {
	if version >= 8 {
		return r.Groups
	}
	return []OffsetFetchGroupResult{{Topics: r.Topics, ErrorCode: r.ErrorCode}}
}
