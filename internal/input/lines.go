package input

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"strconv"
	"sync"

	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// DefaultMax is the longest record read unless told otherwise: what a broker's
// socket.request.max.bytes lets through by default.
const DefaultMax = 100 << 20

// Options say how bytes become records.
type Options struct {
	Delim     []byte // ends a record, default "\n"
	KeyDelim  []byte // first one in a record ends its key; nil: values only
	SkipEmpty bool   // drop empty records before they are split
	Null      []byte // a whole key or value equal to it is null; nil: none is
	Max       int    // longest record in bytes, default DefaultMax
	KeyAs     Decode // nil: as it stands
	ValueAs   Decode
	Key       []byte // for records that bring none; nil: null
	Headers   record.Headers
	Timestamp int64 // of every record, record.NoTimestamp: when it is read
	Partition int32 // of every record, -1: the partitioner's choice
	Fill      Fill  // nil: what stands above; else the fields behind Max are its own
}

// Lines reads delimited records from files. Records are slices of the blocks
// read; only one that spans two blocks is copied.
type Lines struct {
	o    Options
	r    *reader
	once sync.Once
	stop sync.Once

	cur   block
	rest  []byte // unread part of cur.data
	carry []byte // of a record whose end is not read yet; past Max only its tail
	size  int    // bytes of that record so far
	begun bool   // there is such a record

	line   int64   // of the last record begun
	starts []int64 // lines before each file begun so far
	plain  bool    // lines are values as they stand
	key    []byte  // scratch of the decoders, never nil: that would be null
	value  []byte
	err    error
}

// Plain are the options of one value a line.
func Plain() Options { return Options{Timestamp: record.NoTimestamp, Partition: -1} }

// NewLines reads files in order. Nothing is opened before the first Next.
func NewLines(files []File, o Options) *Lines {
	if len(o.Delim) == 0 {
		o.Delim = []byte{'\n'}
	}
	if o.Max <= 0 {
		o.Max = DefaultMax
	}
	plain := o.KeyDelim == nil && o.Null == nil && o.ValueAs == nil
	return &Lines{o: o, r: newReader(files), starts: []int64{0}, plain: plain, key: []byte{}, value: []byte{}}
}

// Close stops reading ahead. A read that waits for a terminal or a pipe cannot
// be called back; its bytes are dropped when they come.
func (l *Lines) Close() { l.stop.Do(func() { close(l.r.quit) }) }

// Ready implements produce.Input.
func (l *Lines) Ready() <-chan struct{} { return l.r.ready }

// Where gives FILE:LINE, or FILE:record N when records are no lines.
func (l *Lines) Where(line int64) string {
	i := max(sort.Search(len(l.starts), func(i int) bool { return l.starts[i] >= line })-1, 0)
	sep := ":"
	if counted := l.r.files[i].records; string(l.o.Delim) != "\n" || counted != nil && counted.Load() {
		sep = ":record "
	}
	return l.r.files[i].Name + sep + strconv.FormatInt(line-l.starts[i], 10)
}

// Next implements produce.Input.
func (l *Lines) Next(r *record.Record) (int64, error) {
	for {
		raw, size, err := l.next()
		if err != nil {
			return l.line, err
		}
		l.line++
		if size > l.o.Max {
			return l.line, l.bad(tooLong(size, l.o.Max))
		}
		if len(raw) == 0 && l.o.SkipEmpty {
			continue
		}
		return l.line, l.fill(r, raw)
	}
}

func (l *Lines) bad(err error) error { return &produce.RecordError{Line: l.line, Err: err} }

// fill splits a record.
func (l *Lines) fill(r *record.Record, raw []byte) error {
	if l.o.Fill != nil {
		if err := l.o.Fill(r, raw); err != nil {
			return l.bad(err)
		}
		return nil
	}
	// Field by field: a whole Record is copied at four times the cost.
	r.Partition, r.Timestamp, r.Headers = l.o.Partition, l.o.Timestamp, l.o.Headers
	r.Key, r.Value = l.o.Key, raw
	if l.plain {
		return nil
	}
	keyed := false
	if l.o.KeyDelim != nil {
		if i := bytes.Index(raw, l.o.KeyDelim); i >= 0 {
			keyed = true
			r.Key, r.Value = raw[:i:i], raw[i+len(l.o.KeyDelim):]
		}
	}
	if l.o.Null != nil {
		if keyed && bytes.Equal(r.Key, l.o.Null) {
			r.Key = nil
		}
		if bytes.Equal(r.Value, l.o.Null) {
			r.Value = nil
		}
	}
	var err error
	if l.o.KeyAs != nil && keyed && r.Key != nil {
		if l.key, err = l.o.KeyAs(l.key[:0], r.Key); err != nil {
			return l.bad(fmt.Errorf("key: %w", err))
		}
		r.Key = l.key
	}
	if l.o.ValueAs != nil && r.Value != nil {
		if l.value, err = l.o.ValueAs(l.value[:0], r.Value); err != nil {
			return l.bad(fmt.Errorf("value: %w", err))
		}
		r.Value = l.value
	}
	return nil
}

// next cuts the next delimited run of bytes. When size is past Max, raw is not
// the whole of it.
func (l *Lines) next() (raw []byte, size int, err error) {
	d := l.o.Delim
	if !l.begun && cap(l.carry) > 0 {
		l.drop()
	}
	for {
		if len(l.rest) > 0 {
			if l.begun {
				if raw, size, ok := l.across(d); ok {
					l.begun = false
					return raw, size, nil
				}
			} else if i := index(l.rest, d); i >= 0 {
				raw = l.rest[:i:i]
				l.rest = l.rest[i+len(d):]
				return raw, i, nil
			}
			l.keep(l.rest)
			l.rest = nil
		}
		whole, err := l.advance()
		if err != nil {
			return nil, 0, err
		}
		if whole {
			l.begun = false
			return l.carry, l.size, nil
		}
	}
}

// index is bytes.Index with the one-byte case first.
func index(b, sep []byte) int {
	if len(sep) == 1 {
		return bytes.IndexByte(b, sep[0])
	}
	return bytes.Index(b, sep)
}

// across looks for the end of the record that began in an earlier block: first
// a delimiter that lies over the seam, then one in the new block.
func (l *Lines) across(d []byte) (raw []byte, size int, ok bool) {
	if n := len(d) - 1; n > 0 {
		tail := l.carry[max(0, len(l.carry)-n):]
		seam := append(append(make([]byte, 0, 2*n), tail...), l.rest[:min(n, len(l.rest))]...)
		if i := bytes.Index(seam, d); i >= 0 {
			over := len(tail) - i // bytes of the delimiter already counted to the record
			l.rest = l.rest[len(d)-over:]
			return l.carry[:len(l.carry)-over], l.size - over, true
		}
	}
	i := index(l.rest, d)
	if i < 0 {
		return nil, 0, false
	}
	l.keep(l.rest[:i])
	l.rest = l.rest[i+len(d):]
	return l.carry, l.size, true
}

// keep adds to the record begun. Of one longer than Max it holds no more than
// may be the beginning of a delimiter.
func (l *Lines) keep(b []byte) {
	if !l.begun {
		l.begun, l.size = true, 0
	}
	l.size += len(b)
	l.carry = append(l.carry, b...)
	if l.size <= l.o.Max+len(l.o.Delim) {
		return
	}
	n := min(len(l.carry), len(l.o.Delim)-1)
	copy(l.carry, l.carry[len(l.carry)-n:])
	l.carry = l.carry[:n]
}

// drop forgets the record returned last.
func (l *Lines) drop() {
	l.carry = l.carry[:0]
	if cap(l.carry) > 4*blockSize {
		l.carry = nil
	}
}

// advance takes the next block. whole says that a file ended and with it the
// record begun.
func (l *Lines) advance() (whole bool, err error) {
	if l.err != nil {
		return false, l.err
	}
	l.once.Do(func() { go l.r.run() })
	if l.cur.buf != nil {
		l.r.free <- l.cur.buf // never blocks: there are as many places as blocks
		l.cur.buf = nil
	}
	if err := l.cur.err; err != nil {
		l.cur.err = nil
		if err == io.EOF {
			return l.begun, nil
		}
		l.err = err
		return false, err
	}
	select {
	case b, open := <-l.r.full:
		if !open {
			l.err = io.EOF
			return false, io.EOF
		}
		for len(l.starts) <= b.file {
			l.starts = append(l.starts, l.line)
		}
		l.cur, l.rest = b, b.data
		return false, nil
	default:
		return false, produce.ErrIdle
	}
}
