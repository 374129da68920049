package sink

import (
	"io"
	"sync"
)

// shared is a writer that several streams write whole pages to. Its first error
// is everyone's: behind a page that was cut short nothing may follow.
type shared struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// Share lets several Streams, each used by a goroutine of its own, write to w.
// Pages go out one at a time, so records stay whole, and those of each stream in order.
func Share(w io.Writer) io.Writer {
	widen(w)
	return &shared{w: w}
}

// Write implements io.Writer.
func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	s.err = err
	return n, err
}
