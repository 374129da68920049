package input

import (
	"encoding/binary"
	"fmt"

	"kafkactl/internal/format"
	"kafkactl/internal/jsonl"
	"kafkactl/internal/record"
)

// Fill makes a record of one delimited run of bytes.
type Fill func(r *record.Record, raw []byte) error

// Outside is what records that bring their own fields get from elsewhere.
type Outside struct {
	Key           []byte         // of those that do not say what theirs is
	Headers       record.Headers // behind their own
	Partition     int32          // -1: the partitioner's choice
	KeepPartition bool           // theirs counts where they name one
	Stamp         bool           // Timestamp stands in place of theirs
	Timestamp     int64          // record.NoTimestamp: when it is read

	raw []byte
}

// complete adds what comes from outside. A record that says it has no timestamp
// keeps none, marked by record.NoTimestampType.
func (o *Outside) complete(r *record.Record, keyed bool) {
	if !keyed {
		r.Key = o.Key
	}
	if !o.KeepPartition || r.Partition < 0 {
		r.Partition = o.Partition
	}
	if o.Stamp {
		r.Timestamp, r.TimestampType = o.Timestamp, record.CreateTime
	}
	if len(o.Headers.Raw) == 0 {
		return
	}
	if len(r.Headers.Raw) == 0 {
		r.Headers = o.Headers
		return
	}
	count, n := binary.Varint(r.Headers.Raw)
	more, m := binary.Varint(o.Headers.Raw)
	o.raw = binary.AppendVarint(o.raw[:0], count+more)
	o.raw = append(append(o.raw, r.Headers.Raw[n:]...), o.Headers.Raw[m:]...)
	r.Headers.Raw = o.raw
}

// maxJSON is the longest line of JSON: each byte of a record may take six there.
const maxJSON = 6*DefaultMax + 1<<20

// NewJSON reads lines as jsonl writes them.
func NewJSON(files []File, d jsonl.Decoder, o Outside, skipEmpty bool) *Lines {
	return NewLines(files, Options{Max: maxJSON, SkipEmpty: skipEmpty, Fill: func(r *record.Record, raw []byte) error {
		if err := d.Decode(raw, r); err != nil {
			return err
		}
		none := r.Timestamp == record.NoTimestamp && d.Seen()&jsonl.Timestamp != 0
		if r.TimestampType = record.CreateTime; none {
			r.TimestampType = record.NoTimestampType
		}
		o.complete(r, d.Seen()&jsonl.Key != 0)
		return nil
	}})
}

// newFormatLines reads records that a format ends as lines are ended.
func newFormatLines(files []File, q *format.Parser, o Outside, skipEmpty bool) *Lines {
	return NewLines(files, Options{Max: maxJSON, Delim: q.Terminator(), SkipEmpty: skipEmpty, Fill: func(r *record.Record, raw []byte) error {
		if err := q.Line(raw, r); err != nil {
			return err
		}
		o.complete(r, q.Keyed())
		return nil
	}})
}

// tooLong is a record past its bound.
func tooLong(size, bound int) error {
	return fmt.Errorf("record of %d bytes: longer than %d", size, bound)
}
