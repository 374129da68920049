//go:build !windows

package journal

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Dir is where journals belong: kafkactl/journal below $XDG_STATE_HOME, or below
// ~/.local/state.
func Dir() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // relative ones are to be ignored, says the XDG specification
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "kafkactl", "journal"), nil
}

// syncDir puts the names of new files on the disk. Some file systems cannot.
func syncDir(dir string) error {
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
