package codec

import (
	"fmt"

	"kafkactl/internal/record"
)

// DefaultLimit is the most bytes a Reader lets one entry inflate to.
const DefaultLimit = 256 << 20

// Reader iterates over the records of whole entries of one partition. It owns
// its decoders and its inflate buffer; make one per worker. The zero value is
// ready.
type Reader struct {
	Limit   int  // most bytes one entry may inflate to; 0 is DefaultLimit
	NoCheck bool // skip checksums
}

// Reset starts on entries, whole ones laid end to end; records below from are
// passed over. A truncated last entry is ignored, as brokers cut there.
// entries must stay as it is until the last Next. Control batches yield nothing.
func (r *Reader) Reset(entries []byte, from int64) {}

// Next fills rec but for Topic and Partition; its slices die at the next Next
// or Reset. False is the end, or damage: see Err.
func (r *Reader) Next(rec *record.Record) bool { return false }

// Err tells the damage that ended the iteration, nil if none. Skip goes on
// behind it.
func (r *Reader) Err() *CorruptError { return nil }

// Skip drops the damaged entry and clears Err, so that Next continues with the
// entry behind it.
func (r *Reader) Skip() {}

// CorruptError is a damaged entry: a checksum that fails, a length that lies, a
// compression that does not end. Records before Offset were sound and have been
// yielded.
type CorruptError struct {
	Offset int64 // the first offset that cannot be read
	Resume int64 // the first offset behind the damaged entry
	Err    error
}

// Error says where and what.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("corrupt records at offset %d (sound again from %d): %v", e.Offset, e.Resume, e.Err)
}

// Unwrap is the damage itself.
func (e *CorruptError) Unwrap() error { return e.Err }
