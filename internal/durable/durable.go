// Package durable puts small files on the disk so that they are there, whole,
// after a crash.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace gives a file new contents: after a crash it has either these or those
// it had before. The file is the user's alone.
func Replace(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // what went wrong says it
		return err
	}
	return SyncDir(filepath.Dir(path))
}
