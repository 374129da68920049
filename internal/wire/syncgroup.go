package wire

// SyncGroupRequest asks for the member's assignment in a generation; the leader
// brings everybody's (API 14).
type SyncGroupRequest struct {
	GroupID         string
	GenerationID    int32
	MemberID        string
	GroupInstanceID *string `kafka:"3+,null=3+"`
	ProtocolType    *string `kafka:"5+,null=5+,ignorable"`
	ProtocolName    *string `kafka:"5+,null=5+,ignorable"`
	Assignments     []SyncGroupAssignment
}

// SyncGroupAssignment is what one member gets. For consumers Assignment is a
// ConsumerProtocolAssignment.
type SyncGroupAssignment struct {
	MemberID   string `kafka:"key"`
	Assignment []byte
}

// SyncGroupResponse answers a SyncGroupRequest, once the leader has made its own.
type SyncGroupResponse struct {
	ThrottleMs   int32 `kafka:"1+,ignorable"`
	ErrorCode    Code
	ProtocolType *string `kafka:"5+,null=5+,ignorable"`
	ProtocolName *string `kafka:"5+,null=5+,ignorable"`
	Assignment   []byte
}
