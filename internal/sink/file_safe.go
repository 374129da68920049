package sink

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// safe adds what a record brings into a name. A slash, a dot in front, control
// and format characters, a percent sign and bytes that are not UTF-8 stand as
// %XX, each byte; so does what Windows refuses, there. Nothing at all is %empty,
// which like %null cannot be taken for an escape.
func (t *Template) safe(dst, b []byte) []byte {
	if len(b) == 0 {
		return append(dst, "%empty"...)
	}
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f || c == '%' || c == '/' || c == '.' && i == 0 || t.windows && strings.IndexByte(`\:*?"<>|`, c) >= 0 {
				dst = escape(dst, c)
			} else {
				dst = append(dst, c)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 || !unicode.IsPrint(r) {
			for _, c := range b[i : i+size] {
				dst = escape(dst, c)
			}
		} else {
			dst = append(dst, b[i:i+size]...)
		}
		i += size
	}
	return dst
}

// clock adds a time, whose slashes are of the template's making.
func (t *Template) clock(dst, b []byte) []byte {
	for _, c := range b {
		if c == 0 || t.windows && c == ':' {
			dst = escape(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func escape(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[c>>4], digits[c&15])
}

// windowsName escapes the first letter of a device's name, and a dot or space at
// the end, which that system drops.
func windowsName(e string) string {
	if e == "." || e == ".." || e == "" {
		return e
	}
	stem, _, _ := strings.Cut(e, ".")
	switch name := strings.ToUpper(strings.TrimRight(stem, " ")); {
	case name == "CON", name == "PRN", name == "AUX", name == "NUL",
		len(name) == 4 && (strings.HasPrefix(name, "COM") || strings.HasPrefix(name, "LPT")) && name[3] >= '0' && name[3] <= '9':
		e = fmt.Sprintf("%%%02X%s", e[0], e[1:])
	}
	if last := e[len(e)-1]; last == '.' || last == ' ' {
		e = fmt.Sprintf("%s%%%02X", e[:len(e)-1], last)
	}
	return e
}
