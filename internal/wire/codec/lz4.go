package codec

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/pierrec/lz4/v4"
)

// The framing is our own, over the block functions of a library, since the
// header checksum of message format v0 has to be written wrong and read either
// way (KIP-57).
const (
	lz4Magic     = 0x184D2204
	lz4Skippable = 0x184D2A50 // and the 15 behind it

	lz4FlagVersion      = 0x40
	lz4FlagVersionMask  = 0xC0
	lz4FlagIndependent  = 0x20
	lz4FlagBlockSum     = 0x10
	lz4FlagContentSize  = 0x08
	lz4FlagContentSum   = 0x04
	lz4FlagReserved     = 0x02
	lz4FlagDictionaryID = 0x01

	lz4Stored = 1 << 31 // bit of a block's length: not compressed
	lz4Window = 64 << 10
)

// lz4Frame is what a frame's header says.
type lz4Frame struct {
	flags   byte
	block   int   // most bytes of one block, inflated
	content int64 // bytes of the whole frame, inflated, with lz4FlagContentSize
}

// unlz4 inflates the frames of src into dst, which is empty. anyHeader also takes
// the header checksum that message format v0 has.
func unlz4(dst, src []byte, limit int, anyHeader bool) ([]byte, error) {
	for len(src) > 0 {
		if len(src) < 4 {
			return dst, badInflate(LZ4, io.ErrUnexpectedEOF)
		}
		magic := binary.LittleEndian.Uint32(src)
		if magic&^0xF == lz4Skippable {
			if len(src) < 8 || uint64(binary.LittleEndian.Uint32(src[4:])) > uint64(len(src)-8) {
				return dst, badInflate(LZ4, io.ErrUnexpectedEOF)
			}
			src = src[8+int(binary.LittleEndian.Uint32(src[4:])):]
			continue
		}
		if magic != lz4Magic {
			return dst, malformed("lz4: a frame begins with %08x", magic)
		}
		f, rest, err := lz4Header(src, anyHeader)
		if err != nil {
			return dst, err
		}
		if dst, src, err = f.inflate(dst, rest, limit); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// lz4Header reads the header of the frame that src begins with.
func lz4Header(src []byte, anyHeader bool) (f lz4Frame, rest []byte, err error) {
	if len(src) < 7 {
		return f, nil, badInflate(LZ4, io.ErrUnexpectedEOF)
	}
	flags, bd := src[4], src[5]
	size := int(bd >> 4)
	if flags&lz4FlagVersionMask != lz4FlagVersion || flags&lz4FlagReserved != 0 || bd&0x0F != 0 || size < 4 || size > 7 {
		return f, nil, malformed("lz4: frame descriptor %02x %02x", flags, bd)
	}
	if flags&lz4FlagDictionaryID != 0 {
		return f, nil, malformed("lz4: frame wants a dictionary")
	}
	f = lz4Frame{flags: flags, block: 1 << (8 + 2*size), content: -1}
	end := 6
	if flags&lz4FlagContentSize != 0 {
		end += 8
		if len(src) <= end {
			return f, nil, badInflate(LZ4, io.ErrUnexpectedEOF)
		}
		f.content = int64(binary.LittleEndian.Uint64(src[6:]))
	}
	if src[end] != lz4HeaderSum(src[4:end]) && (!anyHeader || src[end] != lz4HeaderSum(src[:end])) {
		return f, nil, fmt.Errorf("lz4 header: %w", ErrChecksum)
	}
	return f, src[end+1:], nil
}

// lz4HeaderSum is the checksum byte of a descriptor. Message format v0 has that
// of magic number and descriptor together.
func lz4HeaderSum(b []byte) byte { return byte(xxh32(b) >> 8) }

// inflate appends the blocks of a frame to dst; rest lies behind the frame.
func (f *lz4Frame) inflate(dst, src []byte, limit int) (out, rest []byte, err error) {
	start := len(dst)
	for {
		if len(src) < 4 {
			return dst, nil, badInflate(LZ4, io.ErrUnexpectedEOF)
		}
		head := binary.LittleEndian.Uint32(src)
		src = src[4:]
		if head == 0 {
			return f.finish(dst, src, start)
		}
		size := int(head &^ lz4Stored)
		if size > f.block || size > len(src) {
			return dst, nil, malformed("lz4: block of %d bytes, %d are left and %d allowed", size, len(src), f.block)
		}
		block := src[:size]
		src = src[size:]
		if f.flags&lz4FlagBlockSum != 0 {
			if len(src) < 4 {
				return dst, nil, badInflate(LZ4, io.ErrUnexpectedEOF)
			}
			if binary.LittleEndian.Uint32(src) != xxh32(block) {
				return dst, nil, fmt.Errorf("lz4 block: %w", ErrChecksum)
			}
			src = src[4:]
		}
		if dst, err = f.appendBlock(dst, block, start, head&lz4Stored != 0, limit); err != nil {
			return dst, nil, err
		}
		if len(dst) > limit {
			return dst, nil, overLimit(LZ4, limit)
		}
	}
}

// appendBlock appends what one block stands for.
func (f *lz4Frame) appendBlock(dst, block []byte, start int, stored bool, limit int) ([]byte, error) {
	at := len(dst)
	if stored {
		return append(grow(dst, at+len(block), limit), block...), nil
	}
	// No byte of a block can stand for more than 255.
	room := min(f.block, 255*len(block))
	dst = grow(dst, at+room, limit+f.block)
	var n int
	var err error
	if f.flags&lz4FlagIndependent != 0 {
		n, err = lz4.UncompressBlock(block, dst[at:at+room])
	} else {
		n, err = lz4.UncompressBlockWithDict(block, dst[at:at+room], dst[max(start, at-lz4Window):at])
	}
	if err != nil {
		return dst, badInflate(LZ4, err)
	}
	return dst[:at+n], nil
}

// finish checks what follows the last block.
func (f *lz4Frame) finish(dst, src []byte, start int) (out, rest []byte, err error) {
	if f.flags&lz4FlagContentSum != 0 {
		if len(src) < 4 {
			return dst, nil, badInflate(LZ4, io.ErrUnexpectedEOF)
		}
		if binary.LittleEndian.Uint32(src) != xxh32(dst[start:]) {
			return dst, nil, fmt.Errorf("lz4 content: %w", ErrChecksum)
		}
		src = src[4:]
	}
	if f.flags&lz4FlagContentSize != 0 && f.content != int64(len(dst)-start) {
		return dst, nil, malformed("lz4: a frame says %d bytes and yields %d", f.content, len(dst)-start)
	}
	return dst, src, nil
}

// lz4Block is the block size written, as Java's client has it: its reader takes
// memory for a whole block of the size that the header names.
const (
	lz4Block     = 64 << 10
	lz4BlockCode = 4 << 4
)

// lz4er owns the tables of the compressors, each made when first used.
type lz4er struct {
	fast *lz4.Compressor
	high *lz4.CompressorHC
}

// deflate appends one lz4 frame to dst: independent blocks, no checksums but the
// header's, which kip57 makes that of message format v0.
func (z *lz4er) deflate(dst, src []byte, level int, kip57 bool) ([]byte, error) {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, lz4Magic)
	dst = append(dst, lz4FlagVersion|lz4FlagIndependent, lz4BlockCode)
	summed := dst[at+4:]
	if kip57 {
		summed = dst[at:]
	}
	dst = append(dst, lz4HeaderSum(summed))
	for len(src) > 0 {
		block := src[:min(lz4Block, len(src))]
		src = src[len(block):]
		at := len(dst)
		dst = grow(dst, at+4+lz4.CompressBlockBound(len(block)), math.MaxInt)
		n, err := z.compress(block, dst[at+4:cap(dst)], level)
		if err != nil {
			return dst, err
		}
		dst = dst[:at+4]
		if n == 0 || n >= len(block) {
			binary.LittleEndian.PutUint32(dst[at:], uint32(len(block))|lz4Stored)
			dst = append(dst, block...)
			continue
		}
		binary.LittleEndian.PutUint32(dst[at:], uint32(n))
		dst = dst[:at+4+n]
	}
	return append(dst, 0, 0, 0, 0), nil
}

// compress writes one block to dst. Levels 1 and 2 are the fast mode, as in the
// reference implementation; 3 to 12 are spread over the search depths there are.
func (z *lz4er) compress(src, dst []byte, level int) (int, error) {
	if level < 3 {
		if z.fast == nil {
			z.fast = new(lz4.Compressor)
		}
		return z.fast.CompressBlock(src, dst)
	}
	if z.high == nil {
		z.high = new(lz4.CompressorHC)
	}
	z.high.Level = lz4.Level1 << min(level-3, 8)
	return z.high.CompressBlock(src, dst)
}
