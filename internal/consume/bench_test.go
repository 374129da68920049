package consume

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// pages is a sink as package sink has it, less the errors: that package stands
// above this one.
type pages struct {
	page  []byte
	marks []Mark
	w     io.Writer
}

func (s *pages) Record(_ context.Context, r *record.Record, m Mark) error {
	s.page = append(append(s.page, r.Value...), '\n')
	s.marks = append(s.marks, m)
	if len(s.page) >= 256<<10 {
		return s.Flush(context.Background())
	}
	return nil
}

func (s *pages) Skip(Mark) {}

func (s *pages) Flush(context.Context) error {
	_, err := s.w.Write(s.page)
	s.page, s.marks = s.page[:0], s.marks[:0]
	return err
}

// BenchmarkConsume is the way of records from a response in memory to pages:
// cut, check, decode and format; an op is one record of 100 bytes.
func BenchmarkConsume(b *testing.B) {
	for _, compression := range []codec.Type{codec.Uncompressed, codec.LZ4} {
		b.Run(compression.String(), func(b *testing.B) {
			var build codec.Builder
			var c codec.Compressor
			value := bytes.Repeat([]byte("ten bytes "), 10)
			n := 0
			for build.Append(&record.Record{Timestamp: 1000, Value: value}, 1_000_000) {
				n++
			}
			one, err := c.Seal(nil, &build, codec.Options{Type: compression, Level: codec.DefaultLevel})
			if err != nil {
				b.Fatal(err)
			}
			var all []byte
			const batches = 16
			for i := range batches {
				binary.BigEndian.PutUint64(one, uint64(i*n))
				all = append(all, one...)
			}
			s := &Session{o: Options{}.filled(), wake: make(chan struct{}, 1)}
			st := s.newStream(1)
			w := newWorker(s, &pages{w: io.Discard})
			done := make(chan error, 1)
			go func() { done <- w.work(context.Background(), st, st.queues[0]) }()
			k := cutter{out: st, arrived: func() {}, blocked: func(bool) {}}
			res := wire.Default[wire.FetchPartitionResult]()
			res.HighWatermark = math.MaxInt64 / 2
			b.SetBytes(int64(len(value)))
			b.ReportAllocs()
			b.ResetTimer()
			for got := 0; got < b.N; got += batches * n {
				p := newPartition(broker.TP{Topic: "t"}, offsets.Range{To: offsets.Follow}, newFate(0))
				if _, err := k.cut(context.Background(), p, &res, wire.NewBody(wire.NewBytesReader(all), len(all))); err != nil {
					b.Fatal(err)
				}
			}
			st.close()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		})
	}
}
