package codec

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"kafkactl/internal/record"
)

// logLines are values of about 100 bytes that compress as logs do.
func logLines(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("GET POST /orders /users /cart checkout 200 404 500 timeout retry connection upstream accepted session cache miss hit latency")
	lines := make([][]byte, n)
	for i := range lines {
		b := fmt.Appendf(nil, "2026-11-23T10:%02d:%02d.%03dZ id=%08x", r.IntN(60), r.IntN(60), r.IntN(1000), r.Uint32())
		for len(b) < 100 {
			b = append(append(b, ' '), words[r.IntN(len(words))]...)
		}
		lines[i] = b[:100]
	}
	return lines
}

// fullBatch seals records of 100 bytes until the batch has about size bytes.
func fullBatch(tb testing.TB, magic int8, size int, o Options) (entry []byte, records int, raw int) {
	tb.Helper()
	var b Builder
	b.Reset(magic)
	lines := logLines(1 << 14)
	for i := 0; b.Append(&record.Record{Value: lines[i%len(lines)], Timestamp: 1_700_000_000_000 + int64(i/100)}, size); i++ {
	}
	var c Compressor
	entry, err := c.Seal(nil, &b, o)
	if err != nil {
		tb.Fatal(err)
	}
	return entry, int(b.Count()), b.Size()
}

func BenchmarkRead(b *testing.B) {
	for _, magic := range []int8{2, 1, 0} {
		for _, t := range typesOf(magic) {
			b.Run(fmt.Sprintf("v%d/%v", magic, t), func(b *testing.B) {
				entry, records, raw := fullBatch(b, magic, 1_000_000, Options{Type: t})
				var r Reader
				var rec record.Record
				b.ReportAllocs()
				b.SetBytes(int64(raw))
				for b.Loop() {
					r.Reset(entry, 0)
					n := 0
					for r.Next(&rec) {
						n++
					}
					if n != records || r.Err() != nil {
						b.Fatalf("%d of %d records, %v", n, records, r.Err())
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(records), "ns/record")
				b.ReportMetric(float64(len(entry))/float64(raw), "size")
			})
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, magic := range []int8{2, 1, 0} {
		b.Run(fmt.Sprintf("v%d", magic), func(b *testing.B) {
			lines := logLines(1 << 14)
			var bld Builder
			var rec record.Record
			bld.Reset(magic)
			i := 0
			b.ReportAllocs()
			b.SetBytes(100)
			for b.Loop() {
				rec.Value = lines[i%len(lines)]
				rec.Timestamp = 1_700_000_000_000
				i++
				if !bld.Append(&rec, 1_000_000) {
					bld.Reset(magic)
				}
			}
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, t := range typesOf(2) {
		b.Run(t.String(), func(b *testing.B) {
			var bld Builder
			lines := logLines(1 << 14)
			for i := 0; bld.Append(&record.Record{Value: lines[i%len(lines)]}, 1_000_000); i++ {
			}
			var c Compressor
			var dst []byte
			b.ReportAllocs()
			b.SetBytes(int64(bld.Size()))
			for b.Loop() {
				e, err := c.Seal(dst[:0], &bld, Options{Type: t})
				if err != nil {
					b.Fatal(err)
				}
				if t != Uncompressed {
					dst = e
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(bld.Count()), "ns/record")
		})
	}
}

// typesOf are the compressions a message format can carry.
func typesOf(magic int8) []Type {
	if magic < 2 {
		return []Type{Uncompressed, Gzip, Snappy, LZ4}
	}
	return []Type{Uncompressed, Gzip, Snappy, LZ4, Zstd}
}
