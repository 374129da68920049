//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// watchAsked gives an account at each SIGUSR1, as dd does, unless that was ignored
// when we started.
func watchAsked(e *env) (stop func()) {
	if signal.Ignored(syscall.SIGUSR1) {
		return func() {}
	}
	asked, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		m := meter{began: e.now()}
		for {
			select {
			case <-asked:
				e.account(&m)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(asked)
		close(done)
	}
}
