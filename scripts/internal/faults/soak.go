//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// soakRate is how many records a second are produced in a soak.
const soakRate = 2000

// soak lets faults come at random for a time, while one producer, one tail and one
// group consumer go on through all of them, and gives their rows. What they hold of
// memory, threads and descriptors has to be as flat at the end as it was after the
// first of it.
func (l *lab) soak(ctx context.Context, length time.Duration) (rows []row, err error) {
	l.length, l.records, l.peer = length, int(length.Seconds()*soakRate), false
	s := l.scene(fault{name: "soak", do: storm}, "lz4", "all", []string{"produce", "tail", "group"})
	ctx, cancel := context.WithTimeout(ctx, length+15*time.Minute)
	defer cancel()
	if err := errors.Join(s.create(ctx), s.pickGroups(ctx)); err != nil {
		return nil, err
	}
	if err := s.healthy(ctx); err != nil {
		return nil, err
	}
	actors, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	watched, unwatch := context.WithCancel(ctx)
	defer unwatch()
	held := make(chan error, 1)
	go func() { held <- watch(watched, actors.actors, length) }()
	s.at = time.Now()
	if err := s.fault.do(ctx, s); err != nil {
		return nil, err
	}
	// Whoever feeds the producer ends when the length is over; until then all of
	// them have work, which is when what they hold counts.
	err = <-held
	rows, judged := actors.settle(ctx)
	return rows, errors.Join(err, judged)
}

// storm is one fault after the other, each on a cluster that is whole, until
// three quarters of the length are over: the rest is calm.
func storm(ctx context.Context, s *scene) error {
	kinds := []fault{
		{name: "leader-killed", do: killLeader},
		{name: "controller-killed", do: killController},
		{name: "coordinator-killed", do: killCoordinator},
		{name: "rolling-restart", do: roll},
		{name: "leaders-moved", do: moveLeaders},
		{name: "broker-paused", do: pauseFollower},
	}
	for time.Since(s.at) < s.length*3/4 {
		f := kinds[s.random.IntN(len(kinds))]
		s.victim = 1 + s.random.IntN(nodes)
		fmt.Printf("%6.0fs %s\n", time.Since(s.at).Seconds(), f.name)
		if err := f.do(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := s.healthy(ctx); err != nil {
			return fmt.Errorf("after %s: %w", f.name, err)
		}
		if err := sleep(ctx, time.Duration(2+s.random.IntN(8))*time.Second); err != nil {
			return err
		}
	}
	return nil
}

// holding is what a process holds.
type holding struct {
	rss            int // KiB
	threads, files int
	goroutines     int
}

// held reads what a client of ours holds of the kernel, and what it says of its
// goroutines when it is asked.
func held(a *actor) (h holding, err error) {
	pid := a.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return h, err
	}
	h.rss, h.threads = field(text, "VmRSS:"), field(text, "Threads:")
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	h.files = len(open)
	for _, account := range goroutines.FindAllStringSubmatch(a.said.String(), -1) {
		h.goroutines, _ = strconv.Atoi(account[1])
	}
	return h, errors.Join(err, a.cmd.Process.Signal(syscall.SIGUSR1)) // for the next look
}

// goroutines is the end of what SIGUSR1 has a client tell.
var goroutines = regexp.MustCompile(`, (\d+) goroutines\n`)

// field is the number behind a name in a file of lines like "Threads:	8".
func field(text []byte, name string) (n int) {
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			_, _ = fmt.Sscan(rest, &n) // zero if it is no number
		}
	}
	return n
}

// watch samples what clients hold until just before the length is over, and
// compares the last eighth of it, which is calm, with what was the most in the
// quarter after the first eighth.
func watch(ctx context.Context, actors []*actor, length time.Duration) error {
	begun := time.Now()
	early, late := make([]holding, len(actors)), make([]holding, len(actors))
	var bad []error
	for time.Since(begun) < length-2*time.Second {
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
		gone := float64(time.Since(begun)) / float64(length)
		for i, a := range actors {
			h, err := held(a)
			if err != nil || a.ended() {
				return fmt.Errorf("%s ended %v before its time: %s", a.name, length-time.Since(begun), a.said.last())
			}
			switch {
			case gone > 0.125 && gone <= 0.375:
				early[i].most(h)
			case gone > 0.875:
				late[i].most(h)
			}
		}
	}
	for i, a := range actors {
		e, l := early[i], late[i]
		fmt.Printf("%-20s held, at most: %d KiB, %d threads, %d goroutines, %d descriptors early; %d KiB, %d threads, %d goroutines, %d descriptors in the end\n",
			a.name, e.rss, e.threads, e.goroutines, e.files, l.rss, l.threads, l.goroutines, l.files)
		// The garbage collector lets a heap double before it looks.
		if l.rss > e.rss*3/2+16<<10 || l.threads > e.threads+8 || l.goroutines > e.goroutines+2 || l.goroutines == 0 || l.files > e.files+2 {
			bad = append(bad, fmt.Errorf("%s: what it holds has grown", a.name))
		}
	}
	return errors.Join(bad...)
}

func (h *holding) most(o holding) {
	h.rss, h.threads, h.files = max(h.rss, o.rss), max(h.threads, o.threads), max(h.files, o.files)
	h.goroutines = max(h.goroutines, o.goroutines)
}
