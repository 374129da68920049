package codec

import (
	"errors"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
)

// zstdMaxBlock is the most one block inflates to.
const zstdMaxBlock = 128 << 10

// zstdSlack is room behind what is wanted, for the block that passes it and for
// the decoder to write whole words.
const zstdSlack = zstdMaxBlock + 64

// zstdStep is how much may be given at once to data of which nothing but its
// structure says that it needs it.
const zstdStep = 16 << 20

// unzstd reads zstd frames.
type unzstd struct{ d *zstd.Decoder }

// inflate fills dst, which is empty, and returns it. A frame may announce any
// size, so the room it gets is what its blocks can yield at most, and where the
// blocks say more than the frame does, it gets that in steps. Windows may be
// larger than the output, as those of streaming writers are; they take no
// memory here.
func (u *unzstd) inflate(dst, src []byte, limit int) ([]byte, error) {
	most, exact, err := zstdBound(src)
	if err != nil {
		return dst, err
	}
	if exact && most > int64(limit) {
		return dst, overLimit(Zstd, limit)
	}
	if u.d == nil {
		u.d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderMaxWindow(math.MaxUint32))
		if err != nil {
			return dst, err
		}
	}
	room := int(min(most, int64(limit)))
	step := room
	if !exact {
		step = min(room, max(zstdStep, cap(dst)-zstdSlack))
	}
	for {
		dst = grow(dst, step+zstdSlack, math.MaxInt)
		out, err := u.d.DecodeAll(src, dst[:0:step+zstdSlack])
		// Where room ran out the decoder may call it a block too large, so what has
		// come out by then tells.
		full := errors.Is(err, zstd.ErrDecoderSizeExceeded) || len(out) > step
		switch {
		case !full && err == nil:
			return out, nil
		case !full, err != nil && int64(step) == most:
			return dst, badInflate(Zstd, err)
		case step == room:
			return dst, overLimit(Zstd, limit)
		}
		step = min(room, 2*step)
	}
}

// zstdBound tells from the headers of frames and blocks alone the most that src
// can inflate to, and whether that is exactly what its frames announce.
func zstdBound(src []byte) (most int64, exact bool, err error) {
	exact = true
	for len(src) > 0 {
		var h zstd.Header
		if err := h.Decode(src); err != nil {
			return 0, false, badInflate(Zstd, err)
		}
		skip := int64(h.HeaderSize)
		if h.Skippable {
			skip += int64(h.SkippableSize)
		}
		if skip > int64(len(src)) {
			return 0, false, badInflate(Zstd, io.ErrUnexpectedEOF)
		}
		src = src[skip:]
		if h.Skippable {
			continue
		}
		frame, rest, err := zstdBlocks(src)
		if err != nil {
			return 0, false, err
		}
		src = rest
		if h.HasCheckSum {
			if len(src) < 4 {
				return 0, false, badInflate(Zstd, io.ErrUnexpectedEOF)
			}
			src = src[4:]
		}
		switch {
		case !h.HasFCS:
			exact = false
		case h.FrameContentSize > uint64(frame):
			return 0, false, malformed("zstd: a frame says %d bytes, its blocks yield at most %d", h.FrameContentSize, frame)
		default:
			frame = int64(h.FrameContentSize)
		}
		most += frame
	}
	return most, exact, nil
}

// zstdBlocks adds up what the blocks of one frame can yield; rest lies behind
// its last block.
func zstdBlocks(src []byte) (most int64, rest []byte, err error) {
	for {
		if len(src) < 3 {
			return 0, nil, badInflate(Zstd, io.ErrUnexpectedEOF)
		}
		head := uint32(src[0]) | uint32(src[1])<<8 | uint32(src[2])<<16
		size := int(head >> 3)
		src = src[3:]
		switch head >> 1 & 3 {
		case 0: // raw
			most += int64(size)
		case 1: // one byte repeated
			most += int64(size)
			size = 1
		case 2: // compressed
			most += zstdMaxBlock
		default:
			return 0, nil, malformed("zstd: reserved block type")
		}
		if size > len(src) {
			return 0, nil, badInflate(Zstd, io.ErrUnexpectedEOF)
		}
		src = src[size:]
		if head&1 != 0 {
			return most, src, nil
		}
	}
}

// zstdWindow is how far back an encoder looks: about a batch, which bounds its
// memory.
const zstdWindow = 1 << 20

// zstder keeps the encoder of the mode used last.
type zstder struct {
	level zstd.EncoderLevel
	e     *zstd.Encoder
}

// deflate appends one zstd frame to dst. The frame carries no checksum of its
// own, as the batch has one.
func (z *zstder) deflate(dst, src []byte, level int) ([]byte, error) {
	// Twice as fast as level 3 for output about a twentieth larger.
	mode := zstd.SpeedFastest
	if level != 0 {
		mode = zstd.EncoderLevelFromZstd(level)
	}
	if z.e == nil || z.level != mode {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(mode),
			zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
		if err != nil {
			return dst, err
		}
		z.e, z.level = e, mode
	}
	return z.e.EncodeAll(src, dst), nil
}
