package broker

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"kafkactl/internal/wire"
)

// serveFetches answers every request on nc with the same fetch response, as fast
// as it can: 4 partitions with size bytes each.
func serveFetches(b *testing.B, nc net.Conn, size int) {
	resp := wire.FetchResponse{Topics: []wire.FetchTopicResult{{Name: "orders"}}}
	for i := range int32(4) {
		p := wire.Default[wire.FetchPartitionResult]()
		p.Index, p.Records = i, make(wire.Records, size)
		resp.Topics[0].Partitions = append(resp.Topics[0].Partitions, p)
	}
	var f wire.Frame
	if err := wire.AppendResponse(&f, &resp, 12, 0); err != nil {
		b.Error(err)
		return
	}
	br := bufio.NewReader(nc)
	for {
		head, err := br.Peek(12)
		if err != nil {
			return
		}
		copy(f.Head[4:8], head[8:12])
		if _, err := br.Discard(4 + int(binary.BigEndian.Uint32(head))); err != nil {
			return
		}
		bufs := f.Buffers(nil)
		if _, err := bufs.WriteTo(nc); err != nil {
			return
		}
	}
}

// fetchLoop is what a lane does: ask, stream the answer in, ask again.
func fetchLoop(b *testing.B, size int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go serveFetches(b, nc, size)
		}
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	cfg := Config{}.withDefaults()
	c := newConn(nc, l.Addr().String(), 1, &cfg)
	defer c.Close()
	c.speaks.windows = map[wire.Key][2]int16{wire.Fetch: {0, 12}}
	req := wire.Default[wire.FetchRequest]()
	req.Topics = []wire.FetchTopic{{Name: "orders"}}
	for i := range int32(4) {
		p := wire.Default[wire.FetchPartition]()
		p.Index = i
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, p)
	}
	resp := wire.Default[wire.FetchResponse]()
	chunk := make([]byte, 1<<20)
	on := func(_ []any, body *wire.Body) error {
		for body.Left() > 0 {
			if _, err := body.Peek(min(61, body.Left())); err != nil {
				return err
			}
			if err := body.Take(chunk[:min(len(chunk), body.Left())]); err != nil {
				return err
			}
		}
		return nil
	}
	b.SetBytes(int64(4 * size))
	b.ReportAllocs()
	for b.Loop() {
		ca, err := c.Send(b.Context(), &req, -1)
		if err != nil {
			b.Fatal(err)
		}
		if err := ca.Recv(b.Context(), &resp, on); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFetchLoop(b *testing.B) {
	for name, size := range map[string]int{"4x1KiB": 1 << 10, "4x1MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) { fetchLoop(b, size) })
	}
}

// BenchmarkProduce writes a batch of 1 MB without copying it, unanswered.
func BenchmarkProduce(b *testing.B) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	cfg := Config{}.withDefaults()
	c := newConn(ours, "x:1", 1, &cfg)
	defer c.Close()
	c.speaks.windows = map[wire.Key][2]int16{wire.Produce: {0, 9}}
	req := &wire.ProduceRequest{Topics: []wire.ProduceTopic{
		{Name: "orders", Partitions: []wire.ProducePartition{{Records: make(wire.Records, 1<<20)}}}}}
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(b.Context(), req, -1); err != nil {
			b.Fatal(err)
		}
	}
}
