package codec

import "fmt"

// deflater owns the encoders.
type deflater struct{}

// deflate appends src, compressed, to dst. kip57 gives lz4 the header checksum
// that message format v0 has.
func (d *deflater) deflate(dst, src []byte, o Options, kip57 bool) ([]byte, error) {
	switch o.Type {
	}
	return dst, fmt.Errorf("%w: %v", ErrCompression, o.Type)
}

// CheckLevel reports a level that the compression does not have. DefaultLevel
// and 0 fit every compression. Apart from them gzip has 1 to 9, lz4 1 to 12 (1
// and 2 are the fast mode, which is the default, 3 up the high compression
// modes), zstd 1 to 22 (of which four modes are told apart), and none and snappy
// have none.
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
