package sink

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

func inflated(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var in io.Reader = bytes.NewReader(data)
	switch {
	case strings.HasSuffix(name, ".gz"):
		in, err = gzip.NewReader(in)
	case strings.HasSuffix(name, ".zst"):
		in, err = zstd.NewReader(in)
	}
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(in)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(all)
}

// Hours end out of order: what is told waits for the oldest record that is in no
// finished file.
func TestAFileThatEndsBeforeAnOlderOneTellsNothingYet(t *testing.T) {
	b := newFilesBench(t, t.TempDir(), "%T{%H}.txt", func(c *FilesConfig) { c.Count = 2 })
	p := part(0)
	const hour = 3_600_000
	for o, ts := range []int64{0, hour, hour, 2 * hour} { // the second hour's file is full
		if err := b.put(p, int64(o), ts); err != nil {
			t.Fatal(err)
		}
	}
	if _, names := b.final(); !slices.Equal(names, []string{"01.000001.txt"}) || len(b.told) != 0 {
		t.Fatalf("finished %v, told %v", names, b.told)
	}
	b.sink.Skip(consume.Mark{P: p, Next: 9})
	if err := b.put(p, 9, 0); err != nil { // the first hour's is full too
		t.Fatal(err)
	}
	if b.told[0] != 3 {
		t.Errorf("told %v, want 3: offset 3 is in a file that is not finished", b.told)
	}
	if err := b.sink.Flush(t.Context()); err != nil || b.told[0] != 10 {
		t.Errorf("told %v, %v", b.told, err)
	}
}

func TestFilesEndByCountSizeAndTime(t *testing.T) {
	b := newFilesBench(t, t.TempDir(), "%p.txt", func(c *FilesConfig) { c.Size = 10 })
	for o := range int64(6) { // of 4 bytes each
		if err := b.put(part0, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, names := b.final(); len(names) != 3 {
		t.Errorf("%v", names)
	}
	if got := inflated(t, b.dir+"/0.000002.txt"); got != "0:2\n0:3\n" {
		t.Errorf("the second has %q", got)
	}
	synctest.Test(t, func(t *testing.T) {
		b := newFilesBench(t, t.TempDir(), "%p.txt", func(c *FilesConfig) { c.Every = time.Minute })
		if err := b.put(part0, 0); err != nil {
			t.Fatal(err)
		}
		again, err := b.sink.Lull(t.Context())
		if err != nil || again != time.Minute {
			t.Fatalf("to be asked again in %v, %v", again, err)
		}
		time.Sleep(again) // nothing comes
		if again, err = b.sink.Lull(t.Context()); err != nil || again != 0 || b.told[0] != 1 {
			t.Errorf("again in %v, told %v, %v", again, b.told, err)
		}
		time.Sleep(time.Minute)
		for o := range int64(2 * lookEvery) { // nor is there a lull
			if err := b.put(part0, 1+o); err != nil {
				t.Fatal(err)
			}
			if o == 0 {
				time.Sleep(time.Minute)
			}
		}
		if b.told[0] < 2 {
			t.Errorf("told %v", b.told)
		}
	})
}

var part0 = part(0)

func TestNoFileIsEverReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/0.txt", []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newFilesBench(t, dir, "%p.txt", nil)
	if err := b.put(part(0), 0); err != nil {
		t.Fatal(err)
	}
	// Somebody takes the next name too while the file is written.
	if err := os.WriteFile(dir+"/0.000001.txt", []byte("mine too\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"0.txt": "mine\n", "0.000001.txt": "mine too\n", "0.000002.txt": "0:0\n"} {
		if got := inflated(t, dir+"/"+name); got != want {
			t.Errorf("%s holds %q", name, got)
		}
	}
	if len(b.notes) != 1 || !strings.Contains(b.notes[0], "0.txt is there already") {
		t.Errorf("%q", b.notes)
	}
}

// A run that is killed after any of its steps: the next one of the same identity
// removes what is unfinished and writes each record that is missing, once.
func TestAfterAKillEachRecordIsInOneFile(t *testing.T) {
	const records = 40
	for stop := range records {
		dir := t.TempDir()
		with := func(c *FilesConfig) { c.Identity, c.Count = "group", 3 }
		const hour = 3_600_000
		killed := newFilesBench(t, dir, "%T{%H}/%p.txt", with)
		p := part(0)
		for o := range int64(stop) {
			if err := killed.put(p, o, (o%3)*hour); err != nil {
				t.Fatal(err)
			}
		}
		committed := killed.told[0] / 2 // the rest was told and not committed
		if err := killed.files.Committed("t", 0, committed); err != nil {
			t.Fatal(err)
		}
		if killed.files.run != nil {
			_ = killed.files.run.lock.Close() // as the system does when it dies
		}
		b := newFilesBench(t, dir, "%T{%H}/%p.txt", with)
		q := part(0)
		for o := committed; o < records; o++ {
			if err := b.put(q, o, (o%3)*hour); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.sink.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b.told[0] != records {
			t.Errorf("killed at %d: told %d", stop, b.told[0])
		}
		if err := b.files.Committed("t", 0, records); err != nil {
			t.Fatal(err)
		}
		if err := b.files.Close(); err != nil {
			t.Fatal(err)
		}
		all, _ := b.final()
		if len(all) != records || len(slices.Compact(all)) != records {
			t.Errorf("killed at %d: %d lines, %d different", stop, len(all), len(slices.Compact(all)))
		}
		if h := b.hidden(); len(h) > 0 {
			t.Errorf("killed at %d: left %v", stop, h)
		}
	}
}

// What another run is writing is not touched, and names do not meet.
func TestTwoRunsAtOnceKeepApart(t *testing.T) {
	dir := t.TempDir()
	one, two := newFilesBench(t, dir, "%p.txt", nil), newFilesBench(t, dir, "%p.txt", nil)
	for o := range int64(3) {
		for _, b := range []*filesBench{one, two} {
			if err := b.put(part0, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, b := range []*filesBench{one, two} {
		if err := b.sink.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.files.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if all, names := one.final(); len(all) != 6 || len(names) != 2 || len(one.hidden()) != 0 {
		t.Errorf("%v in %v, and %v", all, names, one.hidden())
	}
}

func TestManyUnfinishedFilesAreFinishedOldestFirst(t *testing.T) {
	b := newFilesBench(t, t.TempDir(), "%k.txt", func(c *FilesConfig) { c.most.pieces = 4 })
	p := part(0)
	for o := range int64(10) {
		r := &record.Record{Topic: "t", Offset: o, Key: fmt.Appendf(nil, "k%d", o%7), Value: []byte("v")}
		if err := b.sink.Record(t.Context(), r, consume.Mark{P: p, Next: o + 1}); err != nil {
			t.Fatal(err)
		}
		if len(b.sink.targets) > 4 {
			t.Fatalf("%d are unfinished", len(b.sink.targets))
		}
	}
	if b.told[0] != 6 {
		t.Errorf("told %d, want 6", b.told[0])
	}
}
