package badnet

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"kafkactl/internal/wire"
)

var (
	errCut = errors.New("badnet: cut")
	errEnd = errors.New("badnet: the network was taken down")
)

// link is one connection through the network.
type link struct {
	n                *Net
	client, upstream *net.TCPConn
	over             chan struct{} // closed when it is taken down
	once             sync.Once

	mu    sync.Mutex
	fault *Fault         // what has struck, nil while nothing has
	asked map[int32]call // by correlation id
}

// call is a request that a response is due to.
type call struct {
	key     wire.Key
	version int16
	cut     *Fault // a reset in mid-response
}

func newLink(n *Net, client, upstream *net.TCPConn) *link {
	_, _ = client.SetNoDelay(true), upstream.SetNoDelay(true)
	return &link{n: n, client: client, upstream: upstream, over: make(chan struct{}), asked: map[int32]call{}}
}

// end takes the link down at both ends.
func (k *link) end() {
	k.once.Do(func() {
		close(k.over)
		_, _ = k.client.Close(), k.upstream.Close()
	})
}

// cut takes it down with resets.
func (k *link) cut() {
	k.once.Do(func() {
		close(k.over)
		reset(k.client)
		reset(k.upstream)
	})
}

// struck is what has befallen the link.
func (k *link) struck() Fault {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fault == nil {
		return Fault{}
	}
	return *k.fault
}

// readFrame reads one frame, its length included.
func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > wire.MaxFrame {
		return nil, errCut
	}
	frame := make([]byte, 4+n)
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

// requests carries them to the broker.
func (k *link) requests() {
	for {
		frame, err := readFrame(k.client)
		if err == nil {
			err = k.request(frame)
		}
		switch {
		case err == nil:
		case errors.Is(err, errEnd):
			return // held to the end
		case k.struck().Kind == Deaf && !errors.Is(err, errCut):
			return // the broker is not told
		default:
			k.end()
			return
		}
	}
}

func (k *link) request(frame []byte) error {
	if len(frame) < 12 {
		return errCut
	}
	key, version := wire.Key(binary.BigEndian.Uint16(frame[4:])), int16(binary.BigEndian.Uint16(frame[6:]))
	due := call{key: key, version: version}
	f := k.n.match(key)
	switch {
	case f == nil:
	case f.Kind == ResetResponse:
		due.cut = f
	default:
		k.mu.Lock()
		k.fault = f
		k.mu.Unlock()
	}
	k.mu.Lock()
	k.asked[int32(binary.BigEndian.Uint32(frame[8:]))] = due
	k.mu.Unlock()
	if f != nil && f.Kind == ResetRequest {
		_ = k.write(k.upstream, frame[:portion(f.Bytes, len(frame))], Fault{})
		k.cut()
		return errCut
	}
	switch s := k.struck(); s.Kind {
	case BlackHole:
		return k.hold(nil)
	case HalfOpen:
		_ = k.upstream.Close()
		return k.hold(nil)
	case LostRequests:
		return nil
	case Stall:
		if err := k.hold(k.n.release); err != nil {
			return err
		}
		return k.write(k.upstream, frame, Fault{})
	default:
		return k.write(k.upstream, frame, s)
	}
}

// portion is how much of a frame passes.
func portion(bytes, size int) int {
	if bytes < 0 {
		bytes += size
	}
	return max(0, min(bytes, size))
}

// responses carries them to the client.
func (k *link) responses() {
	for {
		frame, err := readFrame(k.upstream)
		if err == nil {
			err = k.response(frame)
		}
		switch {
		case err == nil:
		case errors.Is(err, errEnd):
			return
		case k.mute():
			_ = k.hold(nil) // the client is not told
			return
		default:
			k.end()
			return
		}
	}
}

// mute says that nothing of the broker reaches the client, not even its end.
func (k *link) mute() bool {
	switch k.struck().Kind {
	case BlackHole, HalfOpen, LostResponses:
		return true
	}
	return false
}

func (k *link) response(frame []byte) error {
	if len(frame) < 8 {
		return errCut
	}
	k.mu.Lock()
	id := int32(binary.BigEndian.Uint32(frame[4:]))
	due := k.asked[id]
	delete(k.asked, id)
	k.mu.Unlock()
	frame = k.n.readdress(due, frame)
	if due.cut != nil {
		_ = k.write(k.client, frame[:portion(due.cut.Bytes, len(frame))], Fault{})
		k.cut()
		return errCut
	}
	if k.mute() {
		return nil
	}
	s := k.struck()
	if s.Kind == Stall {
		if err := k.hold(k.n.release); err != nil {
			return err
		}
	}
	return k.write(k.client, frame, s)
}

// hold waits until it is released; nil is never.
func (k *link) hold(released <-chan struct{}) error {
	select {
	case <-released:
		return nil
	case <-k.over:
		return errEnd
	}
}

// write passes bytes on as s has it.
func (k *link) write(to net.Conn, b []byte, s Fault) error {
	switch s.Kind {
	case Late:
		if err := k.pause(s.Delay); err != nil {
			return err
		}
	case Narrow:
		step := max(1, s.Rate/100)
		for len(b) > step {
			if _, err := to.Write(b[:step]); err != nil {
				return err
			}
			b = b[step:]
			if err := k.pause(10 * time.Millisecond); err != nil {
				return err
			}
		}
	case Sliced:
		for len(b) > 3 {
			n := 1 + rand.IntN(3)
			if _, err := to.Write(b[:n]); err != nil {
				return err
			}
			b = b[n:]
		}
	}
	_, err := to.Write(b)
	return err
}

func (k *link) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-k.over:
		return errEnd
	}
}
