package sink

import (
	"os"
	"syscall"
	"testing"

	"kafkactl/internal/consume"
)

func TestAPipeIsMadeWide(t *testing.T) {
	const fGetPipeSize = 1032
	size := func(f *os.File, command, arg uintptr) uintptr {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), command, arg)
		if errno != 0 {
			t.Skipf("pipes cannot be made wider here: %v", errno)
		}
		return n
	}
	pipe := func() *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			r.Close()
			w.Close()
		})
		return w
	}
	size(pipe(), fSetPipeSize, pipeBytes)
	w := pipe()
	NewStream(w, lines(Plain{}), func(consume.Mark) {}, 0)
	if n := size(w, fGetPipeSize, 0); n < pipeBytes {
		t.Errorf("the pipe holds %d bytes", n)
	}
}
