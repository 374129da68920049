//go:build unix

package kafkatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BinaryVar names the environment variable with the kafkactl under test; Main
// builds it where it is unset.
const BinaryVar = "KAFKACTL_TEST_BINARY"

// Main runs tests of the program and gives their exit status. Unless they will
// all be skipped, it builds the program first.
func Main(m *testing.M, skipped bool) int {
	if skipped || os.Getenv(BinaryVar) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "kafkactl-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "kafkactl")
	build := exec.Command("go", "build", "-o", binary, "kafkactl/cmd/kafkactl")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build kafkactl:", err)
		return 1
	}
	os.Setenv(BinaryVar, binary)
	return m.Run()
}

// BrokersVar names the environment variable that points tests at a running
// cluster of real brokers, host:port,….
const BrokersVar = "KAFKACTL_TEST_BROKERS"

// Brokers returns the real cluster tests were pointed at, or skips the test.
func Brokers(t testing.TB) string {
	t.Helper()
	brokers := os.Getenv(BrokersVar)
	if brokers == "" {
		t.Skip("needs real brokers: set " + BrokersVar + ", or use scripts/kafka run")
	}
	return brokers
}

// New runs a cluster for the length of a test. It is skipped where no real
// brokers are wanted (see Brokers), since starting one takes seconds and Java.
func New(t testing.TB, o Options) *Cluster {
	t.Helper()
	Brokers(t)
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stop the cluster: %v", err)
		}
	})
	return c
}
