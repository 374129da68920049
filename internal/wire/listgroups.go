package wire

// ListGroupsRequest asks a broker for the groups it coordinates (API 16).
type ListGroupsRequest struct {
	StatesFilter []string `kafka:"4+"` // none: all (KIP-518)
	TypesFilter  []string `kafka:"5+"` // none: all (KIP-848)
}

// ListGroupsResponse answers a ListGroupsRequest.
type ListGroupsResponse struct {
	ThrottleMs int32 `kafka:"1+,ignorable"`
	ErrorCode  Code
	Groups     []ListedGroup
}

// ListedGroup is one group.
type ListedGroup struct {
	GroupID      string
	ProtocolType string
	GroupState   string `kafka:"4+,ignorable"`
	GroupType    string `kafka:"5+,ignorable"` // classic, consumer, share or streams
}
