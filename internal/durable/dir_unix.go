//go:build !windows

package durable

import (
	"errors"
	"os"
	"syscall"
)

// SyncDir puts the names in a directory on the disk. Some file systems cannot,
// and see to it themselves.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
