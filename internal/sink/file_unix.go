//go:build unix

package sink

import (
	"errors"
	"math"

	"golang.org/x/sys/unix"
)

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
