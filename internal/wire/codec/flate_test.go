package codec

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"testing"
)

// skewed is bytes of which each is about half as frequent as the one before, so
// that their codes reach every length there is.
func skewed(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		for r.Uint32()&1 != 0 && b[i] < 250 {
			b[i]++
		}
	}
	return b
}

// inflateBoth inflates with our reader and with another.
func inflateBoth(z *flateReader, src []byte, limit int) (got []byte, size int, err error, want []byte, wantSize int, wantErr error) {
	got, size, err = z.inflate(nil, src, limit)
	in := bytes.NewReader(src)
	want, wantErr = io.ReadAll(io.LimitReader(flate.NewReader(in), int64(limit)+1))
	return got, size, err, want, len(src) - in.Len(), wantErr
}

func TestFlateReadsEveryBlock(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var near []byte // matches at every short distance
	for d := 1; d < 40; d++ {
		near = append(append(near, bytes.Repeat(noise[d*100:d*100+d], 600/d)...), noise[d*300:d*300+50]...)
	}
	far := append(append(bytes.Clone(noise[:32768]), noise[:300]...), noise[100:400]...)
	var z flateReader
	for name, src := range map[string][]byte{
		"nothing": nil, "one byte": {'a'}, "noise": noise, "near": near, "far": far, "zeros": make([]byte, 100_000),
		"log lines": compressible(200_000), "skewed": skewed(r, 100_000), "short": []byte("hello hello hello"),
	} {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, 1, 6, 9} {
			var out bytes.Buffer
			w, err := flate.NewWriter(&out, level)
			if err != nil {
				t.Fatal(err)
			}
			// A flush between ends a block, and leaves an empty stored one.
			for _, part := range [][]byte{src[:len(src)/2], src[len(src)/2:]} {
				w.Write(part)
				w.Flush()
			}
			w.Close()
			packed := out.Bytes()
			got, size, err := z.inflate([]byte("before"), append(packed, "behind"...), len(src)+6)
			if err != nil || size != len(packed) || string(got) != "before"+string(src) {
				t.Fatalf("%s at level %d: %d of %d bytes, %d of %d read, %v", name, level, len(got)-6, len(src), size, len(packed), err)
			}
			for n := 0; n < len(packed); n += 1 + n/2 {
				if got, _, err := z.inflate(nil, packed[:n], 1<<20); err == nil {
					t.Fatalf("%s at level %d cut at %d of %d: %d bytes and no error", name, level, n, len(packed), len(got))
				}
			}
			if len(src) > 1000 {
				if got, _, err := z.inflate(nil, packed, 1000); err != nil || len(got) <= 1000 || len(got) > 1000+64<<10 {
					t.Errorf("%s at level %d past a limit of 1000: %d bytes, %v", name, level, len(got), err)
				}
			}
		}
	}
}

func FuzzFlateAgrees(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, src := range [][]byte{nil, []byte("hello hello hello"), compressible(5000), skewed(r, 5000)} {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 9} {
			var out bytes.Buffer
			w, _ := flate.NewWriter(&out, level)
			w.Write(src)
			w.Close()
			f.Add(out.Bytes())
		}
	}
	f.Add([]byte{0x4b, 0x04, 0x00})
	var z flateReader
	f.Fuzz(func(t *testing.T, src []byte) {
		got, size, err, want, wantSize, wantErr := inflateBoth(&z, src, fuzzLimit)
		if len(want) > fuzzLimit {
			if err == nil && len(got) <= fuzzLimit {
				t.Fatalf("%d bytes where there are more than the limit", len(got))
			}
			return
		}
		if (err == nil) != (wantErr == nil) || err == nil && (size != wantSize || !bytes.Equal(got, want)) {
			t.Fatalf("%d bytes of %d, %v; another reader %d of %d, %v", len(got), size, err, len(want), wantSize, wantErr)
		}
	})
}
