package input

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"sync"

	"kafkactl/internal/format"
	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// Source is an input that reads ahead until it is closed.
type Source interface {
	produce.Input
	Close()
}

// NewFormatted reads what a format printed.
func NewFormatted(files []File, q *format.Parser, o Outside, skipEmpty bool) Source {
	if q.Terminator() != nil {
		return newFormatLines(files, q, o, skipEmpty)
	}
	return &formatted{q: q, o: o, r: newReader(files), starts: []int64{0}}
}

// formatted reads records that only their format can part. They are slices of
// the blocks read; what spans two is put together first.
type formatted struct {
	q    *format.Parser
	o    Outside
	r    *reader
	once sync.Once
	stop sync.Once

	cur   block
	rest  []byte // read and not parsed: of cur, or all of buf from off on
	buf   []byte
	off   int // how far buf is parsed, -1 while rest is of cur
	ended bool

	n      int64   // the record begun last
	starts []int64 // records before each file begun so far
	err    error
}

// Close stops reading ahead.
func (f *formatted) Close() { f.stop.Do(func() { close(f.r.quit) }) }

// Ready implements produce.Input.
func (f *formatted) Ready() <-chan struct{} { return f.r.ready }

// Where gives FILE:record N.
func (f *formatted) Where(n int64) string {
	i := max(sort.Search(len(f.starts), func(i int) bool { return f.starts[i] >= n })-1, 0)
	return f.r.files[i].Name + ":record " + strconv.FormatInt(n-f.starts[i], 10)
}

// Next implements produce.Input. After input that is no record of the format
// nobody knows where the next one begins, so that ends it.
func (f *formatted) Next(r *record.Record) (int64, error) {
	for f.err == nil {
		if len(f.rest) > 0 {
			size, err := f.q.Next(f.rest, f.ended, r)
			if !errors.Is(err, format.ErrMore) {
				return f.took(r, size, err)
			}
		}
		if err := f.advance(); err != nil {
			if err == produce.ErrIdle {
				return f.n, err
			}
			f.err = err
		}
	}
	return f.n, f.err
}

// took passes on a record of so many bytes.
func (f *formatted) took(r *record.Record, size int, err error) (int64, error) {
	f.n++
	f.rest = f.rest[size:]
	if f.off >= 0 {
		f.off += size
	}
	switch {
	case err != nil && size == 0:
		f.err = fmt.Errorf("%s: %w", f.Where(f.n), err)
		return f.n, f.err
	case err != nil:
		return f.n, &produce.RecordError{Line: f.n, Err: err}
	}
	f.o.complete(r, f.q.Keyed())
	return f.n, nil
}

// advance takes the next block, puts it behind what is left of the last, or ends
// the file.
func (f *formatted) advance() error {
	if err := f.cur.err; err != nil {
		f.cur.err = nil
		if err != io.EOF {
			return err
		}
		if f.ended = true; len(f.rest) > 0 {
			return nil
		}
	}
	f.once.Do(func() { go f.r.run() })
	var b block
	select {
	case next, open := <-f.r.full:
		if !open {
			return io.EOF
		}
		b = next
	default:
		return produce.ErrIdle
	}
	f.ended = false
	for len(f.starts) <= b.file {
		f.starts = append(f.starts, f.n)
	}
	f.join(b)
	return nil
}

// join makes rest end with b's bytes.
func (f *formatted) join(b block) {
	old := f.cur
	f.cur = b
	if len(f.rest) == 0 {
		f.rest, f.off = b.data, -1
		if cap(f.buf) > 4*blockSize {
			f.buf = nil
		}
	} else {
		if f.off != 0 {
			f.buf = append(f.buf[:0], f.rest...)
		}
		f.buf = append(f.buf, b.data...)
		f.rest, f.off = f.buf, 0
		f.free(&f.cur)
	}
	f.free(&old)
}

// free gives a block's buffer back to be read into.
func (f *formatted) free(b *block) {
	if b.buf != nil {
		f.r.free <- b.buf // never blocks: there are as many places as blocks
		b.buf = nil
	}
}
