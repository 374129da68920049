package consume

import (
	"sync/atomic"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// Partition is one run over one partition's range. When the log loses the
// position a new Partition takes over, so positions within one never go back.
type Partition struct {
	broker.TP

	end     atomic.Int64 // exclusive, offsets.Follow never comes
	told    atomic.Int64 // what Progress heard
	stopped atomic.Bool  // the worker takes no more of it
	fate    *fate
	rewound bool       // a position that is lost becomes the start of the log, whatever Reset says
	before  *Partition // whose place it took when the log lost the position
	dead    bool       // Progress's: what is done of it counts no more

	high    atomic.Int64         // end of the log as its leader last said
	leaving atomic.Bool          // it is being taken away from the session
	gone    atomic.Bool          // taken away: what a sink still holds of it is nobody's
	heard   atomic.Bool          // a leader answered for it
	lane    atomic.Pointer[lane] // the last that had it

	// Of whoever holds it: the lane that fetches it, or else the router.
	next   int64 // offset to ask for
	epoch  int32 // leader epoch of the record before next, -1 unknown
	route  route
	grown  int32     // bytes asked for in place of the usual, after a too-small answer
	since  time.Time // without progress since; zero while all is well
	tries  int       // repairs since the last good answer
	down   bool      // it counts as unreadable, and the router waits for word
	served bool      // the last answer moved it

	state state // the router's
}

// route is whom to ask for a partition, and how.
type route struct {
	node  int32 // to be asked
	epoch int32 // the leader's, -1 unknown (KIP-320)
	topic wire.UUID
	away  bool // node is a replica the leader sent us to (KIP-392)
}

// state is where the router sees a partition.
type state int8

const (
	waiting  state = iota // for a leader, or a position
	fetching              // a lane has it
	ended                 // all fetched, failed or stopped
)

// fate is what a partition's reader wants to know in the end. It outlives the
// Partitions of one topic-partition.
type fate struct {
	from    int64
	records atomic.Int64 // delivered
	corrupt atomic.Int64 // damaged batches passed over
	err     error        // the router's
}

func newPartition(tp broker.TP, r offsets.Range, f *fate) *Partition {
	p := &Partition{TP: tp, next: r.From, epoch: -1, fate: f}
	p.end.Store(r.To)
	p.told.Store(r.From)
	p.route.node = -1
	return p
}

// advance moves what was told forward; false when it is there already.
func (p *Partition) advance(next int64) bool {
	if next <= p.told.Load() {
		return false
	}
	p.told.Store(next)
	return true
}

// through says that nothing of the range is left to fetch.
func (p *Partition) through() bool { return p.next >= p.end.Load() }

// trouble notes the start of a time without progress.
func (p *Partition) trouble(now time.Time) {
	if p.since.IsZero() {
		p.since = now
	}
}

// outcome is what became of p so far.
func (p *Partition) outcome() Outcome {
	f := p.fate
	return Outcome{TP: p.TP, From: f.from, Next: p.told.Load(), Records: f.records.Load(), Err: f.err}
}

// hear takes in how far an answer says the log goes.
func (p *Partition) hear(res *wire.FetchPartitionResult, committed bool) {
	high := res.HighWatermark
	if committed && res.LastStableOffset >= 0 {
		high = res.LastStableOffset
	}
	p.high.Store(high)
}

// More says that the log is known to go on behind m, within the range.
func (m Mark) More() bool { return m.Next < min(m.P.high.Load(), m.P.end.Load()) }

// Gone says that the partition was taken away (Session.Drop, Session.Rewind):
// what a sink still holds of it is not to be delivered.
func (m Mark) Gone() bool { return m.P.gone.Load() }

// Leaving says that the partition is being taken away (Session.Drop): what a sink
// has not begun to deliver comes to whoever gets it.
func (m Mark) Leaving() bool { return m.P.leaving.Load() }

// Stopped says that no more comes of the partition: it is being taken away, or
// has failed.
func (m Mark) Stopped() bool { return m.P.stopped.Load() }
