package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
	"kafkactl/internal/sink"
)

// A stream makes a pipe wide; that it stands behind our own writer must not hide it.
func TestStandardOutputIsAPipeThatCanBeMadeWide(t *testing.T) {
	const fGetPipeSize, usual = 1032, 64 << 10
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	e := newEnv(strings.NewReader(""), w, os.Stderr)
	none := func(dst []byte, _ *record.Record) []byte { return dst }
	sink.NewStream(e.out, none, func(consume.Mark) {}, 0)
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, w.Fd(), fGetPipeSize, 0)
	if errno != 0 {
		t.Skipf("the size of a pipe cannot be asked for: %v", errno)
	}
	if n <= usual {
		t.Errorf("the pipe holds %d bytes", n)
	}
}
