package sink

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os/exec"
	"slices"
	"strconv"
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
func (x *Exec) await(ctx context.Context, pid int, b *batch, ended <-chan error) error {
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

// String names the records, as messages do.
func (b *batch) String() string { return where(b.mark.P.Topic, b.mark.P.Partition, b.first, b.last) }

// env is what a child sees of its records beside its input.
func (b *batch) env(base []string) []string {
	tp := b.mark.P.TP
	env := append(slices.Clip(base),
		"RECORD_TOPIC="+tp.Topic,
		"RECORD_PARTITION="+strconv.Itoa(int(tp.Partition)),
		"RECORD_OFFSET="+strconv.FormatInt(b.first, 10),
		"RECORD_LAST_OFFSET="+strconv.FormatInt(b.last, 10),
		"RECORD_COUNT="+strconv.Itoa(b.count),
	)
	if b.timestamp >= 0 {
		env = append(env, "RECORD_TIMESTAMP="+strconv.FormatInt(b.timestamp, 10))
	}
	switch {
	case b.count != 1 || b.key == nil || len(b.key) > keyMost:
	case bytes.IndexByte(b.key, 0) < 0:
		env = append(env, "RECORD_KEY="+string(b.key))
	default:
		env = append(env, "RECORD_KEY64="+base64.StdEncoding.EncodeToString(b.key))
	}
	return env
}

// baseEnv is our own environment without what a kafkactl around us said of its
// record.
func baseEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, "RECORD_") })
}
