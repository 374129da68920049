package checkpoint

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"kafkactl/internal/durable"
)

// fileVersion is of the file's layout.
const fileVersion = 1

// maxFile bounds what is taken for a checkpoint.
const maxFile = 1 << 20

// state is what the file holds.
type state struct {
	Version  int               `json:"version"`
	Cluster  string            `json:"cluster"`
	Topic    string            `json:"topic"`
	TopicID  string            `json:"topicId,omitempty"`
	ID       string            `json:"transactionalId"`
	Group    string            `json:"group"`
	Inputs   []string          `json:"inputs"`
	Shape    map[string]string `json:"flags"`
	Records  int64             `json:"records"`
	Sum      string            `json:"sha256"`
	Complete bool              `json:"complete"`
	Written  time.Time         `json:"written"`
}

// file is the checkpoint on the disk. It names the transactional id and the
// group whose stored offset is the position; the count of records in it may be
// behind.
type file struct {
	path  string
	lock  *flock.Flock
	state state
}

// ErrLocked says that another run has the file.
var ErrLocked = errors.New("another run is using this checkpoint")

// openFile locks and reads a checkpoint, or makes up a new one, which is not on
// the disk before save.
func openFile(ctx context.Context, cfg *Config) (*file, error) {
	path, err := behindLinks(cfg.Path)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, lock: flock.New(path + ".lock")}
	// One that was killed a moment ago holds it until the system has cleared it away.
	wait, cancel := context.WithTimeout(ctx, lingering)
	defer cancel()
	switch ok, err := f.lock.TryLockContext(wait, 10*time.Millisecond); {
	case ok:
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case wait.Err() != nil:
		return nil, fmt.Errorf("%s: %w", cfg.Path, ErrLocked)
	default:
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if err := f.load(cfg); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// behindLinks is the file that a symbolic link leads to: the link would be
// replaced, and whoever goes by another way would find the file as it was.
func behindLinks(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real, nil
	}
	if _, there := os.Lstat(path); there == nil {
		return "", fmt.Errorf("checkpoint: %w", err) // a link to nothing
	}
	return path, nil
}

func (f *file) close() { _ = f.lock.Unlock() }

func (f *file) load(cfg *Config) error {
	src, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		id := "kafkactl-" + rand.Text()
		f.state = state{
			Version: fileVersion, Cluster: cfg.Cluster, Topic: cfg.Topic, ID: id, Group: id + "-position",
			Inputs: cfg.Inputs, Shape: cfg.Shape,
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer src.Close()
	if info, err := src.Stat(); err == nil && info.Size() > maxFile {
		return fmt.Errorf("%s: no checkpoint: it has %d bytes", f.path, info.Size())
	}
	dec := json.NewDecoder(src)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f.state); err != nil {
		return fmt.Errorf("%s: no checkpoint: %w", f.path, err)
	}
	return f.match(cfg)
}

// match refuses what would send other records, or send them elsewhere.
func (f *file) match(cfg *Config) error {
	s := &f.state
	if s.Version != fileVersion || s.ID == "" || s.Group == "" || s.Records < 0 {
		return fmt.Errorf("%s: no checkpoint of this version of kafkactl", f.path)
	}
	differs := func(what, was, is string) error {
		return fmt.Errorf("%s: it was begun with %s %q, not %q", f.path, what, was, is)
	}
	switch {
	case s.Cluster != cfg.Cluster:
		return differs("cluster", s.Cluster, cfg.Cluster)
	case s.Topic != cfg.Topic:
		return differs("topic", s.Topic, cfg.Topic)
	}
	names := slices.Collect(maps.Keys(s.Shape))
	names = slices.AppendSeq(names, maps.Keys(cfg.Shape))
	slices.Sort(names)
	for _, name := range names {
		was, then := s.Shape[name]
		is, now := cfg.Shape[name]
		switch {
		case then && !now:
			return fmt.Errorf("%s: it was begun with --%s %q", f.path, name, was)
		case now && !then:
			return fmt.Errorf("%s: it was begun without --%s", f.path, name)
		case was != is:
			return differs("--"+name, was, is)
		}
	}
	return nil
}

// keep notes how far the input is committed.
func (f *file) keep(at position) error {
	f.state.Records, f.state.Sum, f.state.Complete = at.records, at.sum, false
	return f.save()
}

// save replaces the file as a whole, and waits until it is on the disk.
func (f *file) save() error {
	f.state.Written = time.Now().UTC().Truncate(time.Millisecond)
	data, err := json.MarshalIndent(&f.state, "", "  ")
	if err == nil {
		err = durable.Replace(f.path, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}
