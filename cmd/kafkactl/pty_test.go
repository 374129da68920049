//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/twmb/franz-go/pkg/kfake"
)

// terminal opens a terminal of a width. What is written to it is read by all,
// after tty was closed.
func terminal(t *testing.T, columns int) (tty *os.File, all func() string) {
	t.Helper()
	ctrl, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(ctrl, &pty.Winsize{Rows: 24, Cols: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(&b, ctrl) // ends in EIO once the last writer is gone
		close(done)
	}()
	t.Cleanup(func() { tty.Close(); ctrl.Close() })
	return tty, func() string {
		tty.Close()
		<-done
		return strings.ReplaceAll(b.String(), "\r\n", "\n")
	}
}

func TestMetadataOnATerminal(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	if err := fake.CreateTopic("a-topic-with-a-rather-long-name-that-needs-room", 2, nil); err != nil {
		t.Fatal(err)
	}
	show := func(columns int, env ...string) string {
		tty, all := terminal(t, columns)
		cmd := command(t, "metadata", "-b", fake.ListenAddrs()[0])
		cmd.Env = append(cmd.Env, env...)
		cmd.Stdout = tty
		if code := status(t, cmd.Run()); code != 0 {
			t.Fatalf("exit status %d", code)
		}
		return all()
	}
	wide := show(200)
	if !strings.Contains(wide, "\x1b[1mTOPIC\x1b[") || !strings.Contains(unpainted(wide), "TOPIC  ") {
		t.Errorf("not a coloured table: %q", wide)
	}
	narrow := show(50)
	for line := range strings.Lines(unpainted(narrow)) {
		if w := displayWidth(strings.TrimRight(line, "\n")); w > 50 {
			t.Errorf("%d columns in a terminal of 50: %q", w, line)
		}
	}
	if !strings.Contains(narrow, "…") {
		t.Errorf("nothing was cut: %s", narrow)
	}
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb", "KAFKACTL_COLOR=never"} {
		if plain := show(200, env); strings.Contains(plain, "\x1b") || plain != unpainted(wide) {
			t.Errorf("%s: %q", env, plain)
		}
	}
	if painted := show(200, "NO_COLOR=1", "KAFKACTL_COLOR=always"); painted != wide {
		t.Errorf("--color always: %q", painted)
	}
}

// Colours of the two streams are decided apart: errors on a terminal are
// coloured while the data in the pipe is not.
func TestStreamsAreColouredApart(t *testing.T) {
	tty, all := terminal(t, 80)
	cmd := command(t, "metadata", "-b", "127.0.0.1:1", "--timeout", "1s")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, tty
	if code := status(t, cmd.Run()); code != exitUnreachable {
		t.Errorf("exit status %d", code)
	}
	if said := all(); !strings.HasPrefix(said, "\x1b[31;1merror:\x1b[") || out.Len() > 0 {
		t.Errorf("said %q, printed %q", said, out.String())
	}
}

func TestProgressShowsOnlyWhereItDoesNotMix(t *testing.T) {
	tty, all := terminal(t, 30)
	e := newEnv(strings.NewReader(""), io.Discard, tty)
	drawn := make(chan struct{})
	calls := 0
	stop := e.startProgress("read", e.out, func() tally {
		if calls++; calls == 2 {
			close(drawn)
		}
		return tally{records: int64(calls) * 1000, bytes: 1 << 20}
	})
	select {
	case <-drawn:
	case <-time.After(patience):
		t.Fatal("no progress")
	}
	e.warn("in between")
	stop()
	stop()
	got := all()
	if !strings.Contains(got, "read 1,000 records") || !strings.Contains(got, clearLine+"\x1b[33mwarning:\x1b[0m in between\n") {
		t.Errorf("got %q", got)
	}
	if !strings.HasSuffix(got, clearLine) {
		t.Errorf("the line stays: %q", got)
	}
	for _, line := range strings.FieldsFunc(got, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if w := displayWidth(unpainted(strings.TrimPrefix(line, "\x1b[J"))); w > 30 {
			t.Errorf("%d columns in 30: %q", w, line)
		}
	}

	// No line beside data on the same terminal, for -q, or in a file.
	for name, set := range map[string]func(e *env){
		"data on a terminal": func(e *env) { e.out = &stdout{w: e.errOut} },
		"-q":                 func(e *env) { e.cfg.quiet = true },
		"no terminal":        func(e *env) { e.msgs.terminal = false },
	} {
		tty2, all2 := terminal(t, 80)
		e := newEnv(nil, io.Discard, tty2)
		set(e)
		e.startProgress("read", e.out, func() tally { t.Errorf("%s: it asks", name); return tally{} })()
		if got := all2(); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
