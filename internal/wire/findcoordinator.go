package wire

import "fmt"

// Coordinator key types.
const (
	CoordinatorGroup       int8 = 0
	CoordinatorTransaction int8 = 1
	CoordinatorShare       int8 = 2
)

// FindCoordinatorRequest asks who coordinates groups or transactional ids
// (API 10, once called ConsumerMetadata). Callers fill Keys; At moves a single
// key where older versions want it.
type FindCoordinatorRequest struct {
	SingleKey string   `kafka:"0-3"`
	KeyType   int8     `kafka:"1+"`
	Keys      []string `kafka:"4+"`
}

// At moves a key to where versions below 4 have their only one.
func (r *FindCoordinatorRequest) At(version int16) (Request, error) {
	switch {
	case r.KeyType == CoordinatorShare && version < 6:
		return nil, &FieldError{"FindCoordinatorRequest.KeyType", fmt.Errorf("a share group %w %d", ErrVersion, version)}
	case version >= 4 || len(r.Keys) == 0:
		return r, nil
	case len(r.Keys) > 1:
		return nil, &FieldError{"FindCoordinatorRequest.Keys", fmt.Errorf("more than one key %w %d", ErrVersion, version)}
	}
	return &FindCoordinatorRequest{SingleKey: r.Keys[0], KeyType: r.KeyType}, nil
}

// FindCoordinatorResponse answers a FindCoordinatorRequest. Callers read it
// through Results, which knows both shapes.
type FindCoordinatorResponse struct {
	ThrottleMs   int32         `kafka:"1+,ignorable"`
	ErrorCode    Code          `kafka:"0-3"`
	ErrorMessage *string       `kafka:"1-3,null=1-3,ignorable"`
	NodeID       int32         `kafka:"0-3"`
	Host         string        `kafka:"0-3"`
	Port         int32         `kafka:"0-3"`
	Coordinators []Coordinator `kafka:"4+"`
}

// Coordinator is who answers for one key.
type Coordinator struct {
	Key          string
	NodeID       int32
	Host         string
	Port         int32
	ErrorCode    Code
	ErrorMessage *string `kafka:"null=4+,ignorable"`
}

// Results gives the answers of any version; below version 4 there is one, and
// its Key is empty.
func (r *FindCoordinatorResponse) Results(version int16) []Coordinator {
	if version >= 4 {
		return r.Coordinators
	}
	return []Coordinator{{NodeID: r.NodeID, Host: r.Host, Port: r.Port, ErrorCode: r.ErrorCode, ErrorMessage: r.ErrorMessage}}
}
