//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// spawnWord makes this program run another and report what that cost. The
// peak memory Linux reports for a child includes its parent's at the moment of
// the fork, so a parent that has done nothing yet must be the one to fork.
const spawnWord = "-spawn"

// cost is what one run of a program took.
type cost struct {
	Wall float64 // seconds from start to exit
	CPU  float64 // seconds, user and system
	RSS  float64 // peak resident memory in MiB
}

// spawn runs argv with our own standard streams and writes its cost to descriptor 3.
func spawn(argv []string) int {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		return 127
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	unit := 1024.0 // KiB in a MiB
	if runtime.GOOS == "darwin" {
		unit *= 1024
	}
	c := cost{
		Wall: wall.Seconds(),
		CPU:  (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(),
		RSS:  float64(usage.Maxrss) / unit,
	}
	if err := json.NewEncoder(os.NewFile(3, "report")).Encode(c); err != nil {
		return 127
	}
	return cmd.ProcessState.ExitCode()
}

// measure runs argv to its end and returns its cost. A program that fails was
// not measured. A nil out is /dev/null.
func measure(ctx context.Context, in *os.File, out io.Writer, argv ...string) (cost, error) {
	self, err := os.Executable()
	if err != nil {
		return cost{}, err
	}
	report, reportIn, err := os.Pipe()
	if err != nil {
		return cost{}, err
	}
	defer report.Close()
	var said strings.Builder
	cmd := exec.CommandContext(ctx, self, append([]string{spawnWord}, argv...)...)
	if in != nil {
		cmd.Stdin = in
	}
	cmd.Stdout = out
	cmd.Stderr = &said
	cmd.ExtraFiles = []*os.File{reportIn}
	// The spawner and what it spawned are ended together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Start()
	reportIn.Close()
	if err != nil {
		return cost{}, err
	}
	var c cost
	decodeErr := json.NewDecoder(report).Decode(&c)
	if err := errors.Join(cmd.Wait(), decodeErr); err != nil {
		return cost{}, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(said.String()))
	}
	return c, nil
}

// measurePiped is measure with a reader on the other end of a real pipe, as in
// `program | cat >/dev/null`.
func measurePiped(ctx context.Context, argv ...string) (cost, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return cost{}, err
	}
	defer r.Close()
	cat := exec.CommandContext(ctx, "cat")
	cat.Stdin = r
	if err := cat.Start(); err != nil {
		w.Close()
		return cost{}, err
	}
	c, err := measure(ctx, nil, w, argv...)
	w.Close()
	return c, errors.Join(err, cat.Wait())
}
