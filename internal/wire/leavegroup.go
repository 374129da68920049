package wire

import "fmt"

// LeaveGroupRequest takes members out of a classic group (API 13). Callers fill
// Members; At moves a single one where versions below 3 want it.
type LeaveGroupRequest struct {
	GroupID  string
	MemberID string             `kafka:"0-2"`
	Members  []LeaveGroupMember `kafka:"3+"`
}

// LeaveGroupMember is one member, named by either id.
type LeaveGroupMember struct {
	MemberID        string
	GroupInstanceID *string `kafka:"null=3+"`
	Reason          *string `kafka:"5+,null=5+,ignorable"` // for the broker's log (KIP-800)
}

// At moves a member to where versions below 3 have their only one.
func (r *LeaveGroupRequest) At(version int16) (Request, error) {
	if version >= 3 || len(r.Members) == 0 {
		return r, nil
	}
	switch m := &r.Members[0]; {
	case len(r.Members) > 1:
		return nil, &FieldError{"LeaveGroupRequest.Members", fmt.Errorf("more than one member %w %d", ErrVersion, version)}
	case m.MemberID == "":
		return nil, &FieldError{"LeaveGroupRequest.Members[0]", fmt.Errorf("a member without its id %w %d", ErrVersion, version)}
	default:
		return &LeaveGroupRequest{GroupID: r.GroupID, MemberID: m.MemberID}, nil
	}
}

// LeaveGroupResponse answers a LeaveGroupRequest.
type LeaveGroupResponse struct {
	ThrottleMs int32 `kafka:"1+,ignorable"`
	ErrorCode  Code
	Members    []LeaveGroupMemberResult `kafka:"3+,ignorable"`
}

// LeaveGroupMemberResult is one member's answer.
type LeaveGroupMemberResult struct {
	MemberID        string
	GroupInstanceID *string `kafka:"null=3+"`
	ErrorCode       Code
}
