package main

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// printable shows control characters as what they are, so that a name cannot
// steer the terminal.
func printable(s string) string {
	b := []byte(s)
	if shown := appendVisible(nil, b); len(shown) != len(b) {
		return string(shown)
	}
	return s
}

// printableLines is printable for a text of several lines, which stay lines.
func printableLines(s string) string {
	if !strings.ContainsAny(s, "\n\t") {
		return printable(s)
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		words := strings.Split(line, "\t")
		for k := range words {
			words[k] = printable(words[k])
		}
		lines[i] = strings.Join(words, "\t")
	}
	return strings.Join(lines, "\n")
}

// cluster is the first character of text as its reader sees it, with all that
// combines with it, and the columns a terminal gives it.
func cluster(text []byte) (size, columns int) {
	if c := text[0]; c >= 0x20 && c < 0x7f && (len(text) == 1 || text[1] < 0x80) {
		return 1, 1
	}
	first, _, columns, _ := uniseg.FirstGraphemeCluster(text, -1)
	return len(first), columns
}

// widest is the most columns that a terminal gives to a character: many do not
// know that what is joined into one, such as a face and the colour of its skin,
// takes no more room than its first, and show them one after another.
func widest(character []byte, columns int) int {
	apart := 0
	for rest := character; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		_, _, w, _ := uniseg.FirstGraphemeCluster(rest[:size], -1)
		switch {
		case r >= 0x1f1e6 && r <= 0x1f1ff:
			return columns // two letters of a flag take a column each
		case r >= 0x1f3fb && r <= 0x1f3ff:
			apart += 2 // colour of skin
		case w > 1 || len(rest) == len(character):
			apart += w
		}
		rest = rest[size:]
	}
	return max(columns, apart)
}

// displayWidth is how many columns a terminal gives to plain text.
func displayWidth(s string) int {
	n := 0
	for text := []byte(s); len(text) > 0; {
		size, w := cluster(text)
		n += w
		text = text[size:]
	}
	return n
}

// truncate cuts plain text to columns, its last one then a sign of the cut.
func truncate(s string, columns int) string {
	l := line{columns: columns}
	l.put(paint{}, []byte(s))
	return string(l.dst)
}
