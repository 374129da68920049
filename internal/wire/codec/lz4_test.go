package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// compressible is n bytes that lz4 neither gives up on nor shrinks to nothing.
func compressible(n int) []byte {
	var b []byte
	for _, l := range logLines(n/100 + 1) {
		b = append(b, l...)
	}
	return b[:n]
}

func TestLZ4IsReadByAnotherReader(t *testing.T) {
	var z lz4er
	noise := make([]byte, 100_000)
	r := newRand(3)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, src := range [][]byte{nil, []byte("a"), compressible(lz4Block), compressible(lz4Block + 1), compressible(1_000_000), noise} {
		for _, level := range []int{0, 1, 3, 9, 12} {
			packed, err := z.deflate(nil, src, level, false)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(lz4.NewReader(bytes.NewReader(packed)))
			if err != nil || !bytes.Equal(got, src) {
				t.Errorf("%d bytes at level %d: another reader gives %d bytes, %v", len(src), level, len(got), err)
			}
			if got, err := unlz4(nil, packed, 2<<20, false); err != nil || !bytes.Equal(got, src) {
				t.Errorf("%d bytes at level %d: %d bytes, %v", len(src), level, len(got), err)
			}
		}
	}
}

func TestLZ4ReadsEveryFrame(t *testing.T) {
	src := compressible(700_000)
	for _, size := range []lz4.BlockSize{lz4.Block64Kb, lz4.Block256Kb, lz4.Block1Mb, lz4.Block4Mb} {
		for flags := range 8 {
			var out bytes.Buffer
			w := lz4.NewWriter(&out)
			opts := []lz4.Option{lz4.BlockSizeOption(size), lz4.BlockChecksumOption(flags&1 != 0), lz4.ChecksumOption(flags&2 != 0)}
			if flags&4 != 0 {
				opts = append(opts, lz4.SizeOption(uint64(len(src))))
			}
			if err := w.Apply(opts...); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(src); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			frame := out.Bytes()
			got, err := unlz4(nil, frame, 1<<20, false)
			if err != nil || !bytes.Equal(got, src) {
				t.Fatalf("blocks of %v, flags %b: %d bytes, %v", size, flags, len(got), err)
			}
			// A skippable frame and a second one.
			skip := append([]byte{0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0}, "abc"...)
			got, err = unlz4(got[:0], append(append(bytes.Clone(frame), skip...), frame...), 2<<20, false)
			if err != nil || len(got) != 2*len(src) {
				t.Fatalf("two frames: %d bytes, %v", len(got), err)
			}
			for n := 1; n < len(frame); n += 1 + n/40 {
				if _, err := unlz4(got[:0], frame[:n], 1<<20, false); !errors.Is(err, ErrFormat) {
					t.Fatalf("flags %b cut at %d: %v", flags, n, err)
				}
			}
			for _, flip := range []int{4, 5, 6} {
				bad := bytes.Clone(frame)
				bad[flip] ^= 0x10
				if _, err := unlz4(got[:0], bad, 1<<20, false); err == nil {
					t.Errorf("flags %b: header byte %d flipped and no error", flags, flip)
				}
			}
			if flags&3 != 0 {
				bad := bytes.Clone(frame)
				bad[len(frame)/2] ^= 0x10
				if _, err := unlz4(got[:0], bad, 1<<20, false); err == nil {
					t.Errorf("flags %b: byte flipped under a checksum and no error", flags)
				}
			}
		}
	}
}

// Linked blocks take matches from the block before.
func TestLZ4ReadsLinkedBlocks(t *testing.T) {
	frame := unhex(t, "04224d18"+"4040")
	frame = append(frame, lz4HeaderSum(frame[4:]))
	block := func(b []byte) {
		frame = binary.LittleEndian.AppendUint32(frame, uint32(len(b)))
		frame = append(frame, b...)
	}
	block(append([]byte{0xC0}, "abcdefghijkl"...))
	// No literals, four bytes from twelve back, then five literals to end with.
	block([]byte{0x00, 12, 0, 0x50, 'v', 'w', 'x', 'y', 'z'})
	frame = append(frame, 0, 0, 0, 0)
	got, err := unlz4(nil, frame, 1000, false)
	if err != nil || string(got) != "abcdefghijklabcdvwxyz" {
		t.Fatalf("%q %v", got, err)
	}
	// The window ends where the frame begins: nothing of a frame before is seen.
	lone := unhex(t, "04224d18"+"4040")
	lone = append(lone, lz4HeaderSum(lone[4:]))
	lone = append(lone, 9, 0, 0, 0, 0x00, 12, 0, 0x50, 'v', 'w', 'x', 'y', 'z', 0, 0, 0, 0)
	if got, err := unlz4(nil, append(frame, lone...), 1000, false); err == nil {
		t.Errorf("a match into another frame gives %q", got)
	}
}

// KIP-57: the header checksum of v0 covers the magic number too. Readers of v0
// meet both, readers of v1 and v2 must not take the wrong one.
func TestLZ4HeaderOfMessageFormatV0(t *testing.T) {
	var z lz4er
	right, _ := z.deflate(nil, []byte("abc"), 0, false)
	wrong, _ := z.deflate(nil, []byte("abc"), 0, true)
	if got := hex.EncodeToString(right[:7]); got != "04224d18604082" {
		t.Errorf("right header %s", got)
	}
	if sum := byte(xxh32(wrong[:6]) >> 8); wrong[6] != sum || wrong[6] == right[6] {
		t.Errorf("wrong header %x", wrong[:7])
	}
	for name, c := range map[string]struct {
		frame []byte
		any   bool
		ok    bool
	}{"right": {right, false, true}, "right in v0": {right, true, true}, "wrong in v0": {wrong, true, true}, "wrong": {wrong, false, false}} {
		got, err := unlz4(nil, c.frame, 100, c.any)
		if c.ok != (err == nil) || c.ok && string(got) != "abc" || !c.ok && !errors.Is(err, ErrChecksum) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	for magic, at := range map[int8]int{0: atMessageKeyV0 + 8, 1: atMessageKeyV1 + 8, 2: Head} {
		e := sealed(t, magic, Options{Type: LZ4}, values("a", "b")...)
		if kip57 := e[at+6] != right[6]; kip57 != (magic == 0) {
			t.Errorf("v%d header %x", magic, e[at:at+7])
		}
	}
}

func TestXXH32(t *testing.T) {
	for in, want := range map[string]uint32{
		"":    0x02CC5D05,
		"a":   0x550D7456,
		"abc": 0x32D153FF,
		"Nobody inspects the spammish repetition": 0xE2293B2F,
	} {
		if got := xxh32([]byte(in)); got != want {
			t.Errorf("%q: %08x, want %08x", in, got, want)
		}
	}
}
