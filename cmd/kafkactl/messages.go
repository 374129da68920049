package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// messages is standard error: whole lines, and below them at most one progress
// line, which every message clears first and which is drawn again after it. The
// line leaves the cursor at its left edge, so that clearing it takes it away
// whole also where a terminal made narrower has folded it.
type messages struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool // it can be steered, too
	progress string
	open     bool // data on the same terminal ended in the middle of a line
}

// println writes one message of one or more lines.
func (m *messages) println(s string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	if m.progress == "" {
		_, _ = io.WriteString(m.w, s)
		return
	}
	if m.open {
		_, _ = io.WriteString(m.w, s)
		return
	}
	_, _ = io.WriteString(m.w, clearLine+s+drawn(m.progress))
}

// beside writes data to the same terminal: the line makes way for it, and comes
// back once the data has ended its own.
func (m *messages) beside(w io.Writer, data []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.progress != "" && !m.open {
		_, _ = io.WriteString(m.w, clearLine)
	}
	n, err := w.Write(data)
	if n > 0 {
		m.open = data[n-1] != '\n'
	}
	if m.progress != "" && !m.open {
		_, _ = io.WriteString(m.w, drawn(m.progress))
	}
	return n, err
}

// draw replaces the progress line; "" removes it.
func (m *messages) draw(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if line == m.progress {
		return
	}
	s := ""
	if m.progress != "" {
		s = clearLine
	}
	if line != "" {
		s += drawn(line)
	}
	m.progress = line
	if !m.open {
		_, _ = io.WriteString(m.w, s)
	}
}

// wipe removes the progress line of a process that is about to end, unless
// somebody is writing, perhaps for ever.
func (m *messages) wipe() {
	if !m.mu.TryLock() {
		return
	}
	defer m.mu.Unlock()
	if m.progress != "" && !m.open {
		_, _ = io.WriteString(m.w, clearLine)
	}
	m.progress = ""
}

const (
	clearLine = "\r\x1b[J" // from the left edge to the end of the screen
	wrapOff   = "\x1b[?7l" // what is too long stays in the last column (DECAWM)
	wrapOn    = "\x1b[?7h"
)

// drawn is the progress line as it goes to the terminal. It does not wrap: a
// window that was made narrower since its width was asked for would leave all but
// the last row of it standing.
func drawn(line string) string { return wrapOff + line + wrapOn + "\r" }

// oneMessage is printable text of one or more lines, the later ones indented:
// what a broker has put into it cannot begin a message of its own.
func oneMessage(s string) string {
	return strings.ReplaceAll(printableLines(strings.TrimRight(s, "\n")), "\n", "\n  ")
}

// warn tells of something that went otherwise than asked, but not wrong. -q
// silences it.
func (e *env) warn(format string, args ...any) {
	if e.cfg.quiet {
		return
	}
	e.msgs.println(e.errPal.warning.s("warning:") + " " + oneMessage(fmt.Sprintf(format, args...)))
}

// note tells what a user might want to know. -q silences it.
func (e *env) note(format string, args ...any) {
	if e.cfg.quiet {
		return
	}
	e.msgs.println(e.errPal.dim.s("note:") + " " + oneMessage(fmt.Sprintf(format, args...)))
}

// verbose tells what -v (level 1) or -vv (level 2) asked for.
func (e *env) verbose(level int, format string, args ...any) {
	if e.cfg.quiet || e.cfg.verbose < level {
		return
	}
	e.msgs.println(e.errPal.dim.s(oneMessage(fmt.Sprintf(format, args...))))
}
