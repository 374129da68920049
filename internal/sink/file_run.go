package sink

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// fileRun is what a run leaves for the next one while it works: a lock that says
// it lives, and a list of what it is about to finish. Without the list, a run that
// is killed between the name of a file and the commit of its offsets would have
// those records written once more.
type fileRun struct {
	id      string
	base    string // of both files' names
	lock    *flock.Flock
	list    *os.File
	size    int64
	header  runLine
	keeps   bool // somebody commits
	pending []*finishedFile
}

// finishedFile is a file whose offsets nobody has committed yet.
type finishedFile struct {
	Name string         `json:"name"`
	Part string         `json:"part"`
	Key  string         `json:"key"`
	Held []finishedPart `json:"held"`
}

// finishedPart is what it has of a partition: of those of its key, each record
// from the first to the last.
type finishedPart struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	First     int64  `json:"first"`
	Last      int64  `json:"last"`
}

// runLine is a line of the list, one of these.
type runLine struct {
	Identity string        `json:"identity,omitempty"`
	Dir      string        `json:"dir,omitempty"`
	File     *finishedFile `json:"file,omitempty"` // is about to be renamed
	Done     string        `json:"done,omitempty"` // has been, and its name is on the disk
}

const (
	runPrefix  = ".kafkactl-"
	lockSuffix = ".lock"
	listSuffix = ".files"
	// runKeep is from what size on a list that says nothing of use is begun anew.
	runKeep = 256 << 10
)

// newRun makes the lock and the list of a run in dir.
func newRun(dir, identity string) (*fileRun, error) {
	for {
		var b [4]byte
		if _, err := rand.Read(b[:]); err != nil {
			return nil, err
		}
		r := &fileRun{id: hex.EncodeToString(b[:]), header: runLine{Identity: identity}, keeps: identity != ""}
		r.base = path.Join(dir, runPrefix+r.id)
		r.lock = flock.New(r.base + lockSuffix)
		mine, err := r.lock.TryLock()
		if err != nil {
			return nil, fileError(r.base+lockSuffix, "lock", err)
		}
		if _, err := os.Stat(r.base + lockSuffix); err != nil || !mine {
			_ = r.lock.Close() // a run that begins just now took it for a dead one's
			continue
		}
		if r.list, err = os.OpenFile(r.base+listSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o666); err != nil {
			_ = r.lock.Close()
			_ = os.Remove(r.base + lockSuffix)
			return nil, fileError(r.base+listSuffix, "create", err)
		}
		return r, r.write(r.header)
	}
}

// part is what a file of the run is called while it is not finished.
func (r *fileRun) part(name string) string {
	return path.Join(path.Dir(name), "."+path.Base(name)+"."+r.id+".part")
}

// write adds lines to the list. They need not be on the disk: after a crash of the
// whole system records may come twice, but none is left out.
func (r *fileRun) write(lines ...runLine) error {
	var b []byte
	for _, l := range lines {
		j, err := json.Marshal(l)
		if err != nil {
			return err
		}
		b = append(append(b, j...), '\n')
	}
	n, err := r.list.Write(b)
	r.size += int64(n)
	return fileError(r.base+listSuffix, "write", err)
}

// intend says that files are about to be renamed.
func (r *fileRun) intend(list []*target) error {
	if !r.keeps {
		return nil
	}
	lines := make([]runLine, len(list))
	for i, t := range list {
		lines[i].File = finishedOf(t)
	}
	return r.write(lines...)
}

func finishedOf(t *target) *finishedFile {
	f := &finishedFile{Name: t.name, Part: t.part, Key: t.key}
	for p, h := range t.held {
		f.Held = append(f.Held, finishedPart{p.Topic, p.Partition, h.first, h.last})
	}
	return f
}

// did says that they are.
func (r *fileRun) did(list []*target) error {
	if !r.keeps || len(list) == 0 {
		return nil
	}
	lines := make([]runLine, len(list))
	for i, t := range list {
		lines[i].Done = t.name
		r.pending = append(r.pending, finishedOf(t))
	}
	return r.write(lines...)
}

// carry takes over what a dead run finished and nobody has committed.
func (r *fileRun) carry(f *finishedFile) error {
	r.pending = append(r.pending, f)
	return r.write(runLine{File: f}, runLine{Done: f.Name})
}

// committed forgets what is of no use any more: everything of p before next is
// committed.
func (r *fileRun) committed(p place, next int64, dirs map[string]bool) error {
	for _, f := range r.pending {
		f.Held = slices.DeleteFunc(f.Held, func(h finishedPart) bool {
			return h.Topic == p.topic && h.Partition == p.partition && h.Last < next
		})
	}
	r.pending = slices.DeleteFunc(r.pending, func(f *finishedFile) bool { return len(f.Held) == 0 })
	if len(r.pending) > 0 || r.size < runKeep {
		return nil
	}
	if err := r.list.Truncate(0); err != nil {
		return fileError(r.base+listSuffix, "write", err)
	}
	r.size = 0
	clear(dirs) // to be said again, as they are used
	return r.write(r.header)
}

// close ends the run. What is of use to the next one stays.
func (r *fileRun) close() error {
	err := r.list.Close()
	if len(r.pending) == 0 {
		err = errors.Join(err, os.Remove(r.base+listSuffix), os.Remove(r.base+lockSuffix))
	}
	return errors.Join(err, r.lock.Close())
}

// readRun reads a list as far as it goes: the last line may be torn.
func readRun(name string) (identity string, dirs []string, files []*finishedFile, done map[string]bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", nil, nil, nil, err
	}
	defer f.Close()
	done = make(map[string]bool)
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		var l runLine
		if err != nil || json.Unmarshal(line, &l) != nil {
			return identity, dirs, files, done, nil
		}
		switch {
		case l.Identity != "":
			identity = l.Identity
		case l.Dir != "":
			dirs = append(dirs, l.Dir)
		case l.File != nil:
			files = append(files, l.File)
		case l.Done != "":
			done[l.Done] = true
		}
	}
}

// partOf says that a file is one that the run called id had not finished.
func partOf(name, id string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, fmt.Sprintf(".%s.part", id))
}
