package produce

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"kafkactl/internal/record"
)

// Partitions are a topic's partitions as metadata tells them, ids ascending.
type Partitions struct {
	All       []int32
	Available []int32 // those with a leader; may be empty
}

// Partitioner places records that name no partition. It serves one topic and
// one goroutine.
type Partitioner interface {
	// Pick returns an element of ps.All, which is never empty.
	Pick(r *record.Record, ps *Partitions) int32
	// Shipped says that the open batch of that partition was closed and sent off.
	Shipped(partition int32)
}

// slots maps the names of keyed partitioners to their hashes.
func slots(name string) func(key []byte, n int) int {
	switch name {
	case "murmur2":
		return murmur2Slot
	case "crc32":
		return crc32Slot
	case "fnv1a":
		return fnv1aSlot
	case "py2hash":
		return py2Slot
	}
	return nil
}

// PartitionerNames lists what NewPartitioner takes, the default first.
func PartitionerNames() []string {
	return []string{"murmur2", "crc32", "fnv1a", "py2hash", "roundrobin", "sticky"}
}

// NewPartitioner makes the partitioner of that name: murmur2 (the Java client),
// crc32 (librdkafka's consistent_random), fnv1a (Sarama), py2hash (kafka-python
// on CPython 2), roundrobin or sticky; "" is murmur2. randomStart lets
// roundrobin begin anywhere rather than at the first partition. A null key goes
// sticky under all but roundrobin; an empty key is hashed.
func NewPartitioner(name string, randomStart bool) (Partitioner, error) {
	if name == "" {
		name = "murmur2"
	}
	switch name {
	case "roundrobin":
		return &roundRobin{random: randomStart}, nil
	case "sticky":
		return &sticky{}, nil
	}
	if slot := slots(name); slot != nil {
		return &keyed{slot: slot}, nil
	}
	return nil, fmt.Errorf("unknown partitioner %q, one of %s", name, strings.Join(PartitionerNames(), ", "))
}

// keyed places keys by a hash and null keys sticky.
type keyed struct {
	slot func(key []byte, n int) int
	sticky
}

func (k *keyed) Pick(r *record.Record, ps *Partitions) int32 {
	if r.Key == nil {
		return k.sticky.Pick(r, ps)
	}
	return ps.All[k.slot(r.Key, len(ps.All))]
}

// roundRobin takes the partitions in turn, one step a record, whatever the key.
type roundRobin struct {
	random bool
	seen   []int32
	next   int
}

func (p *roundRobin) Pick(_ *record.Record, ps *Partitions) int32 {
	if !slices.Equal(p.seen, ps.All) {
		p.seen = slices.Clone(ps.All)
		p.next = 0
		if p.random {
			p.next = rand.IntN(len(ps.All))
		}
	}
	id := ps.All[p.next]
	p.next = (p.next + 1) % len(ps.All)
	return id
}

func (*roundRobin) Shipped(int32) {}

// sticky stays with a partition until its batch is shipped, so that batches
// fill, then takes the next of a shuffled round, so that partitions fill evenly
// (KIP-480). Partitions without a leader are passed over while others have one.
type sticky struct {
	at    int32
	on    bool
	round []int32
}

func (p *sticky) Pick(_ *record.Record, ps *Partitions) int32 {
	if !p.on {
		p.at, p.on = p.choose(ps), true
	}
	return p.at
}

func (p *sticky) Shipped(partition int32) {
	if p.at == partition {
		p.on = false
	}
}

func (p *sticky) choose(ps *Partitions) int32 {
	among := ps.Available
	if len(among) == 0 {
		among = ps.All
	}
	for fresh := false; ; fresh = true {
		for len(p.round) > 0 {
			id := p.round[len(p.round)-1]
			p.round = p.round[:len(p.round)-1]
			if _, ok := slices.BinarySearch(among, id); ok {
				return id
			}
		}
		if fresh {
			return among[0]
		}
		p.round = slices.Clone(among)
		rand.Shuffle(len(p.round), func(i, j int) { p.round[i], p.round[j] = p.round[j], p.round[i] })
	}
}
