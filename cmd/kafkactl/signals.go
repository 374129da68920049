package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// interruptedError is the cause of a context that a signal ended.
type interruptedError struct{ sig syscall.Signal }

func (e *interruptedError) Error() string { return "interrupted by " + e.sig.String() }

// stuckAfter is how long a write to standard output may take once a signal came.
const stuckAfter = 2 * time.Second

// code is the shell's: 128 and the signal's number.
func (e *interruptedError) code() int { return 128 + int(e.sig) }

// watchSignals ends ctx at the first SIGINT, SIGTERM or SIGHUP, with an
// interruptedError as its cause; the second calls kill and exits at once, so that
// a flush that cannot finish holds nobody. So does a first one when waiting says
// that standard output has taken nothing for stuckAfter: a write cannot be
// called back, and its reader may never come. A signal that was ignored when we started, as in a
// shell's background job, stays ignored.
//
// SIGPIPE is caught and dropped: otherwise Go dies of a write to a closed
// standard output before anything could be settled. Ignoring it instead would be
// inherited by child processes.
func watchSignals(parent context.Context, kill func(), waiting func() time.Duration) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)

	var wanted []os.Signal
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			wanted = append(wanted, s)
		}
	}
	got := make(chan os.Signal, 2)
	done := make(chan struct{})
	if len(wanted) > 0 {
		signal.Notify(got, wanted...)
	}
	go func() {
		var first *interruptedError
		var tick <-chan time.Time
		for {
			select {
			case s := <-got:
				sig, _ := s.(syscall.Signal)
				if first != nil {
					kill()
					os.Exit(128 + int(sig))
				}
				first = &interruptedError{sig: sig}
				cancel(first)
				ticker := time.NewTicker(stuckAfter / 4)
				defer ticker.Stop()
				tick = ticker.C
			case <-tick:
				if waiting() >= stuckAfter {
					kill()
					os.Exit(first.code())
				}
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(got)
		signal.Stop(pipe)
		close(done)
		cancel(nil)
	}
}
