package codec

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gunzip reads gzip, several members end to end included.
type gunzip struct {
	src bytes.Reader
	z   *gzip.Reader
}

// inflate fills dst, which is empty, and returns it, grown as bytes come out. It
// stops soon after limit.
func (g *gunzip) inflate(dst, src []byte, limit int) ([]byte, error) {
	g.src.Reset(src)
	// The reader outlives src, which its owner takes back.
	defer g.src.Reset(nil)
	var err error
	if g.z == nil {
		g.z, err = gzip.NewReader(&g.src)
	} else {
		err = g.z.Reset(&g.src)
	}
	if err != nil {
		return dst, badInflate(Gzip, err)
	}
	for len(dst) <= limit {
		if len(dst) == cap(dst) {
			// One byte past the limit is room to see that there is more.
			dst = grow(dst, len(dst)+1, limit+1)
		}
		n, err := g.z.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, badInflate(Gzip, err)
		}
	}
	return dst, nil
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
