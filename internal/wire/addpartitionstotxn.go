package wire

import "fmt"

// AddPartitionsToTxnRequest tells a transaction's coordinator which partitions
// it is about to write to (API 24, KIP-98). Clients fill the fields of one
// transaction, which versions up to 3 carry; the batches of later ones are what
// brokers ask each other (KIP-890).
type AddPartitionsToTxnRequest struct {
	TransactionalID string                  `kafka:"0-3"`
	ProducerID      int64                   `kafka:"0-3"`
	ProducerEpoch   int16                   `kafka:"0-3"`
	Topics          []AddPartitionsTopic    `kafka:"0-3"`
	Transactions    []AddPartitionsToOneTxn `kafka:"4+"`
}

// AddPartitionsToOneTxn is one transaction of a batch.
type AddPartitionsToOneTxn struct {
	TransactionalID string `kafka:"key"`
	ProducerID      int64
	ProducerEpoch   int16
	VerifyOnly      bool // ask whether they are in it already
	Topics          []AddPartitionsTopic
}

// AddPartitionsTopic names partitions of one topic.
type AddPartitionsTopic struct {
	Name       string `kafka:"key"`
	Partitions []int32
}

// Cap implements Capper: what is not a batch ends with version 3.
func (r *AddPartitionsToTxnRequest) Cap() int16 {
	if r.Transactions == nil {
		return 3
	}
	return noCap
}

// At refuses to send no transaction at all where a version has only batches.
func (r *AddPartitionsToTxnRequest) At(version int16) (Request, error) {
	if version >= 4 && r.TransactionalID != "" {
		return nil, &FieldError{"AddPartitionsToTxnRequest.TransactionalID", fmt.Errorf("a single transaction %w %d", ErrVersion, version)}
	}
	return r, nil
}

// AddPartitionsToTxnResponse answers an AddPartitionsToTxnRequest. Among the
// codes: CONCURRENT_TRANSACTIONS while the last transaction is being completed,
// INVALID_TXN_STATE, PRODUCER_FENCED (INVALID_PRODUCER_EPOCH below version 2),
// OPERATION_NOT_ATTEMPTED for a partition whose neighbours were refused.
type AddPartitionsToTxnResponse struct {
	ThrottleMs   int32                         `kafka:"ignorable"`
	ErrorCode    Code                          `kafka:"4+,ignorable"`
	Transactions []AddPartitionsToOneTxnResult `kafka:"4+"`
	Topics       []AddPartitionsTopicResult    `kafka:"0-3"`
}

// AddPartitionsToOneTxnResult is one transaction's answers.
type AddPartitionsToOneTxnResult struct {
	TransactionalID string
	Topics          []AddPartitionsTopicResult
}

// AddPartitionsTopicResult is one topic's answers.
type AddPartitionsTopicResult struct {
	Name       string
	Partitions []AddPartitionsPartitionResult
}

// AddPartitionsPartitionResult is one partition's answer.
type AddPartitionsPartitionResult struct {
	Index     int32
	ErrorCode Code
}

// Key implements Request.
func (*AddPartitionsToTxnRequest) Key() Key { return AddPartitionsToTxn }

// Key implements Response.
func (*AddPartitionsToTxnResponse) Key() Key { return AddPartitionsToTxn }
