package wire

// ConsumerGroupDescribeRequest asks a coordinator about consumer groups of the
// KIP-848 protocol (API 69).
type ConsumerGroupDescribeRequest struct {
	GroupIDs                    []string
	IncludeAuthorizedOperations bool
}

// ConsumerGroupDescribeResponse answers a ConsumerGroupDescribeRequest.
type ConsumerGroupDescribeResponse struct {
	ThrottleMs int32
	Groups     []ConsumerGroupDescription
}

// ConsumerGroupDescription is one group; classic ones are GroupIDNotFound.
type ConsumerGroupDescription struct {
	ErrorCode            Code
	ErrorMessage         *string `kafka:"null=0+"`
	GroupID              string
	GroupState           string
	GroupEpoch           int32
	AssignmentEpoch      int32
	AssignorName         string
	Members              []ConsumerGroupMember
	AuthorizedOperations int32 `kafka:"default=-2147483648"`
}

// ConsumerGroupMember is one member.
type ConsumerGroupMember struct {
	MemberID             string
	InstanceID           *string `kafka:"null=0+"`
	RackID               *string `kafka:"null=0+"`
	MemberEpoch          int32
	ClientID             string
	ClientHost           string
	SubscribedTopicNames []string
	SubscribedTopicRegex *string `kafka:"null=0+"`
	Assignment           MemberAssignment
	TargetAssignment     MemberAssignment
	MemberType           int8 `kafka:"1+,default=-1,ignorable"` // 0 classic, 1 consumer, -1 unknown
}

// MemberAssignment is what a member of a consumer or share group has.
type MemberAssignment struct {
	TopicPartitions []MemberTopic
}

// MemberTopic is some partitions of a topic.
type MemberTopic struct {
	TopicID    UUID
	TopicName  string
	Partitions []int32
}
