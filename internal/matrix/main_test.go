//go:build unix

package matrix

import (
	"os"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// releasesVar lists the releases to try, blank-separated, or says "all". Each
// takes about half a minute of one core.
const releasesVar = "KAFKACTL_TEST_RELEASES"

// releases are those of the table: the oldest there is, the first with groups,
// the last of each record format, the last with ZooKeeper, the first without
// the old APIs, the newest.
var releases = [...]string{"0.8.2.2", "0.9.0.1", "0.10.2.2", "0.11.0.3", "1.1.1", "2.8.2", "3.9.1", "4.0.0", "4.4.0"}

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m, os.Getenv(releasesVar) == "")) }

// wanted are the releases that were asked for.
func wanted(t *testing.T) []string {
	t.Helper()
	text := os.Getenv(releasesVar)
	if text == "" {
		t.Skip("starts brokers of its own: set " + releasesVar + "=all, or to releases such as \"0.8.2.2 4.4.0\"")
	}
	if text == "all" {
		return releases[:]
	}
	return strings.Fields(text)
}

// TestMatrix checks every capability on every release: that it works where the
// release has it, that it is refused by name where not.
func TestMatrix(t *testing.T) {
	for _, release := range wanted(t) {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			b := start(t, release)
			for _, c := range capabilities() {
				t.Run(c.name, func(t *testing.T) { c.check(t, b) })
			}
			t.Logf("matrix: %s: %d checks, %d passed", release, b.checks, b.passed)
		})
	}
}

// start runs a broker of a release for the length of a test.
func start(t *testing.T, release string) *bed {
	t.Helper()
	version, err := kafkatest.ParseVersion(release)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kafkatest.Start(t.Context(), kafkatest.Options{Version: release, ZooKeeper: version.Before(4),
		Properties: []string{"log.retention.check.interval.ms=1000", "log.segment.delete.delay.ms=100"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Errorf("stop the broker: %v", err)
		}
	})
	return &bed{Cluster: cluster, release: release, state: t.TempDir()}
}
