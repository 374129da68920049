package wire

// InitProducerIDRequest asks for a producer id and epoch (API 22, KIP-98).
type InitProducerIDRequest struct {
	TransactionalID      *string `kafka:"null=0+"`
	TransactionTimeoutMs int32
	ProducerID           int64 `kafka:"3+,default=-1"` // to bump the epoch of (KIP-360)
	ProducerEpoch        int16 `kafka:"3+,default=-1"`
	Enable2PC            bool  `kafka:"6+"` // KIP-939
	KeepPreparedTxn      bool  `kafka:"6+"`
}

// InitProducerIDResponse answers an InitProducerIDRequest.
type InitProducerIDResponse struct {
	ThrottleMs              int32 `kafka:"ignorable"`
	ErrorCode               Code
	ProducerID              int64 `kafka:"default=-1"`
	ProducerEpoch           int16
	OngoingTxnProducerID    int64 `kafka:"6+,default=-1"`
	OngoingTxnProducerEpoch int16 `kafka:"6+,default=-1"`
}
