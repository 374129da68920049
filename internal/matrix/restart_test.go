//go:build unix

package matrix

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/kafkatest"
)

// buffer is what a running program writes, for somebody else to look at.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to it.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String is what it holds by now.
func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// running is a program that was left running.
type running struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	out, err buffer
	done     chan struct{}
}

// leave starts the program under test and leaves it running.
func (b *bed) leave(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{done: make(chan struct{})}
	r.cmd = exec.Command(os.Getenv(kafkatest.BinaryVar), append([]string{"-b", b.Brokers()}, args...)...)
	r.cmd.Env = b.environment()
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.err
	var err error
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.done)
		_ = r.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.done
	})
	return r
}

// shows waits until the output so far is text.
func (r *running) shows(t *testing.T, text string) {
	t.Helper()
	eventually(t, func() error {
		select {
		case <-r.done:
			t.Fatalf("it ended: %v\n%s", r.cmd.ProcessState, r.err.String())
		default:
		}
		if got := r.out.String(); got != text {
			return fmt.Errorf("got %s, want %s\n%s", short(got), short(text), r.err.String())
		}
		return nil
	})
}

// ends waits for the program's end and wants a status.
func (r *running) ends(t *testing.T, code int) {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatalf("it does not end\n%s", r.err.String())
	}
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit %d, want %d\n%s", got, code, r.err.String())
	}
}

// restartWorks follows three topics through a restart of the broker: one that
// keeps all it had, one that loses its last record, and one behind a produce
// that goes on meanwhile.
func restartWorks(t *testing.T, b *bed) {
	kept, cut := b.filled(t, "kept", "k0", "k1"), b.topic(t, "cut", 4)
	for _, line := range []string{"c0", "c1", "c2", "c3"} { // one batch each
		b.kafkactl(t, line+"\n", "produce", cut, "-p", "0").must(t)
	}
	followed := b.leave(t, "tail", kept)
	truncated := b.leave(t, "tail", cut)
	late := b.leave(t, "produce", kept, "-p", "0", "--timeout", "2m")
	if _, err := late.in.Write([]byte("k2\n")); err != nil {
		t.Fatal(err)
	}
	followed.shows(t, "k0\nk1\nk2\n")
	truncated.shows(t, "c0\nc1\nc2\nc3\n")
	node := b.Nodes[0]
	// A crash, where the cluster does not take the broker for alive for a while
	// yet, as ZooKeeper does.
	down := node.Kill
	if b.ZooKeeper() != "" {
		down = node.Stop
	}
	if err := down(); err != nil {
		t.Fatal(err)
	}
	if err := chop(node.LogDir(cut, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := late.in.Write([]byte("k3\n")); err != nil {
		t.Fatal(err)
	}
	if err := late.in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.check(t, "produce arrives", func(t *testing.T) { late.ends(t, 0) })
	b.check(t, "tail goes on", func(t *testing.T) {
		b.kafkactl(t, "k4\n", "produce", kept, "-p", "0").must(t)
		followed.shows(t, "k0\nk1\nk2\nk3\nk4\n")
	})
	b.check(t, "a truncation is told and passed", func(t *testing.T) {
		eventually(t, func() error {
			if said := truncated.err.String(); !strings.Contains(said, "warning") || !strings.Contains(said, cut+":0") {
				return fmt.Errorf("no warning of the truncation: %q", said)
			}
			return nil
		})
		b.kafkactl(t, "new\n", "produce", cut, "-p", "0").must(t)
		truncated.shows(t, "c0\nc1\nc2\nc3\nnew\n")
	})
	b.check(t, "tail ends at a signal", func(t *testing.T) {
		for _, r := range []*running{followed, truncated} {
			if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			r.ends(t, 143)
		}
	})
}

// chop takes the last batch or message off a partition's log, as a leader does
// that never had it, and the indexes that would still speak of it.
func chop(dir string) error {
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) == 0 {
		return fmt.Errorf("no log in %s: %w", dir, err)
	}
	log := slices.Max(logs)
	text, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	last := 0
	for at := 0; at+12 <= len(text); {
		size := int(binary.BigEndian.Uint32(text[at+8:]))
		if size == 0 || at+12+size > len(text) {
			break // room the broker has set aside
		}
		last, at = at, at+12+size
	}
	if last == 0 {
		return fmt.Errorf("%s holds fewer than two entries", log)
	}
	indexes, err := filepath.Glob(filepath.Join(dir, "*index"))
	if err != nil {
		return err
	}
	for _, index := range indexes {
		if err := os.Remove(index); err != nil {
			return err
		}
	}
	return os.Truncate(log, int64(last))
}
