package produce

import "hash/crc32"

// murmur2 is the hash of the Java client's default partitioner
// (org.apache.kafka.common.utils.Utils.murmur2), before masking.
func murmur2(key []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
	)
	h := uint32(seed) ^ uint32(len(key))
	for len(key) >= 4 {
		k := uint32(key[0]) | uint32(key[1])<<8 | uint32(key[2])<<16 | uint32(key[3])<<24
		k *= m
		k ^= k >> 24
		k *= m
		h = h*m ^ k
		key = key[4:]
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(key[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

// fnv1a is FNV-1a with the sign dropped, as the Go and C clients place keys by it.
func fnv1a(key []byte) uint32 {
	h := uint32(0x811c9dc5)
	for _, b := range key {
		h = (h ^ uint32(b)) * 0x01000193
	}
	if int32(h) < 0 {
		return -h
	}
	return h
}

// py2hash is hash() of a str on 64-bit CPython 2, which kafka-python's
// HashedPartitioner used.
func py2hash(key []byte) int64 {
	if len(key) == 0 {
		return 0
	}
	x := int64(key[0]) << 7
	for _, b := range key {
		x = x*1000003 ^ int64(b)
	}
	x ^= int64(len(key))
	if x == -1 {
		return -2
	}
	return x
}

// slot functions place a key among n partitions.

func murmur2Slot(key []byte, n int) int { return int(murmur2(key)&0x7fffffff) % n }

func crc32Slot(key []byte, n int) int { return int(crc32.ChecksumIEEE(key) % uint32(n)) }

func fnv1aSlot(key []byte, n int) int { return int(fnv1a(key) % uint32(n)) }

// py2Slot takes the floored remainder, as Python's % does.
func py2Slot(key []byte, n int) int {
	m := py2hash(key) % int64(n)
	if m < 0 {
		m += int64(n)
	}
	return int(m)
}
