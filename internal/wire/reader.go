package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

var (
	// errShort is a frame that claims more than it holds, told from a peer that
	// hung up in mid-frame by its text alone: both are io.ErrUnexpectedEOF.
	errShort  = fmt.Errorf("the frame ends too early: %w", io.ErrUnexpectedEOF)
	errVarint = errors.New("varint longer than 32 bits")
)

// Reader reads one frame, off a slice or straight off a socket, and never past
// the frame's end. Its first error sticks: later reads give zero values.
type Reader struct {
	src  *bufio.Reader // nil: the whole frame is in buf
	buf  []byte
	left int
	err  error
}

// NewReader reads a frame body of n bytes as it arrives on src.
func NewReader(src *bufio.Reader, n int) *Reader { return &Reader{src: src, left: n} }

// NewBytesReader reads a frame body that is already in memory.
func NewBytesReader(b []byte) *Reader { return &Reader{buf: b, left: len(b)} }

// Left is how many bytes of the frame are unread.
func (r *Reader) Left() int { return r.left }

// Err is the first error met, io.ErrUnexpectedEOF where the frame was too short.
func (r *Reader) Err() error { return r.err }

// fail makes err stick unless one does already.
func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Next returns the next n bytes; they die at the next call.
func (r *Reader) Next(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > r.left {
		r.fail(errShort)
		return nil
	}
	if r.src == nil {
		b := r.buf[:n:n]
		r.buf = r.buf[n:]
		r.left -= n
		return b
	}
	if n <= r.src.Size() {
		b, err := r.src.Peek(n)
		if err != nil {
			r.fail(midFrame(err))
			return nil
		}
		_, _ = r.src.Discard(n) // cannot fail: n bytes are buffered
		r.left -= n
		return b
	}
	return r.copy(nil, n)
}

// copy reads the next n bytes into b's memory or, if that is too small, into
// more. It goes piecewise, so that a length the frame claims but the peer never
// sends costs no more memory than what arrived.
func (r *Reader) copy(b []byte, n int) []byte {
	if r.err == nil && (n < 0 || n > r.left) {
		r.fail(errShort)
	}
	if r.err != nil {
		return nil
	}
	if b == nil {
		b = []byte{}
	}
	if b = b[:0]; r.src == nil {
		return append(b, r.Next(n)...)
	}
	const step = 1 << 20
	for len(b) < n {
		k := len(b)
		b = slices.Grow(b, min(step, n-k))
		b = b[:min(n, cap(b))]
		if _, err := io.ReadFull(r.src, b[k:]); err != nil {
			r.fail(midFrame(err))
			return nil
		}
		r.left -= len(b) - k
	}
	return b
}

// discard drops the next n bytes.
func (r *Reader) discard(n int) {
	switch {
	case r.err != nil:
	case n < 0 || n > r.left:
		r.fail(errShort)
	case r.src == nil:
		r.buf = r.buf[n:]
		r.left -= n
	default:
		k, err := r.src.Discard(n)
		r.left -= k
		if err != nil {
			r.fail(midFrame(err))
		}
	}
}

// startsWith looks whether the next thing is the error c, without taking it.
func (r *Reader) startsWith(c Code) bool {
	if r.err != nil || r.left < 2 {
		return false
	}
	b := r.buf
	if r.src != nil {
		b, _ = r.src.Peek(2)
	}
	return len(b) >= 2 && Code(binary.BigEndian.Uint16(b)) == c
}

// midFrame names an end of input inside a frame what it is.
func midFrame(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Int8 reads one byte.
func (r *Reader) Int8() int8 {
	if b := r.Next(1); b != nil {
		return int8(b[0])
	}
	return 0
}

// Int16 reads two bytes, big-endian, as are all.
func (r *Reader) Int16() int16 {
	if b := r.Next(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

// Int32 reads four bytes.
func (r *Reader) Int32() int32 {
	if b := r.Next(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// Int64 reads eight bytes.
func (r *Reader) Int64() int64 {
	if b := r.Next(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// Uvarint reads an unsigned varint of at most 32 bits, as compact lengths and
// tags are.
func (r *Reader) Uvarint() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := r.Next(1)
		if b == nil {
			return 0
		}
		if shift == 28 && b[0] > 0x0f {
			break
		}
		v |= uint32(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return v
		}
	}
	r.fail(errVarint)
	return 0
}

// Body is a records field still on its way: as many bytes as the field has and
// not one more. Errors of the connection stick, here and in its Reader.
type Body struct {
	r    *Reader
	left int
}

// NewBody cuts the next n bytes off r, which must not be read until they are used up.
func NewBody(r *Reader, n int) *Body { return &Body{r, n} }

// Left is how many bytes of the field are unread.
func (b *Body) Left() int { return b.left }

// check refuses n bytes that the field, or the frame, has not.
func (b *Body) check(n int) error {
	switch {
	case b.r.err != nil:
		return b.r.err
	case n < 0 || n > b.left:
		return io.ErrUnexpectedEOF
	case n > b.r.left:
		b.r.fail(errShort)
		return b.r.err
	}
	return nil
}

// Peek shows the next n bytes without taking them, n being at most Left and a
// few hundred. They die at the next call. Asking for more than is left is
// io.ErrUnexpectedEOF, here and below, and does no harm.
func (b *Body) Peek(n int) ([]byte, error) {
	if err := b.check(n); err != nil {
		return nil, err
	}
	if b.r.src == nil {
		return b.r.buf[:n:n], nil
	}
	p, err := b.r.src.Peek(n)
	if err == bufio.ErrBufferFull {
		return nil, err
	}
	if err != nil {
		b.r.fail(midFrame(err))
		return nil, b.r.err
	}
	return p, nil
}

// Take fills p.
func (b *Body) Take(p []byte) error {
	if err := b.check(len(p)); err != nil {
		return err
	}
	if b.r.src == nil {
		copy(p, b.r.Next(len(p)))
		b.left -= len(p)
		return nil
	}
	n, err := io.ReadFull(b.r.src, p)
	b.left -= n
	b.r.left -= n
	if err != nil {
		b.r.fail(midFrame(err))
	}
	return b.r.err
}

// Skip drops the next n bytes.
func (b *Body) Skip(n int) error {
	if err := b.check(n); err != nil {
		return err
	}
	b.r.discard(n)
	b.left -= n
	return b.r.err
}
