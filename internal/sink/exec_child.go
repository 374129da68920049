package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const (
	// stdinWait is how long what a child did not read is offered to processes it
	// left behind, before its end counts.
	stdinWait = time.Second
	// hushed is how long a child that is waited for may take before a word is said.
	hushed = time.Second
	// keyMost is the longest key put into an environment: Linux takes no more than
	// 128 KiB a variable.
	keyMost = 64 << 10
)

// errKilled is a child that was not started, for Kill was called.
var errKilled = errors.New("killed before it began")

// child runs one child on b. A nil error is exit status 0.
func (x *Exec) child(ctx context.Context, b *batch) error {
	cmd := shell(x.c.Command)
	cmd.Env = b.env(x.base)
	cmd.Stdin = bytes.NewReader(b.stdin) // a child that does not read all of it is fine
	cmd.Stdout, cmd.Stderr = x.c.Stdout, x.c.Stderr
	cmd.WaitDelay = stdinWait
	if err := x.start(cmd); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err := x.await(ctx, cmd.Process.Pid, b, ended)
	x.mu.Lock()
	delete(x.groups, cmd.Process.Pid)
	x.mu.Unlock()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it exited 0, and left somebody behind who holds its input
	}
	return err
}

// start starts cmd unless nothing may start any more.
func (x *Exec) start(cmd *exec.Cmd) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.killed {
		return errKilled
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	x.groups[cmd.Process.Pid] = true
	return nil
}

// await waits for a child's end. It has Grace left once ctx ends or another child
// fails; then its whole group is killed.
func (x *Exec) await(ctx context.Context, pid int, b fmt.Stringer, ended <-chan error) error {
	why := "the run was interrupted"
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	case <-x.failed:
		why = "another one failed"
	}
	deadline := time.NewTimer(x.c.Grace)
	defer deadline.Stop()
	word := time.NewTimer(hushed)
	defer word.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-word.C:
			x.c.Note("%s: the command on %v may run %v longer", why, b, x.c.Grace-hushed)
		case <-deadline.C:
			x.c.Note("%s: the command on %v ran %v longer and is killed", why, b, x.c.Grace)
			killGroup(pid)
			return <-ended
		}
	}
}

// baseEnv is our own environment without what a kafkactl around us said of its
// record.
func baseEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, "RECORD_") })
}
