package input

import (
	"io"
	"sync/atomic"
)

// Progress is how much of some files has been read: of their bytes as they lie
// there, compressed or not. It may be read while they are.
type Progress struct {
	total int64
	files int
	bytes atomic.Int64
	begun atomic.Int64
}

// Total is the size of all files in bytes, -1 where one's is not known.
func (p *Progress) Total() int64 { return p.total }

// Files is how many there are.
func (p *Progress) Files() int { return p.files }

// Read is how many bytes were read.
func (p *Progress) Read() int64 { return p.bytes.Load() }

// Begun is how many files were opened so far.
func (p *Progress) Begun() int { return int(p.begun.Load()) }

// Counted makes reading files count. What changes bytes, as Decompress does,
// goes around it.
func Counted(files []File) ([]File, *Progress) {
	p := &Progress{files: len(files)}
	out := make([]File, len(files))
	for i, f := range files {
		if f.Size < 0 || p.total < 0 {
			p.total = -1
		} else {
			p.total += f.Size
		}
		out[i] = f
		out[i].Open = func() (io.ReadCloser, error) {
			src, err := f.Open()
			if err != nil {
				return nil, err
			}
			p.begun.Add(1)
			return &counted{src, p}, nil
		}
	}
	return out, p
}

type counted struct {
	io.ReadCloser
	p *Progress
}

// Read implements io.Reader.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.p.bytes.Add(int64(n))
	return n, err
}
