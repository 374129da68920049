package broker

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"
)

// readBuffer is what one read of a socket may bring. Fetch bodies larger than
// this go past it, straight into the reader's chunk.
const readBuffer = 64 << 10

// socket reads a net.Conn with a deadline for each read, and remembers how
// reading ended: errors that come back through a decoder can then be told from
// the decoder's own. The deadline covers one read only. A caller that is slow to
// take a response in is not a slow broker.
type socket struct {
	nc      net.Conn
	timeout time.Duration
	err     error
	in      int64 // bytes read
}

// Read implements io.Reader.
func (s *socket) Read(p []byte) (int, error) {
	if s.timeout > 0 {
		if err := s.nc.SetReadDeadline(time.Now().Add(s.timeout)); err != nil {
			s.err = err
			return 0, err
		}
	}
	n, err := s.nc.Read(p)
	s.in += int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}

// maxFirst bounds the first response on a connection: nothing that a handshake
// asks for comes near it, and every text banner is above it as a number.
const maxFirst = 16 << 20

// stranger says what kind of peer begins to speak with these bytes, for those
// that cannot be the size of a Kafka response. It never waits for more.
func stranger(br *bufio.Reader, size int32) error {
	if err := foreign(buffered(br)); err != nil {
		return err
	}
	return fmt.Errorf("%w: it announces a response of %d bytes", ErrNotKafka, size)
}

// buffered is the beginning of what has been read and not taken.
func buffered(br *bufio.Reader) []byte {
	head, _ := br.Peek(min(br.Buffered(), 64))
	return head
}

// foreign names the protocol that a peer's first bytes are of, nil where they
// are neither TLS nor text.
func foreign(head []byte) error {
	switch {
	case len(head) >= 2 && (head[0] == 0x15 || head[0] == 0x16) && head[1] == 0x03: // an alert, or a handshake
		return fmt.Errorf("%w, and we spoke plaintext", ErrTLS)
	case bytes.HasPrefix(head, []byte("HTTP/")), bytes.HasPrefix(bytes.ToUpper(head), []byte("<!DOCTYPE HTML")):
		return fmt.Errorf("%w: it answers %q, as web servers do", ErrNotKafka, banner(head))
	case bytes.HasPrefix(head, []byte("SSH-")):
		return fmt.Errorf("%w: it answers %q, as SSH servers do", ErrNotKafka, banner(head))
	case len(banner(head)) >= 4:
		return fmt.Errorf("%w: it answers %q", ErrNotKafka, banner(head))
	}
	return nil
}

// banner is the printable beginning of what a peer said, one line at most.
func banner(b []byte) string {
	end := bytes.IndexFunc(b, func(r rune) bool { return r < ' ' || r > '~' })
	if end >= 0 {
		b = b[:end]
	}
	return strings.TrimSpace(string(b[:min(len(b), 40)]))
}
