package codec

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

// DEFLATE (RFC 1951) is inflated by code of our own: here all input lies in
// memory and all output stays there, so that no window has to be kept and copied
// out, which is where readers of streams spend much of their time.

// errFlate is data that no encoder makes.
var errFlate = errors.New("deflate data makes no sense")

const (
	flateLitBits  = 11 // bits looked up at once; longer codes take a second look
	flateDistBits = 8

	// The most entries that tables of 288 and of 32 codes can need, those for the
	// second look included, when the codes have at most 15 bits.
	flateLitSize  = 2342
	flateDistSize = 402

	// flateSlack is room for the longest match and two literals before it, with
	// copies in whole words running past its end.
	flateSlack = 258 + 2 + 16
)

// Entries of the tables: the low six bits are how many to take off the input,
// for a length or distance with its extra bits, bits 8 to 11 how many of them are
// the code. The value is in bits 16 to 30: a literal, a base that the extra bits
// add to, or where the table for the second look is, whose size is then in bits 8
// to 11.
const (
	flateLiteral = 1 << 31
	flateOther   = 1 << 15 // neither literal, length nor distance
	flateSecond  = 1 << 14 // with flateOther: look a second time
	flateEnd     = 1 << 13 // with flateOther: end of block
	flateNone    = flateOther
)

var (
	flateLengthBase  = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	flateLengthExtra = [29]uint8{8: 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	flateOrder       = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// flateReader inflates one stream after another.
type flateReader struct {
	src   []byte
	i     int    // of the first byte not in bits
	bits  uint64 // lowest first; above n lie zeros, or bits that src[i:] begins with
	n     uint   // bits that were not used yet
	lit   [flateLitSize]uint32
	dist  [flateDistSize]uint32
	sizes [288 + 32]uint8 // code lengths, as a block's header gives them
}

// inflate appends what the stream at the beginning of src stands for to dst, and
// tells how long the stream is. It stops soon after limit bytes of dst.
func (z *flateReader) inflate(dst, src []byte, limit int) (out []byte, size int, err error) {
	z.src, z.i, z.bits, z.n = src, 0, 0, 0
	defer func() { z.src = nil }()
	start := len(dst)
	for last := false; !last && len(dst) <= limit; {
		head, err := z.take(3)
		if err != nil {
			return dst, 0, err
		}
		last = head&1 != 0
		switch head >> 1 {
		case 0:
			dst, err = z.stored(dst, limit)
		case 1:
			z.fixed()
			dst, err = z.block(dst, start, limit)
		case 2:
			if err = z.codes(); err == nil {
				dst, err = z.block(dst, start, limit)
			}
		default:
			err = errFlate
		}
		if err != nil {
			return dst, 0, err
		}
	}
	return dst, z.i - int(z.n/8), nil
}

// fill loads bits while whole bytes fit and there are any.
func (z *flateReader) fill() {
	for z.n < 56 && z.i < len(z.src) {
		z.bits |= uint64(z.src[z.i]) << z.n
		z.i++
		z.n += 8
	}
}

// take reads n bits.
func (z *flateReader) take(n uint) (uint, error) {
	if z.n < n {
		if z.fill(); z.n < n {
			return 0, io.ErrUnexpectedEOF
		}
	}
	v := uint(z.bits) & (1<<n - 1)
	z.bits >>= n
	z.n -= n
	return v, nil
}

// stored appends a block that is not compressed.
func (z *flateReader) stored(dst []byte, limit int) ([]byte, error) {
	b := z.src[z.i-int(z.n/8):]
	z.bits, z.n = 0, 0
	if len(b) < 4 {
		return dst, io.ErrUnexpectedEOF
	}
	size := binary.LittleEndian.Uint16(b)
	if size != ^binary.LittleEndian.Uint16(b[2:]) {
		return dst, errFlate
	}
	b = b[4:]
	if len(b) < int(size) {
		return dst, io.ErrUnexpectedEOF
	}
	z.i = len(z.src) - len(b) + int(size)
	return append(grow(dst, len(dst)+int(size), limit+flateSlack), b[:size]...), nil
}

// fixed sets the tables up for a block with the codes that the format fixes.
func (z *flateReader) fixed() {
	for i := range 288 {
		switch {
		case i < 144:
			z.sizes[i] = 8
		case i < 256:
			z.sizes[i] = 9
		case i < 280:
			z.sizes[i] = 7
		default:
			z.sizes[i] = 8
		}
	}
	flateTable(z.lit[:], flateLitBits, z.sizes[:288], flateLitEntry)
	for i := range 32 {
		z.sizes[i] = 5
	}
	flateTable(z.dist[:], flateDistBits, z.sizes[:32], flateDistEntry)
}

// codes reads the codes of a block and sets the tables up for them.
func (z *flateReader) codes() error {
	head, err := z.take(14)
	if err != nil {
		return err
	}
	lits, dists, orders := 257+int(head&31), 1+int(head>>5&31), 4+int(head>>10)
	if lits > 286 || dists > 30 {
		return errFlate
	}
	clear(z.sizes[:19])
	for _, at := range flateOrder[:orders] {
		n, err := z.take(3)
		if err != nil {
			return err
		}
		z.sizes[at] = uint8(n)
	}
	var pre [128]uint32
	if !flateTable(pre[:], 7, z.sizes[:19], func(symbol int) uint32 { return uint32(symbol) << 16 }) {
		return errFlate
	}
	for i := 0; i < lits+dists; {
		z.fill()
		e := pre[z.bits&127]
		if e&flateOther != 0 {
			return errFlate
		}
		if _, err := z.take(uint(e & 63)); err != nil {
			return err
		}
		size, times, extra := uint8(e>>16), 1, uint(0)
		switch size {
		case 16:
			if i == 0 {
				return errFlate
			}
			size, times, extra = z.sizes[i-1], 3, 2
		case 17:
			size, times, extra = 0, 3, 3
		case 18:
			size, times, extra = 0, 11, 7
		}
		more, err := z.take(extra)
		if err != nil {
			return err
		}
		times += int(more)
		if times > lits+dists-i {
			return errFlate
		}
		for range times {
			z.sizes[i] = size
			i++
		}
	}
	// Without a code for its end a block would have none.
	if z.sizes[256] == 0 ||
		!flateTable(z.lit[:], flateLitBits, z.sizes[:lits], flateLitEntry) ||
		!flateTable(z.dist[:], flateDistBits, z.sizes[lits:lits+dists], flateDistEntry) {
		return errFlate
	}
	return nil
}

// flateLitEntry is the table entry of a literal or length, but for its code.
func flateLitEntry(symbol int) uint32 {
	switch {
	case symbol < 256:
		return flateLiteral | uint32(symbol)<<16
	case symbol == 256:
		return flateOther | flateEnd
	case symbol < 286:
		return uint32(flateLengthBase[symbol-257])<<16 | uint32(flateLengthExtra[symbol-257])
	}
	return flateNone
}

// flateDistEntry is the table entry of a distance, but for its code.
func flateDistEntry(symbol int) uint32 {
	switch {
	case symbol < 4:
		return uint32(symbol+1) << 16
	case symbol < 30:
		extra := uint32(symbol/2 - 1)
		return (1+(2+uint32(symbol&1))<<extra)<<16 | extra
	}
	return flateNone
}

// flateTable fills t for codes of those lengths, looked up by that many bits.
// False is a set of codes that is not complete, save for a single code of one
// bit or none at all, or more than complete.
func flateTable(t []uint32, look uint, sizes []uint8, entry func(symbol int) uint32) bool {
	var count, at [16]int
	for _, n := range sizes {
		count[n]++
	}
	used := len(sizes) - count[0]
	count[0] = 0
	left := 1
	most := uint(0)
	for n := uint(1); n < 16; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return false
		}
		if count[n] > 0 {
			most = n
		}
		if n < 15 {
			at[n+1] = at[n] + count[n]
		}
	}
	if left > 0 {
		if used > 1 || used == 1 && most != 1 {
			return false
		}
		for i := range t[:1<<look] {
			t[i] = flateNone
		}
	}
	var sorted [288]uint16 // symbols by length of their codes
	for symbol, n := range sizes {
		if n > 0 {
			sorted[at[n]] = uint16(symbol)
			at[n]++
		}
	}
	free := 1 << look // where the next table for a second look goes
	prefix, from, bitsHere := -1, 0, uint(0)
	code := 0 // next code, highest bit first
	for i, n := 0, uint(1); i < used; n++ {
		for ; count[n] > 0; count[n]-- {
			reversed := int(bits.Reverse16(uint16(code)) >> (16 - n))
			e := entry(int(sorted[i]))
			if n <= look {
				e += uint32(n | n<<8)
				for j := reversed; j < 1<<look; j += 1 << n {
					t[j] = e
				}
			} else {
				if p := reversed & (1<<look - 1); p != prefix {
					// The table has to hold the longest code with this prefix. Codes come
					// sorted by length, so those that follow fill it.
					prefix, from, bitsHere = p, free, n-look
					for room := 1<<bitsHere - count[n]; room > 0 && bitsHere+look < most; {
						bitsHere++
						room = room<<1 - count[bitsHere+look]
					}
					free += 1 << bitsHere
					t[p] = flateOther | flateSecond | uint32(from)<<16 | uint32(bitsHere)<<8 | uint32(look)
				}
				e += uint32((n - look) | (n-look)<<8)
				for j := reversed >> look; j < 1<<bitsHere; j += 1 << (n - look) {
					t[from+j] = e
				}
			}
			i++
			code++
		}
		code <<= 1
	}
	return true
}
