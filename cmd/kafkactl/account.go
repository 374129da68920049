package main

import (
	"runtime"
	"runtime/metrics"
)

// account answers who asks a running command how it goes: what its progress line
// says, or would on a terminal, and what the process holds. It is said with -q
// too, for somebody asked.
func (e *env) account(m *meter) {
	text := "running for " + e.now().Sub(m.began).Truncate(1e9).String()
	if read := e.tells.Load(); read != nil {
		text = m.line("", (*read)(), e.now()) + " · " + text
	}
	held := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(held)
	bytes := held[0].Value.Uint64() - held[1].Value.Uint64()
	e.msgs.println(text + " · " + bytesText(float64(bytes)) + ", " + plural(runtime.NumGoroutine(), "goroutine"))
}

// answer has read say how far the command has come, should anybody ask.
func (e *env) answer(read func() tally) { e.tells.Store(&read) }
