package wire

import (
	"bufio"
	"encoding/binary"
	"io"
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
		r.fail(io.ErrUnexpectedEOF)
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
	return r.grow(n)
}

// grow reads a long field piecewise, so that a length the frame claims but the
// peer never sends costs no more memory than what arrived.
func (r *Reader) grow(n int) []byte {
	const step = 1 << 20
	var b []byte
	for len(b) < n {
		k := len(b)
		b = append(b, make([]byte, min(step, n-k))...)
		if _, err := io.ReadFull(r.src, b[k:]); err != nil {
			r.fail(midFrame(err))
			return nil
		}
		r.left -= len(b) - k
	}
	return b
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
// not one more.
type Body struct {
	r    *Reader
	left int
}

// NewBody cuts the next n bytes off r, which must not be read until they are used up.
func NewBody(r *Reader, n int) *Body { return &Body{r, n} }

// Left is how many bytes of the field are unread.
func (b *Body) Left() int { return b.left }

// Peek shows the next n bytes without taking them, n being at most Left and a
// few hundred. They die at the next call.
func (b *Body) Peek(n int) ([]byte, error) {
	if n > b.left {
		return nil, io.ErrUnexpectedEOF
	}
	if b.r.src == nil {
		return b.r.buf[:n:n], nil
	}
	p, err := b.r.src.Peek(n)
	if err != nil {
		b.r.fail(midFrame(err))
		return nil, b.r.err
	}
	return p, nil
}

// Take fills p.
func (b *Body) Take(p []byte) error {
	if len(p) > b.left {
		return io.ErrUnexpectedEOF
	}
	b.left -= len(p)
	b.r.left -= len(p)
	if b.r.src == nil {
		b.r.buf = b.r.buf[copy(p, b.r.buf):]
		return nil
	}
	if _, err := io.ReadFull(b.r.src, p); err != nil {
		b.r.fail(midFrame(err))
		return b.r.err
	}
	return nil
}

// Skip drops the next n bytes.
func (b *Body) Skip(n int) error {
	if n > b.left {
		return io.ErrUnexpectedEOF
	}
	b.left -= n
	b.r.left -= n
	if b.r.src == nil {
		b.r.buf = b.r.buf[n:]
		return nil
	}
	if _, err := b.r.src.Discard(n); err != nil {
		b.r.fail(midFrame(err))
		return b.r.err
	}
	return nil
}
