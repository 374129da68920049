//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// attacks are what a terminal would act on outside the line it stands in. The
// last says that all before it were shown.
var attacks = []string{
	"\x1b]0;owned\a", "\x1b]2;owned\x1b\\", "\x1bkowned\x1b\\", "\x1b]52;c;b3duZWQ=\a", "\x1bPtmux;\x1b\x1b]52;c;b3duZWQ=\a\x1b\\",
	"\x1b[2J\x1b[H", "\x1b[5A\x1b[2K", "\x1b[10;10H", "\x1b7\x1b[1;1H\x1b8", "\x1b[?1049h", "\x1bc", "\x1b[3;5r", "\x1b[?25l", "\x1b(0",
	"\x1b[6n\x1b[c\x1b[>c\x1b[21t\x1bP$q\"p\x1b\\\x05", "\u009b2J\u009d0;owned\u009c", "\x9b2J\x9d0;owned\x9c\x8d",
	"\u202eevil\u202c\u2066x\u2069", "\xff\xfe\xc3", "nul\x00bel\a\x7f\b\b\b\b\r\n\v\f\x0e\x0f",
	`{"a":"\u001b[2J","` + "\u202e\u009b2J" + `":[1,"\u0007"]}`, "the-last",
}

// emulator is a tmux of its own.
type emulator struct {
	t      *testing.T
	socket string
}

func newEmulator(t *testing.T) *emulator {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: no terminal emulator to try")
	}
	dir, err := os.MkdirTemp("", "kafkactl") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	e := &emulator{t, filepath.Join(dir, "s")}
	t.Cleanup(func() {
		_ = e.cmd("kill-server").Run()
		_ = os.RemoveAll(dir)
	})
	return e
}

func (e *emulator) cmd(args ...string) *exec.Cmd {
	cmd := exec.Command("tmux", append([]string{"-u", "-f", "/dev/null", "-S", e.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TMUX=")
	return cmd
}

func (e *emulator) tmux(args ...string) string {
	out, err := e.cmd(args...).CombinedOutput()
	if err != nil {
		e.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return strings.TrimRight(string(out), "\n")
}

// typed types a line.
func (e *emulator) typed(line string) {
	e.tmux("send-keys", "-l", line)
	e.tmux("send-keys", "Enter")
}

// until waits for text to stand on the screen and gives what does then.
func (e *emulator) until(text string) string {
	var screen string
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if screen = e.tmux("capture-pane", "-p", "-S", "-"); strings.Contains(screen, text) {
			return screen
		}
		if time.Now().After(deadline) {
			e.t.Fatalf("%s never came; the screen is\n%s", text, screen)
		}
	}
}

func TestAttacksChangeNothingOutsideTheirLines(t *testing.T) {
	newEmulator(t)
	brokers := stageTopic(t, nil)
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for _, a := range attacks {
		r := &kgo.Record{Key: []byte(a), Value: []byte(a), Headers: []kgo.RecordHeader{{Key: a, Value: []byte(a)}}}
		if err := cl.ProduceSync(context.Background(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	hostileGroups(t, brokers)
	bad := filepath.Join(t.TempDir(), "bad.jsonl")
	if err := os.WriteFile(bad, []byte(`{"value":"x","`+"\u009d0;owned\u009c\u009b2J\u202e"+`":1}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := len(attacks)
	for _, c := range []struct {
		args  string
		lines int // 0: some
		end   bool
	}{
		{"consume t", all, true},
		{"consume t -K ' = '", all, true},
		{"consume t -J", all, true},
		{"consume t --value-as json", all, true},
		{"consume t --select '[.key,.value,.headers]'", all, true},
		{"tail t -n 100 --select .value --wrap", 0, false},
		{`consume t -f '%k %s %h %h{a}\n'`, all, true},
		{"consume t --wrap", 0, true},
		{"consume t --color never", all, true},
		{"consume t '^none' --follow", all, false},
		{"tail t -n 100", all, false},
		{"tail t -n 100 --wrap", 0, false},
		{"tail t -n 100 -J", all, false},
		{"produce t -J " + bad, 0, true},
		{"groups list", 0, true},
		{"groups list -o tsv", 0, true},
		{"groups list -J", 0, true},
		{"groups members " + shellQuoted(badName+"2"), 0, true},
		{"groups members " + shellQuoted(badName+"2") + " -o tsv", 0, true},
		{"groups members " + shellQuoted(badName+"2") + " -J", 0, true},
		{"offsets get --all-groups", 0, true},
		{"offsets get --all-groups -o tsv", 0, true},
		{"offsets get --all-groups -J", 0, true},
		{"offsets export -g " + shellQuoted(badName), 0, true},
	} {
		t.Run(c.args, func(t *testing.T) { attack(t, brokers, c.args, c.lines, c.end) })
	}
}

// badName is a group's, a client's and a committed offset's metadata.
const badName = "\x1b]0;owned\a\x1b[2J\u009b2J\u009d0;owned\u009c\u202eowned\x7f"

func shellQuoted(s string) string { return "'" + s + "'" }

// hostileGroups has a group without members and one with a member, of such names.
func hostileGroups(t *testing.T, brokers string) {
	if out, err := kafkactlCmd(t, brokers, "offsets", "commit", "-g", badName, "t:0=1", "--metadata", badName).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	member, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.ClientID(badName),
		kgo.ConsumerGroup(badName+"2"), kgo.InstanceID(badName), kgo.ConsumeTopics("t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(member.Close)
	for f := member.PollFetches(t.Context()); f.Empty(); f = member.PollFetches(t.Context()) {
		if err := f.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func attack(t *testing.T, brokers, args string, lines int, ends bool) {
	e := newEmulator(t)
	path, err := exec.LookPath("kafkactl")
	if err != nil {
		t.Fatal(err)
	}
	script := "stty -echoctl; trap : INT; echo CANARY-A; " + path + " " + args + "; echo CANARY-B; cat"
	e.tmux("new-session", "-d", "-x", "700", "-y", "60", "-e", "KAFKACTL_BROKERS="+brokers, "-e", "HOME="+t.TempDir(), "sleep 1000")
	e.tmux("set-option", "-g", "set-clipboard", "on")
	e.tmux("set-option", "-g", "allow-rename", "on")
	e.tmux("set-option", "-g", "allow-passthrough", "on")
	title := e.tmux("display-message", "-p", "#{pane_title}")
	e.tmux("respawn-pane", "-k", "-e", "KAFKACTL_BROKERS="+brokers, "-e", "HOME="+t.TempDir(), script)
	if !ends {
		e.until("the-last")
		e.tmux("send-keys", "C-c")
	}
	screen := e.until("CANARY-B")
	between, ok := strings.CutPrefix(screen, "CANARY-A\n")
	between, after, _ := strings.Cut(between, "CANARY-B")
	if !ok || strings.TrimSpace(after) != "" {
		t.Errorf("what stands around it has changed:\n%s", screen)
	}
	shown := strings.Split(strings.TrimSuffix(between, "\n"), "\n")
	if ours := func(s string) bool { return strings.HasPrefix(s, "note: ") || strings.HasPrefix(s, "warning: ") }; lines > 0 {
		n := 0
		for _, s := range shown {
			if !ours(s) {
				n++
			}
		}
		if n != lines {
			t.Errorf("%d lines of %d records:\n%s", n, lines, screen)
		}
	}
	if args != "" && !strings.Contains(between, "owned") {
		t.Errorf("the attack is not shown:\n%s", screen)
	}
	if got := e.tmux("display-message", "-p", "#{pane_title}"); got != title {
		t.Errorf("the title is %q now, was %q", got, title)
	}
	state := e.tmux("display-message", "-p", "#{cursor_x} #{alternate_on} #{cursor_flag} #{scroll_region_upper} #{scroll_region_lower}")
	if state != "0 0 1 0 59" {
		t.Errorf("cursor, alternate screen, cursor shown, scroll region: %s", state)
	}
	if got := e.tmux("list-buffers"); got != "" {
		t.Errorf("the clipboard has %s", got)
	}
}
