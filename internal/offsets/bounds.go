package offsets

import (
	"context"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Isolation levels of a lookup, as brokers count them.
const (
	ReadUncommitted int8 = 0
	ReadCommitted   int8 = 1
)

// Bounds is what a partition holds.
type Bounds struct {
	Start         int64 // log start offset
	HighWatermark int64
	// LastStable is the last stable offset: below it every transaction is decided.
	// It is the high watermark unless read_committed was asked for.
	LastStable int64
	Err        error
}

// End is where a reader of an isolation level must stop.
func (b Bounds) End(isolation int8) int64 {
	if isolation == ReadCommitted {
		return b.LastStable
	}
	return b.HighWatermark
}

// Held says that an open transaction keeps records from readers of committed ones.
func (b Bounds) Held() bool { return b.LastStable < b.HighWatermark }

// FetchBounds asks the leaders for the bounds of partitions; a partition's error
// stands in its Bounds. The error is ctx's alone.
func FetchBounds(ctx context.Context, c *broker.Client, tps []broker.TP, isolation int8) (map[broker.TP]Bounds, error) {
	queries := make([]query, 0, 2*len(tps))
	for _, tp := range tps {
		queries = append(queries, query{tp: tp, time: wire.EarliestTimestamp}, query{tp: tp, time: wire.LatestTimestamp})
	}
	answers, err := list(ctx, c, ReadUncommitted, queries)
	if err != nil {
		return nil, err
	}
	starts, highs := make([]answer, len(tps)), make([]answer, len(tps))
	for i := range tps {
		starts[i], highs[i] = answers[2*i], answers[2*i+1]
	}
	stable, err := lastStable(ctx, c, tps, isolation, highs)
	if err != nil {
		return nil, err
	}
	all := make(map[broker.TP]Bounds, len(tps))
	for i, tp := range tps {
		all[tp] = boundsOf(starts[i], highs[i], stable[i])
	}
	return all, nil
}

// lastStable asks for last stable offsets; without read_committed they are the
// high watermarks. It must follow the question for those: the other way round,
// records written in between would look as if a transaction held them back.
func lastStable(ctx context.Context, c *broker.Client, tps []broker.TP, isolation int8, highs []answer) ([]answer, error) {
	if isolation != ReadCommitted {
		return highs, nil
	}
	queries := make([]query, len(tps))
	for i, tp := range tps {
		queries[i] = query{tp: tp, time: wire.LatestTimestamp}
	}
	return list(ctx, c, ReadCommitted, queries)
}

func boundsOf(start, high, stable answer) Bounds {
	b := Bounds{Start: start.offset, HighWatermark: max(high.offset, stable.offset), LastStable: stable.offset}
	for _, a := range []answer{start, high, stable} {
		if b.Err == nil {
			b.Err = a.err
		}
	}
	return b
}
