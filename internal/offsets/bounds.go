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
	answers, err := list(ctx, c, boundQueries(tps, isolation))
	if err != nil {
		return nil, err
	}
	bounds, err := boundsOf(ctx, c, tps, answers)
	if err != nil {
		return nil, err
	}
	all := make(map[broker.TP]Bounds, len(tps))
	for i, tp := range tps {
		all[tp] = bounds[i]
	}
	return all, nil
}

// boundQueries asks each partition for its start, its high watermark and, under
// read_committed, its last stable offset.
func boundQueries(tps []broker.TP, isolation int8) []query {
	queries := make([]query, 0, 3*len(tps))
	for _, tp := range tps {
		queries = append(queries, query{tp: tp, time: wire.EarliestTimestamp}, query{tp: tp, time: wire.LatestTimestamp})
		if isolation == ReadCommitted {
			queries = append(queries, query{tp: tp, time: wire.LatestTimestamp, isolation: isolation})
		}
	}
	return queries
}

// boundsOf makes bounds of the answers to boundQueries. All were asked at once,
// so a last stable offset may be older than its high watermark, and records
// written in between would look as if a transaction held them back: where it is
// lower, it is asked for once more.
func boundsOf(ctx context.Context, c *broker.Client, tps []broker.TP, answers []answer) ([]Bounds, error) {
	all := make([]Bounds, len(tps))
	var again []int
	var queries []query
	for i, tp := range tps {
		of := answers[:len(answers)/(len(tps)-i)]
		answers = answers[len(of):]
		start, high, stable := of[0], of[1], of[len(of)-1]
		all[i] = Bounds{Start: start.offset, HighWatermark: max(high.offset, stable.offset), LastStable: stable.offset}
		for _, a := range of {
			if all[i].Err == nil {
				all[i].Err = a.err
			}
		}
		if all[i].Err == nil && all[i].Held() {
			again = append(again, i)
			queries = append(queries, query{tp: tp, time: wire.LatestTimestamp, isolation: ReadCommitted})
		}
	}
	confirmed, err := list(ctx, c, queries)
	if err != nil {
		return nil, err
	}
	for k, i := range again {
		if all[i].Err = confirmed[k].err; all[i].Err == nil {
			all[i].LastStable = min(confirmed[k].offset, all[i].HighWatermark)
		}
	}
	return all, nil
}
