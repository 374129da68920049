//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a client under test, or one to compare it with.
type child struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.Reader
	said tail
	done chan struct{}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = bytes.Clone(t.text[max(0, len(t.text)-4000):])
	return len(b), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// last is the last line of it.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(t.String()), "\n")
	return lines[len(lines)-1]
}

// spawn starts a program whose ends are pipes. It ends with ctx at the latest.
func spawn(ctx context.Context, name, program string, args ...string) (*child, error) {
	c := &child{name: name, done: make(chan struct{})}
	c.cmd = exec.CommandContext(ctx, program, args...)
	c.cmd.Stderr = &c.said
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// A pipe of our own: Wait would close the other kind before all is read.
	r, w := io.Pipe()
	c.cmd.Stdout, c.out = w, r
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(c.done)
		_ = c.cmd.Wait() // its code is asked for later
		w.Close()
	}()
	return c, nil
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// finish waits for the child's end, and kills it when that takes too long.
func (c *child) finish(patience time.Duration) (stuck bool) {
	select {
	case <-c.done:
		return false
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.done
		return true
	}
}

// stop ends the child by a signal.
func (c *child) stop(sig syscall.Signal) (stuck bool) {
	_ = c.cmd.Process.Signal(sig)
	return c.finish(time.Minute)
}

// exit is how the child ended: its code, or the signal that ended it as a shell
// tells it.
func (c *child) exit() int {
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return c.cmd.ProcessState.ExitCode()
}
