package wire

import "fmt"

// MetadataRequest asks for brokers, topics and partition leaders (API 3). Nil
// Topics asks for all topics, an empty slice for none. AllowAutoTopicCreation
// stays false: brokers below version 4 cannot be told, so against them callers
// must ask for all topics instead of naming one that may be missing. Its default
// is true in Kafka's own schema; here whoever wants topics made says so.
type MetadataRequest struct {
	Topics                             []MetadataRequestTopic `kafka:"null=1+"`
	AllowAutoTopicCreation             bool                   `kafka:"4+,ignorable"`
	IncludeClusterAuthorizedOperations bool                   `kafka:"8-10"`
	IncludeTopicAuthorizedOperations   bool                   `kafka:"8+"`
}

// MetadataRequestTopic names one topic, by Name, or by TopicID with a nil Name
// (version 12+).
type MetadataRequestTopic struct {
	TopicID UUID    `kafka:"10+,ignorable"`
	Name    *string `kafka:"null=10+"`
}

// At refuses what old versions would take for something else: version 0 has no
// way to ask for no topics (it lists all), and topic ids work from version 12 on.
func (r *MetadataRequest) At(version int16) (Request, error) {
	if version == 0 && r.Topics != nil && len(r.Topics) == 0 {
		return nil, &FieldError{"MetadataRequest.Topics", fmt.Errorf("asking for no topics %w 0", ErrVersion)}
	}
	for i := range r.Topics {
		if t := &r.Topics[i]; version < 12 && (t.Name == nil || t.TopicID != UUID{}) {
			return nil, inTopic("MetadataRequest", i, fmt.Errorf("a topic id %w %d", ErrVersion, version))
		}
	}
	return r, nil
}

// MetadataResponse answers a MetadataRequest.
type MetadataResponse struct {
	ThrottleMs                  int32 `kafka:"3+,ignorable"`
	Brokers                     []MetadataBroker
	ClusterID                   *string `kafka:"2+,null=2+,ignorable"`
	ControllerID                int32   `kafka:"1+,default=-1,ignorable"`
	Topics                      []MetadataTopic
	ClusterAuthorizedOperations int32 `kafka:"8-10,default=-2147483648"`
	ErrorCode                   Code  `kafka:"13+,ignorable"`
}

// MetadataBroker is one live broker.
type MetadataBroker struct {
	NodeID int32
	Host   string
	Port   int32
	Rack   *string `kafka:"1+,null=1+,ignorable"`
}

// MetadataTopic is one topic's partitions; Name is nil when the request named
// an unknown TopicID.
type MetadataTopic struct {
	ErrorCode                 Code
	Name                      *string `kafka:"null=12+"`
	TopicID                   UUID    `kafka:"10+,ignorable"`
	IsInternal                bool    `kafka:"1+,ignorable"`
	Partitions                []MetadataPartition
	TopicAuthorizedOperations int32 `kafka:"8+,default=-2147483648"`
}

// MetadataPartition says who leads a partition (-1: nobody) and who follows.
type MetadataPartition struct {
	ErrorCode       Code
	Index           int32
	LeaderID        int32
	LeaderEpoch     int32 `kafka:"7+,default=-1,ignorable"`
	ReplicaNodes    []int32
	IsrNodes        []int32
	OfflineReplicas []int32 `kafka:"5+,ignorable"`
}
