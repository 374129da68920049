//go:build unix

package sink

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// shell makes the child for a command line. It leads a process group of its own,
// so that a Ctrl-C meant for us does not reach it in the middle of a record.
func shell(command string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", command) //nolint:gosec // running it is the point
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// killGroup kills a child and what it started.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// deathSignal names the signal that ended a process, if one did.
func deathSignal(st *os.ProcessState) (string, bool) {
	ws, ok := st.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() {
		return "", false
	}
	name, ok := signalName(int(ws.Signal()))
	if !ok {
		name = fmt.Sprintf("signal %d", int(ws.Signal()))
	}
	return name, true
}

func signalName(n int) (string, bool) {
	name := unix.SignalName(syscall.Signal(n))
	return fmt.Sprintf("%s (signal %d)", name, n), name != ""
}
