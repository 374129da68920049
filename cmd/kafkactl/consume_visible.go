package main

import "unicode/utf8"

// appendVisible appends what a terminal may be shown of foreign bytes: all that
// could steer it stands escaped. That is C0 with tab and newline, DEL, C1 both
// as characters and as 8-bit bytes, bytes that are no UTF-8, line and paragraph
// separators, and the controls of text direction, which can make text read as
// what it is not. Text without any of it is copied in one piece.
func appendVisible(dst, b []byte) []byte {
	from := 0
	for i := 0; i < len(b); {
		if c := b[i]; c >= 0x20 && c < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r >= 0xa0 && !misleads(r) && (r != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		dst = append(dst, b[from:i]...)
		if r == utf8.RuneError && size == 1 {
			dst = appendHexByte(dst, b[i])
		} else {
			dst = appendEscape(dst, r)
		}
		i += size
		from = i
	}
	return append(dst, b[from:]...)
}

// misleads are the format characters a terminal or its reader would act on:
// direction marks and overrides, isolates, separators, and the invisible tags.
func misleads(r rune) bool {
	switch {
	case r < 0x061c:
		return false
	case r == 0x061c, r == 0x200e, r == 0x200f, r == 0xfeff,
		0x2028 <= r && r <= 0x202e, 0x2066 <= r && r <= 0x206f,
		0xfff9 <= r && r <= 0xfffb, 0xe0000 <= r && r <= 0xe007f:
		return true
	}
	return false
}

const lowerHex = "0123456789abcdef"

func appendHexByte(dst []byte, c byte) []byte {
	return append(dst, '\\', 'x', lowerHex[c>>4], lowerHex[c&15])
}

func appendEscape(dst []byte, r rune) []byte {
	switch {
	case r == '\n':
		return append(dst, `\n`...)
	case r == '\r':
		return append(dst, `\r`...)
	case r == '\t':
		return append(dst, `\t`...)
	case r < 0x80:
		return appendHexByte(dst, byte(r))
	}
	dst = append(dst, `\u`...)
	digits := 4
	if r > 0xffff {
		dst[len(dst)-1] = 'U'
		digits = 8
	}
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, lowerHex[r>>shift&15])
	}
	return dst
}
