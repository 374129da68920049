package codec

import (
	"encoding/binary"
	"io"
)

// block appends what the codes up to the end of a block stand for to dst. Matches
// reach back to start.
func (z *flateReader) block(dst []byte, start, limit int) ([]byte, error) {
	for len(dst) <= limit {
		dst = grow(dst, len(dst)+flateSlack, limit+flateSlack+1)
		var end bool
		var err error
		if dst, end, err = z.bulk(dst, start); err != nil || end {
			return dst, err
		}
		// Where input or room is nearly out, it goes on by single codes.
		if cap(dst)-len(dst) >= flateSlack {
			if dst, end, err = z.single(dst, start); err != nil || end {
				return dst, err
			}
		}
	}
	return dst, nil
}

// bulk goes on as long as there is input for a few whole words and room for a
// match.
func (z *flateReader) bulk(dst []byte, start int) (_ []byte, end bool, err error) {
	src, i, w, n := z.src, z.i, z.bits, z.n
	o, out := len(dst), dst[:cap(dst)]
	for i <= len(src)-16 && o <= len(out)-flateSlack {
		// 56 bits are enough for a length and a distance, or for three literals.
		w |= binary.LittleEndian.Uint64(src[i:]) << (n & 63)
		i += int(63-n) >> 3
		n |= 56
		e := z.lit[w&(1<<flateLitBits-1)]
		if e&flateLiteral != 0 {
			w >>= e & 63
			n -= uint(e & 63)
			out[o] = byte(e >> 16)
			o++
			e = z.lit[w&(1<<flateLitBits-1)]
			if e&flateLiteral != 0 {
				w >>= e & 63
				n -= uint(e & 63)
				out[o] = byte(e >> 16)
				o++
				e = z.lit[w&(1<<flateLitBits-1)]
				if e&flateLiteral != 0 {
					w >>= e & 63
					n -= uint(e & 63)
					out[o] = byte(e >> 16)
					o++
					continue
				}
			}
			w |= binary.LittleEndian.Uint64(src[i:]) << (n & 63)
			i += int(63-n) >> 3
			n |= 56
		}
		if e&flateOther != 0 {
			if e&flateSecond != 0 {
				w >>= flateLitBits
				n -= flateLitBits
				e = z.lit[uint64(e>>16)+w&(1<<(e>>8&15)-1)]
			}
			if e&flateLiteral != 0 {
				w >>= e & 63
				n -= uint(e & 63)
				out[o] = byte(e >> 16)
				o++
				continue
			}
			if e&flateOther != 0 {
				z.i, z.bits, z.n = i, w>>(e&63), n-uint(e&63)
				if e&flateEnd == 0 {
					return out[:o], false, errFlate
				}
				return out[:o], true, nil
			}
		}
		length := int(e>>16) + int(w&(1<<(e&63)-1)>>(e>>8&15))
		w >>= e & 63
		n -= uint(e & 63)
		d := z.dist[w&(1<<flateDistBits-1)]
		if d&flateOther != 0 {
			if d&flateSecond != 0 {
				w >>= flateDistBits
				n -= flateDistBits
				d = z.dist[uint64(d>>16)+w&(1<<(d>>8&15)-1)]
			}
			if d&flateOther != 0 {
				return out[:o], false, errFlate
			}
		}
		back := int(d>>16) + int(w&(1<<(d&63)-1)>>(d>>8&15))
		w >>= d & 63
		n -= uint(d & 63)
		from := o - back
		if from < start {
			return out[:o], false, errFlate
		}
		to := o
		o += length
		if back < 8 {
			for ; to < o; to++ {
				out[to] = out[from]
				from++
			}
			continue
		}
		for {
			binary.LittleEndian.PutUint64(out[to:], binary.LittleEndian.Uint64(out[from:]))
			to += 8
			if to >= o {
				break
			}
			from += 8
		}
	}
	z.i, z.bits, z.n = i, w, n
	return out[:o], false, nil
}

// single appends what one literal, or one length and distance, stand for.
func (z *flateReader) single(dst []byte, start int) (_ []byte, end bool, err error) {
	e, err := z.code(z.lit[:], flateLitBits)
	if err != nil {
		return dst, false, err
	}
	if e&flateLiteral != 0 {
		return append(dst, byte(e>>16)), false, nil
	}
	if e&flateEnd != 0 && e&flateOther != 0 {
		return dst, true, nil
	}
	length, err := z.value(e)
	if err != nil {
		return dst, false, err
	}
	d, err := z.code(z.dist[:], flateDistBits)
	if err != nil {
		return dst, false, err
	}
	back, err := z.value(d)
	if err != nil {
		return dst, false, err
	}
	from := len(dst) - back
	if from < start {
		return dst, false, errFlate
	}
	for range length {
		dst = append(dst, dst[from])
		from++
	}
	return dst, false, nil
}

// code looks the next code up and takes it off the input, without extra bits.
func (z *flateReader) code(t []uint32, look uint) (uint32, error) {
	z.fill()
	e := t[z.bits&(1<<look-1)]
	if e&flateOther != 0 && e&flateSecond != 0 {
		if _, err := z.take(look); err != nil {
			return 0, err
		}
		e = t[uint64(e>>16)+z.bits&(1<<(e>>8&15)-1)]
	}
	if e&flateOther != 0 && e&flateEnd == 0 {
		// Where input ends short the zeros behind it are looked up too.
		if z.n < 15 && z.i == len(z.src) {
			return 0, io.ErrUnexpectedEOF
		}
		return 0, errFlate
	}
	_, err := z.take(uint(e >> 8 & 15))
	return e, err
}

// value is what a length or distance comes to with its extra bits.
func (z *flateReader) value(e uint32) (int, error) {
	extra, err := z.take(uint(e&63) - uint(e>>8&15))
	return int(e>>16) + int(extra), err
}
