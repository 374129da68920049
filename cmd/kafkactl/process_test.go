//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// command prepares a kafkactl process of its own, without this machine's
// configuration.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("kafkactl")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TERM=xterm"}
	return cmd
}

// deaf is a broker that answers no metadata; heard gets a value at each request.
func deaf(t *testing.T) (brokers string, heard <-chan struct{}) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	ch := make(chan struct{}, 100)
	fake.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		ch <- struct{}{}
		return nil, nil, true
	})
	return fake.ListenAddrs()[0], ch
}

func status(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return statusOf(exit.ProcessState)
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

func TestClosedPipeEndsQuietly(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	for _, args := range [][]string{{"help", "tuning"}, {"--help"}, {"version"}, {"-X", "list"}, {"completion", "bash"}} {
		var said bytes.Buffer
		cmd := command(t, args...)
		cmd.Stdout, cmd.Stderr = w, &said
		if code := status(t, cmd.Run()); code != 0 || said.Len() > 0 {
			t.Errorf("%v: exit status %d, said %q", args, code, said.String())
		}
	}
}

func TestReaderGoneIsNoticedWhileIdle(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	e := newEnv(nil, w, io.Discard)
	ctx, stop := e.watchOut(t.Context())
	defer stop()
	if err := ctx.Err(); err != nil {
		t.Fatalf("before anything happened: %v", err)
	}
	r.Close()
	select {
	case <-ctx.Done():
	case <-time.After(patience):
		t.Fatal("not noticed")
	}
	if cause := context.Cause(ctx); cause != errClosedPipe {
		t.Errorf("the cause is %v", cause)
	}
	stop()
	w.Close()

	// A watch that is stopped ends, and is not mistaken for a closed pipe.
	r2, w2, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r2.Close()
	defer w2.Close()
	ctx, stop = newEnv(nil, w2, io.Discard).watchOut(t.Context())
	stop()
	if cause := context.Cause(ctx); cause != context.Canceled {
		t.Errorf("the cause is %v", cause)
	}
	// A file has no reader to lose.
	f, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, stop = newEnv(nil, f, io.Discard).watchOut(t.Context())
	if ctx.Err() != nil {
		t.Error("a file was taken for a closed pipe")
	}
	stop()
}

// One signal ends a command whose reader takes nothing, without a second one.
func TestSignalEndsAWriteThatNobodyReads(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "stuck"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	fill := command(t, "produce", "stuck", "-b", fake.ListenAddrs()[0])
	fill.Stdin = strings.NewReader(strings.Repeat(strings.Repeat("x", 99)+"\n", 40_000))
	if said, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	cmd := command(t, "consume", "stuck", "-b", fake.ListenAddrs()[0])
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// It writes once it reads the topic; what it has is more than any pipe holds.
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	state, err := cmd.Process.Wait()
	if err != nil || statusOf(state) != 130 {
		t.Errorf("status %d, %v", statusOf(state), err)
	}
}

// The first signal lets a command settle what it did; here it hangs in doing so,
// and the second kills it at once.
func TestSecondSignalKillsAtOnce(t *testing.T) {
	// Children of dev get the signal too; this one ignores it.
	cmd := command(t, "dev", "--", "sh", "-c", `trap "" INT; echo up; exec sleep 1000`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if _, err := io.ReadFull(out, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	// Which of the two is seen as the first is all the same.
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
				_ = cmd.Process.Signal(syscall.SIGINT)
			}
		}
	}()
	state, err := cmd.Process.Wait()
	close(ended)
	if err != nil || statusOf(state) != 130 {
		t.Errorf("status %d, %v", statusOf(state), err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A shell's background job is started with SIGINT ignored, and stays deaf to it.
func TestIgnoredSignalStaysIgnored(t *testing.T) {
	brokers, heard := deaf(t)
	cmd := command(t, "x")
	path := cmd.Path
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap "" INT; exec "$0" "$@"`, path, "metadata", "--timeout", "400ms", "-b", brokers}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-heard
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := status(t, cmd.Wait()); code != exitUnreachable {
		t.Errorf("exit status %d, want %d; %s", code, exitUnreachable, said.String())
	}
}

// Children inherit an ignored SIGPIPE but not a caught one: a child of ours must
// still die of it.
func TestChildrenKeepTheirSIGPIPE(t *testing.T) {
	cmd := command(t, "dev", "--", "sh", "-c", "yes | head -1; echo ${PIPESTATUS:-}$?")
	out, err := cmd.Output()
	if code := status(t, err); code != 0 || !strings.HasPrefix(string(out), "y\n") {
		t.Errorf("exit status %d, %q", code, out)
	}
}
