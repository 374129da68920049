// Package brokertest is a scripted broker for tests: it speaks every version
// that package wire does, from Kafka 0.8's on, and misbehaves to order. It
// decides nothing by itself but ApiVersions and the probe for old brokers;
// handlers, scripts or a Cluster answer the rest.
//
//	s := brokertest.New(t)
//	s.Handle(wire.Metadata, func(r *brokertest.Request) brokertest.Reply {
//		return brokertest.Answer(&wire.MetadataResponse{…})
//	})
//	s.Script(brokertest.Step{Key: wire.Fetch, Reply: brokertest.Answer(resp).Short(20)})
//	client, err := broker.New(broker.Config{Seeds: []string{s.Addr()}})
//	s.Await(wire.Fetch, 1)
//
// Replies are built by Answer, Raw, Silence and Hangup and bent by their
// methods: WrongCorrelation, Short, Dribble, After. Old and OldMute make
// it a broker of before 0.10, Window narrows what it speaks, Dial serves it over net.Pipe.
package brokertest

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/wire"
)

// Request is one request as it came.
type Request struct {
	wire.RequestHeader
	Body wire.Request // in the shape of its version; nil when it could not be decoded
	Raw  []byte       // header and body, without the length
	Err  error        // why it could not be decoded
	Conn int          // which connection, from 1
	// Done is closed when the server stops: whoever answers late watches it.
	Done <-chan struct{}
}

// Handler answers one request. The zero Reply leaves it to the server's defaults.
// It runs in its connection's goroutine, so several may run at once.
type Handler func(r *Request) Reply

// Server is one broker. Its methods may be called from any goroutine, also
// while it serves.
type Server struct {
	t       testing.TB
	pipe    bool // only Dial leads here
	addr    string
	serving sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	halt     chan struct{} // closed while it is stopped
	handlers map[wire.Key]Handler
	base     Handler // asked after handlers
	bends    map[wire.Key]Bend
	windows  map[wire.Key][2]int16
	old      oldness
	script   []Step
	requests []*Request
	changed  chan struct{} // closed at each request
	conns    map[net.Conn]struct{}
	accepted int
}

// New starts a broker on a free port of 127.0.0.1; it ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := unconnected(t, "127.0.0.1:0")
	s.Start()
	return s
}

// NewPipe makes a broker that is reached by its Dial alone, over net.Pipe, as
// testing/synctest needs it.
func NewPipe(t testing.TB) *Server {
	t.Helper()
	return newPipe(t, "pipe:9092")
}

func newPipe(t testing.TB, addr string) *Server {
	s := unconnected(t, addr)
	s.pipe = true
	s.Start()
	return s
}

func unconnected(t testing.TB, addr string) *Server {
	s := &Server{
		t:        t,
		addr:     addr,
		halt:     make(chan struct{}),
		handlers: make(map[wire.Key]Handler),
		bends:    make(map[wire.Key]Bend),
		windows:  make(map[wire.Key][2]int16),
		changed:  make(chan struct{}),
		conns:    make(map[net.Conn]struct{}),
	}
	for _, api := range wire.APIs() {
		s.windows[api.Key] = [2]int16{api.Min, api.Max}
	}
	close(s.halt)
	t.Cleanup(func() {
		s.Stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.script) > 0 && !t.Failed() {
			t.Errorf("brokertest: %d script steps left, the next is %v", len(s.script), s.script[0].Key)
		}
	})
	return s
}

// Addr is host:port.
func (s *Server) Addr() string { return s.addr }

// Host is Addr's first half.
func (s *Server) Host() string {
	host, _, _ := net.SplitHostPort(s.addr)
	return host
}

// Port is Addr's second half.
func (s *Server) Port() int32 {
	_, port, _ := net.SplitHostPort(s.addr)
	n, _ := strconv.Atoi(port)
	return int32(n)
}

// Dial fits broker.Config.Dial and ignores the address: a new net.Pipe each
// time. net.Pipe has no buffer, so what a test does not read blocks the writer.
func (s *Server) Dial(_ context.Context, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped() {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
	}
	s.serve(ours)
	return theirs, nil
}

// stopped says that nobody is let in; s.mu is held.
func (s *Server) stopped() bool {
	select {
	case <-s.halt:
		return true
	default:
		return false
	}
}

// Handle answers all requests of an API with h from now on.
func (s *Server) Handle(key wire.Key, h Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[key] = h
}

// Bend makes another reply of the one that was found for a request.
type Bend func(r *Request, reply Reply) Reply

// Bend has b make another reply of every one to requests of an API.
func (s *Server) Bend(key wire.Key, b Bend) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bends[key] = b
}

func (s *Server) bent(r *Request, reply Reply) Reply {
	s.mu.Lock()
	b := s.bends[r.Key]
	s.mu.Unlock()
	if b == nil {
		return reply
	}
	return b(r, reply)
}

// Window sets the versions ApiVersions tells of an API; low > high takes it away.
func (s *Server) Window(key wire.Key, low, high int16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if low > high {
		delete(s.windows, key)
		return
	}
	s.windows[key] = [2]int16{low, high}
}

// Requests lists what came of an API so far, in order of arrival.
func (s *Server) Requests(key wire.Key) []*Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of(key)
}

func (s *Server) of(key wire.Key) []*Request {
	var list []*Request
	for _, r := range s.requests {
		if r.Key == key {
			list = append(list, r)
		}
	}
	return list
}

// Count is how many requests of an API have come.
func (s *Server) Count(key wire.Key) int { return len(s.Requests(key)) }

// Await waits until n requests of an API have come, and gives the last of them.
// It says nothing of whether they have been answered.
func (s *Server) Await(key wire.Key, n int) *Request {
	s.t.Helper()
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for {
		s.mu.Lock()
		list, changed := s.of(key), s.changed
		s.mu.Unlock()
		if len(list) >= n {
			return list[n-1]
		}
		select {
		case <-changed:
		case <-timeout.C:
			s.t.Fatalf("brokertest: %d %v requests came in a minute, %d were awaited", len(list), key, n)
		}
	}
}

// Accepted is how many connections were made so far.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// HangUp closes all connections and goes on accepting new ones.
func (s *Server) HangUp() {
	s.mu.Lock()
	conns := maps.Clone(s.conns)
	s.mu.Unlock()
	for nc := range conns {
		nc.Close()
	}
}

// Stop refuses new connections, hangs up on the old ones and waits until they
// are gone; idempotent.
func (s *Server) Stop() {
	s.mu.Lock()
	if !s.stopped() {
		close(s.halt)
	}
	if s.listener != nil {
		s.listener.Close()
	}
	s.mu.Unlock()
	s.HangUp()
	s.serving.Wait()
}

// Start lets connections in again after a Stop, at the same address. New and
// NewPipe have done it once.
func (s *Server) Start() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped() {
		return
	}
	if !s.pipe {
		l, err := net.Listen("tcp", s.addr)
		if err != nil {
			s.t.Fatalf("brokertest: %v", err)
		}
		s.listener = l
		if strings.HasSuffix(s.addr, ":0") {
			s.addr = l.Addr().String()
		}
		s.serving.Go(func() { s.accept(l) })
	}
	s.halt = make(chan struct{})
}

func (s *Server) accept(l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.stopped() {
			nc.Close()
		} else {
			s.serve(nc)
		}
		s.mu.Unlock()
	}
}

// serve starts a connection; s.mu is held.
func (s *Server) serve(nc net.Conn) {
	s.accepted++
	n := s.accepted
	s.conns[nc] = struct{}{}
	halt := s.halt
	s.serving.Go(func() {
		defer func() {
			nc.Close()
			s.mu.Lock()
			delete(s.conns, nc)
			s.mu.Unlock()
		}()
		s.converse(nc, n, halt)
	})
}

// converse answers requests one after another, as brokers do.
func (s *Server) converse(nc net.Conn, n int, halt <-chan struct{}) {
	br := bufio.NewReader(nc)
	for {
		r, err := read(br)
		if err != nil {
			return
		}
		r.Conn, r.Done = n, halt
		reply, ok := s.answer(r)
		if !ok {
			return
		}
		reply = s.bent(r, reply)
		frame, err := reply.bytes(r)
		if err != nil {
			s.t.Errorf("brokertest: answer to %v v%d: %v", r.Key, r.Version, err)
			return
		}
		if reply.send(nc, frame, halt) != nil {
			return
		}
	}
}

// read takes one request off the wire. One that cannot be decoded is a Request
// too.
func read(br *bufio.Reader) (*Request, error) {
	var size [4]byte
	if _, err := io.ReadFull(br, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > 256<<20 {
		return nil, fmt.Errorf("request of %d bytes", n)
	}
	r := &Request{Raw: make([]byte, n)}
	if _, err := io.ReadFull(br, r.Raw); err != nil {
		return nil, err
	}
	r.RequestHeader, r.Body, r.Err = wire.DecodeRequest(wire.NewBytesReader(r.Raw))
	return r, nil
}

// answer notes a request and finds its reply: by script, handler or default.
func (s *Server) answer(r *Request) (Reply, bool) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	close(s.changed)
	s.changed = make(chan struct{})
	if s.old.unknown(r.Key) {
		defer s.mu.Unlock()
		return Silence(), s.old == kafka09
	}
	step, scripted := s.next(r)
	h, base := s.handlers[r.Key], s.base
	s.mu.Unlock()
	if scripted {
		return step.reply(s.t, r)
	}
	if h != nil {
		if reply := h(r); reply.kind != unset {
			return reply, true
		}
	}
	if base != nil {
		if reply := base(r); reply.kind != unset {
			return reply, true
		}
	}
	return s.byDefault(r)
}
