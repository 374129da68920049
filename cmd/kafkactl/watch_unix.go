//go:build unix

package main

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// watchOut gives a context that ends, with errClosedPipe as its cause, when
// nobody reads standard output any more, also while nothing is written to it.
// stop ends the watch.
func (e *env) watchOut(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	out, ok := e.out.(*stdout)
	if !ok || !isPipe(int(out.Fd())) {
		return ctx, func() { cancel(nil) }
	}
	wake, wakeEnd, err := os.Pipe()
	if err != nil {
		return ctx, func() { cancel(nil) }
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fds := []unix.PollFd{
			{Fd: int32(out.Fd())}, // errors and hang-ups are told unasked
			{Fd: int32(wake.Fd()), Events: unix.POLLIN},
		}
		for {
			_, err := unix.Poll(fds, -1)
			if err != nil && err != unix.EINTR {
				return
			}
			if err == nil && fds[1].Revents != 0 {
				return
			}
			if err == nil && fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
				cancel(errClosedPipe)
				return
			}
		}
	}()
	return ctx, func() {
		_ = wakeEnd.Close()
		<-ended
		_ = wake.Close()
		cancel(nil)
	}
}

// unread says that nobody reads standard output any more.
func (e *env) unread() bool {
	out, ok := e.out.(*stdout)
	if !ok || !isPipe(int(out.Fd())) {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(out.Fd())}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
}

// isPipe is true of pipes and sockets, whose other end can go away.
func isPipe(fd int) bool {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false
	}
	kind := uint32(st.Mode) & unix.S_IFMT
	return kind == unix.S_IFIFO || kind == unix.S_IFSOCK
}
