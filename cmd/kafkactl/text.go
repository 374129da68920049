package main

import (
	"strings"

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
