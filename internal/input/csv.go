package input

import (
	"bufio"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"kafkactl/internal/jsonl"
	"kafkactl/internal/record"
)

// CSV says how rows become records.
type CSV struct {
	Comma rune   // between fields, default a comma
	Key   string // the column that is the key, "" for none; it is no part of the value
}

// NewCSV reads files of comma-separated values (RFC 4180), the first row of each
// naming its columns. A record's value is a JSON object of the columns in their
// order, all of them text. Blank lines are passed over.
func NewCSV(files []File, c CSV, o Outside) *Lines {
	if c.Comma == 0 {
		c.Comma = ','
	}
	all := new(atomic.Bool)
	all.Store(true)
	out := make([]File, len(files))
	for i, f := range files {
		out[i] = File{Name: f.Name, Size: f.Size, records: all, Open: func() (io.ReadCloser, error) {
			src, err := f.Open()
			if err != nil {
				return nil, err
			}
			return newRows(src, c), nil
		}}
	}
	var key []byte
	return NewLines(out, Options{Max: maxJSON, Fill: func(r *record.Record, raw []byte) (err error) {
		*r = record.Record{Partition: -1, Timestamp: record.NoTimestamp, TimestampType: record.CreateTime, Value: raw[1:]}
		switch raw[0] {
		case rowBad:
			return errors.New(string(raw[1:]))
		case rowKeyed:
			text, value, _ := strings.Cut(string(raw[1:]), " ")
			if key, err = base64.StdEncoding.AppendDecode(key[:0], []byte(text)); err != nil {
				return err
			}
			r.Key, r.Value = key, []byte(value)
			if r.Key == nil {
				r.Key = []byte{}
			}
		}
		o.complete(r, raw[0] == rowKeyed)
		return nil
	}})
}

// A row is a line that begins with one of these.
const (
	rowPlain = 'v' // its value
	rowKeyed = 'k' // its key in base64, a space, its value
	rowBad   = '!' // what is wrong with it
)

// rows reads one file and yields a line for each row.
type rows struct {
	src   io.Closer
	in    *bufio.Reader
	csv   *csv.Reader
	c     CSV
	names [][]byte // of columns, as JSON with the colon behind
	key   int      // the column of the key, -1 for none
	line  []byte   // what is still to be read
	err   error
}

func newRows(src io.ReadCloser, c CSV) *rows {
	in := bufio.NewReaderSize(newQuoting(bufio.NewReaderSize(src, blockSize), c.Comma), blockSize)
	r := &rows{src: src, in: in, csv: csv.NewReader(in), c: c, key: -1}
	r.csv.Comma, r.csv.ReuseRecord = c.Comma, true
	return r
}

// Close implements io.Closer.
func (r *rows) Close() error { return r.src.Close() }

// Read implements io.Reader.
func (r *rows) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(r.line) > 0 {
			m := copy(b[n:], r.line)
			r.line = r.line[m:]
			n += m
			continue
		}
		if r.err != nil || n > 0 && r.in.Buffered() == 0 {
			break // what is here must not wait for what is not
		}
		r.err = r.next()
	}
	if n > 0 {
		return n, nil
	}
	return 0, r.err
}

// next makes the line of the next row.
func (r *rows) next() error {
	if r.names == nil {
		if err := r.header(); err != nil {
			return err
		}
	}
	row, err := r.csv.Read()
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		r.line = fmt.Appendf(r.line[:0], "%cline %d: %v\n", rowBad, bad.Line, bad.Err)
		return nil
	case err != nil:
		return err
	}
	if i := slices.IndexFunc(row, func(s string) bool { return !utf8.ValidString(s) }); i >= 0 {
		at, _ := r.csv.FieldPos(i)
		r.line = fmt.Appendf(r.line[:0], "%cline %d: column %s is not valid UTF-8\n", rowBad, at, strings.TrimSuffix(string(r.names[i]), ":"))
		return nil
	}
	line := append(r.line[:0], rowPlain)
	if r.key >= 0 {
		line[0] = rowKeyed
		line = append(base64.StdEncoding.AppendEncode(line, []byte(row[r.key])), ' ')
	}
	sep := byte('{')
	for i, s := range row {
		if i == r.key {
			continue
		}
		line = append(append(line, sep), r.names[i]...)
		line = jsonl.AppendBytes(line, []byte(s))
		sep = ','
	}
	if sep == '{' {
		line = append(line, '{')
	}
	r.line = append(line, "}\n"...)
	return nil
}

// header reads the names of columns.
func (r *rows) header() error {
	row, err := r.csv.Read()
	switch {
	case err == io.EOF:
		return io.EOF // nothing at all
	case err != nil:
		return fmt.Errorf("header: %w", err)
	}
	seen := map[string]bool{}
	for i, name := range row {
		switch {
		case name == "":
			return fmt.Errorf("header: column %d has no name", i+1)
		case seen[name]:
			return fmt.Errorf("header: two columns are called %q", name)
		case !utf8.ValidString(name):
			return fmt.Errorf("header: the name of column %d is not valid UTF-8", i+1)
		}
		seen[name] = true
		if name == r.c.Key {
			r.key = i
		}
		r.names = append(r.names, append(jsonl.AppendBytes(nil, []byte(name)), ':'))
	}
	if r.c.Key != "" && r.key < 0 {
		return fmt.Errorf("header: no column is called %q", r.c.Key)
	}
	return nil
}
