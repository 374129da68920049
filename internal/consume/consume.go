// Package consume moves records from partition leaders to a sink, in partition
// order, and knows how far the sink got. Its engine is a Session: lanes fetch
// (a lane is one connection, some partitions of one leader and one request
// out), each response is cut into whole batches as it arrives, and one worker
// decodes, filters and feeds the sink. Memory is a fixed pool of chunks,
// whatever the topic, the fetch size or the reader of our output.
//
// It prints nothing, starts no processes, reads no flags and speaks no group
// protocol.
package consume

import (
	"context"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/record"
)

// Isolation levels of a fetch.
const (
	ReadUncommitted int8 = 0 // every record, those of open and aborted transactions too
	ReadCommitted   int8 = 1 // up to the last stable offset, without aborted records (KIP-98)
)

// Sink delivers records. One goroutine calls it; r dies with the call.
type Sink interface {
	// Record accepts one record; m accounts for everything of its partition up to
	// and including it. A sink tells Progress of m only once the record is
	// delivered. An error ends the session.
	Record(ctx context.Context, r *record.Record, m Mark) error
	// Skip passes offsets that deliver nothing: filtered, aborted, a marker, a hole.
	Skip(m Mark)
	// Flush returns when everything accepted is delivered and told, or says why not.
	// It is called once more after ctx ended, which is an interruption: what takes
	// time is then not begun.
	Flush(ctx context.Context) error
}

// Reset says where to go on when the log lost a position in mid-run.
type Reset int8

// The resets of --offset-reset.
const (
	ResetNearest Reset = iota // below the log start: its start; past the end: the end
	ResetEnd                  // always the end
	ResetNone                 // the partition fails
)

// Fetch is how a session asks leaders for records. Zero fields take defaults.
type Fetch struct {
	Wait     time.Duration // longest a leader may hold a request open; default 500 ms
	MinBytes int32         // a leader answers early once it has so many; default 1
	MaxBytes int32         // of one response; default 50 MiB. No more than advice: memory is bounded elsewhere
	// PartitionBytes of one partition in a response. Zero shares MaxBytes out, at
	// least 4 MiB each: the broker cuts the last batch short and it is fetched
	// again, so small answers move many bytes twice.
	PartitionBytes int32
	// PartitionLimit bounds the growth of PartitionBytes where a batch is larger
	// than what a leader below Fetch version 3 was asked for; default 1 GiB.
	PartitionLimit int32
}

// Options is what a Session is told. The zero value reads ranges to their ends
// under read_uncommitted.
type Options struct {
	Isolation int8
	Max       int64         // records delivered, over all partitions, before the session ends; 0: all
	Idle      time.Duration // the session ends when no record arrived for so long; 0: never
	Timeout   time.Duration // how long a partition may be without progress below its end; default 30 s
	Follow    bool          // ends still to come are waited for, through any outage
	Reset     Reset
	Strict    bool // what would be a warning that changes which records are read fails the partition
	KeepGoing bool // damaged batches are passed over with a warning
	ByTime    bool // partitions are merged by timestamp; partition order still wins
	// SortWait is how long a merge that follows waits for a quiet partition; default 1 s.
	SortWait time.Duration
	// Apart is for several sinks that may take long over a record: none of them
	// keeps another's partitions waiting.
	Apart  bool
	Fetch  Fetch
	Commit Commit

	// Keep says which records count; nil is all. Others never reach the sink. An
	// error ends the partition before the record. It and Stop are called by as many
	// goroutines as there are sinks.
	Keep func(ctx context.Context, r *record.Record) (bool, error)
	// Stop ends a partition before the record for which it says so.
	Stop func(*record.Record) bool
	// At, where a partition has one, is where its records stand that count, in
	// order, as Last found them: what lies between is passed over, and not even
	// fetched if it is much.
	At map[broker.TP][]int64
	// floor is down to where records before the beginning of a range count too, if
	// they come in one batch with it.
	floor map[broker.TP]int64

	// OnWarn hears of what changes which records are read (*LostError,
	// *TruncatedError, *CorruptError) and goes on. OnNote hears of what does not:
	// *RetryNote, *BackNote. Neither is called from two goroutines at once.
	OnWarn func(error)
	OnNote func(error)
	// OnFail hears at once of a partition that is given up for good; the report
	// has its error too. It keeps OnWarn's rule.
	OnFail func(tp broker.TP, err error)
}

const (
	defaultWait           = 500 * time.Millisecond
	defaultMaxBytes       = 50 << 20
	defaultPartitionBytes = 4 << 20
	defaultPartitionLimit = 1 << 30
	defaultTimeout        = 30 * time.Second
	defaultSortWait       = time.Second
)

// filled is o with its defaults.
func (o Options) filled() Options {
	set(&o.Timeout, defaultTimeout)
	set(&o.SortWait, defaultSortWait)
	set(&o.Fetch.Wait, defaultWait)
	set(&o.Fetch.MinBytes, 1)
	set(&o.Fetch.MaxBytes, defaultMaxBytes)
	set(&o.Fetch.PartitionLimit, defaultPartitionLimit)
	if o.OnWarn == nil {
		o.OnWarn = func(error) {}
	}
	if o.OnFail == nil {
		o.OnFail = func(broker.TP, error) {}
	}
	if o.OnNote == nil {
		o.OnNote = func(error) {}
	}
	return o
}

func set[T ~int32 | ~int64](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}
