package offsets

import (
	"math"
	"slices"
	"testing"

	"kafkactl/internal/broker"
)

func tps(n int) []broker.TP {
	list := make([]broker.TP, n)
	for i := range list {
		list[i] = broker.TP{Topic: "t", Partition: int32(i)}
	}
	return list
}

func TestS29ShiftsAreSpreadFromStartOrEnd(t *testing.T) {
	for _, c := range []struct {
		partitions int
		n          int64
		whence     Whence
		base       Base
		want       []int64
	}{
		{2, -13, FromEnd, End, []int64{-6, -7}},
		{3, 10, FromStart, Start, []int64{4, 3, 3}},
		{3, -1, FromEnd, End, []int64{0, 0, -1}},
		{4, 2, FromStart, Start, []int64{1, 1, 0, 0}},
		{2, 5, FromStored, Committed, []int64{5, 5}},
		{2, -5, FromStored, Committed, []int64{-5, -5}},
		{1, math.MinInt64, FromEnd, End, []int64{math.MinInt64}},
		{3, 0, FromEnd, End, []int64{0, 0, 0}},
		{0, 7, FromEnd, End, nil},
	} {
		places, err := SeekBy(tps(c.partitions), c.n, c.whence)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, p := range places {
			if p.Position.Base != c.base {
				t.Errorf("%d from %d: it counts from %v", c.n, c.whence, p.Position)
			}
			got = append(got, p.Position.N)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d over %d from %d: %v, want %v", c.n, c.partitions, c.whence, got, c.want)
		}
	}
	if _, err := SeekBy(tps(1), 1, 3); err == nil {
		t.Error("whence 3 means nothing")
	}
}

func TestPlanSetsWhatIsAgainstWhatShallBe(t *testing.T) {
	note, empty := "n", ""
	t0, t1, t2, t3 := tps(4)[0], tps(4)[1], tps(4)[2], tps(4)[3]
	cur := map[broker.TP]Stored{
		t0:                             {Offset: 10, LeaderEpoch: 4, Metadata: &note},
		t1:                             {Offset: 10, LeaderEpoch: 4, Metadata: &empty},
		t2:                             {Offset: NoOffset},
		{Topic: "other", Partition: 1}: {Offset: 1},
	}
	plan := Plan(cur, map[broker.TP]Stored{
		t3: {Offset: NoOffset}, t2: {Offset: 7, LeaderEpoch: -1}, t1: {Offset: 10, LeaderEpoch: -1}, t0: {Offset: 4, LeaderEpoch: -1},
	})
	if len(plan) != 4 {
		t.Fatalf("%+v", plan)
	}
	if c := plan[0]; c.TP != t0 || c.Records() != -6 || c.Same() || c.New() || c.To.Metadata != nil {
		t.Errorf("replayed: %+v", c)
	}
	if c := plan[1]; !c.Same() || c.Records() != 0 || c.To.LeaderEpoch != 4 {
		t.Errorf("unchanged: %+v", c)
	}
	if c := plan[2]; !c.New() || c.Records() != 0 || c.Same() {
		t.Errorf("new: %+v", c)
	}
	if c := plan[3]; !c.Same() || !c.Deletes() {
		t.Errorf("none to none: %+v", c)
	}
	if c := Plan(cur, map[broker.TP]Stored{t0: {Offset: 10, LeaderEpoch: -1, Metadata: &empty}})[0]; c.Same() {
		t.Errorf("metadata that changes is a change: %+v", c)
	}
}

func TestWhatIsReadBackMustBeWhatWasMeant(t *testing.T) {
	note, empty := "n", ""
	all := tps(5)
	changes := Plan(nil, map[broker.TP]Stored{
		all[0]: {Offset: 5, LeaderEpoch: 2},
		all[1]: {Offset: 5, LeaderEpoch: 2, Metadata: &note},
		all[2]: {Offset: 5, LeaderEpoch: 2},
		all[3]: {Offset: 5, LeaderEpoch: -1},
		all[4]: {Offset: NoOffset},
	})
	now := map[broker.TP]Stored{
		all[0]: {Offset: 5, LeaderEpoch: -1, Metadata: &empty}, // as old brokers keep it
		all[1]: {Offset: 5, LeaderEpoch: 2, Metadata: &empty},
		all[2]: {Offset: 5, LeaderEpoch: 3},
		all[3]: {Offset: 6, LeaderEpoch: -1},
	}
	off := Mismatch(changes, now)
	if len(off) != 3 || off[0].TP != all[1] || off[1].TP != all[2] || off[2].TP != all[3] {
		t.Errorf("%+v", off)
	}
	now[all[4]] = Stored{Offset: 0}
	if off := Mismatch(changes[4:], now); len(off) != 1 {
		t.Errorf("what should be gone is there: %+v", off)
	}
}
