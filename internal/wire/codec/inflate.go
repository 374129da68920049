package codec

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// inflater owns the decoders and the buffers they inflate into, one for each
// depth of nesting.
type inflater struct {
	buf  [maxNesting][]byte
	gzip gunzip
	zstd unzstd
}

// keepInflated is the largest buffer kept from one Reset to the next.
const keepInflated = 16 << 20

// trim lets go of buffers that only an unusually large entry needed.
func (f *inflater) trim() {
	for i := range f.buf {
		if cap(f.buf[i]) > keepInflated {
			f.buf[i] = nil
		}
	}
}

// inflate returns what src inflates to, in the buffer of that depth. Memory
// grows with what really comes out, never past limit by more than a block.
func (f *inflater) inflate(depth int, src []byte, t Type, limit int, anyLZ4Header bool) ([]byte, error) {
	dst := f.buf[depth][:0]
	var err error
	switch t {
	case Gzip:
		dst, err = f.gzip.inflate(dst, src, limit)
	case Snappy:
		dst, err = unsnappy(dst, src, limit)
	case LZ4:
		dst, err = unlz4(dst, src, limit, anyLZ4Header)
	case Zstd:
		dst, err = f.zstd.inflate(dst, src, limit)
	default:
		err = fmt.Errorf("%w: %v", ErrCompression, t)
	}
	f.buf[depth] = dst
	if err == nil && len(dst) > limit {
		err = overLimit(t, limit)
	}
	return dst, err
}

// overLimit says that an entry would inflate to more than limit bytes.
func overLimit(t Type, limit int) error {
	return fmt.Errorf("%v: %w of %d bytes", t, ErrLimit, limit)
}

// badInflate says that compressed data does not inflate.
func badInflate(t Type, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if errors.Is(err, gzip.ErrChecksum) || errors.Is(err, zstd.ErrCRCMismatch) {
		return fmt.Errorf("%v: %w", t, ErrChecksum)
	}
	return fmt.Errorf("%v: %w: %w", t, ErrFormat, err)
}

// firstInflated is the smallest buffer worth having.
const firstInflated = 64 << 10

// grow returns b with room for n bytes in all, in a buffer at least doubled but
// not past most unless n is.
func grow(b []byte, n, most int) []byte {
	if n <= cap(b) {
		return b
	}
	size := max(firstInflated, 2*cap(b))
	if size > most-most/4 {
		size = most // in place of a last step that would be hardly one
	}
	grown := make([]byte, len(b), max(n, size))
	copy(grown, b)
	return grown
}
