package wire

// HeartbeatRequest keeps a classic member alive, and asks whether the group is
// still at its generation (API 12).
type HeartbeatRequest struct {
	GroupID         string
	GenerationID    int32
	MemberID        string
	GroupInstanceID *string `kafka:"3+,null=3+"`
}

// HeartbeatResponse answers a HeartbeatRequest.
type HeartbeatResponse struct {
	ThrottleMs int32 `kafka:"1+,ignorable"`
	ErrorCode  Code
}
