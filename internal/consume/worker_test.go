package consume

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
)

// crewed is a cluster whose topic has so many partitions of so many records,
// a batch each.
func crewed(t *testing.T, partitions, records int) (*cluster, map[broker.TP]offsets.Range) {
	c := newCluster(t, 1)
	ranges := make(map[broker.TP]offsets.Range)
	for p := range partitions {
		var entries []entry
		for at := 0; at < records; at += 10 {
			entries = append(entries, plain(int64(at), numbered(int64(at), 10)...))
		}
		ranges[c.log(int32(p), entries...)] = offsets.Range{To: int64(records)}
	}
	return c, ranges
}

func collectors(n int) ([]*collector, []Sink) {
	list, sinks := make([]*collector, n), make([]Sink, n)
	for i := range list {
		list[i] = newCollector()
		sinks[i] = list[i]
	}
	return list, sinks
}

func TestS31PartitionsAreSplitOverWorkersInTurn(t *testing.T) {
	c, ranges := crewed(t, 7, 100)
	got, sinks := collectors(3)
	report, err := Run(t.Context(), c.client(), quick(), ranges, sinks...)
	if err != nil || report.Records != 700 {
		t.Fatalf("%d records: %v", report.Records, err)
	}
	for i, want := range [][]int32{{0, 3, 6}, {1, 4}, {2, 5}} {
		var parts []int32
		for tp, offs := range got[i].got {
			parts = append(parts, tp.Partition)
			if !slices.Equal(offs, from(0, 100)) {
				t.Errorf("%v: %v", tp, offs)
			}
		}
		if slices.Sort(parts); !slices.Equal(parts, want) {
			t.Errorf("worker %d had %v, want %v", i, parts, want)
		}
	}
}

func TestS32MaxIsExactOverAllWorkersAndNothingComesTwice(t *testing.T) {
	for _, most := range []int64{1, 99, 200} {
		c, ranges := crewed(t, 2, 100)
		got, sinks := collectors(2)
		o := quick()
		o.Max = most
		report, err := Run(t.Context(), c.client(), o, ranges, sinks...)
		if err != nil || report.Records != most || !report.Full {
			t.Fatalf("%+v: %v", report, err)
		}
		var all, told int64
		for _, g := range got {
			for tp, offs := range g.got {
				all += int64(len(offs))
				if !slices.Equal(offs, from(0, int64(len(offs)))) {
					t.Errorf("%v: %v", tp, offs)
				}
			}
			for _, m := range g.progress.Take() { // what is not read is not told
				told += m.Next
			}
		}
		if all != most || told != most {
			t.Errorf("%d records came and %d were told, want %d", all, told, most)
		}
	}
}

func TestOneWorkersFailureEndsTheSession(t *testing.T) {
	c, ranges := crewed(t, 4, 100)
	got, sinks := collectors(2)
	boom := errors.New("boom")
	got[1].each = func(r *record.Record) error {
		if r.Offset == 5 {
			return boom
		}
		return nil
	}
	o := quick()
	o.Follow = true
	if _, err := Run(t.Context(), c.client(), o, ranges, sinks...); !errors.Is(err, boom) {
		t.Errorf("run: %v", err)
	}
}

func TestTimeOrderGoesToOneSink(t *testing.T) {
	c, ranges := crewed(t, 2, 10)
	_, sinks := collectors(2)
	o := quick()
	o.ByTime = true
	if _, err := Run(t.Context(), c.client(), o, ranges, sinks...); err == nil {
		t.Error("a merge into two sinks ran")
	}
}

func TestAWorkerThatTakesItsTimeKeepsNobodyWaiting(t *testing.T) {
	c, ranges := crewed(t, 2, 3000)
	got, sinks := collectors(2)
	release := make(chan struct{})
	got[0].each = func(*record.Record) error {
		<-release
		return nil
	}
	o := quick()
	o.Apart = true
	o.Fetch.PartitionBytes = 2000 // many chunks
	var rest atomic.Int64
	rest.Store(3000)
	got[1].each = func(*record.Record) error {
		if rest.Add(-1) == 0 {
			close(release) // the other had its first record only
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	report, err := Run(ctx, c.client(), o, ranges, sinks...)
	if err != nil || report.Records != 6000 {
		t.Fatalf("%+v: %v", report, err)
	}
}

func TestADropWaitsForTheRecordAtHandAlone(t *testing.T) {
	c, ranges := crewed(t, 2, 100)
	got, sinks := collectors(1)
	at, release := make(chan struct{}), make(chan struct{})
	first := true
	got[0].each = func(r *record.Record) error {
		if first && r.Partition == 0 {
			first = false
			close(at)
			<-release
		}
		return nil
	}
	o := quick()
	o.Follow = true
	s := NewSession(c.client(), o)
	zero := broker.TP{Topic: "t"}
	s.Add(map[broker.TP]offsets.Range{zero: ranges[zero]})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = s.Run(ctx, sinks...)
	}()
	<-at
	short, stop := context.WithCancel(t.Context())
	stop()
	if err := s.barrier(short, s.peek(zero)); !errors.Is(err, context.Canceled) {
		t.Errorf("a barrier whose time is up: %v", err)
	}
	dropped := make(chan struct{})
	ps := s.peek(zero)
	go func() {
		defer close(dropped)
		s.Drop(t.Context(), []broker.TP{zero}, false)
	}()
	for !ps[0].stopped.Load() {
		runtime.Gosched()
	}
	close(release)
	<-dropped
	cancel()
	<-done
	got[0].wantOffsets(t, zero, 0)
}

// peek is the Partitions a session has of tps.
func (s *Session) peek(tps ...broker.TP) (ps []*Partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tp := range tps {
		ps = append(ps, s.held[tp])
	}
	return ps
}

// hesitant is a sink that lingers while the log has more.
type hesitant struct {
	*collector
	waited, sent []Mark
}

func (h *hesitant) Record(ctx context.Context, r *record.Record, m Mark) error {
	h.waited = append(h.waited, m)
	return h.collector.Record(ctx, r, m)
}

func (h *hesitant) Lull(ctx context.Context) (time.Duration, error) {
	if n := len(h.waited); n > 0 && h.waited[n-1].More() {
		return time.Minute, nil
	}
	h.sent, h.waited = append(h.sent, h.waited...), nil
	return 0, h.Flush(ctx)
}

func TestASinkThatLingersHearsThatTheLogHasMore(t *testing.T) {
	c, ranges := crewed(t, 1, 500)
	h := &hesitant{collector: newCollector()}
	var lulls []int64
	o := quick()
	o.Fetch.PartitionBytes = 400 // a batch each answer
	if _, err := Run(t.Context(), c.client(), o, ranges, h); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(h.sent); i++ {
		if h.sent[i].Next != h.sent[i-1].Next+1 {
			lulls = append(lulls, h.sent[i].Next)
		}
	}
	if len(h.sent) != 0 && h.sent[len(h.sent)-1].Next != 500 || len(lulls) > 0 {
		t.Errorf("%d were sent in mid-log", len(h.sent))
	}
	h.wantOffsets(t, broker.TP{Topic: "t"}, from(0, 500)...)
}
