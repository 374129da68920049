package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// messages is standard error: whole lines, and below them at most one progress
// line, which every message clears first and which is drawn again after it.
type messages struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	progress string
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
	_, _ = io.WriteString(m.w, clearLine+s+m.progress)
}

// draw replaces the progress line; "" removes it.
func (m *messages) draw(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if line == m.progress {
		return
	}
	s := line
	if m.progress != "" {
		s = clearLine + line
	}
	m.progress = line
	_, _ = io.WriteString(m.w, s)
}

// clearLine goes to the left edge and erases to the right one.
const clearLine = "\r\x1b[K"

// warn tells of something that went otherwise than asked, but not wrong. -q
// silences it.
func (e *env) warn(format string, args ...any) {
	if e.cfg.quiet {
		return
	}
	e.msgs.println(e.errPal.warning.s("warning:") + " " + fmt.Sprintf(format, args...))
}

// note tells what a user might want to know. -q silences it.
func (e *env) note(format string, args ...any) {
	if e.cfg.quiet {
		return
	}
	e.msgs.println(e.errPal.dim.s("note:") + " " + fmt.Sprintf(format, args...))
}

// verbose tells what -v (level 1) or -vv (level 2) asked for.
func (e *env) verbose(level int, format string, args ...any) {
	if e.cfg.quiet || e.cfg.verbose < level {
		return
	}
	e.msgs.println(e.errPal.dim.s(fmt.Sprintf(format, args...)))
}
