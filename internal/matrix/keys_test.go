//go:build unix

package matrix

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// keysWork puts keys where each hash says, by the hash's own definition.
func keysWork(t *testing.T, b *bed) {
	const partitions = 4
	hashes := map[string]func(key string) uint64{
		"murmur2": func(key string) uint64 { return uint64(murmur2(key) & 0x7fffffff) },
		"crc32":   func(key string) uint64 { return uint64(crc32.ChecksumIEEE([]byte(key))) },
		"py2hash": func(key string) uint64 {
			return uint64((py2hash(key)%partitions + partitions) % partitions) // Python's % is never negative
		},
	}
	for _, name := range []string{"murmur2", "crc32", "py2hash"} {
		b.check(t, name, func(t *testing.T) {
			topic := b.topic(t, name, partitions)
			var in strings.Builder
			want := map[string]string{}
			for i := range 200 {
				key := fmt.Sprintf("key-%d-%s", i, strings.Repeat("x", i%13))
				if i == 0 {
					key = "hello world"
				}
				fmt.Fprintf(&in, "%s\tv\n", key)
				want[key] = fmt.Sprint(hashes[name](key) % partitions)
			}
			b.kafkactl(t, in.String(), "produce", topic, "-K", `\t`, "--partitioner", name).must(t)
			out := b.kcat(t, "", "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", `%k\t%p\n`).must(t)
			for line := range strings.Lines(out) {
				key, p, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
				if want[key] != p {
					t.Fatalf("key %q is in partition %s, want %s", key, p, want[key])
				}
			}
			if n := strings.Count(out, "\n"); n != len(want) {
				t.Errorf("%d records, want %d", n, len(want))
			}
		})
	}
}

// murmur2 is the hash of Java's producer.
func murmur2(key string) uint32 {
	const m = 0x5bd1e995
	b := []byte(key)
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := binary.LittleEndian.Uint32(b) * m
		h = h*m ^ (k^k>>24)*m
	}
	for i := len(b) - 1; i >= 0; i-- {
		h ^= uint32(b[i]) << (8 * i)
	}
	if len(b) > 0 {
		h *= m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}

// py2hash is what hash() gives for a string in 64-bit CPython 2.
func py2hash(key string) int64 {
	if key == "" {
		return 0
	}
	x := int64(key[0]) << 7
	for i := range len(key) {
		x = x*1000003 ^ int64(key[i])
	}
	if x ^= int64(len(key)); x == -1 {
		return -2
	}
	return x
}

// The references are checked themselves, on values other programs computed.
func TestHashesAreThoseOfTheirTime(t *testing.T) {
	for key, want := range map[string]int64{"a": 12416037344, "key1": 1816603195884033418, "hello world": -2324238377118044897} {
		if got := py2hash(key); got != want {
			t.Errorf("py2hash(%q) = %d, want %d", key, got, want)
		}
	}
	if got := int32(murmur2("foobar")); got != -790332482 {
		t.Errorf("murmur2(foobar) = %d, want -790332482", got)
	}
}
