//go:build unix

package interop

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

// Environment variables that say what there is to test against, besides
// kafkatest.BrokersVar.
const (
	pythonVar = "KAFKACTL_TEST_PYTHON"  // a Python with confluent_kafka and kafka
	kafkaVar  = "KAFKACTL_TEST_VERSION" // release whose Java tools to use
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m, os.Getenv(kafkatest.BrokersVar) == "")) }

// codecs are the compressions every client must agree on.
var codecs = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// result is what a program did.
type result struct {
	out, err string
	code     int
}

// command runs a program to its end, which must come within two minutes.
func command(t *testing.T, stdin []byte, argv ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	// The program under test warns of variables that look like its own.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "KAFKACTL_") })
	return finish(t, ctx, cmd, stdin)
}

func finish(t *testing.T, ctx context.Context, cmd *exec.Cmd, stdin []byte) result {
	t.Helper()
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), errors.Join(err, ctx.Err()), said.String())
	}
	return result{out.String(), said.String(), cmd.ProcessState.ExitCode()}
}

// must fails the test unless the program ended well, and returns its output.
func (r result) must(t *testing.T, what string) string {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("%s: exit %d\n%s", what, r.code, r.err)
	}
	return r.out
}

// kafkactl runs the program under test.
func kafkactl(t *testing.T, stdin []byte, args ...string) result {
	t.Helper()
	return command(t, stdin, append([]string{os.Getenv(kafkatest.BinaryVar), "-b", kafkatest.Brokers(t)}, args...)...)
}

// kcat runs kcat, or skips the test where there is none.
func kcat(t *testing.T, stdin []byte, args ...string) result {
	t.Helper()
	path, err := exec.LookPath("kcat")
	if err != nil {
		t.Skip("needs kcat: ", err)
	}
	return command(t, stdin, append([]string{path, "-b", kafkatest.Brokers(t)}, args...)...)
}

// java runs one of Kafka's own tools, or skips the test where there is no Java.
// It tries for five minutes, since the first run may fetch jars.
func java(t *testing.T, stdin []byte, class string, args ...string) result {
	t.Helper()
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("needs Java: ", err)
	}
	release := os.Getenv(kafkaVar)
	if release == "" {
		release = "4.3.1"
	}
	version, err := kafkatest.ParseVersion(release)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	args = append([]string{"--bootstrap-server", kafkatest.Brokers(t)}, args...)
	cmd, err := kafkatest.Tool(ctx, version, t.TempDir(), class, args...)
	if err != nil {
		t.Fatal(err)
	}
	return finish(t, ctx, cmd, stdin)
}

// topic makes a topic of a name of its own, with settings as name, value pairs.
// It keeps records for ever: those of these tests bear times long past.
func topic(t *testing.T, name string, partitions int, settings ...string) string {
	t.Helper()
	addr, _, _ := strings.Cut(kafkatest.Brokers(t), ",")
	name = fmt.Sprintf("%s-%d", name, time.Now().UnixNano())
	settings = append(settings, "retention.ms", "-1")
	if err := kafkatest.CreateTopic(t.Context(), addr, name, partitions, 1, settings...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := kafkatest.DeleteTopic(ctx, addr, name); err != nil {
			t.Error(err)
		}
	})
	return name
}
