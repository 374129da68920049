package wire

// JoinGroupRequest joins a classic group, or joins it again for its next
// generation (API 11).
type JoinGroupRequest struct {
	GroupID            string
	SessionTimeoutMs   int32
	RebalanceTimeoutMs int32 `kafka:"1+,default=-1,ignorable"` // version 0 takes the session timeout for it
	MemberID           string
	GroupInstanceID    *string `kafka:"5+,null=5+"` // of a static member (KIP-345)
	ProtocolType       string  // "consumer" for consumers
	Protocols          []JoinGroupProtocol
	Reason             *string `kafka:"8+,null=8+,ignorable"` // for the broker's log (KIP-800)
}

// JoinGroupProtocol is an assignor the member can work with, in its order of
// preference. For consumers Metadata is a ConsumerProtocolSubscription.
type JoinGroupProtocol struct {
	Name     string `kafka:"key"`
	Metadata []byte
}

// JoinGroupResponse answers a JoinGroupRequest, once all members have joined.
type JoinGroupResponse struct {
	ThrottleMs     int32 `kafka:"2+,ignorable"`
	ErrorCode      Code
	GenerationID   int32   `kafka:"default=-1"`
	ProtocolType   *string `kafka:"7+,null=7+,ignorable"`
	ProtocolName   *string `kafka:"null=7+"`
	Leader         string  // its member id
	SkipAssignment bool    `kafka:"9+,ignorable"` // a static leader came back: the assignment stands (KIP-814)
	MemberID       string
	Members        []JoinGroupMember // for the leader only
}

// JoinGroupMember is what the leader is told of a member.
type JoinGroupMember struct {
	MemberID        string
	GroupInstanceID *string `kafka:"5+,null=5+,ignorable"`
	Metadata        []byte
}
