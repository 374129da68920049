package wire

// TxnOffsetCommitRequest stores a group's offsets as part of a transaction: they
// count once it is committed (API 28, KIP-98, KIP-447). The group's coordinator
// takes it. Versions from 5 on are for clusters whose transaction.version is 2 or higher,
// where no AddOffsetsToTxn comes before it (KIP-890).
type TxnOffsetCommitRequest struct {
	TransactionalID string
	GroupID         string
	ProducerID      int64
	ProducerEpoch   int16
	GenerationID    int32   `kafka:"3+,default=-1"` // -1 from outside the group
	MemberID        string  `kafka:"3+"`
	GroupInstanceID *string `kafka:"3+,null=3+"`
	Topics          []TxnOffsetCommitTopic
}

// TxnOffsetCommitTopic names a topic by Name below version 6 and by TopicID from
// there; callers fill both.
type TxnOffsetCommitTopic struct {
	Name       string `kafka:"0-5,ignorable,key"`
	TopicID    UUID   `kafka:"6+,ignorable,key"`
	Partitions []TxnOffsetCommitPartition
}

// TxnOffsetCommitPartition is the next offset to read.
type TxnOffsetCommitPartition struct {
	Index           int32 `kafka:"key"`
	CommittedOffset int64
	LeaderEpoch     int32   `kafka:"2+,default=-1,ignorable"`
	Metadata        *string `kafka:"null=0+"`
}

// At makes sure that every topic is named the way the version names it.
func (r *TxnOffsetCommitRequest) At(version int16) (Request, error) {
	for i := range r.Topics {
		t := &r.Topics[i]
		if err := named(version, t.Name, t.TopicID, version >= 6); err != nil {
			return nil, inTopic("TxnOffsetCommitRequest", i, err)
		}
	}
	return r, nil
}

// Cap implements Capper: version 6 needs every topic's id.
func (r *TxnOffsetCommitRequest) Cap() int16 {
	for i := range r.Topics {
		if r.Topics[i].TopicID == (UUID{}) {
			return 5
		}
	}
	return noCap
}

// TxnOffsetCommitResponse answers a TxnOffsetCommitRequest. Among the codes:
// INVALID_PRODUCER_EPOCH of a producer that was fenced, and the group
// coordinator's own.
type TxnOffsetCommitResponse struct {
	ThrottleMs int32 `kafka:"ignorable"`
	Topics     []TxnOffsetCommitTopicResult
}

// TxnOffsetCommitTopicResult is one topic's answers.
type TxnOffsetCommitTopicResult struct {
	Name       string `kafka:"0-5,ignorable"`
	TopicID    UUID   `kafka:"6+,ignorable"`
	Partitions []TxnOffsetCommitPartitionResult
}

// TxnOffsetCommitPartitionResult is one partition's answer.
type TxnOffsetCommitPartitionResult struct {
	Index     int32
	ErrorCode Code
}

// Key implements Request.
func (*TxnOffsetCommitRequest) Key() Key { return TxnOffsetCommit }

// Key implements Response.
func (*TxnOffsetCommitResponse) Key() Key { return TxnOffsetCommit }
