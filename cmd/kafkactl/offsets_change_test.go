//go:build unix

package main

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/twmb/franz-go/pkg/kfake"
)

// A question is asked on the terminal, and only yes is yes: neither the end of
// input nor Ctrl-C changes anything.
func TestChangesAreConfirmedOnATerminal(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	if err := fake.CreateTopic("orders", 1, nil); err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	run := func(args ...string) *exec.Cmd {
		cmd := command(t, append(args, "-b", fake.ListenAddrs()[0])...)
		cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+state)
		return cmd
	}
	if code := status(t, run("offsets", "commit", "-g", "g", "orders:0=7").Run()); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	stored := func() string {
		out, _ := run("offsets", "export", "-g", "g").Output()
		return string(out)
	}
	for _, c := range []struct {
		name, typed string
		code        int
		asked       int
		changed     bool
	}{
		{"no", "n\r", exitFailed, 1, false},
		{"nothing", "\r", exitFailed, 1, false},
		{"the end of input", "\x04", exitFailed, 1, false},
		{"neither", "perhaps\rwell\rmaybe\r", exitFailed, maxQuestions, false},
		{"Ctrl-C", "\x03", 128 + int(syscall.SIGINT), 1, false},
		{"an answer at last", "what\rYES\r", 0, 2, true},
	} {
		ctrl, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		cmd := run("offsets", "seek", "-g", "g", "orders", "--to", "start")
		var out bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, &out, tty
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		tty.Close()
		said := make(chan string)
		go func() {
			var all strings.Builder
			b := make([]byte, 1024)
			for typed := false; ; {
				n, err := ctrl.Read(b)
				all.Write(b[:n])
				if !typed && strings.Contains(all.String(), "[y/N] ") {
					typed = true
					_, _ = ctrl.WriteString(c.typed)
				}
				if err != nil { // EIO once the last writer is gone
					said <- all.String()
					return
				}
			}
		}()
		code := status(t, cmd.Wait())
		text := <-said
		ctrl.Close()
		if code != c.code || strings.Count(text, "[y/N]") != c.asked {
			t.Errorf("%s: exit status %d, said %q", c.name, code, text)
		}
		if out.String() != "orders\t0\t7\t0\t7 replayed\n" {
			t.Errorf("%s: planned %q", c.name, out.String())
		}
		if now := stored(); strings.Contains(now, `"offset":0`) != c.changed {
			t.Errorf("%s: stored %s", c.name, now)
		}
	}
}
