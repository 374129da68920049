package input

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Compressions lists what Decompress takes: auto goes by the suffix of a file's
// name, none takes bytes as they stand, and the others hold for every input.
func Compressions() []string {
	return []string{"auto", "none", "gzip", "zstd", "lz4", "bzip2", "snappy"}
}

// maxWindow is the most memory a zstd frame may ask for: what zstd itself takes
// without --long=31.
const maxWindow = 128 << 20

// Decompress makes files yield what their compressed bytes stand for. Frames and
// members one behind the other are one stream. A stream that is cut off or
// corrupt is an error, never an end; only framed snappy has no mark of its own
// end, so there a cut between two chunks cannot be told. Standard input is never
// guessed: auto leaves it alone.
func Decompress(files []File, how string) []File {
	out := make([]File, len(files))
	for i, f := range files {
		out[i] = f
		name := how
		if how == "auto" {
			name = bySuffix(f.Name)
			if f.Name == StdinName {
				name = "none"
			}
		}
		if name == "none" {
			continue
		}
		out[i].Open = func() (io.ReadCloser, error) {
			src, err := f.Open()
			if err != nil {
				return nil, err
			}
			return &inflated{src: src, how: name}, nil
		}
	}
	return out
}

// bySuffix is the compression that a name tells of.
func bySuffix(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".gz", ".gzip":
		return "gzip"
	case ".zst", ".zstd":
		return "zstd"
	case ".lz4":
		return "lz4"
	case ".bz2":
		return "bzip2"
	case ".sz":
		return "snappy"
	}
	return "none"
}

// Foreign is the command that unpacks a file whose name tells of a compression
// that Decompress does not know, "" for any other.
func Foreign(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".xz", ".lzma":
		return "xz -dc"
	case ".zip":
		return "unzip -p"
	case ".7z":
		return "7z x -so"
	case ".br":
		return "brotli -dc"
	case ".z":
		return "uncompress -c"
	case ".lzo":
		return "lzop -dc"
	}
	return ""
}

// inflated opens its decoder at the first Read, for some read in doing so, and a
// pipe may be slow.
type inflated struct {
	src   io.ReadCloser
	how   string
	r     io.Reader
	close func()
	err   error
}

// Read implements io.Reader.
func (f *inflated) Read(b []byte) (int, error) {
	if f.err == nil && f.r == nil {
		f.err = f.open()
	}
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.r.Read(b)
	if err != nil && err != io.EOF {
		err = f.word(err)
	}
	f.err = err
	return n, err
}

// Close implements io.Closer.
func (f *inflated) Close() error {
	if f.close != nil {
		f.close()
	}
	return f.src.Close()
}

func (f *inflated) open() error {
	src := bufio.NewReaderSize(f.src, blockSize)
	if _, err := src.Peek(1); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // no compressor writes nothing at all
		}
		return f.word(err)
	}
	var err error
	switch f.how {
	case "gzip":
		var r *gzip.Reader
		r, err = gzip.NewReader(src)
		f.r = r
	case "zstd":
		var r *zstd.Decoder
		if r, err = zstd.NewReader(src, zstd.WithDecoderMaxWindow(maxWindow)); err == nil {
			f.r, f.close = r, r.Close
		}
	case "lz4":
		f.r = &lz4Frames{src: src}
	case "bzip2":
		f.r = bzip2.NewReader(src)
	default:
		f.r = snappy.NewReader(src)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return f.word(err)
	}
	return nil
}

// word says what is wrong with a compressed stream.
func (f *inflated) word(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: the stream is cut off", f.how)
	}
	if err = unpath(err); strings.HasPrefix(err.Error(), f.how+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", f.how, err)
}

// lz4Frames reads frames one behind the other.
type lz4Frames struct {
	src *bufio.Reader
	r   *lz4.Reader
}

// Read implements io.Reader.
func (l *lz4Frames) Read(b []byte) (int, error) {
	for {
		if l.r == nil {
			if _, err := l.src.Peek(1); err != nil {
				return 0, err
			}
			l.r = lz4.NewReader(l.src)
		}
		n, err := l.r.Read(b)
		if err == io.EOF {
			l.r, err = nil, nil
			if n == 0 {
				continue
			}
		}
		return n, err
	}
}
