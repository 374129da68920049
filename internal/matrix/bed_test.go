//go:build unix

package matrix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/kafkatest"
)

// patience bounds whatever a broker is waited for.
const patience = time.Minute

// bed is one running broker and what was checked on it.
type bed struct {
	*kafkatest.Cluster
	release        string
	checks, passed int
	topics         int
	state          string // where the program keeps its journal
}

// check is one thing that is tried and counted.
func (b *bed) check(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	b.checks++
	if t.Run(name, f) {
		b.passed++
	}
}

// result is what a program did.
type result struct {
	out, err string
	code     int
}

// must fails the test unless the program ended well, and returns its output.
func (r result) must(t *testing.T) string {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	return r.out
}

// command runs a program to its end.
func (b *bed) command(t *testing.T, stdin string, argv ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = b.environment()
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), errors.Join(err, ctx.Err()), said.String())
	}
	return result{out.String(), said.String(), cmd.ProcessState.ExitCode()}
}

// environment is ours without what the program under test would take for its
// own, and with a place of the test's for what it keeps.
func (b *bed) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "KAFKACTL_") })
	return append(env, "XDG_STATE_HOME="+b.state, "XDG_CONFIG_HOME="+b.state)
}

// kafkactl runs the program under test.
func (b *bed) kafkactl(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return b.command(t, stdin, append([]string{os.Getenv(kafkatest.BinaryVar), "-b", b.Brokers()}, args...)...)
}

// kcat runs kcat, told how old the broker is where it cannot ask.
func (b *bed) kcat(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	path, err := exec.LookPath("kcat")
	if err != nil {
		t.Skip("needs kcat: ", err)
	}
	argv := []string{path, "-b", b.Brokers(), "-X", "check.crcs=true"}
	if b.Version().Before(0, 10) {
		fallback := strings.Join(strings.Split(b.release, ".")[:3], ".")
		argv = append(argv, "-X", "api.version.request=false", "-X", "broker.version.fallback="+fallback)
	}
	return b.command(t, stdin, append(argv, args...)...)
}

// kcatReads gives a partition's records as key, tab, value lines.
func (b *bed) kcatReads(t *testing.T, topic string) string {
	t.Helper()
	return b.kcat(t, "", "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-K", `\t`).must(t)
}

// topic makes a topic of a name of its own. Four partitions without settings
// cost least on old brokers, which make such ones by themselves.
func (b *bed) topic(t *testing.T, name string, partitions int, settings ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b.topics++
	name = fmt.Sprintf("%s-%d", name, b.topics)
	if err := b.CreateTopic(ctx, name, partitions, settings...); err != nil {
		t.Fatal(err)
	}
	return name
}

// filled is a topic whose partition 0 holds lines.
func (b *bed) filled(t *testing.T, name string, lines ...string) string {
	t.Helper()
	topic := b.topic(t, name, 4)
	b.kafkactl(t, strings.Join(lines, "\n")+"\n", "produce", topic, "-p", "0").must(t)
	return topic
}

// wantLines compares lines in order.
func wantLines(t *testing.T, what, got string, want ...string) {
	t.Helper()
	text := strings.Join(want, "\n")
	if len(want) > 0 {
		text += "\n"
	}
	if got != text {
		t.Errorf("%s: got %s\nwant %s", what, short(got), short(text))
	}
}

// short is a text that may be long, for a message.
func short(s string) string {
	if len(s) > 600 {
		return fmt.Sprintf("%q… (%d bytes, %d lines)", s[:600], len(s), strings.Count(s, "\n"))
	}
	return fmt.Sprintf("%q", s)
}

// eventually repeats a look at a broker that tells nobody when it is through.
func eventually(t *testing.T, look func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := look()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
