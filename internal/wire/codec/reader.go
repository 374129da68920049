package codec

import (
	"math"

	"kafkactl/internal/record"
)

// DefaultLimit is the most bytes a Reader lets one entry inflate to.
const DefaultLimit = 256 << 20

// Reader iterates over the records of whole entries of one partition. It owns
// its decoders and its inflate buffer; make one per worker. The zero value is
// ready.
type Reader struct {
	Limit   int  // most bytes one entry may inflate to; 0 is DefaultLimit
	NoCheck bool // skip Kafka's checksums (those inside gzip, lz4 and zstd stay)

	rest     []byte // entries not begun
	from     int64
	at       int64 // the first offset neither yielded nor passed over
	span     Span  // of the entry that is open
	open     opened
	batch    batch
	messages messages
	inflater inflater
	err      *CorruptError
}

// opened says which walker the open entry is in.
type opened int8

const (
	nothing opened = iota
	inBatch
	inMessages
	damaged // until Skip
)

// Reset starts on entries, whole ones laid end to end; records below from are
// passed over. A truncated last entry is ignored, as brokers cut there; see
// Tail. entries must stay as it is until the last Next. Control batches yield
// nothing.
func (r *Reader) Reset(entries []byte, from int64) {
	r.rest, r.from, r.at = entries, from, from
	r.open, r.err = nothing, nil
	r.inflater.trim()
}

// Next fills rec but for Topic and Partition; its slices die at the next Next
// or Reset. False is the end, or damage: see Err.
func (r *Reader) Next(rec *record.Record) bool {
	switch r.open {
	case inBatch:
		for r.batch.quick(rec) {
			if rec.Offset >= r.from {
				return true
			}
		}
	case nothing:
		if size := plainMessage(r.rest, rec, !r.NoCheck); size > 0 && rec.Offset >= max(r.from, 0) && rec.Offset < math.MaxInt64 {
			r.rest = r.rest[size:]
			r.at = max(r.at, rec.Offset+1)
			return true
		}
	}
	return r.next(rec)
}

// next is Next for the entries and records that take more than a glance.
func (r *Reader) next(rec *record.Record) bool {
	for r.err == nil {
		var ok bool
		var err error
		switch r.open {
		case nothing:
			if !r.begin() {
				return false
			}
			continue
		case inBatch:
			ok, err = r.batch.next(rec)
		case inMessages:
			ok, err = r.messages.next(rec, r)
		}
		if ok {
			if rec.Offset < r.from {
				continue
			}
			if r.open == inMessages {
				r.at = max(r.at, rec.Offset+1)
			}
			return true
		}
		if err != nil {
			r.fail(err)
			return false
		}
		r.open = nothing
		r.at = max(r.at, r.span.Next)
	}
	return false
}

// Err tells the damage that ended the iteration, nil if none. Skip goes on
// behind it.
func (r *Reader) Err() *CorruptError { return r.err }

// Skip drops the damaged entry and clears Err, so that Next continues with the
// entry behind it.
func (r *Reader) Skip() {
	if r.err == nil {
		return
	}
	r.at = max(r.at, r.err.Resume)
	r.open, r.err = nothing, nil
}

// Tail is how many bytes of a truncated last entry lie behind the entries begun
// so far. When Next has ended without a record and Tail is not 0, the fetch was
// too small for a single entry.
func (r *Reader) Tail() int { return len(r.rest) }

// limit is Limit with its default.
func (r *Reader) limit() int {
	if r.Limit > 0 {
		return min(r.Limit, math.MaxInt-keepInflated) // so that sums with it do not wrap
	}
	return DefaultLimit
}

// begin opens the next entry that may hold something to yield, or fails. False
// is the end.
func (r *Reader) begin() bool {
	for {
		s, ok, err := ParseSpan(r.rest)
		if !ok {
			return false
		}
		r.span = s
		if err != nil {
			r.failHead(s, err)
			return true
		}
		if s.Size > len(r.rest) {
			return false
		}
		b := r.rest[:s.Size:s.Size]
		r.rest = r.rest[s.Size:]
		if s.Next <= r.from || s.Control() {
			r.at = max(r.at, s.Next)
			continue
		}
		if err := r.enter(s, b); err != nil {
			r.fail(err)
		}
		return true
	}
}

// enter verifies and inflates the entry b and opens the walker for it.
func (r *Reader) enter(s Span, b []byte) error {
	if s.Magic < 2 {
		r.messages.start(b, r.limit())
		r.open = inMessages
		return nil
	}
	if !r.NoCheck {
		if err := checkBatch(b); err != nil {
			return err
		}
	}
	records := b[Head:]
	// Compaction leaves batches without records, compression bits and all.
	if s.Compression() != Uncompressed && len(records) > 0 {
		var err error
		if records, err = r.inflater.inflate(0, records, s.Compression(), r.limit(), false); err != nil {
			return err
		}
	}
	r.batch.open(s, b, records)
	r.open = inBatch
	return nil
}

// fail ends the iteration at the entry that is open.
func (r *Reader) fail(err error) {
	at := r.at
	if r.open == inBatch {
		at = max(at, r.batch.base+r.batch.delta+1)
	}
	// The header of a batch, or a plain message, says where it begins. That of a
	// wrapper says where it ends, so there only what came before tells.
	if r.span.Magic >= 2 || r.span.Compression() == Uncompressed {
		at = max(at, r.span.Base)
	}
	r.err = &CorruptError{Offset: at, Resume: max(at, r.span.Next), Err: err}
	r.open = damaged
}

// failHead is fail for a header that makes no sense, of which hardly the base
// offset can be believed.
func (r *Reader) failHead(s Span, err error) {
	at := r.at
	if s.Base < math.MaxInt64 {
		at = max(at, s.Base)
	}
	r.err = &CorruptError{Offset: at, Resume: at + 1, Err: err}
	r.open = damaged
	// Behind an entry of unknown size nothing can be found.
	if s.Size == 0 || s.Size > len(r.rest) {
		r.rest = nil
		return
	}
	r.rest = r.rest[s.Size:]
}
