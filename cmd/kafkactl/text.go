package main

import (
	"strings"
	"unicode"

	eastasian "golang.org/x/text/width"
)

// printable shows control characters as what they are, so that a name cannot
// steer the terminal.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if control(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if control(r) {
			b.WriteString(`\x`)
			const hex = "0123456789abcdef"
			b.WriteByte(hex[r>>4&15])
			b.WriteByte(hex[r&15])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// control is C0, DEL and C1.
func control(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// displayWidth is how many columns a terminal gives to plain text.
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0 // combines with what stands before it
	}
	switch eastasian.LookupRune(r).Kind() {
	case eastasian.EastAsianWide, eastasian.EastAsianFullwidth:
		return 2
	}
	return 1
}

// truncate cuts plain text to columns, its last one then a sign of the cut.
func truncate(s string, columns int) string {
	if displayWidth(s) <= columns {
		return s
	}
	n := 0
	for i, r := range s {
		if w := runeWidth(r); n+w > columns-1 {
			return s[:i] + "…"
		} else {
			n += w
		}
	}
	return s
}
