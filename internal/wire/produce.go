package wire

// ProduceRequest appends records to partitions (API 0).
type ProduceRequest struct {
	TransactionalID *string `kafka:"3+,null=3+"`
	Acks            int16   // 0 none (the broker stays silent), 1 leader, -1 all in sync, N >= 2 so many replicas (old brokers)
	TimeoutMs       int32   // how long the broker may wait for Acks
	Topics          []ProduceTopic
}

// ProduceTopic names a topic by Name below version 13 and by TopicID from there;
// callers fill both.
type ProduceTopic struct {
	Name       string `kafka:"0-12,ignorable,key"`
	TopicID    UUID   `kafka:"13+,ignorable,key"`
	Partitions []ProducePartition
}

// ProducePartition carries whole batches for one partition.
type ProducePartition struct {
	Index   int32   `kafka:"key"`
	Records Records `kafka:"null=0+"`
}

// At makes sure that every topic is named the way the version names it.
func (r *ProduceRequest) At(version int16) (Request, error) {
	for i := range r.Topics {
		t := &r.Topics[i]
		if err := named(version, t.Name, t.TopicID, version >= 13); err != nil {
			return nil, inTopic("ProduceRequest", i, err)
		}
	}
	return r, nil
}

// Cap implements Capper: version 13 needs every topic's id.
func (r *ProduceRequest) Cap() int16 {
	for i := range r.Topics {
		if r.Topics[i].TopicID == (UUID{}) {
			return 12
		}
	}
	return noCap
}

// ProduceResponse answers a ProduceRequest; no answer comes with Acks 0.
type ProduceResponse struct {
	Topics        []ProduceTopicResult
	ThrottleMs    int32        `kafka:"1+,ignorable"`
	NodeEndpoints []LeaderNode `kafka:"tag=0,10+"`
}

// ProduceTopicResult is one topic's answers.
type ProduceTopicResult struct {
	Name       string `kafka:"0-12,ignorable"`
	TopicID    UUID   `kafka:"13+,ignorable"`
	Partitions []ProducePartitionResult
}

// ProducePartitionResult says where a partition's records begin, or why they
// were refused.
type ProducePartitionResult struct {
	Index           int32
	ErrorCode       Code
	BaseOffset      int64
	LogAppendTimeMs int64                `kafka:"2+,default=-1,ignorable"`
	LogStartOffset  int64                `kafka:"5+,default=-1,ignorable"`
	RecordErrors    []ProduceRecordError `kafka:"8+,ignorable"`
	ErrorMessage    *string              `kafka:"8+,null=8+,ignorable"`
	CurrentLeader   LeaderAndEpoch       `kafka:"tag=0,10+"`
}

// ProduceRecordError blames one record of a refused batch (KIP-467).
type ProduceRecordError struct {
	BatchIndex        int32
	BatchIndexMessage *string `kafka:"null=0+"`
}

// LeaderAndEpoch is where a partition's leader is now (KIP-951).
type LeaderAndEpoch struct {
	LeaderID    int32 `kafka:"default=-1"`
	LeaderEpoch int32 `kafka:"default=-1"`
}

// LeaderNode is the address of a node named in a LeaderAndEpoch.
type LeaderNode struct {
	NodeID int32
	Host   string
	Port   int32
	Rack   *string `kafka:"null=0+"`
}
