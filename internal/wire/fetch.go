package wire

// FetchRequest reads whole batches from partitions (API 1). Fetch sessions are
// not used: SessionID 0 and SessionEpoch -1 ask for a full fetch each time.
type FetchRequest struct {
	ClusterID       *string      `kafka:"tag=0,12+,null=12+,ignorable"`
	ReplicaID       int32        `kafka:"0-14,default=-1"` // -1: a client
	ReplicaState    ReplicaState `kafka:"tag=1,15+"`
	MaxWaitMs       int32        // longest the broker may hold the request open
	MinBytes        int32        // answer early once so many bytes are there
	MaxBytes        int32        `kafka:"3+,default=2147483647,ignorable"`
	IsolationLevel  int8         `kafka:"4+,ignorable"` // 0 read_uncommitted, 1 read_committed
	SessionID       int32        `kafka:"7+,ignorable"`
	SessionEpoch    int32        `kafka:"7+,default=-1,ignorable"`
	Topics          []FetchTopic
	ForgottenTopics []ForgottenTopic `kafka:"7+"`
	RackID          string           `kafka:"11+,ignorable"`
}

// ReplicaState is what a follower says of itself; clients leave it alone.
type ReplicaState struct {
	ReplicaID    int32 `kafka:"default=-1"`
	ReplicaEpoch int64 `kafka:"default=-1"`
}

// FetchTopic names a topic by Name below version 13 and by TopicID from there;
// callers fill both.
type FetchTopic struct {
	Name       string `kafka:"0-12,ignorable,key"`
	TopicID    UUID   `kafka:"13+,ignorable,key"`
	Partitions []FetchPartition
}

// FetchPartition asks for one partition from an offset on.
type FetchPartition struct {
	Index              int32 `kafka:"key"`
	CurrentLeaderEpoch int32 `kafka:"9+,default=-1,ignorable"`
	FetchOffset        int64
	LastFetchedEpoch   int32 `kafka:"12+,default=-1"` // of a follower
	LogStartOffset     int64 `kafka:"5+,default=-1,ignorable"`
	MaxBytes           int32 // the first batch comes whole even if larger (version 3+)
	ReplicaDirectoryID UUID  `kafka:"tag=0,17+,ignorable"`
	HighWatermark      int64 `kafka:"tag=1,18+,default=9223372036854775807,ignorable"`
}

// ForgottenTopic leaves a fetch session.
type ForgottenTopic struct {
	Name       string `kafka:"0-12,ignorable"`
	TopicID    UUID   `kafka:"13+,ignorable"`
	Partitions []int32
}

// At makes sure that every topic is named the way the version names it.
func (r *FetchRequest) At(version int16) (Request, error) {
	for i := range r.Topics {
		t := &r.Topics[i]
		if err := named(version, t.Name, t.TopicID, version >= 13); err != nil {
			return nil, inTopic("FetchRequest", i, err)
		}
	}
	return r, nil
}

// Cap implements Capper: version 13 needs every topic's id.
func (r *FetchRequest) Cap() int16 {
	for i := range r.Topics {
		if r.Topics[i].TopicID == (UUID{}) {
			return 12
		}
	}
	return noCap
}

// FetchResponse answers a FetchRequest.
type FetchResponse struct {
	ThrottleMs    int32 `kafka:"1+,ignorable"`
	ErrorCode     Code  `kafka:"7+,ignorable"`
	SessionID     int32 `kafka:"7+"`
	Topics        []FetchTopicResult
	NodeEndpoints []LeaderNode `kafka:"tag=0,16+"`
}

// FetchTopicResult is one topic's answers.
type FetchTopicResult struct {
	Name       string `kafka:"0-12,ignorable"`
	TopicID    UUID   `kafka:"13+,ignorable"`
	Partitions []FetchPartitionResult
}

// FetchPartitionResult is one partition's records and watermarks.
type FetchPartitionResult struct {
	Index                int32
	ErrorCode            Code
	HighWatermark        int64
	LastStableOffset     int64                `kafka:"4+,default=-1,ignorable"`
	LogStartOffset       int64                `kafka:"5+,default=-1,ignorable"`
	DivergingEpoch       EpochEndOffset       `kafka:"tag=0,12+"`
	CurrentLeader        LeaderAndEpoch       `kafka:"tag=1,12+"`
	SnapshotID           SnapshotID           `kafka:"tag=2,12+"`
	AbortedTransactions  []AbortedTransaction `kafka:"4+,null=4+,ignorable"`
	PreferredReadReplica int32                `kafka:"11+,default=-1"`
	Records              Records              `kafka:"null=0+"`
}

// EpochEndOffset is where an epoch ended, for followers.
type EpochEndOffset struct {
	Epoch     int32 `kafka:"default=-1"`
	EndOffset int64 `kafka:"default=-1"`
}

// SnapshotID names a KRaft snapshot, for followers.
type SnapshotID struct {
	EndOffset int64 `kafka:"default=-1"`
	Epoch     int32 `kafka:"default=-1"`
}

// AbortedTransaction says that ProducerID's batches from FirstOffset up to its
// abort marker were rolled back.
type AbortedTransaction struct {
	ProducerID  int64
	FirstOffset int64
}
