package codec

import (
	"errors"
	"fmt"
)

// Kinds of damage, found in a CorruptError with errors.Is.
var (
	// ErrChecksum is a batch or message whose bytes are not those its writer
	// summed, or a compressed stream whose own checksum fails.
	ErrChecksum = errors.New("checksum does not match")
	// ErrLimit is an entry that inflates past Reader.Limit.
	ErrLimit = errors.New("inflates past the limit")
	// ErrCompression is a compression Kafka does not know, or one that the
	// message format cannot carry.
	ErrCompression = errors.New("unsupported compression")
	// ErrFormat is everything else that makes no sense: lengths, counts and
	// offsets that contradict each other, compressed data that does not inflate.
	ErrFormat = errors.New("malformed")
)

// CorruptError is a damaged entry: a checksum that fails, a length that lies, a
// compression that does not end. Records before Offset were sound and have been
// yielded (or passed over, when below the offset the reader was reset to).
type CorruptError struct {
	Offset int64 // the first offset that cannot be read
	Resume int64 // the first offset behind the damaged entry; equal to Offset when only what follows its last record is damaged
	Err    error
}

// Error says where and what.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("corrupt records at offset %d (sound again from %d): %v", e.Offset, e.Resume, e.Err)
}

// Unwrap is the damage itself.
func (e *CorruptError) Unwrap() error { return e.Err }

// malformed is an ErrFormat that says what contradicts what.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}
