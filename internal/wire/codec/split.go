package codec

import (
	"fmt"
	"math"

	"kafkactl/internal/record"
)

// Split cuts a sealed v2 batch of several records in two of about the same
// size, each sealed with o, for a broker that finds it too large. left counts
// the records of a. Keys, values, headers and timestamps stay; producer id and
// sequence do not, so each half wants its own Stamp. a and b have memory of
// their own.
func (c *Compressor) Split(batch []byte, o Options) (a, b []byte, left int32, err error) {
	s, ok, err := ParseSpan(batch)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("split: %w", err)
	}
	if !ok || s.Magic != 2 || s.Size != len(batch) {
		return nil, nil, 0, fmt.Errorf("split: %w", malformed("not one whole v2 batch"))
	}
	if s.Count < 2 {
		return nil, nil, 0, fmt.Errorf("split: a batch of %d records has no halves", s.Count)
	}
	r := Reader{NoCheck: true} // a batch sealed for Stamp has no checksum yet
	r.Reset(batch, 0)
	var first, second Builder
	var rec record.Record
	for r.Next(&rec) {
		to := &second
		// What is behind rec is still encoded in the batch, so the halves meet where
		// the first has grown past what is left.
		if second.count == 0 && first.count < s.Count-1 && (first.count == 0 || first.Size()-Head < len(r.batch.b)-r.batch.at) {
			to = &first
		}
		to.Append(&rec, math.MaxInt)
	}
	if err := r.Err(); err != nil {
		return nil, nil, 0, fmt.Errorf("split: %w", err)
	}
	if a, err = c.Seal(nil, &first, o); err != nil {
		return nil, nil, 0, err
	}
	if b, err = c.Seal(nil, &second, o); err != nil {
		return nil, nil, 0, err
	}
	return a, b, first.count, nil
}
