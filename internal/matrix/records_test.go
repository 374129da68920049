//go:build unix

package matrix

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// keyed are lines of a key, a tab and a value, enough for several batches and
// for blocks that compress.
func keyed() []string {
	var lines []string
	for i := range 3000 {
		lines = append(lines, fmt.Sprintf("k%d\tline %d %s", i%13, i, strings.Repeat("abc ", i%40)))
	}
	return lines
}

// format is the works of a message format: every compression it knows, written
// by us and by kcat, read by both, and looked up on the broker's disk.
func format(magic byte, setting string, codecs ...string) func(*testing.T, *bed) {
	return func(t *testing.T, b *bed) {
		var settings []string
		if b.magic() != magic {
			settings = []string{"message.format.version", setting}
		}
		for _, codec := range codecs {
			topic := b.topic(t, "format-"+codec, 4, settings...)
			b.check(t, codec+" of ours", func(t *testing.T) { b.oursPasses(t, topic, codec, magic) })
		}
		for _, codec := range codecs {
			topic := b.topic(t, "kcat-"+codec, 4, settings...)
			b.check(t, codec+" of kcat's", func(t *testing.T) {
				in := strings.Join(keyed(), "\n") + "\n"
				b.kcat(t, in, "-P", "-t", topic, "-p", "0", "-z", codec, "-K", `\t`).must(t)
				wantLines(t, "consume", b.kafkactl(t, "", "consume", topic, "-K", `\t`).must(t), keyed()...)
			})
		}
	}
}

// magic is the format a broker writes unless told otherwise.
func (b *bed) magic() byte {
	switch {
	case b.Version().Before(0, 10):
		return 0
	case b.Version().Before(0, 11):
		return 1
	}
	return 2
}

// oursPasses writes with the program and reads with it and with kcat.
func (b *bed) oursPasses(t *testing.T, topic, codec string, magic byte) {
	in := strings.Join(keyed(), "\n") + "\n"
	b.kafkactl(t, in, "produce", topic, "-p", "0", "-K", `\t`, "-z", codec).must(t)
	wantLines(t, "consume", b.kafkactl(t, "", "consume", topic, "-K", `\t`).must(t), keyed()...)
	wantLines(t, "kcat", b.kcatReads(t, topic), keyed()...)
	head := b.head(t, topic)
	if head[16] != magic {
		t.Errorf("it lies on disk in format %d, want %d", head[16], magic)
	}
	attributes := head[17] // formats 0 and 1
	if magic == 2 {
		attributes = head[22]
	}
	if want := slices.Index([]string{"none", "gzip", "snappy", "lz4", "zstd"}, codec); int(attributes&7) != want {
		t.Errorf("it lies on disk with attributes %#x, want compression %d", attributes, want)
	}
	// From the middle of a compressed set or batch, to the middle of another.
	lines := keyed()
	out := b.kafkactl(t, "", "consume", topic+":0@1001..2003", "-K", `\t`).must(t)
	wantLines(t, "consume in the middle", out, lines[1001:2003]...)
}

// head is the beginning of a partition's oldest log file, which holds at least
// the header of its first batch or message.
func (b *bed) head(t *testing.T, topic string) []byte {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(b.Nodes[0].LogDir(topic, 0), "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log of %s: %v", topic, err)
	}
	text, err := os.ReadFile(slices.Min(logs))
	if err != nil || len(text) < 61 {
		t.Fatalf("the log of %s holds %d bytes: %v", topic, len(text), err)
	}
	return text
}

func zstdWorks(t *testing.T, b *bed) { format(2, "", "zstd")(t, b) }

func headersWork(t *testing.T, b *bed) {
	b.check(t, "as kcat sees them", func(t *testing.T) {
		topic := b.topic(t, "headers", 4)
		b.kafkactl(t, "one\n", "produce", topic, "-p", "0", "-H", "a=1", "-H", "a=2", "-H", "b").must(t)
		out := b.kcat(t, "", "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", `%h %s\n`).must(t)
		wantLines(t, "kcat", out, "a=1,a=2,b=NULL one")
	})
}

func timestampsWork(t *testing.T, b *bed) {
	b.check(t, "as kcat sees them", func(t *testing.T) {
		topic := b.topic(t, "timestamps", 4, "retention.ms", "-1")
		b.kafkactl(t, "one\n", "produce", topic, "-p", "0", "--timestamp", "1700000000123ms").must(t)
		out := b.kcat(t, "", "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", `%T %s\n`).must(t)
		wantLines(t, "kcat", out, "1700000000123 one")
	})
}

func idempotenceWorks(t *testing.T, b *bed) {
	b.check(t, "batches bear a producer id", func(t *testing.T) {
		head := b.head(t, b.filled(t, "idempotent", "a", "b"))
		if id := int64(binary.BigEndian.Uint64(head[43:])); id < 0 {
			t.Errorf("the batch on disk has producer id %d", id)
		}
	})
}

func idempotenceLacks(t *testing.T, b *bed) {
	b.check(t, "producing goes on without, and -v says so", func(t *testing.T) {
		r := b.kafkactl(t, "a\n", "produce", b.topic(t, "plain", 4), "-v")
		r.must(t)
		b.names(t, r, "0.11.0")
	})
}

func acksWork(t *testing.T, b *bed) {
	for _, acks := range []string{"0", "1", "all"} {
		b.check(t, "acks "+acks, func(t *testing.T) {
			topic := b.topic(t, "acks", 4)
			r := b.kafkactl(t, "a\nb\n", "produce", topic, "-p", "0", "--acks", acks, "--receipts")
			want := topic + " 0 0\n" + topic + " 0 1\n"
			if acks == "0" {
				want = topic + " 0 -\n" + topic + " 0 -\n"
			}
			if out := r.must(t); out != want {
				t.Errorf("receipts %q, want %q", out, want)
			}
			// Nothing tells when a record nobody acknowledged has arrived.
			eventually(t, func() error {
				if out := b.kafkactl(t, "", "consume", topic).must(t); out != "a\nb\n" {
					return fmt.Errorf("consume: %q", out)
				}
				return nil
			})
		})
	}
}

// replicasWork waits for two replicas of two brokers, which are started for it.
func replicasWork(t *testing.T, b *bed) {
	two, err := kafkatest.Start(t.Context(), kafkatest.Options{Version: b.release, Nodes: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := two.Stop(); err != nil {
			t.Errorf("stop the brokers: %v", err)
		}
	})
	b.check(t, "acks 2 of 2", func(t *testing.T) {
		pair := &bed{Cluster: two, release: b.release, state: b.state}
		topic := pair.topic(t, "replicated", 4)
		r := pair.kafkactl(t, "a\nb\n", "produce", topic, "-p", "1", "--acks", "2", "--receipts")
		wantLines(t, "receipts", r.must(t), topic+" 1 0", topic+" 1 1")
		wantLines(t, "consume", pair.kafkactl(t, "", "consume", topic).must(t), "a", "b")
	})
}
