package consume

import (
	"slices"
	"sync/atomic"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
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
	at      []int64    // Options.At
	floor   int64      // Options.floor, or where the range begins
	dead    bool       // Progress's: what is done of it counts no more

	high    atomic.Int64              // end of the log as its leader last said
	leaving atomic.Bool               // it is being taken away from the session
	gone    atomic.Bool               // taken away: what a sink still holds of it is nobody's
	heard   atomic.Bool               // a leader answered for it
	lane    atomic.Pointer[lane]      // the last that had it
	topic   atomic.Pointer[wire.UUID] // that it is a partition of, nil while that is unknown

	// Of whoever holds it: the lane that fetches it, or else the router.
	next   int64 // offset to ask for
	epoch  int32 // leader epoch of the record before next, -1 unknown
	route  route
	grown  int32         // bytes asked for in place of the usual, after a too-small answer
	since  time.Time     // without progress since; zero while all is well
	tries  int           // repairs since the last good answer
	down   bool          // it counts as unreadable, and the router waits for word
	served bool          // the last answer moved it
	putOff time.Duration // what the answers in a row without it asked for, for a quota's sake

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
	from    atomic.Int64 // where the range begins, or the batch that does
	records atomic.Int64 // delivered
	bytes   atomic.Int64 // of the batches they came in
	corrupt atomic.Int64 // damaged batches passed over
	err     error        // the router's
}

// took accounts for a batch of so many bytes, of records from an offset on.
func (f *fate) took(from int64, size int) {
	f.bytes.Add(int64(size))
	if from < f.from.Load() {
		f.from.Store(from)
	}
}

func newFate(from int64) *fate {
	f := new(fate)
	f.from.Store(from)
	return f
}

func newPartition(tp broker.TP, r offsets.Range, f *fate) *Partition {
	p := &Partition{TP: tp, next: r.From, epoch: -1, fate: f, floor: r.From}
	p.end.Store(r.To)
	p.told.Store(r.From)
	p.route.node = -1
	return p
}

// send says whom to ask for p. A topic made anew under its name is another one's
// business: what was read is of the first.
func (p *Partition) send(r route) {
	p.route = r
	if r.topic != (wire.UUID{}) {
		p.topic.CompareAndSwap(nil, &r.topic)
	}
}

// topicID is that of the topic which was read, zero where brokers have none.
func (p *Partition) topicID() wire.UUID {
	if id := p.topic.Load(); id != nil {
		return *id
	}
	return wire.UUID{}
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

// begin is where the records of an entry begin to count that p stands in.
func (p *Partition) begin(s codec.Span) int64 {
	if s.Magic < 2 || s.Base >= p.next || p.floor >= p.next || p.next != p.fate.from.Load() {
		return p.next
	}
	return max(s.Base, p.floor)
}

// reach moves p behind an entry, and on to the next record that counts.
func (p *Partition) reach(next int64, epoch int32) {
	p.next, p.epoch = next, epoch
	if p.at == nil {
		return
	}
	i, _ := slices.BinarySearch(p.at, next)
	if i < len(p.at) {
		next = p.at[i]
	} else if end := p.end.Load(); end != offsets.Follow {
		next = end
	}
	if next > p.next {
		p.next, p.epoch = next, -1
	}
}

// trouble notes the start of a time without progress.
func (p *Partition) trouble(now time.Time) {
	if p.since.IsZero() {
		p.since = now
	}
}

// outcome is what became of p so far.
func (p *Partition) outcome() Outcome {
	f := p.fate
	return Outcome{TP: p.TP, From: f.from.Load(), Next: p.told.Load(), Records: f.records.Load(), bytes: f.bytes.Load(), Err: f.err}
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
