//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// anything is random bytes, often null or empty, often what text and JSON stumble over.
func anything(rng *rand.Rand, most int) []byte {
	switch rng.IntN(8) {
	case 0:
		return nil
	case 1:
		return []byte{}
	}
	b := make([]byte, rng.IntN(most))
	for i := range b {
		b[i] = byte(rng.UintN(256))
	}
	switch rng.IntN(3) {
	case 0:
		return []byte(strings.ToValidUTF8(string(b), "\u2028\x00\n\"\\é"))
	case 1:
		return []byte(fmt.Sprintf(`{"n": %d, "s": "%x"}`, rng.Int(), b))
	}
	return b
}

// anyRecords are records that hold what Kafka allows, in three partitions.
func anyRecords(n int) (out []rec) {
	rng := rand.New(rand.NewPCG(21, 22))
	names := []string{"a", "b", "trace-id", "ü", "", "comma,equals=", "line\nbreak"}
	for range n {
		r := rec{partition: rng.Int32N(3), timestamp: stamp - rng.Int64N(1<<40), key: anything(rng, 40), value: anything(rng, 200)}
		if rng.IntN(2) == 0 {
			for range rng.IntN(21) {
				r.headers = append(r.headers, header{names[rng.IntN(len(names))], anything(rng, 12)})
			}
		}
		out = append(out, r)
	}
	return out
}

// Whatever another client wrote comes through JSON lines and through a binary
// format to another topic as it was, as that client and Kafka's own read it.
func TestRecordsSurviveBeingPrintedAndRead(t *testing.T) {
	kafkatest.Brokers(t)
	const count = 50000 // of each type of timestamp
	const binary = `%p{big32}%T{varint}%K{varint}%S{little32}%H{block}%k%s`
	for _, times := range []string{"CreateTime", "LogAppendTime"} {
		t.Run(times, func(t *testing.T) {
			from := topic(t, "printed-"+times, 3, "message.timestamp.type", times)
			writePython(t, "confluent", map[string]string{from: "lz4"}, map[string][]rec{from: anyRecords(count)})
			byJSON, byFormat := topic(t, "by-json", 3), topic(t, "by-format", 3)
			lines := kafkactl(t, nil, "consume", from, "-J").must(t, "consume -J")
			printedAs := strict(t, lines)
			kafkactl(t, []byte(lines), "produce", byJSON, "-J", "--keep-partition", "-z", "zstd").must(t, "produce -J")
			printed := kafkactl(t, nil, "consume", from, "-f", binary).must(t, "consume -f")
			kafkactl(t, []byte(printed), "produce", byFormat, "-f", binary, "--keep-partition").must(t, "produce -f")
			got := readPython(t, "confluent", from, byJSON, byFormat)
			if len(got[from]) != count {
				t.Fatalf("%d records were written, want %d", len(got[from]), count)
			}
			sorted := func(name string) []rec { return byPartition(got[name]) }
			same(t, byPartition(printedAs), sorted(from))
			same(t, sorted(byJSON), sorted(from))
			same(t, sorted(byFormat), sorted(from))
			said := javaCompare(t, from+"="+times, byJSON+"=CreateTime", byFormat+"=CreateTime")
			for _, name := range []string{byJSON, byFormat} {
				if want := javaSame(got[from]); said[name] != want {
					t.Errorf("%s: Java says %q, want %q", name, said[name], want)
				}
			}
		})
	}
}

// byPartition puts records in the order of partition and offset.
func byPartition(records []rec) (out []rec) {
	for p := range int32(3) {
		for _, r := range records {
			if r.partition == p {
				out = append(out, r)
			}
		}
	}
	return out
}

// One record as large as brokers take goes both ways.
func TestALargeRecordSurvivesToo(t *testing.T) {
	kafkatest.Brokers(t)
	limit := fmt.Sprint(12 << 20)
	from, to := topic(t, "large", 1, "max.message.bytes", limit), topic(t, "large-copy", 1, "max.message.bytes", limit)
	file := filepath.Join(t.TempDir(), "in")
	value := bytes.Repeat([]byte("\x00\xff\n\"\\"), 2<<20)
	if err := os.WriteFile(file, value, 0o600); err != nil {
		t.Fatal(err)
	}
	line := fmt.Appendf(nil, "%d ", len(value))
	kafkactl(t, append(line, value...), "produce", from, "-f", "%S %s", "-X", "batch-bytes="+limit).must(t, "produce -f")
	lines := kafkactl(t, nil, "consume", from, "-J").must(t, "consume -J")
	kafkactl(t, []byte(lines), "produce", to, "-J", "-X", "batch-bytes="+limit).must(t, "produce -J")
	if out := kafkactl(t, nil, "consume", to, "-D", "").must(t, "consume"); out != string(value) {
		t.Fatalf("%d bytes came back as %d others", len(value), len(out))
	}
}
