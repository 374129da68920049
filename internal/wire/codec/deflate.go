package codec

import "fmt"

// deflater owns the encoders, each made when first used.
type deflater struct {
	gzip gzipper
	lz4  lz4er
	zstd zstder
}

// deflate appends src, compressed, to dst. kip57 gives lz4 the header checksum
// that message format v0 has.
func (d *deflater) deflate(dst, src []byte, o Options, kip57 bool) ([]byte, error) {
	level := o.Level
	if level == DefaultLevel {
		level = 0
	}
	switch o.Type {
	case Gzip:
		return d.gzip.deflate(dst, src, level)
	case Snappy:
		return snap(dst, src, o.SnappyRaw, o.SnappyBlock), nil
	case LZ4:
		return d.lz4.deflate(dst, src, level, kip57)
	case Zstd:
		return d.zstd.deflate(dst, src, level)
	}
	return dst, fmt.Errorf("%w: %v", ErrCompression, o.Type)
}

// CheckLevel reports a level that the compression does not have. DefaultLevel
// and 0 fit every compression. Apart from them gzip has 1 to 9, lz4 1 to 12 (1
// and 2 are the fast mode, which is the default, 3 up the high compression
// modes), zstd 1 to 22 (told apart are 1 and 2, the default, 3 to 5, 6 to 9, and
// above), and none and snappy have none.
func CheckLevel(t Type, level int) error {
	if level == 0 || level == DefaultLevel {
		return nil
	}
	highest := 0
	switch t {
	case Uncompressed, Snappy:
		return fmt.Errorf("compression %v has no levels", t)
	case Gzip:
		highest = 9
	case LZ4:
		highest = 12
	case Zstd:
		highest = 22
	default:
		return fmt.Errorf("%w: %v", ErrCompression, t)
	}
	if level < 1 || level > highest {
		return fmt.Errorf("compression level %d of %v is not between 1 and %d", level, t, highest)
	}
	return nil
}
