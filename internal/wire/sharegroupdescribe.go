package wire

// ShareGroupDescribeRequest asks a coordinator about share groups (API 77,
// KIP-932). Version 0 was an early access one, gone since Kafka 4.1.
type ShareGroupDescribeRequest struct {
	GroupIDs                    []string
	IncludeAuthorizedOperations bool
}

// ShareGroupDescribeResponse answers a ShareGroupDescribeRequest.
type ShareGroupDescribeResponse struct {
	ThrottleMs int32
	Groups     []ShareGroupDescription
}

// ShareGroupDescription is one group.
type ShareGroupDescription struct {
	ErrorCode            Code
	ErrorMessage         *string `kafka:"null=0+"`
	GroupID              string
	GroupState           string
	GroupEpoch           int32
	AssignmentEpoch      int32
	AssignorName         string
	Members              []ShareGroupMember
	AuthorizedOperations int32 `kafka:"default=-2147483648"`
}

// ShareGroupMember is one member.
type ShareGroupMember struct {
	MemberID             string
	RackID               *string `kafka:"null=0+"`
	MemberEpoch          int32
	ClientID             string
	ClientHost           string
	SubscribedTopicNames []string
	Assignment           MemberAssignment
}
