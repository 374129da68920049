package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"testing/iotest"
)

// both reads b from memory and from a socket that trickles through a buffer of
// 16 bytes, with more behind the frame.
func both(t *testing.T, b []byte, f func(t *testing.T, r *Reader)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { f(t, NewBytesReader(b)) })
	t.Run("socket", func(t *testing.T) {
		src := bytes.NewReader(append(bytes.Clone(b), "the next frame"...))
		br := bufio.NewReaderSize(iotest.OneByteReader(src), 16)
		r := NewReader(br, len(b))
		f(t, r)
		rest, err := io.ReadAll(br)
		if err != nil || len(rest) != r.Left()+len("the next frame") {
			t.Errorf("%d bytes left of the frame, %d to come, %v", r.Left(), len(rest), err)
		}
	})
}

func TestUvarint(t *testing.T) {
	for _, n := range []uint32{0, 1, 127, 128, 16383, 16384, 1 << 21, 1<<28 - 1, 1 << 28, math.MaxUint32} {
		b := binary.AppendUvarint(nil, uint64(n))
		both(t, append(b, 0xff), func(t *testing.T, r *Reader) {
			if got := r.Uvarint(); got != n || r.Err() != nil || r.Left() != 1 {
				t.Errorf("%d: got %d, %v, %d left", n, got, r.Err(), r.Left())
			}
		})
	}
	for _, b := range [][]byte{
		{0xff, 0xff, 0xff, 0xff, 0x10}, // bit 32
		{0x80, 0x80, 0x80, 0x80, 0x80, 0x00},
		binary.AppendUvarint(nil, math.MaxUint64),
	} {
		both(t, b, func(t *testing.T, r *Reader) {
			if got := r.Uvarint(); got != 0 || r.Err() != errVarint {
				t.Errorf("%x: got %d, %v", b, got, r.Err())
			}
		})
	}
	both(t, []byte{0x80, 0x80}, func(t *testing.T, r *Reader) {
		if got := r.Uvarint(); got != 0 || !errors.Is(r.Err(), io.ErrUnexpectedEOF) {
			t.Errorf("got %d, %v", got, r.Err())
		}
	})
}

func TestIntegersAreBigEndian(t *testing.T) {
	b := []byte{0x80, 0x80, 1, 0x80, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 1}
	both(t, b, func(t *testing.T, r *Reader) {
		if r.Int8() != -128 || r.Int16() != -32767 || r.Int32() != math.MinInt32+1 || r.Int64() != math.MinInt64+1 || r.Left() != 0 || r.Err() != nil {
			t.Error(r.Left(), r.Err())
		}
	})
}

func TestTheFirstErrorSticks(t *testing.T) {
	both(t, []byte{1, 2, 3}, func(t *testing.T, r *Reader) {
		if r.Int32() != 0 || !errors.Is(r.Err(), io.ErrUnexpectedEOF) {
			t.Fatal(r.Err())
		}
		first := r.Err()
		r.fail(errVarint)
		if r.Int8() != 0 || r.Next(1) != nil || r.Next(-1) != nil || r.copy(nil, 1) != nil || r.Uvarint() != 0 || r.Err() != first {
			t.Error(r.Err())
		}
		b := NewBody(r, 2)
		if _, err := b.Peek(1); err != first {
			t.Error(err)
		}
		if b.Take(make([]byte, 1)) != first || b.Skip(1) != first {
			t.Error("a body reads on")
		}
		if r.Left() != 3 {
			t.Error(r.Left())
		}
	})
}

func TestNextIsLongerThanTheBuffer(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789"), 10)
	both(t, want, func(t *testing.T, r *Reader) {
		if got := r.Next(100); !bytes.Equal(got, want) || r.Left() != 0 {
			t.Errorf("%q", got)
		}
		if got := r.Next(0); len(got) != 0 || r.Err() != nil {
			t.Error(r.Err())
		}
	})
}

func TestBody(t *testing.T) {
	both(t, []byte("0123456789abcdef0123456789ABCDEF!"), func(t *testing.T, r *Reader) {
		b := NewBody(r, 32)
		for range 2 {
			if p, err := b.Peek(10); err != nil || string(p) != "0123456789" || b.Left() != 32 {
				t.Fatalf("%q, %v", p, err)
			}
		}
		p := make([]byte, 20)
		if err := b.Take(p); err != nil || string(p) != "0123456789abcdef0123" || b.Left() != 12 || r.Left() != 13 {
			t.Fatalf("%q, %v", p, err)
		}
		if err := b.Skip(6); err != nil || b.Left() != 6 || r.Left() != 7 {
			t.Fatal(err, b.Left(), r.Left())
		}
		// More than is left is refused, and does no harm.
		if _, err := b.Peek(7); err != io.ErrUnexpectedEOF {
			t.Error(err)
		}
		if err := b.Take(p[:7]); err != io.ErrUnexpectedEOF {
			t.Error(err)
		}
		if err := b.Skip(7); err != io.ErrUnexpectedEOF {
			t.Error(err)
		}
		if err := b.Skip(-1); err == nil {
			t.Error("went back")
		}
		if _, err := b.Peek(-1); err == nil {
			t.Error("looked back")
		}
		if p, err := b.Peek(6); err != nil || string(p) != "ABCDEF" || r.Err() != nil {
			t.Errorf("%q, %v", p, err)
		}
		if err := b.Take(p[:6]); err != nil || string(p[:6]) != "ABCDEF" || b.Left() != 0 {
			t.Error(err)
		}
		if err := b.Take(nil); err != nil {
			t.Error(err)
		}
		if r.Int8() != '!' || r.Left() != 0 {
			t.Error("the frame went on elsewhere")
		}
	})
}

func TestABodyLongerThanItsFrameEndsWithIt(t *testing.T) {
	both(t, []byte("0123"), func(t *testing.T, r *Reader) {
		b := NewBody(r, 10)
		if err := b.Take(make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		if err := b.Take(make([]byte, 3)); !errors.Is(err, io.ErrUnexpectedEOF) || r.Err() != err {
			t.Error(err)
		}
	})
}

func TestPeekingFurtherThanTheBufferIsAnErrorOfTheCaller(t *testing.T) {
	r := NewReader(bufio.NewReaderSize(bytes.NewReader(make([]byte, 64)), 16), 64)
	b := NewBody(r, 64)
	if _, err := b.Peek(17); err != bufio.ErrBufferFull || r.Err() != nil {
		t.Error(err, r.Err())
	}
	if err := b.Skip(64); err != nil {
		t.Error(err)
	}
}

func TestAPeerThatClosesMidFrame(t *testing.T) {
	for name, read := range map[string]func(r *Reader) error{
		"Next, short":  func(r *Reader) error { r.Next(12); return r.Err() },
		"Next, long":   func(r *Reader) error { r.Next(50); return r.Err() },
		"Body.Peek":    func(r *Reader) error { _, err := NewBody(r, 50).Peek(12); return err },
		"Body.Take":    func(r *Reader) error { return NewBody(r, 50).Take(make([]byte, 50)) },
		"Body.Skip":    func(r *Reader) error { return NewBody(r, 50).Skip(50) },
		"discard":      func(r *Reader) error { r.discard(50); return r.Err() },
		"nothing came": func(r *Reader) error { r.Next(10); r.Int8(); return r.Err() },
	} {
		reset := errors.New("connection reset")
		for _, end := range []struct{ err, want error }{{io.EOF, io.ErrUnexpectedEOF}, {io.ErrUnexpectedEOF, io.ErrUnexpectedEOF}, {reset, reset}} {
			src := io.MultiReader(bytes.NewReader(make([]byte, 10)), iotest.ErrReader(end.err))
			r := NewReader(bufio.NewReaderSize(src, 16), 50)
			if err := read(r); err != end.want || r.Err() != end.want {
				t.Errorf("%s after %v: %v, %v", name, end.err, err, r.Err())
			}
		}
	}
}
