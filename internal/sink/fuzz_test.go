package sink

import (
	"path"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/record"
)

// FuzzTemplate has any template name files for any record: what the record brings
// never leads to another directory than that of a harmless record.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"%t-%p.jsonl.gz", "out/%k/x.%h{h}", "%k%h{h}", ".%k", "%%%k{hex}", "a/%h{h}{base64}/%k{json}", "%k{unpack:<i32}"} {
		f.Add(s, "orders", []byte("../../etc"), []byte("."))
		f.Add(s, "..", []byte("."), []byte("/"))
	}
	f.Fuzz(func(t *testing.T, text, topic string, key, header []byte) {
		tpl, err := ParseTemplate(text, time.UTC)
		if err != nil || tpl.byTime {
			return // a time has the slashes that its format gives it
		}
		name := func(topic string, key, header []byte) string {
			r := &record.Record{Topic: topic, Key: key}
			for i := range tpl.items {
				if tpl.items[i].verb == 'h' {
					r.Headers = r.Headers.Append([]byte(tpl.items[i].header), header)
				}
			}
			return tpl.name(string(tpl.key(nil, r)), 7, 3)
		}
		got, harmless := name(topic, key, header), name("x", []byte("x"), []byte("x"))
		if strings.Count(path.Clean(got), "/") != strings.Count(path.Clean(harmless), "/") || strings.IndexByte(got, 0) >= 0 {
			t.Fatalf("%q of topic %q, key %q, header %q: %q; of a harmless record %q", text, topic, key, header, got, harmless)
		}
	})
}
