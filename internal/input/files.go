// Package input reads records from files and standard input: where one ends,
// what of it is key and value, and on which line it stood. It knows no Kafka.
package input

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
)

// File is one input. Open is called when its turn comes.
type File struct {
	Name string
	Open func() (io.ReadCloser, error)
	Size int64 // in bytes, -1 where it is not known before the end

	records *atomic.Bool // set: it is counted in records, as its lines say nothing; nil: never
}

// StdinName is what standard input is called in messages.
const StdinName = "stdin"

// Files makes the list of inputs for names, "-" and an empty list being stdin.
// Every file is checked now, so that a missing one is known before anything is
// sent; FIFOs and devices are opened only when their turn comes.
func Files(names []string, stdin io.Reader) ([]File, error) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	files := make([]File, 0, len(names))
	var bad []error
	fromStdin := 0
	for _, name := range names {
		if name == "-" {
			if fromStdin++; fromStdin > 1 {
				bad = append(bad, errors.New("stdin can be read once only"))
			}
			files = append(files, File{Name: StdinName, Size: -1, Open: func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil }})
			continue
		}
		size, err := readable(name)
		if err != nil {
			bad = append(bad, err)
		}
		files = append(files, File{Name: name, Size: size, Open: func() (io.ReadCloser, error) { return os.Open(name) }})
	}
	return files, errors.Join(bad...)
}

// readable says that a file can be opened, and its size, -1 for one that is not
// a regular file.
func readable(name string) (size int64, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return -1, named(name, err)
	}
	if info.IsDir() {
		return -1, named(name, errors.New("is a directory"))
	}
	if !info.Mode().IsRegular() {
		return -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return -1, named(name, err)
	}
	return info.Size(), f.Close()
}

// named puts a file's name, and not a system call's, before what is wrong with it.
func named(name string, err error) error { return fmt.Errorf("%s: %w", name, unpath(err)) }

// reader hands out the inputs' bytes block by block, read ahead by a goroutine
// of its own so that nobody who waits for a slow pipe is kept from other work.
type reader struct {
	files []File
	full  chan block
	free  chan []byte
	ready chan struct{}
	quit  chan struct{}
}

// block is what one read gave.
type block struct {
	buf  []byte // the whole buffer, to give back; nil when there is none
	data []byte
	file int
	err  error // of what follows data; io.EOF ends the file
}

const (
	blockSize = 256 << 10
	blocks    = 3
)

func newReader(files []File) *reader {
	r := &reader{
		files: files,
		full:  make(chan block, blocks+1),
		free:  make(chan []byte, blocks),
		ready: make(chan struct{}, 1),
		quit:  make(chan struct{}),
	}
	for range blocks {
		r.free <- nil // made when first needed: an interactive run never needs three
	}
	return r
}

// run reads all files, then closes full. An error ends it.
func (r *reader) run() {
	defer r.signal()
	defer close(r.full)
	for i, f := range r.files {
		src, err := f.Open()
		if err != nil {
			r.send(block{file: i, err: named(f.Name, err)})
			return
		}
		more := r.file(i, src)
		_ = src.Close() // nothing was written
		if !more {
			return
		}
	}
}

// file passes on one file and reports whether the next may follow.
func (r *reader) file(i int, src io.Reader) bool {
	empty := 0
	for {
		var buf []byte
		select {
		case buf = <-r.free:
		case <-r.quit:
			return false
		}
		if buf == nil {
			buf = make([]byte, blockSize)
		}
		n, err := src.Read(buf)
		if n == 0 && err == nil {
			if empty++; empty > 100 {
				err = io.ErrNoProgress
			}
		} else {
			empty = 0
		}
		if err != nil && err != io.EOF {
			err = named(r.files[i].Name, err)
		}
		if !r.send(block{buf, buf[:n], i, err}) {
			return false
		}
		if err != nil {
			return err == io.EOF
		}
	}
}

// unpath drops the path os puts into its errors, which stands before them already.
func unpath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func (r *reader) send(b block) bool {
	select {
	case r.full <- b:
		r.signal()
		return true
	case <-r.quit:
		return false
	}
}

func (r *reader) signal() {
	select {
	case r.ready <- struct{}{}:
	default:
	}
}
