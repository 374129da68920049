package input

import (
	"errors"
	"io"
	"path/filepath"

	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// NewWhole makes each file one record: its bytes are the value, exactly. With
// named, its name without directories is the key.
func NewWhole(files []File, o Outside, named bool) Source {
	return &whole{files: files, o: o, named: named}
}

type whole struct {
	files []File
	o     Outside
	named bool
	next  int
	buf   []byte
}

// Close implements Source.
func (*whole) Close() {}

// Ready implements produce.Input; it is never waited for.
func (*whole) Ready() <-chan struct{} { return nil }

// Where gives the file's name.
func (w *whole) Where(n int64) string {
	return w.files[min(max(n, 1), int64(len(w.files)))-1].Name
}

// Next implements produce.Input.
func (w *whole) Next(r *record.Record) (int64, error) {
	if w.next == len(w.files) {
		return int64(w.next), io.EOF
	}
	f := &w.files[w.next]
	w.next++
	bad := func(err error) (int64, error) {
		return int64(w.next), &produce.RecordError{Line: int64(w.next), Err: unpath(err)}
	}
	if f.Size > DefaultMax {
		return bad(tooLong(int(f.Size), DefaultMax))
	}
	src, err := f.Open()
	if err != nil {
		return bad(err)
	}
	defer src.Close()
	if w.buf, err = slurp(w.buf[:0], src); err != nil {
		return bad(err)
	}
	*r = record.Record{Partition: -1, Timestamp: record.NoTimestamp, TimestampType: record.CreateTime, Value: w.buf}
	if w.named {
		r.Key = []byte(filepath.Base(f.Name))
	}
	w.o.complete(r, w.named)
	return int64(w.next), nil
}

var errGrew = errors.New("it holds more bytes than a record may")

// slurp reads src to its end, up to DefaultMax bytes, which is never nil.
func slurp(dst []byte, src io.Reader) ([]byte, error) {
	if dst == nil {
		dst = []byte{}
	}
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := src.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > DefaultMax:
			return dst, errGrew
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}
