package sink

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"kafkactl/internal/durable"
)

// fileSystem is what files are made with, and what tests put faults into.
type fileSystem interface {
	// create makes a file that must not exist, reopen goes on at the end of one.
	create(name string) (openFile, error)
	reopen(name string) (openFile, error)
	// rename never replaces what is there: that is fs.ErrExist.
	rename(from, to string) error
	remove(name string) error
	exists(name string) (bool, error)
	// mkdirs makes a directory and those above it, and puts their names on the disk.
	mkdirs(dir string) error
	// syncDir puts the names in a directory on the disk.
	syncDir(dir string) error
}

// openFile is a file that is written.
type openFile interface {
	io.WriteCloser
	Sync() error
}

// disk is the system's own.
type disk struct{}

func (disk) syncDir(dir string) error { return durable.SyncDir(dir) }

func (disk) create(name string) (openFile, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

func (disk) reopen(name string) (openFile, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
}

func (disk) rename(from, to string) error { return renameNew(from, to) }

func (disk) remove(name string) error { return os.Remove(name) }

func (disk) exists(name string) (bool, error) {
	_, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (d disk) mkdirs(dir string) error {
	err := os.Mkdir(dir, 0o777)
	if errors.Is(err, fs.ErrNotExist) {
		if above := path.Dir(dir); above != dir {
			if err := d.mkdirs(above); err != nil {
				return err
			}
		}
		err = os.Mkdir(dir, 0o777)
	}
	if err == nil {
		return d.syncDir(path.Dir(dir))
	}
	info, serr := os.Stat(dir)
	switch {
	case serr == nil && info.IsDir():
		return nil
	case serr == nil:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	}
	return err
}

// linkNew is renameNew by way of a second name. Where a system has none, it is
// the usual rename after a look.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, serr := os.Lstat(to); serr == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

// FileError is a file that could not be written. Files that were finished before
// are whole, and count.
type FileError struct {
	Name string // of the finished file, or a directory
	Op   string // create, write, sync, rename, …
	Err  error
}

// Error names the file, what was tried, and the cause.
func (e *FileError) Error() string {
	cause := e.Err
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(cause, &pe):
		cause = pe.Err
	case errors.As(cause, &le):
		cause = le.Err
	}
	return strings.ToValidUTF8(e.Name, "?") + ": " + e.Op + ": " + cause.Error()
}

// Unwrap is the cause.
func (e *FileError) Unwrap() error { return e.Err }

func fileError(name, op string, err error) error {
	if err == nil {
		return nil
	}
	return &FileError{Name: name, Op: op, Err: err}
}
