package produce

import (
	"encoding/binary"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// Batch is owned by exactly one of: the feeder while it is open, a sealer, the
// core while it waits or is on the wire. Sealed bytes only change by Stamp.
type Batch struct {
	tp    broker.TP
	magic int8
	lines lines
	count int32
	size  int // bytes before compression

	builder *codec.Builder // until sealed; longer when the sealed bytes are its own
	wire    []byte         // sealed
	mem     int            // bytes of the budget this batch holds
	opened  time.Time
	slot    *slot // while open
	port    *port
	receipt *receipt // nil where nobody wants any

	// The rest belongs to the core.

	sealed bool
	id     identity // whose sequence seq is
	seq    int64    // first sequence, counted on past 2^31; unsequenced until first sent
	// doubt: it may stand in the log, for an attempt was lost or failed after the
	// append. Only an answer to the very same bytes can tell.
	doubt    bool
	waiting  bool // on the wire, unanswered
	bygone   bool // on the wire to a log that was deleted since
	told     bool // its bytes carry id and seq
	answer   answer
	fate     fate // what the answer means
	tries    int  // attempts that failed by themselves, not by following one that did
	damaged  int  // CORRUPT_MESSAGE answers
	node     int32
	deadline time.Time
	last     error // why the last attempt failed
}

// unsequenced is the seq of a batch that has never been sent, or may be
// numbered anew.
const unsequenced = -1

// end is the sequence behind the batch.
func (b *Batch) end() int64 { return b.seq + int64(b.count) }

// stamp writes identity and sequence into the sealed bytes, and the checksum.
func (b *Batch) stamp(transactional bool) {
	if b.told || b.magic < 2 {
		return
	}
	b.told = true
	seq := int32(-1)
	if b.id.sequenced() {
		seq = int32(b.seq & 0x7fffffff) // after 2^31-1 comes 0
	}
	codec.Stamp(b.wire, b.id.producer, b.id.epoch, seq, transactional)
}

// unnumber takes a batch's sequence away, to be given a fresh one.
func (b *Batch) unnumber() {
	b.seq, b.told, b.doubt = unsequenced, false, false
}

// answer is what one attempt met: an error code, or no answer at all.
type answer struct {
	code   wire.Code
	lost   bool  // no answer came
	unsent bool  // lost, but before the broker can have seen it
	base   int64 // offset of the first record, -1 unknown
	err    error // what to tell, nil for success
	blame  []wire.ProduceRecordError
	leader wire.LeaderAndEpoch // LeaderID -1 where none is named
}

// identity is producer id and epoch. The zero value is not known yet.
type identity struct {
	known    bool
	producer int64
	epoch    int16
}

// anonymous goes without: no idempotence.
func anonymous() identity { return identity{known: true, producer: -1, epoch: -1} }

// sequenced says that batches under it carry sequences.
func (id identity) sequenced() bool { return id.producer >= 0 }

// lines are a batch's input lines, ascending: the first, and one uvarint gap
// for each other, a byte a record as a rule.
type lines struct {
	first, last int64
	gaps        []byte
}

func (l *lines) add(line int64) {
	switch gap := line - l.last; {
	case l.first == 0:
		l.first = line
	case gap < 0x80:
		l.gaps = append(l.gaps, byte(gap))
	default:
		l.gaps = binary.AppendUvarint(l.gaps, uint64(gap))
	}
	l.last = line
}

// walk starts at the first line.
func (l *lines) walk() cursor { return cursor{at: l.first, gaps: l.gaps} }

// at is the line of the record at an index; the last line for one past the end.
func (l *lines) at(index int32) int64 {
	c := l.walk()
	for range index {
		if !c.next() {
			break
		}
	}
	return c.at
}

// split cuts after the first n lines, n being less than there are.
func (l *lines) split(n int32) (a, b lines) {
	a.first, a.last = l.first, l.first
	c := l.walk()
	for range n {
		a.last = c.at
		a.gaps = l.gaps[:len(l.gaps)-len(c.gaps)]
		c.next()
	}
	// Capped, so that neither grows into, or is reused with, the other's memory.
	a.gaps = a.gaps[:len(a.gaps):len(a.gaps)]
	return a, lines{first: c.at, last: l.last, gaps: c.gaps[:len(c.gaps):len(c.gaps)]}
}

// cursor stands on one line.
type cursor struct {
	at   int64
	gaps []byte
}

// next goes on to the line behind, if there is one.
func (c *cursor) next() bool {
	gap, n := binary.Uvarint(c.gaps)
	if n <= 0 {
		return false
	}
	c.at += int64(gap)
	c.gaps = c.gaps[n:]
	return true
}

// cut divides the record of a batch's lines and sequences after n records, n
// being less than there are. Bytes and memory are the caller's business.
func (b *Batch) cut(n int32) (x, y *Batch) {
	first, second := *b, *b
	first.builder, second.builder, first.wire, second.wire = nil, nil, nil, nil
	first.mem, second.mem = 0, 0
	first.told, second.told = false, false
	first.lines, second.lines = b.lines.split(n)
	first.count, second.count = n, b.count-n
	if b.seq >= 0 {
		second.seq = b.seq + int64(n)
	}
	return &first, &second
}
