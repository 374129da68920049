//go:build unix

package matrix

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTheSoftwareOf08 exchanges records and offsets with the programs that came
// with Kafka 0.8.2.2: both of its producers, its console consumer and what shows
// offsets in ZooKeeper.
func TestTheSoftwareOf08(t *testing.T) {
	const release = "0.8.2.2"
	if !slices.Contains(wanted(t), release) {
		t.Skip("only with Kafka " + release)
	}
	t.Parallel()
	b := start(t, release)
	for _, codec := range []string{"gzip", "snappy"} {
		for producer, flags := range map[string][]string{"the Scala producer": nil, "the Java producer": {"--new-producer"}} {
			b.check(t, "we read "+codec+" of "+producer, func(t *testing.T) {
				topic := b.eraTopic(t, append([]string{"--compression-codec", codec}, flags...)...)
				out := b.kafkactl(t, "", "consume", topic, "-K", `\t`).must(t)
				sameLines(t, out, keyed())
			})
		}
		b.check(t, "the console consumer reads ours in "+codec, func(t *testing.T) {
			topic := b.topic(t, "era", 4)
			b.kafkactl(t, strings.Join(keyed(), "\n")+"\n", "produce", topic, "-K", `\t`, "-z", codec).must(t)
			out := b.tool(t, "", "kafka.tools.ConsoleConsumer", "--zookeeper", b.ZooKeeper(), "--topic", topic, "--from-beginning",
				"--max-messages", fmt.Sprint(len(keyed())), "--property", "print.key=true")
			sameLines(t, out, keyed())
		})
	}
	b.check(t, "snappy lies in xerial frames", func(t *testing.T) {
		topic := b.topic(t, "era", 4)
		b.kafkactl(t, strings.Join(keyed(), "\n")+"\n", "produce", topic, "-p", "0", "-z", "snappy").must(t)
		// The value of a message without a key: behind offset, size, checksum,
		// magic, attributes and both lengths.
		value, frame := b.head(t, topic)[26:], []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
		if !bytes.HasPrefix(value, frame) {
			t.Errorf("it begins with % x", value[:16])
		}
	})
	b.check(t, "offsets in ZooKeeper are those of its own tools", func(t *testing.T) { b.eraOffsets(t) })
	t.Logf("matrix: the software of %s: %d checks, %d passed", release, b.checks, b.passed)
}

// eraTopic has a producer of the release write a topic, and kcat count what of
// it is there: those producers ask a leader four times within half a second, and
// end with 0 without the partition of one that has only just been elected. For a
// moment, such a leader answers the question for its end with an error, too.
func (b *bed) eraTopic(t *testing.T, flags ...string) string {
	for range 3 {
		topic := b.topic(t, "era", 4)
		args := append([]string{"--broker-list", b.Brokers(), "--topic", topic, "--property", "parse.key=true"}, flags...)
		b.tool(t, strings.Join(keyed(), "\n")+"\n", "kafka.tools.ConsoleProducer", args...)
		counted := b.kcat(t, "", "-C", "-t", topic, "-o", "beginning", "-e", "-q")
		written := strings.Count(counted.out, "\n")
		if counted.code == 0 && written == len(keyed()) {
			return topic
		}
		t.Logf("of %d lines given to the producer, kcat counts %d: exit %d %s", len(keyed()), written, counted.code, counted.err)
	}
	t.Fatal("kcat did not count all that the producer was given, three times")
	return ""
}

func (b *bed) eraOffsets(t *testing.T) {
	topic := b.filled(t, "era", digits...)
	b.kafkactl(t, "", "offsets", "commit", "-g", "era", topic+":0=7", "--offset-storage", "zookeeper").must(t)
	out := b.tool(t, "", "kafka.tools.ExportZkOffsets", "--zkconnect", b.ZooKeeper(), "--group", "era", "--output-file", b.state+"/offsets")
	text, err := os.ReadFile(b.state + "/offsets")
	if want := "/consumers/era/offsets/" + topic + "/0:7"; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("ExportZkOffsets: %q, %v, want %s (%s)", text, err, want, out)
	}
	// It stops at partitions that nobody has stored an offset for.
	for p := range 3 {
		b.kafkactl(t, "", "offsets", "commit", "-g", "era", fmt.Sprintf("%s:%d=0", topic, p+1), "--offset-storage", "zookeeper").must(t)
	}
	out = b.tool(t, "", "kafka.tools.ConsumerOffsetChecker", "--zookeeper", b.ZooKeeper(), "--group", "era", "--topic", topic)
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 5 && f[0] == "era" && f[2] == "0" {
			if f[3] != "7" || f[4] != "10" || f[5] != "3" {
				t.Errorf("ConsumerOffsetChecker: %q, want offset 7, end 10, lag 3", line)
			}
			return
		}
	}
	t.Errorf("ConsumerOffsetChecker: %s", short(out))
}

// tool runs a program of the broker's own release.
func (b *bed) tool(t *testing.T, stdin, class string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := b.ToolWith(ctx, stdin, class, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sameLines compares lines whatever the order of partitions.
func sameLines(t *testing.T, got string, want []string) {
	t.Helper()
	g := slices.Sorted(strings.Lines(got))
	var w []string
	for _, line := range want {
		w = append(w, line+"\n")
	}
	slices.Sort(w)
	if !slices.Equal(g, w) {
		t.Errorf("%d lines, want %d, or other ones: %s", len(g), len(w), short(got))
	}
}
