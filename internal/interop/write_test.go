//go:build unix

package interop

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/kafkatest"
)

// produce writes records to partition 0 with kafkactl, all with the headers and
// the timestamp of the first.
func produce(t *testing.T, topic, codec string, records []rec) {
	t.Helper()
	args := []string{"produce", topic, "-z", codec, "-p", "0", "-K", fieldArg, "-D", recordArg, "--null", nullWord,
		"--timestamp", fmt.Sprintf("%dms", records[0].timestamp)}
	for _, h := range records[0].headers {
		if h.value == nil {
			args = append(args, "-H", h.name)
		} else {
			args = append(args, "-H", h.name+"="+string(h.value))
		}
	}
	kafkactl(t, framed(records), args...).must(t, "kafkactl produce")
}

func TestOthersReadWhatWeWrite(t *testing.T) {
	kafkatest.Brokers(t)
	word := "ours" + strconv.FormatInt(time.Now().UnixNano(), 36)
	topics, want := map[string]string{}, map[string][]rec{}
	var names []string
	for _, codec := range codecs {
		name := topic(t, word+"-"+codec, 1)
		topics[codec], want[codec] = name, corpus(codec, commonHeaders())
		produce(t, name, codec, want[codec])
		names = append(names, name)
	}
	t.Run("kcat", func(t *testing.T) {
		for _, codec := range codecs {
			t.Run(codec, func(t *testing.T) { same(t, readKcat(t, topics[codec]), want[codec]) })
		}
	})
	for _, library := range []string{"confluent", "kafka-python"} {
		t.Run(library, func(t *testing.T) {
			got := readPython(t, library, names...)
			for _, codec := range codecs {
				t.Run(codec, func(t *testing.T) { same(t, got[topics[codec]], want[codec]) })
			}
		})
	}
	t.Run("Java console consumer", func(t *testing.T) { consoleReads(t, word, topics, want) })
	t.Run("Java consumer performance", func(t *testing.T) { performanceReads(t, word, want) })
	t.Run("kafkactl", func(t *testing.T) {
		for _, codec := range codecs {
			t.Run(codec, func(t *testing.T) { same(t, readOurs(t, topics[codec], 1), want[codec]) })
		}
	})
}

// consoleReads has one Java read all topics, since each start costs seconds. It
// does not say which topic a record is of, and mixes them; the records of one
// are told by what they say, and the few that are the same in all are counted.
func consoleReads(t *testing.T, word string, topics map[string]string, want map[string][]rec) {
	var lines []string
	for _, codec := range codecs {
		for _, r := range want[codec] {
			lines = append(lines, consoleLine(r))
		}
	}
	got := consoleRead(t, word+"-.*", len(lines))
	slices.Sort(lines)
	slices.Sort(got)
	for i := range min(len(got), len(lines)) {
		if got[i] != lines[i] {
			t.Fatalf("line %d:\n got  %q\n want %q", i, got[i], lines[i])
		}
	}
	if len(got) != len(lines) {
		t.Fatalf("%d records of %v, want %d", len(got), topics, len(lines))
	}
}

// performanceReads has the performance tool count the records of all topics.
func performanceReads(t *testing.T, word string, want map[string][]rec) {
	count := 0
	for _, records := range want {
		count += len(records)
	}
	out := java(t, nil, "org.apache.kafka.tools.ConsumerPerformance", "--include", word+"-.*", "--hide-header",
		"--num-records", strconv.Itoa(count), "--timeout", "20000").must(t, "ConsumerPerformance")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	fields := strings.Split(lines[len(lines)-1], ", ")
	if len(fields) < 5 || fields[4] != strconv.Itoa(count) {
		t.Fatalf("it counted %q, want %d in the fifth field", lines[len(lines)-1], count)
	}
}

func TestRecordsGetTheTimeTheyWereProducedAt(t *testing.T) {
	name := topic(t, "now", 1)
	before := time.Now().UnixMilli()
	kafkactl(t, []byte("a\nb\n"), "produce", name).must(t, "kafkactl produce")
	after := time.Now().UnixMilli()
	for _, r := range readKcat(t, name) {
		if r.timestamp < before || r.timestamp > after {
			t.Errorf("%v: not between %d and %d", r, before, after)
		}
	}
}

// Keys must go where other clients put them, or a consumer that joins two
// topics by partition finds nothing.
func TestKeysGoToThePartitionsOtherClientsChoose(t *testing.T) {
	kafkatest.Brokers(t)
	const partitions = 7
	var records []rec
	for i := range 200 {
		records = append(records, rec{partition: -1, timestamp: stamp, key: fmt.Appendf(nil, "key-%d-%s", i, strings.Repeat("x", i%13)), value: []byte("v")})
	}
	placed := func(t *testing.T, name string) map[string]int32 {
		where := map[string]int32{}
		for _, r := range readKcat(t, name) {
			where[string(r.key)] = r.partition
		}
		if len(where) != len(records) {
			t.Fatalf("%d keys of %s, want %d", len(where), name, len(records))
		}
		return where
	}
	ours := func(t *testing.T, partitioner string) map[string]int32 {
		name := topic(t, "place-"+partitioner, partitions)
		kafkactl(t, framed(records), "produce", name, "--partitioner", partitioner, "-K", fieldArg, "-D", recordArg).must(t, "produce")
		return placed(t, name)
	}
	compare := func(t *testing.T, got, want map[string]int32) {
		for key, p := range want {
			if got[key] != p {
				t.Fatalf("key %q is in partition %d, the other client chose %d", key, got[key], p)
			}
		}
	}
	for _, library := range []string{"confluent", "kafka-python"} {
		t.Run("murmur2 as "+library, func(t *testing.T) {
			name := topic(t, "place-"+library, partitions)
			writePython(t, library, map[string]string{name: "none"}, map[string][]rec{name: records})
			compare(t, ours(t, "murmur2"), placed(t, name))
		})
	}
	t.Run("crc32 as kcat", func(t *testing.T) {
		name := topic(t, "place-kcat", partitions)
		kcat(t, framed(records), "-P", "-t", name, "-K", fieldArg, "-D", recordArg).must(t, "kcat -P")
		compare(t, ours(t, "crc32"), placed(t, name))
	})
	t.Run("murmur2 as Java", func(t *testing.T) {
		name := topic(t, "place-java", partitions)
		lines := strings.NewReplacer(fieldSep, "\t", recordSep, "\n").Replace(string(framed(records)))
		consoleWrite(t, []byte(lines), name, "none", "parse.key=true")
		compare(t, ours(t, "murmur2"), placed(t, name))
	})
}
