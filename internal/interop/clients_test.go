//go:build unix

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// kcatFormat prints what parseKcat reads: lengths first, so that keys and
// values may hold anything.
const kcatFormat = `%p %o %T %K %S\n%k%s\n%h\x1e\n`

// readKcat reads a topic's partition from its beginning with kcat.
func readKcat(t *testing.T, topic string) []rec {
	t.Helper()
	out := kcat(t, nil, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X", "check.crcs=true",
		"-f", kcatFormat).must(t, "kcat -C")
	var records []rec
	for len(out) > 0 {
		head, rest, _ := strings.Cut(out, "\n")
		var r rec
		var k, s int
		if _, err := fmt.Sscanf(head, "%d %d %d %d %d", &r.partition, &r.offset, &r.timestamp, &k, &s); err != nil {
			t.Fatalf("kcat printed %q: %v", head, err)
		}
		take := func(n int) []byte {
			if n < 0 {
				return nil
			}
			b := []byte(rest[:n])
			rest = rest[n:]
			return b
		}
		r.key, r.value = take(k), take(s)
		list, rest2, ok := strings.Cut(strings.TrimPrefix(rest, "\n"), "\x1e\n")
		if !ok {
			t.Fatalf("kcat printed no end of record %v", r)
		}
		for h := range strings.SplitSeq(list, ",") {
			name, value, _ := strings.Cut(h, "=")
			if h == "" {
				continue
			}
			b := []byte(value)
			if value == "NULL" {
				b = nil
			}
			r.headers = append(r.headers, header{name, b})
		}
		records = append(records, r)
		out = rest2
	}
	return records
}

// consoleRead is Kafka's console consumer over all topics that match a regular
// expression, until count records were read, and gives each record as a line of
// text with everything it shows.
func consoleRead(t *testing.T, include string, count int) []string {
	t.Helper()
	args := []string{"--include", include, "--from-beginning", "--max-messages", strconv.Itoa(count),
		"--timeout-ms", "60000", "--isolation-level", "read_committed"}
	for _, p := range []string{"print.timestamp=true", "print.partition=true", "print.offset=true", "print.headers=true",
		"print.key=true", "key.separator=" + fieldSep, "headers.separator=,", "line.separator=" + recordSep, "null.literal=" + nullWord} {
		args = append(args, "--formatter-property", p)
	}
	out := java(t, nil, "org.apache.kafka.tools.consumer.ConsoleConsumer", args...).must(t, "ConsoleConsumer")
	lines := strings.Split(out, recordSep)
	return lines[:len(lines)-1]
}

// consoleLine is how the console consumer prints a record.
func consoleLine(r rec) string {
	null := func(b []byte) string {
		if b == nil {
			return nullWord
		}
		return string(b)
	}
	var hs []string
	for _, h := range r.headers {
		hs = append(hs, h.name+":"+null(h.value))
	}
	headers := strings.Join(hs, ",")
	if hs == nil {
		headers = "NO_HEADERS"
	}
	return strings.Join([]string{fmt.Sprintf("CreateTime:%d", r.timestamp), fmt.Sprintf("Partition:%d", r.partition),
		fmt.Sprintf("Offset:%d", r.offset), headers, null(r.key), null(r.value)}, fieldSep)
}

// pythonRecord is a record as testdata/client.py prints and reads it; bytes
// travel as base64, which is how encoding/json has them too.
type pythonRecord struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Timestamp int64  `json:"timestamp"`
	Key       []byte `json:"key"`
	Value     []byte `json:"value"`
	Headers   []struct {
		Name  string `json:"name"`
		Value []byte `json:"value"`
	} `json:"headers"`
}

// python runs testdata/client.py with one of the Python libraries, or skips the
// test where there is no such Python.
func python(t *testing.T, stdin []byte, args ...string) string {
	t.Helper()
	bin := os.Getenv(pythonVar)
	if bin == "" {
		t.Skip("needs the Python clients: set " + pythonVar)
	}
	argv := append([]string{bin, "testdata/client.py", kafkatest.Brokers(t)}, args...)
	return command(t, stdin, argv...).must(t, "client.py")
}

// readPython reads whole topics with a Python library.
func readPython(t *testing.T, library string, topics ...string) map[string][]rec {
	t.Helper()
	out := python(t, nil, append([]string{library, "read"}, topics...)...)
	got := map[string][]rec{}
	for in := json.NewDecoder(strings.NewReader(out)); in.More(); {
		var p pythonRecord
		if err := in.Decode(&p); err != nil {
			t.Fatal(err)
		}
		r := rec{p.Partition, p.Offset, p.Timestamp, p.Key, p.Value, nil}
		for _, h := range p.Headers {
			r.headers = append(r.headers, header{h.Name, h.Value})
		}
		got[p.Topic] = append(got[p.Topic], r)
	}
	return got
}

// writePython writes records to topics with a Python library, each topic in the
// compression named beside it.
func writePython(t *testing.T, library string, topics map[string]string, records map[string][]rec) {
	t.Helper()
	args := []string{library, "write"}
	var in bytes.Buffer
	out := json.NewEncoder(&in)
	for topic, codec := range topics {
		args = append(args, topic+"="+codec)
		for _, r := range records[topic] {
			p := pythonRecord{Topic: topic, Partition: r.partition, Timestamp: r.timestamp, Key: r.key, Value: r.value}
			for _, h := range r.headers {
				p.Headers = append(p.Headers, struct {
					Name  string `json:"name"`
					Value []byte `json:"value"`
				}{h.name, h.value})
			}
			if err := out.Encode(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	python(t, in.Bytes(), args...)
}
