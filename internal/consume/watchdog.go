package consume

import "time"

// watchdog bites when nothing came for d, unless it was us who kept the other
// side waiting. A connection that is cut off without a word is found by it. It
// is used by one goroutine.
type watchdog struct {
	d     time.Duration
	timer *time.Timer
}

func newWatchdog(d time.Duration, bite func()) *watchdog {
	return &watchdog{d, time.AfterFunc(d, bite)}
}

// touch says that something came.
func (w *watchdog) touch() { w.timer.Reset(w.d) }

// pause stops the clock, or starts it anew.
func (w *watchdog) pause(on bool) {
	if on {
		w.timer.Stop()
		return
	}
	w.touch()
}

// stop ends it.
func (w *watchdog) stop() { w.timer.Stop() }
