//go:build unix

package interop

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// javaCompare has Kafka's own consumer compare topics with the first of them,
// field by field, and returns what it says of each. Topics are TOPIC=TYPE, with
// the type their timestamps must have.
func javaCompare(t *testing.T, topics ...string) map[string]string {
	t.Helper()
	if _, err := exec.LookPath("javac"); err != nil {
		t.Skip("needs a Java compiler: ", err)
	}
	out := java(t, nil, "testdata/Compare.java", topics...).must(t, "Compare.java")
	said := map[string]string{}
	for line := range strings.Lines(out) {
		topic, verdict, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		said[topic] = verdict
	}
	return said
}

// javaSame is what Compare says of a topic that holds these records.
func javaSame(records []rec) string {
	var nullKeys, emptyKeys, nullValues, emptyValues, headers, nullHeaders, repeats int
	for _, r := range records {
		count(r.key, &nullKeys, &emptyKeys)
		count(r.value, &nullValues, &emptyValues)
		names := map[string]bool{}
		for _, h := range r.headers {
			var empty int
			count(h.value, &nullHeaders, &empty)
			if names[h.name] {
				repeats++
			}
			names[h.name] = true
		}
		headers += len(r.headers)
	}
	return fmt.Sprintf("same %d %d %d %d %d %d %d %d", len(records), nullKeys, emptyKeys, nullValues, emptyValues, headers, nullHeaders, repeats)
}

func count(b []byte, null, empty *int) {
	if b == nil {
		*null++
	} else if len(b) == 0 {
		*empty++
	}
}

// jsonLines are records as produce -J reads them.
func jsonLines(t *testing.T, records []rec) []byte {
	t.Helper()
	part := func(fields map[string]any, name string, b []byte) {
		if b == nil {
			fields[name] = nil
		} else {
			fields[name+"64"] = base64.StdEncoding.EncodeToString(b)
		}
	}
	var out bytes.Buffer
	for _, r := range records {
		fields := map[string]any{"partition": r.partition, "timestamp": r.timestamp}
		part(fields, "key", r.key)
		part(fields, "value", r.value)
		headers := []any{}
		for _, h := range r.headers {
			one := map[string]any{"name64": base64.StdEncoding.EncodeToString([]byte(h.name))}
			part(one, "value", h.value)
			headers = append(headers, one)
		}
		fields["headers"] = headers
		if err := json.NewEncoder(&out).Encode(fields); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// The judge of TestRecordsSurviveBeingPrintedAndRead has to see every
// difference there can be.
func TestJavaSeesEachDifferenceBetweenRecords(t *testing.T) {
	kafkatest.Brokers(t)
	base := func() []rec {
		return []rec{
			{0, 0, stamp, []byte("k"), []byte("v"), []header{{"a", []byte("1")}, {"a", []byte{}}, {"b", nil}}},
			{0, 0, stamp, nil, []byte("v"), nil},
			{1, 0, stamp, []byte("k"), nil, nil},
		}
	}
	write := func(name string, records []rec, settings ...string) string {
		name = topic(t, "differ-"+name, 2, settings...)
		kafkactl(t, jsonLines(t, records), "produce", name, "-J", "--keep-partition").must(t, "produce -J")
		return name
	}
	first := write("base", base())
	topics := []string{first + "=CreateTime"}
	want := map[string]string{write("not", base()): javaSame(base())}
	for name, c := range map[string]struct {
		change func([]rec) []rec
		said   string
	}{
		"key":           {func(r []rec) []rec { r[0].key = []byte("K"); return r }, "partition 0, record 0: key: [75], want [107]"},
		"value":         {func(r []rec) []rec { r[1].value = []byte{0xff}; return r }, "partition 0, record 1: value: [-1], want [118]"},
		"null-key":      {func(r []rec) []rec { r[1].key = []byte{}; return r }, "partition 0, record 1: key: [], want null"},
		"null-value":    {func(r []rec) []rec { r[2].value = []byte{}; return r }, "partition 1, record 0: value: [], want null"},
		"timestamp":     {func(r []rec) []rec { r[0].timestamp++; return r }, fmt.Sprintf("partition 0, record 0: timestamp: %d, want %d", stamp+1, stamp)},
		"order":         {func(r []rec) []rec { r[0], r[1] = r[1], r[0]; return r }, "partition 0, record 0: key: null, want [107]"},
		"missing":       {func(r []rec) []rec { return r[:2] }, "partition 1, record 0: a record is missing"},
		"twice":         {func(r []rec) []rec { return append(r, r[2]) }, "partition 1, record 1: a record too many"},
		"partition":     {func(r []rec) []rec { r[1].partition = 1; return r }, "partition 0, record 1: a record is missing"},
		"header-order":  {func(r []rec) []rec { h := r[0].headers; h[0], h[2] = h[2], h[0]; return r }, "partition 0, record 0: name of header 0: b, want a"},
		"header-value":  {func(r []rec) []rec { h := r[0].headers; h[0], h[1] = h[1], h[0]; return r }, "partition 0, record 0: value of header 0: [], want [49]"},
		"header-null":   {func(r []rec) []rec { r[0].headers[2].value = []byte{}; return r }, "partition 0, record 0: value of header 2: [], want null"},
		"header-number": {func(r []rec) []rec { r[0].headers = r[0].headers[:2]; return r }, "partition 0, record 0: number of headers"},
	} {
		want[write(name, c.change(base()))] = c.said
	}
	for name := range want {
		topics = append(topics, name+"=CreateTime")
	}
	stamped := write("type", base(), "message.timestamp.type", "LogAppendTime")
	want[stamped] = "partition 0, record 0: timestamp type: LogAppendTime"
	got := javaCompare(t, append(topics, stamped+"=CreateTime")...)
	for name, said := range want {
		if got[name] != said {
			t.Errorf("%s: Java says %q, want %q", name, got[name], said)
		}
	}
}
