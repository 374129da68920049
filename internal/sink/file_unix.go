//go:build unix

package sink

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// syncDir puts the names in a directory on the disk. Some file systems cannot.
func (disk) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}

// descriptors is how many files the process may have open.
func descriptors() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil || uint64(r.Cur) > math.MaxInt32 {
		return 1 << 16
	}
	return int(r.Cur)
}

// tooMany says that err is for want of descriptors.
func tooMany(err error) bool { return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) }
