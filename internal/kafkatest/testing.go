//go:build unix

package kafkatest

import (
	"os"
	"testing"
)

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
