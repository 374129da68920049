package codec

import (
	"encoding/binary"
	"math"

	"github.com/klauspost/compress/s2"
)

// xerialHead begins the framing of snappy-java, which is what Java clients mean
// by snappy: marker, version 1, compatible with 1. Blocks follow, each a 32-bit
// length and one raw snappy buffer.
const xerialHead = "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"

// xerialBlock is how much snappy-java puts in one block.
const xerialBlock = 32 << 10

// snappyRatio is more than any snappy buffer can expand: its densest element is
// three bytes that stand for 64.
const snappyRatio = 22

// unsnappy inflates src, framed or raw, into dst, which is empty.
func unsnappy(dst, src []byte, limit int) ([]byte, error) {
	if len(src) < len(xerialHead) || string(src[:len(xerialHead)]) != xerialHead {
		n, err := snappyLen(src)
		if err != nil {
			return dst, err
		}
		if n > limit {
			return dst, overLimit(Snappy, limit)
		}
		return snappyBlock(grow(dst, n, limit), src, n)
	}
	blocks := src[len(xerialHead):]
	total := 0
	for b := blocks; len(b) > 0; {
		block, rest, err := xerialCut(b)
		if err != nil {
			return dst, err
		}
		n, err := snappyLen(block)
		if err != nil {
			return dst, err
		}
		if total += n; total > limit {
			return dst, overLimit(Snappy, limit)
		}
		b = rest
	}
	dst = grow(dst, total, limit)
	for b := blocks; len(b) > 0; {
		block, rest, err := xerialCut(b)
		if err != nil {
			return dst, err
		}
		n, err := snappyLen(block)
		if err != nil {
			return dst, err
		}
		if dst, err = snappyBlock(dst, block, n); err != nil {
			return dst, err
		}
		b = rest
	}
	return dst, nil
}

// xerialCut cuts the first block off b.
func xerialCut(b []byte) (block, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, malformed("snappy: block length cut short")
	}
	n := binary.BigEndian.Uint32(b)
	b = b[4:]
	if uint64(n) > uint64(len(b)) {
		return nil, nil, malformed("snappy: block of %d bytes, %d are left", int32(n), len(b))
	}
	return b[:n], b[n:], nil
}

// snappyLen is what a raw buffer says it inflates to, if it can be true.
func snappyLen(src []byte) (int, error) {
	n, err := s2.DecodedLen(src)
	if err != nil {
		return 0, badInflate(Snappy, err)
	}
	if int64(n) > snappyRatio*int64(len(src)) {
		return 0, malformed("snappy: %d bytes say they inflate to %d", len(src), n)
	}
	return n, nil
}

// snappyBlock appends the n bytes that src inflates to, for which dst has room.
func snappyBlock(dst, src []byte, n int) ([]byte, error) {
	at := len(dst)
	if _, err := s2.Decode(dst[at:at+n], src); err != nil {
		return dst, badInflate(Snappy, err)
	}
	return dst[:at+n], nil
}

// snap appends src as one raw snappy buffer, or framed in blocks.
func snap(dst, src []byte, raw bool, block int) []byte {
	if raw {
		return snapBlock(dst, src)
	}
	if block <= 0 {
		block = xerialBlock
	}
	dst = append(dst, xerialHead...)
	for len(src) > 0 {
		n := min(block, len(src))
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		dst = snapBlock(dst, src[:n])
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		src = src[n:]
	}
	return dst
}

// snapBlock appends src as one raw snappy buffer.
func snapBlock(dst, src []byte) []byte {
	at := len(dst)
	dst = grow(dst, at+s2.MaxEncodedLen(len(src)), math.MaxInt)
	return dst[:at+len(s2.EncodeSnappy(dst[at:cap(dst)], src))]
}
