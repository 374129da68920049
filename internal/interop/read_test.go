//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// consoleWrite is Kafka's console producer.
func consoleWrite(t *testing.T, lines []byte, topic, codec string, properties ...string) {
	t.Helper()
	args := []string{"--topic", topic, "--compression-codec", codec}
	for _, p := range properties {
		args = append(args, "--reader-property", p)
	}
	java(t, lines, "org.apache.kafka.tools.ConsoleProducer", args...).must(t, "ConsoleProducer")
}

// checkRead reads a topic of one partition with our engine and through the
// command, and wants both to see the records.
func checkRead(t *testing.T, name string, want []rec, anyTime bool) {
	t.Helper()
	got := readOurs(t, name, 1)
	if anyTime {
		for i := range got {
			got[i].timestamp = stamp
		}
	}
	same(t, got, want)
	out := kafkactl(t, nil, "consume", name, "-K", fieldArg, "-D", recordArg, "--null", nullWord).must(t, "kafkactl consume")
	same(t, unframe(t, out), bare(want))
}

func TestWeReadWhatKcatWrites(t *testing.T) {
	kafkatest.Brokers(t)
	for _, codec := range codecs {
		t.Run(codec, func(t *testing.T) {
			name := topic(t, "kcat-"+codec, 1)
			// kcat cannot tell null from empty, and reads no null header.
			var want []rec
			for _, r := range corpus(codec, []header{{"a", []byte("1")}, {"a", []byte("2")}, {"b", []byte{}}}) {
				if len(r.key) > 0 && len(r.value) > 0 {
					r.offset = int64(len(want))
					want = append(want, r)
				}
			}
			kcat(t, framed(want), "-P", "-t", name, "-p", "0", "-z", codec, "-K", fieldArg, "-D", recordArg,
				"-H", "a=1", "-H", "a=2", "-H", "b=").must(t, "kcat -P")
			checkRead(t, name, want, true)
		})
	}
}

func TestWeReadWhatPythonClientsWrite(t *testing.T) {
	kafkatest.Brokers(t)
	for _, library := range []string{"confluent", "kafka-python"} {
		t.Run(library, func(t *testing.T) {
			topics, want := map[string]string{}, map[string][]rec{}
			for _, codec := range codecs {
				name := topic(t, library+"-"+codec, 1)
				records := corpus(codec, commonHeaders())
				if library == "kafka-python" {
					records = kafkaPythonTakes(codec)
				}
				topics[name], want[name] = codec, records
				for i := range want[name] {
					want[name][i].timestamp += int64(i * 1000)
				}
			}
			writePython(t, library, topics, want)
			for name, codec := range topics {
				t.Run(codec, func(t *testing.T) { checkRead(t, name, want[name], false) })
			}
		})
	}
}

// kafkaPythonTakes is the corpus without what that library refuses to write: a
// null header, and a record of nothing.
func kafkaPythonTakes(word string) (out []rec) {
	headers := commonHeaders()
	for _, r := range corpus(word, headers[:len(headers)-1]) {
		if r.key != nil || r.value != nil {
			r.offset = int64(len(out))
			out = append(out, r)
		}
	}
	return out
}

func TestWeReadWhatJavaToolsWrite(t *testing.T) {
	kafkatest.Brokers(t)
	for _, codec := range codecs {
		t.Run("console producer, "+codec, func(t *testing.T) {
			name := topic(t, "console-"+codec, 1)
			headers := []header{{"a", []byte("1")}, {"a", []byte("2")}, {"none", nil}, {"ü", []byte("ß")}}
			var want []rec
			var in bytes.Buffer
			for _, r := range corpus(codec, headers) {
				text := string(r.key) + string(r.value)
				if len(r.key) == 0 || r.value != nil && len(r.value) == 0 || strings.ToValidUTF8(text, "") != text || strings.ContainsAny(text, "\n\t") {
					continue // no text line, or a part the tool refuses
				}
				value := string(r.value)
				if r.value == nil {
					value = nullWord
				}
				fmt.Fprintf(&in, "a:1,a:2,none:%s,ü:ß\t%s\t%s\n", nullWord, r.key, value)
				r.offset = int64(len(want))
				want = append(want, r)
			}
			consoleWrite(t, in.Bytes(), name, codec, "parse.key=true", "parse.headers=true", "null.marker="+nullWord)
			checkRead(t, name, want, true)
		})
		t.Run("producer performance, "+codec, func(t *testing.T) {
			name := topic(t, "performance-"+codec, 4)
			const count = 20000
			java(t, nil, "org.apache.kafka.tools.ProducerPerformance", "--topic", name, "--num-records", fmt.Sprint(count),
				"--payload-monotonic", "--throughput", "-1", "--command-property", "compression.type="+codec,
				"linger.ms=20").must(t, "ProducerPerformance")
			out := kafkactl(t, nil, "consume", name).must(t, "kafkactl consume")
			seen := make(map[string]bool, count)
			for line := range strings.Lines(out) {
				seen[line] = true
			}
			for i := range count {
				if !seen[fmt.Sprintf("%d\n", i)] {
					t.Fatalf("record %d is missing", i)
				}
			}
			if n := strings.Count(out, "\n"); n != count {
				t.Errorf("%d records, want %d", n, count)
			}
		})
	}
}
