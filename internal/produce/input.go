package produce

import (
	"errors"
	"strconv"

	"kafkactl/internal/record"
)

// Input yields records in order. One goroutine calls it.
type Input interface {
	// Next fills every field of r that matters (Partition -1 leaves the choice to
	// the partitioner, Timestamp record.NoTimestamp means now, or with
	// record.NoTimestampType none) and gives its line;
	// lines ascend over the whole input, gaps are allowed. r's slices live until
	// the next call. ErrIdle: nothing whole has arrived yet, wait for Ready.
	// io.EOF: the end. A *RecordError spoils one record, and Next may be called
	// again; any other error ends the input.
	Next(r *record.Record) (line int64, err error)
	// Ready delivers, after an ErrIdle, once Next is worth calling again.
	Ready() <-chan struct{}
	// Where names a line for people, as FILE:LINE.
	Where(line int64) string
}

// ErrIdle is Input.Next's answer while the next record has not arrived.
var ErrIdle = errors.New("no record has arrived yet")

// RecordError is a record that cannot be sent, and why.
type RecordError struct {
	Line int64
	Err  error
}

// Error names the line by its number; who has the Input can do better.
func (e *RecordError) Error() string {
	return "record at line " + strconv.FormatInt(e.Line, 10) + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *RecordError) Unwrap() error { return e.Err }
