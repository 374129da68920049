package wire

// AddOffsetsToTxnRequest tells a transaction's coordinator that offsets of a
// group will be committed with it (API 25, KIP-98). Where transaction.version is
// 2 or higher, TxnOffsetCommit v5 does that by itself (KIP-890).
type AddOffsetsToTxnRequest struct {
	TransactionalID string
	ProducerID      int64
	ProducerEpoch   int16
	GroupID         string
}

// AddOffsetsToTxnResponse answers an AddOffsetsToTxnRequest.
type AddOffsetsToTxnResponse struct {
	ThrottleMs int32 `kafka:"ignorable"`
	ErrorCode  Code
}

// EndTxnRequest commits or aborts a transaction (API 26, KIP-98). Version 5 is
// for clusters whose transaction.version is 2 or higher.
type EndTxnRequest struct {
	TransactionalID string
	ProducerID      int64
	ProducerEpoch   int16
	Committed       bool
}

// EndTxnResponse answers an EndTxnRequest: the outcome is decided, and markers
// are being written. From version 5 on, the next transaction goes under the
// producer id and epoch it names, with sequences from 0 (KIP-890).
type EndTxnResponse struct {
	ThrottleMs    int32 `kafka:"ignorable"`
	ErrorCode     Code
	ProducerID    int64 `kafka:"5+,default=-1,ignorable"`
	ProducerEpoch int16 `kafka:"5+,default=-1,ignorable"`
}

// Key implements Request.
func (*AddOffsetsToTxnRequest) Key() Key { return AddOffsetsToTxn }

// Key implements Response.
func (*AddOffsetsToTxnResponse) Key() Key { return AddOffsetsToTxn }

// Key implements Request.
func (*EndTxnRequest) Key() Key { return EndTxn }

// Key implements Response.
func (*EndTxnResponse) Key() Key { return EndTxn }
