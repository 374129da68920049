//go:build unix

package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// TestMain lets the test binary be a process that is killed while it writes.
func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_TEST_DIR"); dir != "" {
		writeForEver(dir)
	}
	os.Exit(m.Run())
}

// writeForEver tells on stdout what it has been promised.
func writeForEver(dir string) {
	j, err := Open(dir, "c", "g")
	if err != nil {
		panic(err)
	}
	if err := j.Lock(context.Background()); err != nil {
		panic(err)
	}
	for {
		id, err := j.Begin("seek", offsets.Kafka, 0, changes(40, 1, 2), time.Now())
		if err != nil {
			panic(err)
		}
		fmt.Println("begun", id)
		if err := j.End(id, nil, time.Now()); err != nil {
			panic(err)
		}
		fmt.Println("ended", id)
	}
}

func changes(n int, from, to int64) []offsets.Change {
	var list []offsets.Change
	for i := range n {
		note := "a \"note\"\n"
		list = append(list, offsets.Change{
			TP:   broker.TP{Topic: "t", Partition: int32(i)},
			From: offsets.Stored{Offset: from, LeaderEpoch: 3, Metadata: &note},
			To:   offsets.Stored{Offset: to, LeaderEpoch: -1},
		})
	}
	return list
}

func open(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := Open(dir, "c", "g")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if err := j.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	return j
}

func begin(t *testing.T, j *Journal, op string, undoes int64, list []offsets.Change) int64 {
	t.Helper()
	id, err := j.Begin(op, offsets.Kafka, undoes, list, time.UnixMilli(1700000000000))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func end(t *testing.T, j *Journal, id int64, failed ...Failure) {
	t.Helper()
	if err := j.End(id, failed, time.UnixMilli(1700000000001)); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasWrittenIsReadBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "deep")
	j := open(t, dir)
	list := append(changes(2, 5, 9), offsets.Change{TP: broker.TP{Topic: "u", Partition: 7}, From: offsets.None(), To: offsets.Stored{Offset: 0, LeaderEpoch: -1}})
	a := begin(t, j, "seek", 0, list)
	end(t, j, a, Failure{"u", 7, "no leader", true})
	begin(t, j, "undo", a, nil)
	want := j.Entries()
	_ = j.Close()
	again := open(t, dir)
	if !reflect.DeepEqual(again.Entries(), want) && fmt.Sprintf("%+v", again.Entries()) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", again.Entries(), want)
	}
	if *again.Entries()[0].Changes[0].From.Metadata != "a \"note\"\n" || again.Entries()[0].Changes[2].From.Offset != offsets.NoOffset {
		t.Errorf("got %+v", again.Entries()[0].Changes)
	}
	if info, err := os.Stat(again.Path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v %v", info.Mode(), err)
	}
}

// A crash leaves any number of bytes of the last line.
func TestTornTailIsIgnoredWhereverItTore(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	first := begin(t, j, "seek", 0, changes(1, 1, 2))
	end(t, j, first)
	kept := j.size
	begin(t, j, "seek", 0, changes(1, 2, 3))
	whole := j.size
	_ = j.Close()
	data, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	for n := kept; n <= whole; n++ {
		for _, tail := range []string{"", "\x00\x00\x00", "\x00\x00\n"} {
			if n == whole && tail == "" {
				continue
			}
			torn := append(append([]byte{}, data[:n]...), tail...)
			if err := os.WriteFile(j.Path(), torn, 0o600); err != nil {
				t.Fatal(err)
			}
			j := open(t, dir)
			wantEntries := 1
			if n == whole {
				wantEntries = 2
			}
			if got := len(j.Entries()); got != wantEntries {
				t.Fatalf("torn at %d + %q: %d entries", n, tail, got)
			}
			id := begin(t, j, "commit", 0, changes(1, 2, 8))
			_ = j.Close()
			if j = open(t, dir); j.Entries()[len(j.Entries())-1].ID != id {
				t.Fatalf("torn at %d: the next change was lost", n)
			}
			_ = j.Close()
		}
	}
}

func TestDamageInTheMiddleIsNoTornTail(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	begin(t, j, "seek", 0, changes(1, 1, 2))
	begin(t, j, "seek", 0, changes(1, 2, 3))
	_ = j.Close()
	data, _ := os.ReadFile(j.Path())
	for name, damaged := range map[string]string{
		"garbage":  "x" + string(data[1:]),
		"foreign":  strings.Replace(string(data), `"group":"g"`, `"group":"h"`, 2),
		"orphan":   string(data) + `{"end":17}` + "\n",
		"nothing":  string(data) + "\n" + string(data),
		"storages": strings.Replace(string(data), `"kafka"`, `"papyrus"`, 1),
	} {
		if err := os.WriteFile(j.Path(), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(dir, "c", "g")
		if err != nil {
			t.Fatal(err)
		}
		var bad *DamagedError
		if err := j.Lock(t.Context()); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(j.Path()); string(after) != damaged {
			t.Errorf("%s: the file was changed", name)
		}
		_ = j.Close()
	}
}

// What Begin has promised survives kill -9, in order and unbroken.
func TestKilledWriterLosesNothingItWasPromised(t *testing.T) {
	dir := t.TempDir()
	for round := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "JOURNAL_TEST_DIR="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		promised := map[string]int64{}
		for n := 0; lines.Scan(); n++ {
			word, id, _ := strings.Cut(lines.Text(), " ")
			promised[word], _ = strconv.ParseInt(id, 10, 64)
			if n == 7+5*round {
				_ = cmd.Process.Signal(syscall.SIGKILL)
			}
		}
		_ = cmd.Wait()
		j := open(t, dir) // the lock went with the process
		entries := j.Entries()
		for i, e := range entries {
			if e.ID != int64(i+1) || len(e.Changes) != 40 {
				t.Fatalf("round %d: entry %d is %+v", round, i, e)
			}
			if e.ID <= promised["ended"] && e.ID > 0 && !e.Ended && e.ID == promised["ended"] {
				t.Fatalf("round %d: the end of change %d was lost", round, e.ID)
			}
		}
		if int64(len(entries)) < promised["begun"] {
			t.Fatalf("round %d: %d entries, %d were promised", round, len(entries), promised["begun"])
		}
		_ = j.Close()
	}
}

func TestProcessesTakeTurns(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				j, err := Open(dir, "c", "g")
				if err != nil {
					t.Error(err)
					return
				}
				if err := j.Lock(t.Context()); err != nil {
					t.Error(err)
				} else if id, err := j.Begin("commit", offsets.Kafka, 0, changes(1, 1, 2), time.Now()); err != nil {
					t.Error(err)
				} else if err := j.End(id, nil, time.Now()); err != nil {
					t.Error(err)
				}
				_ = j.Close()
			}
		})
	}
	wg.Wait()
	j := open(t, dir)
	if len(j.Entries()) != 80 {
		t.Errorf("%d of 80 changes", len(j.Entries()))
	}
	other, err := Open(dir, "c", "g")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := other.Lock(ctx); !errors.Is(err, ErrLocked) {
		t.Errorf("it let two in: %v", err)
	}
	if _, err := other.Begin("commit", offsets.Kafka, 0, nil, time.Now()); err == nil {
		t.Error("it writes without the lock")
	}
}

func TestUnwritableDirectoryIsKnownAtOnce(t *testing.T) {
	if os.Getuid() == 0 {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(filepath.Join(file, "journal"), "c", "g"); err == nil {
			t.Error("opened below a file")
		}
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, "c", "g"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

func TestGroupsHaveFilesOfTheirOwn(t *testing.T) {
	names := map[string]bool{}
	for _, k := range [][2]string{{"c", "g"}, {"c2", "g"}, {"c", "a/b"}, {"c", "a_b"}, {"c", strings.Repeat("x", 300)}, {"c", ""}, {"cg", ""}, {"c", "grüße\n"}} {
		name := fileName(k[0], k[1])
		if names[name] || strings.ContainsAny(name, "/\n\x00") || len(name) > 120 {
			t.Errorf("%q: %q", k, name)
		}
		names[name] = true
	}
}

func TestUndoGoesFurtherBackEachTime(t *testing.T) {
	j := open(t, t.TempDir())
	newest := func() (int64, int) {
		e, left, ok := j.Newest(offsets.Kafka, 0)
		if !ok {
			return 0, 0
		}
		return e.ID, len(left)
	}
	expect := func(what string, id int64, left int) {
		t.Helper()
		if gotID, gotLeft := newest(); gotID != id || gotLeft != left {
			t.Errorf("%s: change %d with %d left, want %d with %d", what, gotID, gotLeft, id, left)
		}
	}
	expect("nothing yet", 0, 0)
	a := begin(t, j, "seek", 0, changes(3, 1, 2))
	expect("interrupted", a, 3)
	end(t, j, a)
	b := begin(t, j, "seek", 0, changes(3, 2, 3))
	end(t, j, b, Failure{"t", 1, "no leader", false})
	expect("what failed is not undone", b, 2)
	u := begin(t, j, "undo", b, changes(3, 3, 2))
	expect("an undo that was interrupted settles nothing", b, 2)
	end(t, j, u, Failure{"t", 0, "timed out", false}, Failure{"t", 1, "", false})
	expect("what an undo could not do is left", b, 1)
	u = begin(t, j, "undo", b, changes(1, 3, 2))
	end(t, j, u, Failure{"t", 0, "the broker cannot", true})
	expect("what can never be done is done with", a, 3)
	c := begin(t, j, "import", 0, changes(1, 2, 9))
	end(t, j, c)
	expect("new changes come first", c, 1)
	end(t, j, begin(t, j, "undo", c, changes(1, 9, 2)))
	end(t, j, begin(t, j, "undo", a, changes(3, 2, 1)))
	expect("all undone", 0, 0)
	if _, _, ok := j.Newest(offsets.ZooKeeper, 0); ok {
		t.Error("the storages are mixed")
	}
}
