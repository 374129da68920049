package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// tally is how far a command has come.
type tally struct {
	records, bytes int64
	more           string // said after the rates: "12 not acknowledged"
	input          share
}

func records(n int64) string {
	if n == 1 {
		return "1 record"
	}
	return grouped(n) + " records"
}

// share is how much of its input a command has read.
type share struct {
	done, total int64 // bytes; total < 1 where it is not known
	file, files int
}

// redraw is how often the progress line changes.
const redraw = 200 * time.Millisecond

// startProgress shows a line on standard error, while it is a terminal and the
// data goes or comes another way, which data says: e.in or e.out. read is called
// from a goroutine of its own; stop removes the line and ends it.
func (e *env) startProgress(verb string, data any, read func() tally) (stop func()) {
	e.answer(read)
	if e.cfg.quiet || !e.msgs.terminal || isTerminal(data) {
		return func() {}
	}
	return e.keepDrawing(verb, read)
}

// keepDrawing draws what read tells until stop is called, but while a shell has us
// stopped or in the background.
func (e *env) keepDrawing(verb string, read func() tally) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	e.atKill(e.msgs.wipe)
	go func() {
		defer close(ended)
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		resized, unwatch := watchResize()
		defer unwatch()
		suspended := watchSuspend()
		defer suspended.end()
		m := meter{began: e.now()}
		for {
			select {
			case <-tick.C:
			case <-resized:
				e.msgs.draw("")
			case <-suspended.asked:
				e.msgs.draw("")
				suspended.stop()
			case <-done:
				e.msgs.draw("")
				return
			}
			line := m.line(verb, read(), e.now())
			switch w := width(e.errOut); {
			case !inFront(e.errOut):
				line = ""
			case w > 1:
				line = truncate(line, w-1)
			}
			e.msgs.draw(line)
		}
	}()
	var once sync.Once
	return func() {
		once.Do(func() { close(done) })
		<-ended
	}
}

// meter turns tallies into rates over the last few seconds.
type meter struct {
	began time.Time
	past  []sample // oldest first
}

type sample struct {
	at             time.Time
	records, bytes int64
	read           int64
}

// window is what a rate is taken over: long enough to read, short enough to
// show a stall.
const window = 3 * time.Second

func (m *meter) line(verb string, t tally, now time.Time) string {
	if m.past == nil {
		m.past = []sample{{at: m.began}}
	}
	for len(m.past) > 1 && now.Sub(m.past[1].at) >= window {
		m.past = m.past[1:]
	}
	from := m.past[0]
	m.past = append(m.past, sample{now, t.records, t.bytes, t.input.done})
	s := strings.TrimPrefix(verb+" ", " ") + t.input.line(from, now) + fmt.Sprintf("%s, %s", records(t.records), bytesText(float64(t.bytes)))
	if d := now.Sub(from.at).Seconds(); d > 0 {
		s += fmt.Sprintf(" · %s records/s, %s/s",
			grouped(int64(float64(t.records-from.records)/d)), bytesText(float64(t.bytes-from.bytes)/d))
	}
	if t.more != "" {
		s += " · " + t.more
	}
	return s
}

// line is "[####------------] 25% of 1.2 GiB, 1m30s left · file 2 of 5 · ", nothing
// where the size is not known. What is left is reckoned by the bytes read since
// from.
func (s share) line(from sample, now time.Time) string {
	if s.total < 1 {
		return ""
	}
	const cells = 16
	done := min(s.done, s.total) // a file may grow while it is read
	full := int(done * cells / s.total)
	text := fmt.Sprintf("[%s%s] %d%% of %s", strings.Repeat("#", full), strings.Repeat("-", cells-full), done*100/s.total, bytesText(float64(s.total)))
	if speed := float64(s.done-from.read) / now.Sub(from.at).Seconds(); speed > 0 && done < s.total {
		left := float64(s.total-done) / speed
		if left < 1e7 { // four months: it stands still
			text += ", " + (time.Duration(left+1) * time.Second).String() + " left"
		}
	}
	if s.files > 1 {
		text += fmt.Sprintf(" · file %d of %d", max(s.file, 1), s.files)
	}
	return text + " · "
}

// grouped is 1,234,567.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	neg := n < 0
	if neg {
		s = s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if neg {
		s = "-" + s
	}
	return s
}

// bytesText is 1.4 MiB.
func bytesText(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n >= 1024 && i < len(units)-1 {
		n /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}
