package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire/codec"
)

var (
	// ErrRecreated is a topic that was deleted and made anew while it was read.
	ErrRecreated = errors.New("the topic was deleted and made anew")

	errExpelled = errors.New("the group has let go of its member")
	errSilent   = errors.New("the broker did not answer in time")
	errLeftOut  = errors.New("the broker left the partition out of its answer")
	errBygone   = errors.New("the broker sends records of before the offset it was asked for")
	errLeader   = errors.New("no leader is known")
	errBack     = errors.New("an offset that was before")
	errEnded    = errors.New("session ended")
	errFull     = errors.New("enough records")
	errEnough   = errors.New("the rest of the answer is not needed")
)

// PartitionError says where reading a partition failed. Damaged records are a
// *codec.CorruptError in it.
type PartitionError struct {
	broker.TP
	Offset int64 // the first not read
	Err    error
}

// Error names the partition, and the offset unless the cause does.
func (e *PartitionError) Error() string {
	var corrupt *codec.CorruptError
	if errors.As(e.Err, &corrupt) {
		return fmt.Sprintf("%s:%d: %v", e.Topic, e.Partition, e.Err)
	}
	return fmt.Sprintf("%s:%d at offset %d: %v", e.Topic, e.Partition, e.Offset, e.Err)
}

// Unwrap is the cause.
func (e *PartitionError) Unwrap() error { return e.Err }

// LostError says that the log lost a position in mid-run, where reading goes on
// and how many offsets of the range were lost.
type LostError struct {
	broker.TP
	Position int64 // where we were
	Resume   int64 // where the range goes on
	Lost     int64
	Err      error // wire.OffsetOutOfRange, or ErrRecreated
}

// Error says which way it was lost.
func (e *LostError) Error() string {
	switch {
	case errors.Is(e.Err, ErrRecreated):
		return fmt.Sprintf("%s:%d: %v; reading it from offset %d, it was read up to %d before", e.Topic, e.Partition, e.Err, e.Resume, e.Position)
	case e.Resume < e.Position:
		return fmt.Sprintf("%s:%d: the log was truncated: it ends at offset %d, where it had been read up to %d: %d offsets lost",
			e.Topic, e.Partition, e.Resume, e.Position, e.Lost)
	}
	return fmt.Sprintf("%s:%d: offset %d is gone from the log: going on at %d, %d offsets lost",
		e.Topic, e.Partition, e.Position, e.Resume, e.Lost)
}

// Unwrap is what the broker said.
func (e *LostError) Unwrap() error { return e.Err }

// TruncatedError says that the log now ends before a range does, so that the
// range was cut to it.
type TruncatedError struct {
	broker.TP
	End    int64 // of the range
	NewEnd int64 // of the log
}

// Error counts what will not come.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("%s:%d: the log was truncated: it ends at offset %d, before the end of the range at %d: %d offsets lost",
		e.Topic, e.Partition, e.NewEnd, e.End, e.End-e.NewEnd)
}

// StalledError says that a partition got no further for as long as was to be
// waited. It is a context.DeadlineExceeded.
type StalledError struct {
	After time.Duration
	End   int64 // of the range, which the log says to have
	Err   error // the last trouble, nil for silence
}

// Error says how long, and the last trouble.
func (e *StalledError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("no record up to the end at offset %d in %v", e.End, e.After)
	}
	return fmt.Sprintf("no progress in %v: %v", e.After, e.Err)
}

// Is makes it a context.DeadlineExceeded.
func (e *StalledError) Is(target error) bool { return target == context.DeadlineExceeded }

// Unwrap is the last trouble.
func (e *StalledError) Unwrap() error { return e.Err }

// TooSmallError is a batch larger than a leader below Fetch version 3 may be
// asked for.
type TooSmallError struct {
	Size  int   // of the batch, as far as it is known
	Limit int32 // Fetch.PartitionLimit
}

// Error names the setting that would help.
func (e *TooSmallError) Error() string {
	return fmt.Sprintf("a batch of %d bytes or more is larger than the limit of %d bytes a partition (max-partition-bytes-limit)", e.Size, e.Limit)
}

// restError is a broker that wants to be left alone for longer than a range may
// stand still.
type restError struct{ wait time.Duration }

// Error says for how long.
func (e *restError) Error() string {
	return fmt.Sprintf("the broker throttles this client for %v", e.wait.Round(time.Second))
}

// RetryNote is said once when partitions cannot be read and are tried again.
type RetryNote struct {
	broker.TP
	Err error
}

// Error says what is being waited out.
func (e *RetryNote) Error() string {
	return fmt.Sprintf("%s:%d: %v; trying again", e.Topic, e.Partition, e.Err)
}

// Unwrap is the trouble.
func (e *RetryNote) Unwrap() error { return e.Err }

// BackNote is said once when all that RetryNote stood for is read again.
type BackNote struct{ After time.Duration }

// Error says how long it took.
func (e *BackNote) Error() string {
	return fmt.Sprintf("back after %v", e.After.Round(100*time.Millisecond))
}
