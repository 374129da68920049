package codec

import "math/bits"

// uvarint reads a base-128 number at b[i] and returns the index behind it. A
// number that runs past b or past 64 bits gives index -1, and reading from
// index -1 gives -1 again, so that a run of reads is checked once, at its end.
func uvarint(b []byte, i int) (uint64, int) {
	// One and two bytes are nearly all there are.
	if i >= 0 && i < len(b)-1 {
		lo, hi := b[i], b[i+1]
		if lo < 0x80 {
			return uint64(lo), i + 1
		}
		if hi < 0x80 {
			return uint64(lo&0x7f) | uint64(hi)<<7, i + 2
		}
	}
	return longUvarint(b, i)
}

// shortUvarint reads a number of up to three bytes at the low end of w. rest is
// what follows in w, n how many bytes it took; 0 is a longer number.
func shortUvarint(w uint64) (v, rest uint64, n int) {
	switch {
	case w&0x80 == 0:
		return w & 0x7f, w >> 8, 1
	case w&0x8000 == 0:
		return w&0x7f | w>>1&0x3f80, w >> 16, 2
	case w&0x800000 == 0:
		return w&0x7f | w>>1&0x3f80 | w>>2&0x1fc000, w >> 24, 3
	}
	return 0, 0, 0
}

// longUvarint is uvarint for any length.
func longUvarint(b []byte, i int) (uint64, int) {
	if i < 0 {
		return 0, -1
	}
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		if i >= len(b) {
			return 0, -1
		}
		c := b[i]
		i++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if shift == 63 && c > 1 {
				return 0, -1
			}
			return v, i
		}
	}
	return 0, -1
}

// unzigzag maps 0, 1, 2, 3 … to 0, -1, 1, -2 …
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// zigzag is the other way.
func zigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }

// uvarintLen is how many bytes putUvarint writes.
func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// putUvarint writes v at b[i] and returns the index behind it.
func putUvarint(b []byte, i int, v uint64) int {
	for v >= 0x80 {
		b[i] = byte(v) | 0x80
		v >>= 7
		i++
	}
	b[i] = byte(v)
	return i + 1
}
