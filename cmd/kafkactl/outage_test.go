package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
)

// TestAnOutageIsToldOnceHoweverManyNoticeIt plays what the layers say of one.
func TestAnOutageIsToldOnceHoweverManyNoticeIt(t *testing.T) {
	down := func(addr string) func(e *env) {
		return func(e *env) {
			e.logged(0, "waiting for %v", error(&broker.DialError{Addr: addr, Node: -1, Err: errors.New("refused")}))
		}
	}
	up := func(addr string) func(e *env) {
		return func(e *env) { e.logged(0, "%s is back after %v", addr, time.Second) }
	}
	stuck := func(e *env) { e.noted(&consume.RetryNote{TP: broker.TP{Topic: "t"}, Err: errors.New("x")}) }
	read := func(e *env) { e.noted(&consume.BackNote{After: 2 * time.Second}) }
	failing := func(e *env) { e.logged(0, "%v; trying again", errors.New("y")) }
	written := func(e *env) { e.logged(0, "back after %v", 3*time.Second) }
	const (
		waits, back = "note: waiting for a:1: refused", "note: a:1 is back after 1s"
		retries     = "note: t:0: x; trying again"
		reads       = "note: back after 2s"
	)
	for name, tt := range map[string]struct {
		play []func(e *env)
		want []string
		on   bool
	}{
		"an address alone":               {[]func(*env){down("a:1"), up("a:1")}, []string{waits, back}, false},
		"a partition, then its address":  {[]func(*env){stuck, down("a:1"), up("a:1"), read}, []string{retries, reads}, false},
		"an address, then its partition": {[]func(*env){down("a:1"), stuck, up("a:1"), read}, []string{waits, reads}, false},
		"an address that stays away":     {[]func(*env){stuck, down("a:1"), read}, []string{retries, reads}, false},
		"another that comes back late":   {[]func(*env){down("a:1"), stuck, read, up("a:1")}, []string{waits, reads}, false},
		"two addresses":                  {[]func(*env){down("a:1"), down("b:1"), up("b:1"), up("a:1")}, []string{waits, back}, false},
		"one that goes on":               {[]func(*env){stuck, down("a:1"), up("a:1")}, []string{retries}, true},
		"reading and writing":            {[]func(*env){stuck, failing, written, read}, []string{retries, reads}, false},
		"two, one after the other": {[]func(*env){down("a:1"), up("a:1"), failing, written},
			[]string{waits, back, "note: y; trying again", "note: back after 3s"}, false},
	} {
		for _, verbose := range []bool{false, true} {
			var said strings.Builder
			e := newEnv(os.Stdin, &said, &said)
			if verbose {
				e.cfg.verbose = 1
			}
			for _, f := range tt.play {
				f(e)
			}
			var notes []string
			lines := strings.Split(strings.TrimSpace(said.String()), "\n")
			for _, line := range lines {
				if strings.HasPrefix(line, "note: ") {
					notes = append(notes, line)
				}
			}
			if strings.Join(notes, "\n") != strings.Join(tt.want, "\n") || e.outages.on() != tt.on || !e.troubled.Load() {
				t.Errorf("%s: said %q, want %q; on %v", name, notes, tt.want, e.outages.on())
			}
			if want := len(notes); verbose && len(lines) != len(tt.play) || !verbose && len(lines) != want {
				t.Errorf("%s: -v %v: %q", name, verbose, lines)
			}
		}
	}
}
