package wire

import "fmt"

// CreateTopicsRequest makes topics (API 19). It goes to the controller.
type CreateTopicsRequest struct {
	Topics       []CreatableTopic
	TimeoutMs    int32 `kafka:"default=60000"`
	ValidateOnly bool  `kafka:"1+"`
}

// CreatableTopic is one topic to make; NumPartitions and ReplicationFactor -1
// take the broker's defaults (version 4+, KIP-464).
type CreatableTopic struct {
	Name              string `kafka:"key"`
	NumPartitions     int32
	ReplicationFactor int16
	Assignments       []CreatableReplicaAssignment
	Configs           []CreatableTopicConfig
}

// CreatableReplicaAssignment places one partition by hand.
type CreatableReplicaAssignment struct {
	PartitionIndex int32 `kafka:"key"`
	BrokerIDs      []int32
}

// CreatableTopicConfig sets one topic configuration.
type CreatableTopicConfig struct {
	Name  string  `kafka:"key"`
	Value *string `kafka:"null=0+"`
}

// At refuses -1 where the broker has no defaults to give, unless replicas are
// placed by hand, which takes -1 in every version.
func (r *CreateTopicsRequest) At(version int16) (Request, error) {
	for i := range r.Topics {
		t := &r.Topics[i]
		if version < 4 && len(t.Assignments) == 0 && (t.NumPartitions == -1 || t.ReplicationFactor == -1) {
			return nil, inTopic("CreateTopicsRequest", i, fmt.Errorf("the broker's default %w %d", ErrVersion, version))
		}
	}
	return r, nil
}

// CreateTopicsResponse answers a CreateTopicsRequest.
type CreateTopicsResponse struct {
	ThrottleMs int32 `kafka:"2+,ignorable"`
	Topics     []CreatableTopicResult
}

// CreatableTopicResult says what became of one topic.
type CreatableTopicResult struct {
	Name                 string
	TopicID              UUID `kafka:"7+,ignorable"`
	ErrorCode            Code
	ErrorMessage         *string                      `kafka:"1+,null=0+,ignorable"`
	TopicConfigErrorCode Code                         `kafka:"tag=0,5+,ignorable"`
	NumPartitions        int32                        `kafka:"5+,default=-1,ignorable"`
	ReplicationFactor    int16                        `kafka:"5+,default=-1,ignorable"`
	Configs              []CreatableTopicResultConfig `kafka:"5+,null=5+,ignorable"`
}

// CreatableTopicResultConfig is one configuration in force on the new topic.
type CreatableTopicResultConfig struct {
	Name         string
	Value        *string `kafka:"null=0+"`
	ReadOnly     bool
	ConfigSource int8 `kafka:"default=-1,ignorable"`
	IsSensitive  bool
}
