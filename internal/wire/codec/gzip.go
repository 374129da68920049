package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gunzip reads gzip (RFC 1952), several members end to end included.
type gunzip struct{ flate *flateReader }

// inflate fills dst, which is empty, and returns it, grown as bytes come out. It
// stops soon after limit.
func (g *gunzip) inflate(dst, src []byte, limit int) ([]byte, error) {
	if g.flate == nil {
		g.flate = new(flateReader)
	}
	for first := true; first || len(src) > 0; first = false {
		size, err := gzipHead(src)
		if err != nil {
			return dst, err
		}
		src = src[size:]
		at := len(dst)
		if dst, size, err = g.flate.inflate(dst, src, limit); err != nil {
			return dst, badInflate(Gzip, err)
		}
		if len(dst) > limit {
			return dst, overLimit(Gzip, limit)
		}
		src = src[size:]
		if len(src) < 8 {
			return dst, badInflate(Gzip, io.ErrUnexpectedEOF)
		}
		if binary.LittleEndian.Uint32(src) != crc32.ChecksumIEEE(dst[at:]) || binary.LittleEndian.Uint32(src[4:]) != uint32(len(dst)-at) {
			return dst, badInflate(Gzip, gzip.ErrChecksum)
		}
		src = src[8:]
	}
	return dst, nil
}

// Flags of a gzip header: what follows its fixed part.
const (
	gzipHeaderSum = 1 << 1
	gzipExtra     = 1 << 2
	gzipName      = 1 << 3
	gzipComment   = 1 << 4
)

// gzipHead is the size of the header that src begins with.
func gzipHead(src []byte) (int, error) {
	size := 10
	if len(src) < size {
		return 0, badInflate(Gzip, io.ErrUnexpectedEOF)
	}
	if src[0] != 0x1f || src[1] != 0x8b || src[2] != 8 {
		return 0, malformed("gzip: a member begins with %x", src[:3])
	}
	flags := src[3]
	if flags&gzipExtra != 0 {
		if len(src) < size+2 {
			return 0, badInflate(Gzip, io.ErrUnexpectedEOF)
		}
		size += 2 + int(binary.LittleEndian.Uint16(src[size:]))
	}
	for _, text := range [...]byte{gzipName, gzipComment} {
		if flags&text == 0 {
			continue
		}
		n := bytes.IndexByte(src[min(size, len(src)):], 0)
		if n < 0 {
			return 0, badInflate(Gzip, io.ErrUnexpectedEOF)
		}
		size += n + 1
	}
	end := size
	if flags&gzipHeaderSum != 0 {
		end += 2
	}
	if len(src) < end {
		return 0, badInflate(Gzip, io.ErrUnexpectedEOF)
	}
	if flags&gzipHeaderSum != 0 && binary.LittleEndian.Uint16(src[size:]) != uint16(crc32.ChecksumIEEE(src[:size])) {
		return 0, fmt.Errorf("gzip header: %w", ErrChecksum)
	}
	return end, nil
}

// gzipper keeps the encoder of the level used last.
type gzipper struct {
	level int
	z     *gzip.Writer
	out   appender
}

// deflate appends one gzip member to dst.
func (g *gzipper) deflate(dst, src []byte, level int) ([]byte, error) {
	if level == 0 {
		level = gzip.DefaultCompression
	}
	g.out.b = dst
	if g.z == nil || g.level != level {
		z, err := gzip.NewWriterLevel(&g.out, level)
		if err != nil {
			return dst, err
		}
		g.z, g.level = z, level
	} else {
		g.z.Reset(&g.out)
	}
	_, err := g.z.Write(src)
	if err == nil {
		err = g.z.Close()
	}
	dst, g.out.b = g.out.b, nil
	return dst, err
}

// appender is an io.Writer over a slice.
type appender struct{ b []byte }

// Write appends.
func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}
