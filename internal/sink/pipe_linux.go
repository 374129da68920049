package sink

import (
	"io"
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
	f, ok := w.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // what is no pipe refuses
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, fSetPipeSize, pipeBytes)
	})
}
