package journal

import (
	"errors"
	"os"
	"testing"
	"time"

	"kafkactl/internal/offsets"
)

// FuzzJournal has any bytes be the file: it is taken, and then goes on to be
// written and read again, or the line at fault is named and nothing touched.
func FuzzJournal(f *testing.F) {
	line := `{"begin":1,"time":"2026-11-23T12:00:00Z","cluster":"c","group":"g","storage":"kafka","operation":"seek","changes":[{"topic":"t","partition":0,"from":null,"to":{"offset":3,"leaderEpoch":-1,"metadata":null}}]}` + "\n"
	for _, s := range []string{line, line + `{"end":1,"time":"2026-11-23T12:00:00Z"}` + "\n", line + `{"end":2}` + "\n", line + `{"beg`, "\x00\x00\x00", "null\n", `{"begin":9223372036854775807,"cluster":"c","group":"g"}` + "\n", "\n"} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := Open(dir, "c", "g")
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if err := os.WriteFile(j.Path(), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := j.Lock(t.Context()); err != nil {
			var damaged *DamagedError
			if !errors.As(err, &damaged) || damaged.Line < 1 {
				t.Fatalf("%q: %v", data, err)
			}
			if now, err := os.ReadFile(j.Path()); err != nil || string(now) != string(data) {
				t.Fatalf("%q has become %q, %v", data, now, err)
			}
			return
		}
		had := len(j.entries)
		id, err := j.Begin("seek", offsets.Kafka, 0, nil, time.Unix(1, 0))
		if err != nil || id < 1 {
			t.Fatalf("%q: change %d, %v", data, id, err)
		}
		if err := j.End(id, nil, time.Unix(2, 0)); err != nil {
			t.Fatal(err)
		}
		j.Unlock()
		if err := j.Lock(t.Context()); err != nil || len(j.entries) != had+1 || !j.entries[had].Ended {
			t.Fatalf("%q: %d entries, then %d: %v", data, had, len(j.entries), err)
		}
	})
}
