package offsets

import (
	"context"
	"fmt"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Segments are starts of log segments, descending; the log's end may lead them.
type Segments struct {
	Offsets []int64
	Err     error
}

// ListSegments asks for up to limit offsets at or before each place, which must
// be Start, End or a Time, as ListOffsets version 0 has it. Brokers of Kafka 4.0
// and later no longer know that version: Err is then a *broker.VersionError.
func ListSegments(ctx context.Context, c *broker.Client, places []Place, limit int32) ([]Segments, error) {
	queries := make([]query, len(places))
	for i, p := range places {
		q := query{tp: p.TP, limit: limit}
		switch {
		case p.Position == Position{Base: Start}:
			q.time = wire.EarliestTimestamp
		case p.Position == Position{Base: End}:
			q.time = wire.LatestTimestamp
		case p.Position.Base == Time:
			q.time = p.Position.N
		default:
			return nil, fmt.Errorf("segments: %v is not start, end or a time", p.Position)
		}
		queries[i] = q
	}
	answers, err := list(ctx, c, queries)
	if err != nil {
		return nil, err
	}
	all := make([]Segments, len(places))
	for i, a := range answers {
		all[i] = Segments{Offsets: a.old, Err: a.err}
	}
	return all, nil
}
