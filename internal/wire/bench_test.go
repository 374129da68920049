package wire

import (
	"bufio"
	"bytes"
	"testing"
)

func metadata600() *MetadataResponse {
	m := new(Default[MetadataResponse]())
	m.ClusterID = new("cluster")
	for i := range int32(3) {
		m.Brokers = append(m.Brokers, MetadataBroker{NodeID: i, Host: "broker.example.com", Port: 9092})
	}
	for i := range 20 {
		topic := with(func(t *MetadataTopic) { t.Name, t.TopicID = new("topic-"+itoa(i)), UUID{byte(i)} })
		for p := range int32(30) {
			topic.Partitions = append(topic.Partitions, with(func(mp *MetadataPartition) {
				mp.Index, mp.LeaderID, mp.LeaderEpoch = p, p%3, 7
				mp.ReplicaNodes, mp.IsrNodes, mp.OfflineReplicas = []int32{0, 1, 2}, []int32{0, 1, 2}, []int32{}
			}))
		}
		m.Topics = append(m.Topics, topic)
	}
	return m
}

// bodyOf is resp encoded, without length and header.
func bodyOf(t testing.TB, resp Response, version int16) []byte {
	t.Helper()
	var f Frame
	if err := AppendResponse(&f, resp, version, 7); err != nil {
		t.Fatal(err)
	}
	r := NewBytesReader(flat(&f)[4:])
	if _, err := DecodeResponseHeader(r, resp.Key(), version); err != nil {
		t.Fatal(err)
	}
	return r.buf
}

func BenchmarkEncodeMetadata600(b *testing.B) {
	m := metadata600()
	var f Frame
	b.ReportAllocs()
	for b.Loop() {
		if err := AppendResponse(&f, m, 12, 7); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeMetadata600(b *testing.B) {
	body := bodyOf(b, metadata600(), 12)
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(NewBytesReader(body), 12, new(MetadataResponse), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func fetch100(records int) *FetchResponse {
	m := new(Default[FetchResponse]())
	topic := FetchTopicResult{Name: "orders", TopicID: UUID{1}}
	for i := range int32(100) {
		topic.Partitions = append(topic.Partitions, with(func(p *FetchPartitionResult) {
			p.Index, p.HighWatermark, p.LastStableOffset, p.LogStartOffset = i, 1000, 1000, 0
			p.Records = make(Records, records)
		}))
	}
	m.Topics = []FetchTopicResult{topic}
	return m
}

func BenchmarkStreamFetch100(b *testing.B) {
	body := bodyOf(b, fetch100(10_000), 17)
	src := bytes.NewReader(body)
	br := bufio.NewReaderSize(src, 64<<10)
	var resp FetchResponse
	buf := make([]byte, 10_000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(body)
		br.Reset(src)
		err := Decode(NewReader(br, len(body)), 17, &resp, func(path []any, body *Body) error {
			return body.Take(buf[:body.Left()])
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeFetchRequest100(b *testing.B) {
	req := new(Default[FetchRequest]())
	topic := FetchTopic{Name: "orders", TopicID: UUID{1}}
	for i := range int32(100) {
		topic.Partitions = append(topic.Partitions, with(func(p *FetchPartition) { p.Index = (i + 40) % 100 }))
	}
	req.Topics = []FetchTopic{topic}
	var f Frame
	b.ReportAllocs()
	for b.Loop() {
		if err := AppendRequest(&f, req, 17, 7, "kc"); err != nil {
			b.Fatal(err)
		}
	}
}
