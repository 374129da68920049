package wire

// DeleteGroupsRequest deletes groups without members, offsets included (API 42).
type DeleteGroupsRequest struct {
	GroupsNames []string
}

// DeleteGroupsResponse answers a DeleteGroupsRequest.
type DeleteGroupsResponse struct {
	ThrottleMs int32 `kafka:"ignorable"`
	Results    []DeletedGroup
}

// DeletedGroup is one group's answer.
type DeletedGroup struct {
	GroupID      string
	ErrorCode    Code
	ErrorMessage *string `kafka:"3+,null=3+,ignorable"`
}
