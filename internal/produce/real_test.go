package produce_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/input"
	"kafkactl/internal/produce"
	"kafkactl/internal/wire/codec"
)

// BenchmarkProduce sends lines of 100 bytes to the topic "bench" of the cluster
// in KAFKACTL_TEST_BROKERS.
func BenchmarkProduce(b *testing.B) {
	seeds := os.Getenv("KAFKACTL_TEST_BROKERS")
	if seeds == "" {
		b.Skip("KAFKACTL_TEST_BROKERS is not set")
	}
	data := bytes.Repeat(append(bytes.Repeat([]byte("v"), 100), '\n'), 20_000)
	const times = 50
	for _, typ := range []codec.Type{codec.Uncompressed, codec.Snappy, codec.LZ4, codec.Zstd} {
		b.Run(typ.String(), func(b *testing.B) {
			client, err := broker.New(broker.Config{Seeds: []string{seeds}})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			if err := produce.Find(b.Context(), client, "bench", 0, true); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(times * len(data)))
			b.ReportAllocs()
			for b.Loop() {
				lines := input.NewLines([]input.File{{Name: "f", Open: func() (io.ReadCloser, error) {
					all := make([]io.Reader, times)
					for i := range all {
						all[i] = bytes.NewReader(data)
					}
					return io.NopCloser(io.MultiReader(all...)), nil
				}}}, input.Plain())
				cfg := produce.DefaultConfig()
				cfg.Compression = typ
				if rep, err := produce.Run(b.Context(), client, cfg, "bench", lines); err != nil {
					b.Fatal(rep, err)
				}
				lines.Close()
			}
		})
	}
}
