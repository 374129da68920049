//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// suspension is Ctrl-Z (SIGTSTP), which somebody who draws on the terminal hears
// before it stops the process: what was drawn would stay in the shell's way.
type suspension struct {
	asked chan os.Signal // nil where the signal is ignored
}

func watchSuspend() *suspension {
	s := &suspension{}
	if !signal.Ignored(syscall.SIGTSTP) {
		s.asked = make(chan os.Signal, 1)
		signal.Notify(s.asked, syscall.SIGTSTP)
	}
	return s
}

// stoppedBy is how long a process waits for the system to stop it.
const stoppedBy = 500 * time.Millisecond

// stop stops the process, as Ctrl-Z would have done by itself, and returns when it
// goes on. SIGSTOP does it, for the runtime does not give SIGTSTP its usual effect
// back; that one leaves alone whoever was started without a shell that could have
// it go on, as what leads a session is, and so do we.
func (s *suspension) stop() {
	if session, err := unix.Getsid(0); err != nil || session == unix.Getpgrp() {
		return
	}
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	select { // it may reach another thread, a little later
	case <-resumed:
	case <-time.After(stoppedBy):
	}
}

func (s *suspension) end() { signal.Stop(s.asked) }

// inFront says that nobody else is to draw on the terminal: a shell that has us
// in the background is, and its own line stands there.
func inFront(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	if !ok {
		return true
	}
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp() // not our terminal: no shell of ours draws there
}
