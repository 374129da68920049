package sink

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path"
	"strings"

	"github.com/gofrs/flock"
)

// covered is what finished files have of a partition that nobody committed.
type covered struct {
	first, last int64 // of all
	files       []coveredFile
}

type coveredFile struct {
	key         string
	first, last int64
}

// begin makes the run's own files, once, and clears up after runs that were killed.
func (f *Files) begin() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run != nil {
		return nil
	}
	root := f.c.Template.root
	if err := f.c.sys.mkdirs(root); err != nil {
		return fileError(root, "create", err)
	}
	run, err := newRun(root, f.c.Identity)
	if err != nil {
		if run != nil {
			_ = run.close() // of which nothing is to be left
		}
		return err
	}
	f.run = run
	entries, err := os.ReadDir(root)
	if err != nil {
		return fileError(root, "read", err)
	}
	for _, e := range entries {
		id, ours := strings.CutPrefix(e.Name(), runPrefix)
		id, lock := strings.CutSuffix(id, lockSuffix)
		if !ours || !lock || id == run.id {
			continue
		}
		if err := f.clear(path.Join(root, runPrefix+id), id); err != nil {
			return err
		}
	}
	return nil
}

// clear removes what a run left, unless it lives.
func (f *Files) clear(base, id string) error {
	lock := flock.New(base + lockSuffix)
	dead, err := lock.TryLock()
	if err != nil || !dead {
		return nil //nolint:nilerr // whatever it is, it is not ours to remove
	}
	defer lock.Close()
	identity, dirs, files, done, err := readRun(base + listSuffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError(base+listSuffix, "read", err)
	}
	if identity != "" && identity == f.c.Identity {
		if err := f.takeOver(files, done); err != nil {
			return err
		}
	} else if identity != "" && len(files) > 0 {
		f.c.Warn("%s was left by a run of another group, target or filter: what it finished and did not commit counts as not written", base+listSuffix)
	}
	removed, example := f.removeParts(dirs, id)
	switch {
	case removed == 1:
		f.c.Warn("%s: left unfinished by a run that was killed; removed", example)
	case removed > 1:
		f.c.Warn("%s and %d more: left unfinished by a run that was killed; removed", example, removed-1)
	}
	for _, name := range []string{base + listSuffix, base + lockSuffix} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileError(name, "remove", err)
		}
	}
	return nil
}

// takeOver keeps what a dead run finished. Where it was killed about the rename,
// the file's name says whether that was made.
func (f *Files) takeOver(files []*finishedFile, done map[string]bool) error {
	for _, file := range files {
		if !done[file.Name] {
			_, err := os.Lstat(file.Part)
			_, nerr := os.Lstat(file.Name)
			if err == nil || nerr != nil {
				continue
			}
		}
		if err := f.run.carry(file); err != nil {
			return err
		}
		if f.covered == nil {
			f.covered = make(map[place]*covered)
		}
		for _, h := range file.Held {
			at := place{h.Topic, h.Partition}
			c := f.covered[at]
			if c == nil {
				c = &covered{first: math.MaxInt64}
				f.covered[at] = c
			}
			c.first, c.last = min(c.first, h.First), max(c.last, h.Last)
			c.files = append(c.files, coveredFile{file.Key, h.First, h.Last})
		}
	}
	return nil
}

// removeParts removes the unfinished files of a run.
func (f *Files) removeParts(dirs []string, id string) (n int, example string) {
	seen := make(map[string]bool)
	for _, dir := range dirs {
		if seen[dir] {
			continue
		}
		seen[dir] = true
		entries, _ := os.ReadDir(dir) // it may be gone
		for _, e := range entries {
			if !partOf(e.Name(), id) || os.Remove(path.Join(dir, e.Name())) != nil {
				continue
			}
			if n++; n == 1 {
				example = path.Join(dir, e.Name())
			}
		}
	}
	return n, example
}

// mayBeWritten says that a record may be in a file that an earlier run finished.
func (f *Files) mayBeWritten(at place, offset int64) bool {
	if f.covered == nil {
		return false
	}
	c := f.covered[at]
	return c != nil && offset >= c.first && offset <= c.last
}

// wasWritten says that it is. Files of one key follow each other without a gap, so
// each record of that key between a file's first and last is in it.
func (f *Files) wasWritten(at place, offset int64, key string) bool {
	for _, c := range f.covered[at].files {
		if c.key == key && offset >= c.first && offset <= c.last {
			f.again.Add(1)
			return true
		}
	}
	return false
}

// Committed hears that everything of a partition before next is committed: what
// was kept of it in case this run is killed is of no use any more.
func (f *Files) Committed(topic string, partition int32, next int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run == nil {
		return nil
	}
	return f.run.committed(place{topic, partition}, next, f.dirs)
}
