//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// releasesVar lists the releases of Kafka to try, blank-separated. Each takes
// some ten seconds.
const releasesVar = "KAFKACTL_TEST_RELEASES"

// TestEveryReleaseTakesAndGivesRecords moves records through brokers of every
// age, with kcat as the witness of both directions.
func TestEveryReleaseTakesAndGivesRecords(t *testing.T) {
	releases := strings.Fields(os.Getenv(releasesVar))
	if len(releases) == 0 {
		t.Skip("starts brokers of its own: set " + releasesVar + ", such as \"0.8.2.2 0.11.0.3 4.4.0\"")
	}
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			c := kafkatest.New(t, kafkatest.Options{Version: release})
			t.Setenv(kafkatest.BrokersVar, c.Brokers())
			var old []string
			if c.Version().Before(0, 10) {
				fallback := "broker.version.fallback=" + strings.Join(strings.Split(release, ".")[:3], ".")
				old = []string{"-X", "api.version.request=false", "-X", fallback}
			}
			for _, codec := range codecs {
				if codec == "zstd" && c.Version().Before(2, 1) {
					continue // KIP-110
				}
				t.Run("ours "+codec, func(t *testing.T) { releaseReadsOurs(t, codec, old) })
				t.Run("kcats "+codec, func(t *testing.T) { releaseReadsKcats(t, codec, old) })
			}
			t.Run("a missing topic", func(t *testing.T) {
				r := kafkactl(t, nil, "consume", "no-such-topic")
				if r.code != 6 {
					t.Errorf("a missing topic: exit %d, want 6\n%s", r.code, r.err)
				}
			})
		})
	}
}

// releaseLines are keyed lines, enough for several batches.
func releaseLines() []byte {
	var in bytes.Buffer
	for i := range 3000 {
		fmt.Fprintf(&in, "k%d\tline %d %s\n", i%13, i, strings.Repeat("abc ", i%40))
	}
	return in.Bytes()
}

// sameLines compares lines whatever the order of partitions.
func sameLines(t *testing.T, what, got string) {
	t.Helper()
	g, w := slices.Sorted(strings.Lines(got)), slices.Sorted(strings.Lines(string(releaseLines())))
	if !slices.Equal(g, w) {
		t.Errorf("%s: %d lines, want %d, or other ones", what, len(g), len(w))
	}
}

func releaseReadsOurs(t *testing.T, codec string, old []string) {
	name := "ours-" + codec
	kafkactl(t, releaseLines(), "produce", name, "--create", "-K", `\t`, "-z", codec).must(t, "produce")
	sameLines(t, "kafkactl", kafkactl(t, nil, "consume", name, "-K", `\t`).must(t, "consume"))
	args := append([]string{"-C", "-t", name, "-o", "beginning", "-e", "-q", "-K", `\t`}, old...)
	sameLines(t, "kcat", kcat(t, nil, args...).must(t, "kcat -C"))
}

func releaseReadsKcats(t *testing.T, codec string, old []string) {
	path, err := exec.LookPath("kcat")
	if err != nil {
		t.Skip("needs kcat: ", err)
	}
	name := "kcats-" + codec
	args := append([]string{path, "-b", kafkatest.Brokers(t), "-P", "-t", name, "-K", `\t`, "-z", codec}, old...)
	if r := command(t, releaseLines(), args...); r.code != 0 {
		t.Skipf("kcat cannot write it: %s", r.err)
	}
	sameLines(t, "kafkactl", kafkactl(t, nil, "consume", name, "-K", `\t`).must(t, "consume"))
}
