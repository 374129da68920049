package codec

import (
	"kafkactl/internal/record"
)

// maxNesting is how many compressed wrappers may lie inside one another.
const maxNesting = 2

// messages walks one top-level entry of message format v0 or v1.
type messages struct{}

func (m *messages) start(b []byte, limit int) {}

func (m *messages) next(rec *record.Record, r *Reader) (bool, error) {
	return false, ErrCompression
}
