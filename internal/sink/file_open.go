package sink

import (
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"kafkactl/internal/consume"
)

const (
	// filePage is how much of a file waits before it is written.
	filePage = 128 << 10
	// zstdWindow bounds what one compressor of zstd takes, a few MiB in all.
	zstdWindow = 1 << 20
)

// target is a file that has not been finished. It may be parked: then it holds no
// descriptor, no compressor and no page, and writing goes on at its end, in
// another member or frame of its compression.
type target struct {
	key    string
	name   string // once finished
	part   string // meanwhile
	n      int    // its number
	first  int64  // offset of its first record
	opened time.Time

	held    map[*consume.Partition]*holding
	records int64
	size    int64 // bytes of the file

	f    openFile // nil while parked
	enc  encoder  // nil without compression, and while parked
	page []byte

	older, newer *target // of those that are open, by use
}

// holding is what a target has of a partition.
type holding struct {
	span        *span
	first, last int64
}

// encoder is a compressor that can begin anew.
type encoder interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// newEncoder makes what compresses files of a suffix, nil where nothing does.
func newEncoder(suffix string) (encoder, error) {
	switch suffix {
	case ".gz":
		return gzip.NewWriter(nil), nil
	case ".zst":
		return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	}
	return nil, nil //nolint:nilnil // none is needed
}

// Write implements io.Writer: bytes go into the file as they are.
func (t *target) Write(p []byte) (int, error) {
	n, err := t.f.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	t.size += int64(n)
	return n, err
}

// flush writes the page.
func (t *target) flush() error {
	if len(t.page) == 0 {
		return nil
	}
	var err error
	if t.enc != nil {
		_, err = t.enc.Write(t.page)
	} else {
		_, err = t.Write(t.page)
	}
	t.page = t.page[:0]
	return fileError(t.name, "write", err)
}

// bytes is how large the file is as far as that is known.
func (t *target) bytes() int64 {
	if t.enc != nil {
		return t.size
	}
	return t.size + int64(len(t.page))
}

// settle writes all there is and ends the compression's member or frame.
func (t *target) settle() error {
	if err := t.flush(); err != nil || t.enc == nil {
		return err
	}
	return fileError(t.name, "write", t.enc.Close())
}

// gone says that all its records are of partitions that were taken away: whoever
// has those now reads them again.
func (t *target) gone() bool {
	for p := range t.held {
		if !(consume.Mark{P: p}).Gone() {
			return false
		}
	}
	return true
}
