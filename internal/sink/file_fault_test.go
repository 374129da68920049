package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// faulty is the disk with room for so many bytes, and operations that fail.
type faulty struct {
	disk
	mu    sync.Mutex
	room  int // bytes; negative: any number
	fail  map[string]error
	after map[string]int // how often an operation works first
	most  int            // files open at once, as far as seen
	open  int
}

func (f *faulty) err(op string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail[op] == nil {
		return nil
	}
	if f.after[op] > 0 {
		f.after[op]--
		return nil
	}
	return f.fail[op]
}

func (f *faulty) opened(o openFile, err error) (openFile, error) {
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	f.most = max(f.most, f.open)
	return &faultyFile{o, f}, nil
}

func (f *faulty) create(name string) (openFile, error) {
	if err := f.err("create"); err != nil {
		return nil, err
	}
	return f.opened(f.disk.create(name))
}

func (f *faulty) reopen(name string) (openFile, error) { return f.opened(f.disk.reopen(name)) }

func (f *faulty) rename(from, to string) error {
	if err := f.err("rename"); err != nil {
		return err
	}
	return f.disk.rename(from, to)
}

func (f *faulty) syncDir(dir string) error {
	if err := f.err("syncdir"); err != nil {
		return err
	}
	return f.disk.syncDir(dir)
}

type faultyFile struct {
	openFile
	f *faulty
}

func (o *faultyFile) Write(p []byte) (int, error) {
	if o.f.room >= 0 && len(p) > o.f.room {
		n, _ := o.openFile.Write(p[:o.f.room])
		o.f.room = 0
		return n, syscall.ENOSPC
	}
	if o.f.room >= 0 {
		o.f.room -= len(p)
	}
	if o.f.err("short") != nil {
		return o.openFile.Write(p[:len(p)/2])
	}
	return o.openFile.Write(p)
}

func (o *faultyFile) Sync() error {
	if err := o.f.err("sync"); err != nil {
		return err
	}
	return o.openFile.Sync()
}

func (o *faultyFile) Close() error {
	o.f.mu.Lock()
	o.f.open--
	o.f.mu.Unlock()
	return o.openFile.Close()
}

// bench is one run over files in a directory, and what it told.
type filesBench struct {
	t     *testing.T
	dir   string
	files *Files
	sink  *FileSink
	told  map[int32]int64
	notes []string
}

func newFilesBench(t *testing.T, dir, template string, change func(*FilesConfig)) *filesBench {
	t.Helper()
	b := &filesBench{t: t, dir: dir, told: map[int32]int64{}}
	tpl, err := ParseTemplate(dir+"/"+template, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	say := func(f string, args ...any) { b.notes = append(b.notes, fmt.Sprintf(f, args...)) }
	c := FilesConfig{Template: tpl, Format: func() Append { return lines(Plain{}) }, Note: say, Warn: say,
		Done: func(m consume.Mark) {
			if m.Next <= b.told[m.P.Partition] {
				t.Errorf("partition %d: told %d after %d", m.P.Partition, m.Next, b.told[m.P.Partition])
			}
			b.told[m.P.Partition] = m.Next
		}}
	if change != nil {
		change(&c)
	}
	b.files = NewFiles(c)
	b.sink = b.files.Sink(1)
	return b
}

// put delivers one record, whose value names its partition and offset.
func (b *filesBench) put(p *consume.Partition, offset int64, timestamp ...int64) error {
	r := &record.Record{Topic: "t", Partition: p.Partition, Offset: offset, Timestamp: 1_000_000_000_000}
	r.Value = fmt.Appendf(nil, "%d:%d", p.Partition, offset)
	if len(timestamp) > 0 {
		r.Timestamp = timestamp[0]
	}
	return b.sink.Record(b.t.Context(), r, consume.Mark{P: p, Next: offset + 1})
}

// final are the lines in files that are finished, and their names.
func (b *filesBench) final() (all, names []string) {
	b.t.Helper()
	_ = filepath.WalkDir(b.dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			b.t.Fatal(err)
		}
		rel, _ := filepath.Rel(b.dir, name)
		names = append(names, rel)
		if len(data) > 0 {
			all = append(all, strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")...)
		}
		if len(data) > 0 && data[len(data)-1] != '\n' {
			b.t.Errorf("%s is torn", name)
		}
		return nil
	})
	slices.Sort(all)
	return all, names
}

// hidden are the names of what is no finished file.
func (b *filesBench) hidden() (names []string) {
	_ = filepath.WalkDir(b.dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(d.Name(), ".") {
			names = append(names, d.Name())
		}
		return err
	})
	return names
}

// Whatever fails, and whenever: a file under its name is whole, what was told is
// in such files, the error names file and cause, and nothing unfinished is left.
func TestAFaultLeavesWholeFilesAndTellsOfNothingElse(t *testing.T) {
	type fault struct {
		op    string
		after int
		room  int
	}
	faults := []fault{}
	for room := 0; room < 80; room += 7 {
		faults = append(faults, fault{"space", 0, room})
	}
	for _, op := range []string{"create", "short", "sync", "rename", "syncdir"} {
		for after := range 5 {
			faults = append(faults, fault{op, after, -1})
		}
	}
	for _, x := range faults {
		t.Run(fmt.Sprintf("%s-%d-%d", x.op, x.after, x.room), func(t *testing.T) {
			sys := &faulty{room: x.room, fail: map[string]error{}, after: map[string]int{x.op: x.after}}
			if x.room < 0 {
				sys.fail[x.op] = syscall.EIO
			}
			b := newFilesBench(t, t.TempDir(), "%p.txt", func(c *FilesConfig) {
				c.sys, c.Count = sys, 4
			})
			a, d := part(0), part(1)
			var err error
			for o := int64(0); o < 10 && err == nil; o++ {
				for _, p := range []*consume.Partition{a, d} {
					if err == nil {
						err = b.put(p, o)
					}
				}
			}
			if err == nil {
				err = b.sink.Flush(t.Context())
			}
			if cerr := b.files.Close(); cerr != nil {
				t.Error(cerr)
			}
			var fe *FileError
			switch {
			case !errors.As(err, &fe):
				t.Fatalf("no error of a file: %v", err)
			case !strings.HasPrefix(fe.Name, b.dir), x.room >= 0 && !errors.Is(err, syscall.ENOSPC), x.op == "short" && !errors.Is(err, io.ErrShortWrite):
				t.Errorf("%v", err)
			}
			all, _ := b.final()
			for p, next := range b.told {
				for o := range next {
					if !slices.Contains(all, fmt.Sprintf("%d:%d", p, o)) {
						t.Errorf("%d:%d was told and is in no file", p, o)
					}
				}
			}
			if told := b.told[0] + b.told[1]; x.op != "syncdir" && told != int64(len(all)) {
				t.Errorf("%d records told, %d in files", told, len(all))
			}
			if h := b.hidden(); len(h) > 0 {
				t.Errorf("left: %v", h)
			}
			if again := b.put(a, 99); !errors.Is(again, fe) {
				t.Errorf("goes on after an error: %v", again)
			}
		})
	}
}

func TestFewDescriptorsAreEnoughForManyFiles(t *testing.T) {
	for _, suffix := range []string{".txt", ".txt.gz", ".txt.zst"} {
		sys := &faulty{room: -1}
		b := newFilesBench(t, t.TempDir(), "%p"+suffix, func(c *FilesConfig) {
			c.sys, c.most.open = sys, 3
		})
		parts := make([]*consume.Partition, 20)
		for i := range parts {
			parts[i] = part(int32(i))
		}
		for o := range int64(5) {
			for _, p := range parts {
				if err := b.put(p, o); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := b.sink.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		if sys.most > 3 {
			t.Errorf("%s: %d files were open at once", suffix, sys.most)
		}
		if err := b.files.Close(); err != nil {
			t.Error(err)
		}
		for i := range parts {
			want := ""
			for o := range 5 {
				want += fmt.Sprintf("%d:%d\n", i, o)
			}
			if got := inflated(t, fmt.Sprintf("%s/%d%s", b.dir, i, suffix)); got != want {
				t.Errorf("%d%s holds %q", i, suffix, got)
			}
			if b.told[int32(i)] != 5 {
				t.Errorf("partition %d: told %d", i, b.told[int32(i)])
			}
		}
	}
}
