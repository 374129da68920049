package wire

// CreateTopicsRequest makes topics (API 19). It goes to the controller.
type CreateTopicsRequest struct {
	Topics       []CreatableTopic
	TimeoutMs    int32 `kafka:"default=60000"`
	ValidateOnly bool  `kafka:"1+"`
}

// CreatableTopic is one topic to make; NumPartitions and ReplicationFactor -1
// take the broker's defaults (version 4+, KIP-464).
type CreatableTopic struct {
	Name              string
	NumPartitions     int32
	ReplicationFactor int16
	Assignments       []CreatableReplicaAssignment
	Configs           []CreatableTopicConfig
}

// CreatableReplicaAssignment places one partition by hand.
type CreatableReplicaAssignment struct {
	PartitionIndex int32
	BrokerIDs      []int32
}

// CreatableTopicConfig sets one topic configuration.
type CreatableTopicConfig struct {
	Name  string
	Value *string `kafka:"null=0+"`
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
