package main

// line lays text out in the columns of a terminal: what is too long is cut, with
// an ellipsis in the last column, or folded. Text is given to it harmless, for
// it measures and colours and changes nothing.
type line struct {
	dst     []byte
	columns int // 0: as many as it takes
	fold    bool
	indent  int // of the lines below the first
	at      int // the column to come, from 0
	gap     int // spaces due before what comes next
	cut     bool
	sure    bool // no line is longer than columns, whatever the terminal makes of joined characters

	fits  int    // of dst there is so much that leaves room for an ellipsis
	close string // what ends the colour there
}

// begin starts a line of data behind what dst holds.
func (l *line) begin(dst []byte, columns int, fold bool) {
	*l = line{dst: dst, columns: columns, fold: fold, sure: true, fits: len(dst)}
}

// space has n spaces stand before the next text; where none comes they are left
// out.
func (l *line) space(n int) { l.gap += n }

// hang has continuation lines begin where the next text does, unless that leaves
// them little room.
func (l *line) hang() {
	const little = 20
	l.indent = l.at + l.gap
	if l.columns-l.indent < little {
		l.indent = min(2, l.columns/4)
	}
}

// put adds text in a colour.
func (l *line) put(c paint, text []byte) {
	if len(text) == 0 || l.cut {
		return
	}
	if l.columns == 0 {
		l.dst = appendSpaces(l.dst, l.gap)
		l.gap = 0
		l.dst = append(append(append(l.dst, c.open...), text...), c.close...)
		return
	}
	if l.gap > 0 && !l.leap() {
		return
	}
	l.dst = append(l.dst, c.open...)
	for len(text) > 0 {
		size, w := cluster(text)
		if l.sure && size > 1 {
			w = widest(text[:size], w)
		}
		if l.at+w > l.columns {
			if !l.fold {
				l.ellipsis()
				return
			}
			if l.at > l.indent { // else it is wider than the terminal
				l.dst = append(l.dst, c.close...)
				l.next()
				l.dst = append(l.dst, c.open...)
			}
		}
		l.dst = append(l.dst, text[:size]...)
		l.at += w
		text = text[size:]
		l.note(c.close)
	}
	l.dst = append(l.dst, c.close...)
	l.note("")
}

// leap writes the spaces that are due; false where they fill the line.
func (l *line) leap() bool {
	n := l.gap
	l.gap = 0
	if l.at+n >= l.columns {
		if !l.fold {
			l.ellipsis()
			return false
		}
		l.next()
		return true
	}
	l.dst = appendSpaces(l.dst, n)
	l.at += n
	l.note("")
	return true
}

// note remembers that an ellipsis can stand here.
func (l *line) note(close string) {
	if l.at < l.columns {
		l.fits, l.close = len(l.dst), close
	}
}

// ellipsis ends the line where there is room for the sign of it.
func (l *line) ellipsis() {
	l.dst = append(append(l.dst[:l.fits], "…"...), l.close...)
	l.cut = true
}

// next goes to the line below.
func (l *line) next() {
	l.dst = appendSpaces(append(l.dst, '\n'), l.indent)
	l.at = l.indent
}

func appendSpaces(dst []byte, n int) []byte {
	for ; n > 0; n-- {
		dst = append(dst, ' ')
	}
	return dst
}
