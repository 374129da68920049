//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// hostile are values that would do something to a terminal that got them raw.
var hostile = []string{
	"\x1b]0;owned\a",           // the window's title
	"\x1b]52;c;cm0gLXJm\x1b\\", // the clipboard
	"\x1b[2J\x1b[H",            // the screen
	"\x1b[6n\x1bP$q\"p\x1b\\",  // questions it would answer as if typed
	"\u009b31m\u009d0;x\u009c", // the same in C1
	"\x9b31m\x9d0;x\x9c",
	"\u202eevil\u202c",
	"two\r\nlines\b\x7f\x00",
	"\xff\xfe",
}

// stageTopic is a cluster with one topic of those values, keyed alike.
func stageTopic(t *testing.T, values []string) (brokers string) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for _, v := range values {
		if err := cl.ProduceSync(context.Background(), &kgo.Record{Key: []byte(v), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(fake.ListenAddrs(), ",")
}

// kafkactlCmd is the program itself, in a process of its own.
func kafkactlCmd(t *testing.T, brokers string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(cmd.Env, "KAFKACTL_BROKERS="+brokers, "TZ=UTC")
	return cmd
}

// onTerminal runs it on a terminal of columns and gives what that was sent until
// text appears, or all of it for "".
func onTerminal(t *testing.T, cmd *exec.Cmd, columns uint16, until string) string {
	t.Helper()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	var got strings.Builder
	page := make([]byte, 4096)
	for until == "" || !strings.Contains(got.String(), until) {
		n, err := tty.Read(page)
		got.Write(page[:n])
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) {
			break // the program has closed it
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if until != "" {
		_ = cmd.Process.Signal(syscall.SIGINT)
		go func() { _, _ = io.Copy(io.Discard, tty) }()
	}
	_ = cmd.Wait()
	return got.String()
}

// ownColours are the sequences that are ours; nothing else may have an escape.
var ownColours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestTerminalGetsNoRawBytesOfRecords(t *testing.T) {
	brokers := stageTopic(t, hostile)
	for _, c := range []struct {
		args  []string
		until string
	}{
		{[]string{"consume", "t"}, ""},
		{[]string{"consume", "t", "-K", ":"}, ""},
		{[]string{"consume", "t", "--color", "never"}, ""},
		{[]string{"tail", "t", "-q"}, `0:8`},
	} {
		got := onTerminal(t, kafkactlCmd(t, brokers, c.args...), 200, c.until)
		text := ownColours.ReplaceAllString(got, "")
		for _, line := range strings.Split(strings.TrimRight(text, "\r\n"), "\r\n") {
			if shown := string(appendVisible(nil, []byte(line))); shown != line {
				t.Errorf("%v: the terminal got %q", c.args, line)
			}
		}
		for _, want := range []string{`\x1b]0;owned\x07`, `\x9b31m`, `\u009b31m`, `\u202eevil`, `two\r\nlines\x08\x7f\x00`} {
			if !strings.Contains(text, want) {
				t.Errorf("%v: %s is not shown in %q", c.args, want, text)
			}
		}
	}
}

func TestTerminalGetsNoRawBytesInListings(t *testing.T) {
	brokers := stageTopic(t, []string{"one"})
	hostileGroups(t, brokers)
	for _, c := range []struct{ args, want string }{
		{"groups list", `\u009b2J`},
		{"groups list -o tsv", `\u009b2J`},
		{"groups list -J", `\u009b2J`},
		{"groups members " + badName + "2 -o tsv", `\u202eowned\x7f`},
		{"groups members " + badName + "2 -J", `\u202eowned\u007f`},
		{"offsets get --all-groups -o tsv", `\u202eowned\x7f`},
		{"offsets get --all-groups -J", `\u202eowned\u007f`},
		{"offsets export -g " + badName, `\u202eowned\u007f`},
	} {
		got := onTerminal(t, kafkactlCmd(t, brokers, strings.Split(c.args, " ")...), 500, "")
		text := ownColours.ReplaceAllString(got, "")
		if strings.ReplaceAll(printableLines(text), `\r`, "\r") != text || !strings.Contains(text, c.want) {
			t.Errorf("%s: the terminal got %q", c.args, got)
		}
	}
}

func TestTerminalGetsRawBytesWhenAsked(t *testing.T) {
	brokers := stageTopic(t, []string{"\x1b[35mviolet\x1b[0m"})
	got := onTerminal(t, kafkactlCmd(t, brokers, "consume", "t", "--raw"), 200, "")
	if !strings.Contains(got, "\x1b[35mviolet\x1b[0m") {
		t.Errorf("%q", got)
	}
}

func TestPipeGetsExactlyTheBytesOfRecords(t *testing.T) {
	brokers := stageTopic(t, hostile)
	want := strings.Join(hostile, "\n") + "\n"
	for _, args := range [][]string{
		{"consume", "t"},
		{"consume", "t", "--raw"},
		{"consume", "t", "--color", "always"},
		{"consume", "t", "--last", "100"},
	} {
		out, err := kafkactlCmd(t, brokers, args...).Output()
		if err != nil || string(out) != want {
			t.Errorf("%v: %q, %v", args, out, err)
		}
	}
	cmd := kafkactlCmd(t, brokers, "tail", "t")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(pipe, got); err != nil || string(got) != want {
		t.Errorf("tail: %q, %v", got, err)
	}
	// A reader that goes away while nothing comes ends it.
	_ = pipe.Close()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("after its reader went: %v, want exit 0", err)
		}
	case <-time.After(patience):
		t.Error("still there after its reader went")
	}
}

func TestTerminalPrefixesRecords(t *testing.T) {
	brokers := stageTopic(t, []string{"one", strings.Repeat("wide ", 40)})
	pal := newPalette(true)
	got := onTerminal(t, kafkactlCmd(t, brokers, "consume", "t"), 40, "")
	if want := pal.dim.s("0:0") + " one\r\n"; !strings.HasPrefix(got, want) {
		t.Errorf("consume: %q, want %q first", got, want)
	}
	if !strings.Contains(got, strings.Repeat("wide ", 40)) {
		t.Errorf("consume cut a record: %q", got)
	}
	got = onTerminal(t, kafkactlCmd(t, brokers, "tail", "t", "-q"), 40, "…")
	for _, line := range strings.Split(got, "\r\n") {
		if w := displayWidth(ownColours.ReplaceAllString(line, "")); w > 40 {
			t.Errorf("tail: a line of %d columns in 40: %q", w, line)
		}
	}
}
