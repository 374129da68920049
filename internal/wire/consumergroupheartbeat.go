package wire

// ConsumerGroupHeartbeatRequest joins a consumer group of the KIP-848 protocol,
// stays in it, acknowledges what it was given, and leaves it (API 68). Null and
// -1 say that a field is as it was.
type ConsumerGroupHeartbeatRequest struct {
	GroupID              string
	MemberID             string               // from version 1 on the member makes it up
	MemberEpoch          int32                // 0 joins, -1 leaves, -2 leaves for a while as a static member
	InstanceID           *string              `kafka:"null=0+"`
	RackID               *string              `kafka:"null=0+"`
	RebalanceTimeoutMs   int32                `kafka:"default=-1"`
	SubscribedTopicNames []string             `kafka:"null=0+"`
	SubscribedTopicRegex *string              `kafka:"1+,null=1+"` // RE2, matched against whole names
	ServerAssignor       *string              `kafka:"null=0+"`
	TopicPartitions      []ConsumerGroupTopic `kafka:"null=0+"` // owned
}

// ConsumerGroupTopic is some partitions of a topic.
type ConsumerGroupTopic struct {
	TopicID    UUID
	Partitions []int32
}

// ConsumerGroupHeartbeatResponse answers a ConsumerGroupHeartbeatRequest.
type ConsumerGroupHeartbeatResponse struct {
	ThrottleMs          int32
	ErrorCode           Code
	ErrorMessage        *string `kafka:"null=0+"`
	MemberID            *string `kafka:"null=0+"`
	MemberEpoch         int32
	HeartbeatIntervalMs int32
	Assignment          *ConsumerGroupAssignment `kafka:"null=0+"` // null: as it was
}

// ConsumerGroupAssignment is all that a member is to have.
type ConsumerGroupAssignment struct {
	TopicPartitions []ConsumerGroupTopic
}
