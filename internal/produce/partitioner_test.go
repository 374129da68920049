package produce

import (
	"math"
	"slices"
	"testing"

	"kafkactl/internal/record"
)

func ids(n int32) *Partitions {
	ps := &Partitions{}
	for id := range n {
		ps.All = append(ps.All, id)
	}
	ps.Available = ps.All
	return ps
}

func pick(t *testing.T, p Partitioner, key []byte, ps *Partitions) int32 {
	t.Helper()
	id := p.Pick(&record.Record{Key: key}, ps)
	if !slices.Contains(ps.All, id) {
		t.Fatalf("picked %d, not one of %v", id, ps.All)
	}
	return id
}

func mustPartitioner(t *testing.T, name string, random bool) Partitioner {
	t.Helper()
	p, err := NewPartitioner(name, random)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestS36RoundRobinTakesPartitionsInTurn(t *testing.T) {
	p := mustPartitioner(t, "roundrobin", false)
	ps := ids(2)
	for i, want := range []int32{0, 1, 0} {
		if got := pick(t, p, []byte("same"), ps); got != want {
			t.Errorf("send %d went to %d, want %d", i, got, want)
		}
	}
}

func TestS36RoundRobinFollowsNewPartitions(t *testing.T) {
	p := mustPartitioner(t, "roundrobin", false)
	pick(t, p, nil, ids(2))
	got := []int32{pick(t, p, nil, ids(3)), pick(t, p, nil, ids(3)), pick(t, p, nil, ids(3))}
	if !slices.Equal(got, []int32{0, 1, 2}) {
		t.Errorf("after a third partition came: %v", got)
	}
}

func TestS36RoundRobinRandomStartBeginsAnywhere(t *testing.T) {
	seen := map[int32]bool{}
	for range 200 {
		seen[pick(t, mustPartitioner(t, "roundrobin", true), nil, ids(3))] = true
	}
	if len(seen) != 3 {
		t.Errorf("200 random starts over 3 partitions saw only %v", seen)
	}
}

func TestS37KeyHashVectors(t *testing.T) {
	py := map[string]int64{"": 0, "a": 12416037344, "key1": 1816603195884033418, "hello world": -2324238377118044897}
	for key, want := range py {
		if got := py2hash([]byte(key)); got != want {
			t.Errorf("py2hash(%q) = %d, want %d", key, got, want)
		}
	}
	// The Java client's own UtilsTest.
	java := map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "abc": 479470107,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
	}
	for key, want := range java {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
}

func TestS37KeysFindTheirPartition(t *testing.T) {
	cases := []struct {
		partitioner, key string
		n, want          int32
	}{
		{"py2hash", "hello world", 3, 1}, // floored, not truncated
		{"py2hash", "a", 3, 12416037344 % 3},
		{"py2hash", "", 3, 0},
		{"murmur2", "foobar", 7, (-790332482 & math.MaxInt32) % 7},
		{"murmur2", "", 5, 0x106e08d9 % 5},
		{"crc32", "123456789", 11, 0xcbf43926 % 11},
		{"crc32", "", 11, 0},
		{"fnv1a", "a", 10, (1<<32 - 0xe40c292c) % 10}, // FNV-1a of "a" is e40c292c, negative as int32
		{"fnv1a", "foobar", 10, (1<<32 - 0xbf9cf968) % 10},
		{"", "foobar", 7, (-790332482 & math.MaxInt32) % 7},
	}
	for _, c := range cases {
		if got := pick(t, mustPartitioner(t, c.partitioner, false), []byte(c.key), ids(c.n)); got != c.want {
			t.Errorf("%s placed %q among %d in %d, want %d", c.partitioner, c.key, c.n, got, c.want)
		}
	}
}

func TestS37KeysArePlacedInTheListNotByNumber(t *testing.T) {
	ps := &Partitions{All: []int32{4, 9}}
	for _, name := range PartitionerNames() {
		p := mustPartitioner(t, name, true)
		for _, key := range []string{"", "a", "b", "c"} {
			pick(t, p, []byte(key), ps)
		}
	}
}

func TestNullKeysStickUntilTheBatchShips(t *testing.T) {
	for _, name := range []string{"murmur2", "crc32", "fnv1a", "py2hash", "sticky"} {
		p := mustPartitioner(t, name, true)
		ps := ids(4)
		var order []int32
		for range 8 {
			at := pick(t, p, nil, ps)
			for range 10 {
				if got := pick(t, p, nil, ps); got != at {
					t.Fatalf("%s moved from %d to %d with its batch open", name, at, got)
				}
			}
			p.Shipped(at + 1) // another's
			if got := pick(t, p, nil, ps); got != at {
				t.Fatalf("%s moved when another partition's batch shipped", name)
			}
			p.Shipped(at)
			order = append(order, at)
		}
		for _, half := range [][]int32{order[:4], order[4:]} {
			slices.Sort(half)
			if !slices.Equal(half, ps.All) {
				t.Errorf("%s spread four batches over %v", name, half)
			}
		}
	}
}

func TestEmptyKeyIsHashedNotStuck(t *testing.T) {
	p := mustPartitioner(t, "murmur2", true)
	want := int32(0x106e08d9 % 5)
	for range 20 {
		if got := pick(t, p, []byte{}, ids(5)); got != want {
			t.Fatalf("empty key went to %d, want %d", got, want)
		}
		p.Shipped(want)
	}
}

func TestStickyAvoidsPartitionsWithoutLeader(t *testing.T) {
	p := mustPartitioner(t, "sticky", true)
	ps := &Partitions{All: []int32{0, 1, 2}, Available: []int32{1}}
	for range 10 {
		at := pick(t, p, nil, ps)
		if at != 1 {
			t.Fatalf("chose %d, which has no leader", at)
		}
		p.Shipped(at)
	}
	ps.Available = nil
	pick(t, p, nil, ps)
}

func TestUnknownPartitionerNamesTheKnown(t *testing.T) {
	if _, err := NewPartitioner("random", false); err == nil {
		t.Error("no error")
	}
}
