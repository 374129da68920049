package wire

import "fmt"

// OffsetFetchRequest reads groups' stored offsets (API 9). Version 0 reads them
// from ZooKeeper, every later one from the group coordinator. Callers fill
// Groups; At moves a single group where versions below 8 want it.
type OffsetFetchRequest struct {
	GroupID       string             `kafka:"0-7"`
	Topics        []OffsetFetchTopic `kafka:"0-7,null=2-7"` // nil: all (version 2+)
	Groups        []OffsetFetchGroup `kafka:"8+"`
	RequireStable bool               `kafka:"7+"` // refuse while a transaction's commit is pending (KIP-447)
}

// OffsetFetchGroup is one group; nil Topics means all it has offsets for.
type OffsetFetchGroup struct {
	GroupID     string             `kafka:"key"`
	MemberID    *string            `kafka:"9+,null=9+,ignorable"`
	MemberEpoch int32              `kafka:"9+,default=-1,ignorable"`
	Topics      []OffsetFetchTopic `kafka:"null=8+"`
}

// OffsetFetchTopic names a topic by Name below version 10 and by TopicID from
// there; callers fill both.
type OffsetFetchTopic struct {
	Name       string `kafka:"0-9,ignorable,key"`
	TopicID    UUID   `kafka:"10+,ignorable,key"`
	Partitions []int32
}

// At moves a group to where versions below 8 have their only one, and makes sure
// that the version can name its topics.
func (r *OffsetFetchRequest) At(version int16) (Request, error) {
	for i := range r.Groups {
		if r.Groups[i].Topics == nil && version < 2 {
			return nil, &FieldError{"OffsetFetchRequest.Groups[" + itoa(i) + "].Topics", fmt.Errorf("asking for all %w %d", ErrVersion, version)}
		}
		for j := range r.Groups[i].Topics {
			t := &r.Groups[i].Topics[j]
			if err := named(version, t.Name, t.TopicID, version >= 10); err != nil {
				return nil, inTopic("OffsetFetchRequest.Groups["+itoa(i)+"]", j, err)
			}
		}
	}
	if version >= 8 || len(r.Groups) == 0 {
		return r, nil
	}
	if len(r.Groups) > 1 {
		return nil, &FieldError{"OffsetFetchRequest.Groups", fmt.Errorf("more than one group %w %d", ErrVersion, version)}
	}
	g := &r.Groups[0]
	return &OffsetFetchRequest{GroupID: g.GroupID, Topics: g.Topics, RequireStable: r.RequireStable}, nil
}

// Cap implements Capper: version 10 needs every topic's id.
func (r *OffsetFetchRequest) Cap() int16 {
	for i := range r.Groups {
		for j := range r.Groups[i].Topics {
			if r.Groups[i].Topics[j].TopicID == (UUID{}) {
				return 9
			}
		}
	}
	return noCap
}

// OffsetFetchResponse answers an OffsetFetchRequest. Callers read it through
// Results, which knows both shapes.
type OffsetFetchResponse struct {
	ThrottleMs int32                    `kafka:"3+,ignorable"`
	Topics     []OffsetFetchTopicResult `kafka:"0-7"`
	ErrorCode  Code                     `kafka:"2-7,ignorable"`
	Groups     []OffsetFetchGroupResult `kafka:"8+"`
}

// OffsetFetchGroupResult is one group's answers.
type OffsetFetchGroupResult struct {
	GroupID   string
	Topics    []OffsetFetchTopicResult
	ErrorCode Code
}

// OffsetFetchTopicResult is one topic's answers.
type OffsetFetchTopicResult struct {
	Name       string `kafka:"0-9,ignorable"`
	TopicID    UUID   `kafka:"10+,ignorable"`
	Partitions []OffsetFetchPartitionResult
}

// OffsetFetchPartitionResult is one stored offset; CommittedOffset -1 means none.
type OffsetFetchPartitionResult struct {
	Index                int32
	CommittedOffset      int64
	CommittedLeaderEpoch int32   `kafka:"5+,default=-1,ignorable"`
	Metadata             *string `kafka:"null=0+"`
	ErrorCode            Code
}

// Results gives the answers of any version; below version 8 there is one, and
// its GroupID is empty.
func (r *OffsetFetchResponse) Results(version int16) []OffsetFetchGroupResult {
	if version >= 8 {
		return r.Groups
	}
	return []OffsetFetchGroupResult{{Topics: r.Topics, ErrorCode: r.ErrorCode}}
}
