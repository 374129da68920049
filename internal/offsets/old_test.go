package offsets

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// segment is what a broker before 0.10.1 goes by: where a segment starts and
// when it was last written to.
type segment struct{ base, modified int64 }

// oldBroker serves one partition t:0 of these segments, as Log.getOffsetsBefore
// of Kafka 0.8 does.
func oldBroker(t *testing.T, segments []segment, end, now int64) (*brokertest.Server, *broker.Client) {
	s := brokertest.New(t)
	s.Old()
	s.Handle(wire.Metadata, func(*brokertest.Request) brokertest.Reply {
		name := "t"
		part := wire.Default[wire.MetadataPartition]()
		part.LeaderID = 1
		resp := wire.Default[wire.MetadataResponse]()
		resp.Brokers = []wire.MetadataBroker{{NodeID: 1, Host: s.Host(), Port: s.Port()}}
		topic := wire.Default[wire.MetadataTopic]()
		topic.Name, topic.Partitions = &name, []wire.MetadataPartition{part}
		resp.Topics = []wire.MetadataTopic{topic}
		return brokertest.Answer(&resp)
	})
	s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
		req := r.Body.(*wire.ListOffsetsRequest)
		if len(req.Topics) == 0 {
			return brokertest.Reply{}
		}
		resp := wire.Default[wire.ListOffsetsResponse]()
		for _, topic := range req.Topics {
			out := wire.ListOffsetsTopicResult{Name: topic.Name}
			for _, p := range topic.Partitions {
				res := wire.Default[wire.ListOffsetsPartitionResult]()
				res.Index = p.Index
				res.OldStyleOffsets = before(segments, end, now, p.Timestamp, p.MaxNumOffsets)
				out.Partitions = append(out.Partitions, res)
			}
			resp.Topics = append(resp.Topics, out)
		}
		return brokertest.Answer(&resp)
	})
	client, err := broker.New(broker.Config{Seeds: []string{s.Addr()}, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return s, client
}

func before(segments []segment, end, now, ts int64, limit int32) []int64 {
	times := append(slices.Clone(segments), segment{end, now})
	start := len(times) - 1
	switch ts {
	case wire.LatestTimestamp:
	case wire.EarliestTimestamp:
		start = 0
	default:
		for start >= 0 && times[start].modified > ts {
			start--
		}
	}
	var list []int64
	for ; start >= 0 && len(list) < int(limit); start-- {
		list = append(list, times[start].base)
	}
	return list
}

func TestTimesOnOldBrokersLoseNothing(t *testing.T) {
	// Records 100-199 were written up to second 10, 200-299 up to 20, and so on.
	segments := []segment{{100, 10_000}, {200, 20_000}, {300, 30_000}, {400, 40_000}}
	_, client := oldBroker(t, segments, 450, 50_000)
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to int64
		want     Range
	}{
		{15_000, 25_000, Range{100, 400}}, // the segments from 200 and 300 have what was written between
		{5_000, 5_001, Range{100, 200}},
		{1, 60_000, Range{100, 450}},
		{45_000, 60_000, Range{400, 450}},
		{60_000, 61_000, Range{450, 450}},
		{20_000, 20_000, Range{200, 400}},
	} {
		w := Want{broker.TP{Topic: "t"}, Window{Position{Time, c.from}, Position{Time, c.to}}}
		got, err := Resolve(t.Context(), client, []Want{w}, Options{Isolation: ReadCommitted})
		if err != nil || got[0].Err != nil {
			t.Fatal(err, got)
		}
		if got[0].Range != c.want || !got[0].Coarse {
			t.Errorf("%d to %d: %+v coarse %v, want %+v and coarse", c.from, c.to, got[0].Range, got[0].Coarse, c.want)
		}
	}
	// The broker's clock is at second 50, ours a little behind.
	now := Want{broker.TP{Topic: "t"}, Window{From: Position{Time, 49_000}}}
	got, err := Resolve(t.Context(), client, []Want{now}, Options{Now: time.UnixMilli(49_000)})
	if err != nil || got[0].Range != (Range{450, 450}) {
		t.Errorf("from now on: %+v, %v", got, err)
	}
	got, err = Resolve(t.Context(), client, []Want{{broker.TP{Topic: "t"}, Window{From: Position{Base: MaxTimestamp}}}}, Options{})
	var old *TooOldError
	if err != nil || !errors.As(got[0].Err, &old) || old.Release != "3.0" {
		t.Errorf("a position it does not know: %v, %v", got, err)
	}
	plain, err := Resolve(t.Context(), client, []Want{{TP: broker.TP{Topic: "t"}}}, Options{})
	if err != nil || plain[0].Range != (Range{100, 450}) || plain[0].Coarse {
		t.Errorf("without times: %+v, %v", plain, err)
	}
}

func TestS11SegmentStartsAreListedDescending(t *testing.T) {
	segments := []segment{{100, 10_000}, {200, 20_000}, {300, 30_000}}
	_, client := oldBroker(t, segments, 350, 50_000)
	if _, err := client.Refresh(t.Context(), nil, "t"); err != nil {
		t.Fatal(err)
	}
	tp := broker.TP{Topic: "t"}
	got, err := ListSegments(t.Context(), client, []Place{
		{tp, Position{Base: End}},
		{tp, Position{Base: Start}},
		{tp, Position{Time, 25_000}},
		{tp, Position{Time, 1}},
	}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]int64{{350, 300, 200}, {100}, {200, 100}, nil} {
		if got[i].Err != nil || !slices.Equal(got[i].Offsets, want) {
			t.Errorf("place %d: %+v, want %v", i, got[i], want)
		}
	}
}
