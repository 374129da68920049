package wire

// DescribeGroupsRequest asks a coordinator about classic groups (API 15).
type DescribeGroupsRequest struct {
	Groups                      []string
	IncludeAuthorizedOperations bool `kafka:"3+"`
}

// DescribeGroupsResponse answers a DescribeGroupsRequest.
type DescribeGroupsResponse struct {
	ThrottleMs int32 `kafka:"1+,ignorable"`
	Groups     []DescribedGroup
}

// DescribedGroup is one classic group. One that does not exist is GroupIDNotFound
// from version 6 on (KIP-1043), before that its GroupState is "Dead".
type DescribedGroup struct {
	ErrorCode            Code
	ErrorMessage         *string `kafka:"6+,null=6+,ignorable"`
	GroupID              string
	GroupState           string // Dead, Empty, PreparingRebalance, CompletingRebalance or Stable
	ProtocolType         string // "consumer" for consumers
	ProtocolData         string // the assignor all members agreed on
	Members              []DescribedGroupMember
	AuthorizedOperations int32 `kafka:"3+,default=-2147483648"`
}

// DescribedGroupMember is one member of a classic group. Of a consumer,
// MemberMetadata is a ConsumerProtocolSubscription and MemberAssignment a
// ConsumerProtocolAssignment, each behind its version.
type DescribedGroupMember struct {
	MemberID         string
	GroupInstanceID  *string `kafka:"4+,null=4+,ignorable"`
	ClientID         string
	ClientHost       string
	MemberMetadata   []byte
	MemberAssignment []byte
}
