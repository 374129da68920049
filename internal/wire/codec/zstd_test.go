package codec

import (
	"bytes"
	"errors"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// zstdStream is src as a streaming writer packs it: its size is not announced.
func zstdStream(tb testing.TB, src []byte, opts ...zstd.EOption) []byte {
	tb.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, append(opts, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		tb.Fatal(err)
	}
	// Two writes with a flush between keep the writer from announcing the size.
	half := len(src) / 2
	for _, p := range [][]byte{src[:half], src[half:]} {
		if _, err := w.Write(p); err != nil {
			tb.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestZstdReadsEveryFrame(t *testing.T) {
	src := compressible(700_000)
	var u unzstd
	for name, frame := range map[string][]byte{
		"streamed":         zstdStream(t, src),
		"checksum":         zstdStream(t, src, zstd.WithEncoderCRC(true)),
		"no checksum":      zstdStream(t, src, zstd.WithEncoderCRC(false)),
		"window of 128 MB": zstdStream(t, src, zstd.WithWindowSize(128<<20)),
		"padded":           zstdStream(t, src, zstd.WithEncoderPadding(4096)),
	} {
		got, err := u.inflate(nil, frame, 1<<20)
		if err != nil || !bytes.Equal(got, src) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		got, err = u.inflate(got, append(bytes.Clone(frame), frame...), 2<<20)
		if err != nil || len(got) != 2*len(src) {
			t.Errorf("%s: two frames give %d bytes, %v", name, len(got), err)
		}
		if _, err = u.inflate(got, frame, len(src)-1); !errors.Is(err, ErrLimit) {
			t.Errorf("%s past the limit: %v", name, err)
		}
		if got, err = u.inflate(nil, frame, len(src)); err != nil || len(got) != len(src) {
			t.Errorf("%s up to the limit: %d bytes, %v", name, len(got), err)
		}
		for n := 1; n < len(frame); n += 1 + n/40 {
			if got, err := u.inflate(nil, frame[:n], 1<<20); err == nil && !(name == "padded" && len(got) == len(src)) {
				t.Fatalf("%s cut at %d of %d: no error", name, n, len(frame))
			}
		}
	}
}

// Output that no header announces is given room step by step, and larger than
// one step it still comes out whole.
func TestZstdGrowsPastOneStep(t *testing.T) {
	src := bytes.Repeat(compressible(1<<20), 40)
	got, err := new(unzstd).inflate(nil, zstdStream(t, src), 1<<30)
	if err != nil || !bytes.Equal(got, src) {
		t.Fatalf("%d bytes of %d, %v", len(got), len(src), err)
	}
}
