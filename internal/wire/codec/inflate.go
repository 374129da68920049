package codec

import "fmt"

// inflater owns the decoders and the buffers they inflate into, one for each
// depth of nesting.
type inflater struct {
	buf [maxNesting][]byte
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
	default:
		err = fmt.Errorf("%w: %v", ErrCompression, t)
	}
	f.buf[depth] = dst
	if err == nil && len(dst) > limit {
		err = fmt.Errorf("%v: %w of %d bytes", t, ErrLimit, limit)
	}
	return dst, err
}
