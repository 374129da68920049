package input

import (
	"bufio"
	"errors"
	"io"
	"sync/atomic"
)

var (
	errArrayCut   = errors.New("the JSON array is cut off")
	errArrayEmpty = errors.New("the JSON array has a comma with no element before it")
	errArrayTail  = errors.New("there is more behind the end of the JSON array")
	errArrayLine  = errors.New("a line breaks off inside a JSON string")
)

// Arrays makes files that hold one JSON array yield its elements, one a line,
// as they arrive; an element may stand on many lines. Files that begin with
// anything but [ stay as they are, but for a byte order mark.
func Arrays(files []File) []File {
	out := make([]File, len(files))
	for i, f := range files {
		whole := new(atomic.Bool)
		out[i] = File{Name: f.Name, Size: f.Size, records: whole, Open: func() (io.ReadCloser, error) {
			src, err := f.Open()
			if err != nil {
				return nil, err
			}
			return &elements{src: src, in: bufio.NewReaderSize(src, blockSize), whole: whole}, nil
		}}
	}
	return out
}

// elements is the reader of one file.
type elements struct {
	src   io.Closer
	in    *bufio.Reader
	whole *atomic.Bool // it is an array
	known bool         // and that is known

	depth  int  // of brackets and braces, 1 between elements
	str    bool // inside a string
	escape bool // behind a backslash there
	some   bool // the element has begun
	comma  bool // an element is owed
	ended  bool // the array is over
}

// Close implements io.Closer.
func (e *elements) Close() error { return e.src.Close() }

// Read implements io.Reader.
func (e *elements) Read(b []byte) (int, error) {
	if !e.known {
		if err := e.look(); err != nil {
			return 0, err
		}
	}
	if !e.whole.Load() {
		return e.in.Read(b)
	}
	n := 0
	for n < len(b) {
		if n > 0 && e.in.Buffered() == 0 {
			return n, nil // what is here must not wait for what is not
		}
		c, err := e.in.ReadByte()
		if err == io.EOF && !e.ended {
			err = errArrayCut
		}
		if err == nil {
			c, err = e.take(c)
		}
		if err != nil {
			return n, err
		}
		if c != 0 {
			b[n] = c
			n++
		}
	}
	return n, nil
}

// look finds out whether the first byte that counts is a [, and goes behind it.
func (e *elements) look() error {
	skipMark(e.in)
	for n := 1; ; n++ {
		b, err := e.in.Peek(n)
		if len(b) < n {
			e.known = true
			if err == bufio.ErrBufferFull || err == io.EOF {
				return nil // blank as far as that
			}
			return err
		}
		switch b[n-1] {
		case ' ', '\t', '\r', '\n':
			continue
		case '[':
			e.whole.Store(true)
			e.depth = 1
			_, _ = e.in.Discard(n) // they are buffered
		}
		e.known = true
		return nil
	}
}

// take gives what stands for a byte of an array, 0 for nothing.
func (e *elements) take(c byte) (byte, error) {
	space := c == ' ' || c == '\t' || c == '\r' || c == '\n'
	switch {
	case e.ended && space:
		return 0, nil
	case e.ended:
		return 0, errArrayTail
	case e.str:
		return e.text(c)
	case space && e.some:
		return ' ', nil
	case space:
		return 0, nil
	case c == ',' && e.depth == 1:
		if !e.some {
			return 0, errArrayEmpty
		}
		e.some, e.comma = false, true
		return '\n', nil
	case c == ']' && e.depth == 1:
		e.ended = true
		switch {
		case e.some:
			return '\n', nil
		case e.comma:
			return 0, errArrayEmpty
		}
		return 0, nil
	case c == 0:
		c = '\x01' // neither is JSON, and the decoder says so
	case c == '"':
		e.str = true
	case c == '[', c == '{':
		e.depth++
	case c == ']', c == '}':
		e.depth = max(1, e.depth-1)
	}
	e.some = true
	return c, nil
}

// text is a byte inside a string.
func (e *elements) text(c byte) (byte, error) {
	switch {
	case c == '\n':
		return 0, errArrayLine
	case c == 0:
		c = '\x01'
	case e.escape:
		e.escape = false
	case c == '\\':
		e.escape = true
	case c == '"':
		e.str = false
	}
	return c, nil
}
