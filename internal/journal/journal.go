// Package journal remembers what a user's changes to a group's offsets replaced,
// so that they can be taken back. It knows no brokers: it is told what will be
// changed before that happens, and what came of it after.
//
// A group of a cluster has a file of its own, append-only, one JSON object a
// line. A change is a line that is on the disk before the first commit leaves,
// and a line once its outcome was read back. One without the second line was
// interrupted, and what became of it only the broker knows. A last line that is
// not whole was never acted upon and is dropped.
package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"kafkactl/internal/durable"
	"kafkactl/internal/offsets"
)

// lockPoll is how often a lock that another process holds is tried.
const lockPoll = 50 * time.Millisecond

// Journal is one group's file. One goroutine at a time uses it.
type Journal struct {
	path    string
	file    *os.File
	lock    *flock.Flock
	key     key
	size    int64 // of the whole lines
	locked  bool
	entries []Entry
}

// key is what a file is about; it begins each line.
type key struct{ cluster, group string }

// Open opens a group's journal in dir, making both where they are not there. It
// fails where nothing could be written, before anything was changed. Entries are
// read by Lock.
func Open(dir, cluster, group string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	path := filepath.Join(dir, fileName(cluster, group))
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := durable.SyncDir(dir); err != nil {
		file.Close()
		return nil, fmt.Errorf("journal: %w", err)
	}
	// A lock file of its own: on Windows a lock keeps other handles of the same
	// process from writing.
	return &Journal{path: path, file: file, lock: flock.New(path + ".lock"), key: key{cluster, group}}, nil
}

// fileName is readable, and different for any two groups of any two clusters.
func fileName(cluster, group string) string {
	sum := sha256.Sum256([]byte(cluster + "\x00" + group))
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '_':
			return r
		}
		return '_'
	}, group)
	return plain[:min(len(plain), 60)] + "-" + hex.EncodeToString(sum[:8]) + ".jsonl"
}

// Path is the file.
func (j *Journal) Path() string { return j.path }

// ErrLocked is a journal that another process kept locked until the time was up:
// it is changing the same group.
var ErrLocked = errors.New("another process is changing this group")

// DamagedError is a journal with a broken line that is not its last.
type DamagedError struct {
	Path string
	Line int
	Err  error
}

// Error names the place.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("journal: %s:%d is damaged: %v", e.Path, e.Line, e.Err)
}

// Unwrap is what is wrong with the line.
func (e *DamagedError) Unwrap() error { return e.Err }

// Lock waits for other processes to be done with the journal, until ctx ends,
// and reads it. The lock is the process's: it goes with it, however it ends.
func (j *Journal) Lock(ctx context.Context) error {
	if j.locked {
		return nil
	}
	ok, err := j.lock.TryLockContext(ctx, lockPoll)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("journal: %w", err)
	case !ok:
		return fmt.Errorf("journal: %w (%s is locked)", ErrLocked, j.path)
	}
	j.locked = true
	if err := j.read(); err != nil {
		j.Unlock()
		return err
	}
	return nil
}

// Unlock lets others at it. What was begun and not ended stays so.
func (j *Journal) Unlock() {
	if j.locked {
		_ = j.lock.Unlock()
		j.locked = false
	}
}

// Close unlocks and closes.
func (j *Journal) Close() error {
	j.Unlock()
	return j.file.Close()
}

// read takes in all whole lines. A last line that was torn is cut off, so that
// the next does not grow onto it.
func (j *Journal) read() error {
	if _, err := j.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	data, err := io.ReadAll(j.file)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.entries = nil
	whole, line := 0, 0
	for whole < len(data) {
		line++
		end := whole + bytes.IndexByte(data[whole:], '\n')
		if end < whole {
			break
		}
		if err := j.take(data[whole:end]); err != nil {
			if end+1 == len(data) && !json.Valid(data[whole:end]) {
				break // blocks reach the disk in any order
			}
			return &DamagedError{Path: j.path, Line: line, Err: err}
		}
		whole = end + 1
	}
	j.size = int64(whole)
	if whole < len(data) {
		if err := j.file.Truncate(j.size); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	return nil
}

var errNotLocked = errors.New("journal: not locked")

// Begin puts a change to come on the disk and gives it its number. When it
// returns an error nothing was kept, and nothing may be changed.
func (j *Journal) Begin(operation string, storage offsets.Storage, undoes int64, changes []offsets.Change, now time.Time) (int64, error) {
	id := int64(1)
	if n := len(j.entries); n > 0 {
		id = j.entries[n-1].ID + 1
	}
	e := Entry{ID: id, Time: now.UTC(), Operation: operation, Storage: storage, Undoes: undoes, Changes: changes}
	if err := j.append(e.beginning(j.key)); err != nil {
		return 0, err
	}
	j.entries = append(j.entries, e)
	return id, nil
}

// End says what came of a change: which partitions were not changed, nil for
// none. It is not the change's failure if this cannot be written.
func (j *Journal) End(id int64, failed []Failure, now time.Time) error {
	if err := j.append(ending(id, failed, now.UTC())); err != nil {
		return err
	}
	for i := range j.entries {
		if j.entries[i].ID == id {
			j.entries[i].end(failed)
		}
	}
	return nil
}

// append writes a line and waits until it is on the disk. Where that fails the
// file is as it was.
func (j *Journal) append(line any) error {
	if !j.locked {
		return errNotLocked
	}
	data, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	data = append(data, '\n')
	_, err = j.file.WriteAt(data, j.size)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		_ = j.file.Truncate(j.size)
		return fmt.Errorf("journal: %w", err)
	}
	j.size += int64(len(data))
	return nil
}
