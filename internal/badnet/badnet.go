// Package badnet is a bad network for tests: a proxy in front of brokers that
// puts itself in place of the addresses they tell their clients, and does harm
// to the connection that carries a chosen request. What it does is counted in
// requests and in bytes of their frames, so a fault strikes at the same place in
// every run. It knows where frames and their headers are, and nothing else of
// what passes. It refuses to be used by the product.
package badnet

import (
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"kafkactl/internal/wire"
)

// Kind is what befalls a connection.
type Kind int8

// The kinds. All but the resets hold from the request that Fault names until the
// connection ends.
const (
	Late          Kind = iota + 1 // Delay before each frame, both ways
	Narrow                        // Rate bytes a second, each way
	Sliced                        // one to three bytes in each packet, both ways
	ResetRequest                  // a reset, both ways, after Bytes of the request
	ResetResponse                 // a reset, both ways, after Bytes of its response
	BlackHole                     // nothing passes in either direction, nobody hears of it
	LostRequests                  // requests vanish, responses to earlier ones pass
	LostResponses                 // requests pass, responses vanish
	HalfOpen                      // the broker's end is closed, and ours hears nothing of it
	Deaf                          // all passes, but the broker never hears of our closing
	Stall                         // all is held until Release, and then passes after all
)

// Any stands for every API.
const Any wire.Key = -1

// Fault strikes at the connection on which a request of API comes along.
type Fault struct {
	Kind  Kind
	API   wire.Key
	Skip  int           // requests of the API that pass before it
	Times int           // connections it strikes at, 0: all from then on
	Bytes int           // of resets: how much of the frame passes; negative counts from its end
	Delay time.Duration // of Late
	Rate  int           // of Narrow
}

// Net is the network in front of some brokers.
type Net struct {
	t testing.TB

	mu      sync.Mutex
	fronts  map[string]net.Listener // by the address behind it
	conns   map[*link]bool
	faults  []*armed
	release chan struct{} // closed by Release
	free    sync.Once
	seen    map[wire.Key]int
	closed  bool
	work    sync.WaitGroup
	up      sync.WaitGroup // what carries requests
}

// armed is a fault and what it has done.
type armed struct {
	Fault
	passed, hits int
}

// New makes a network that ends with the test.
func New(t testing.TB) *Net {
	n := &Net{
		t: t, fronts: map[string]net.Listener{}, conns: map[*link]bool{},
		release: make(chan struct{}), seen: map[wire.Key]int{},
	}
	t.Cleanup(n.close)
	return n
}

// Front is the address that leads to a broker through the network.
func (n *Net) Front(behind string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.fronts[behind]; l != nil {
		return l.Addr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || n.closed {
		n.t.Errorf("badnet: in front of %s: %v", behind, err)
		return behind
	}
	n.fronts[behind] = l
	n.work.Go(func() { n.serve(l, behind) })
	return l.Addr().String()
}

// front is Front for a host and a port as responses have them.
func (n *Net) front(host *string, port *int32) {
	if *host == "" {
		return
	}
	addr := n.Front(net.JoinHostPort(*host, strconv.Itoa(int(*port))))
	name, number, _ := net.SplitHostPort(addr)
	p, _ := strconv.Atoi(number)
	*host, *port = name, int32(p)
}

// Strike arms a fault; hits tells how many connections it has struck since.
func (n *Net) Strike(f Fault) (hits func() int) {
	a := &armed{Fault: f}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = append(n.faults, a)
	return func() int {
		n.mu.Lock()
		defer n.mu.Unlock()
		return a.hits
	}
}

// Heal disarms all faults: connections made from now on are good ones.
func (n *Net) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = nil
}

// Release ends all stalling: what is held passes, even if who sent it has given it up.
func (n *Net) Release() { n.free.Do(func() { close(n.release) }) }

// Drain waits until all that clients wrote before they closed their connections
// has passed, which it never does where it is held.
func (n *Net) Drain() { n.up.Wait() }

// Seen is how many requests of an API have come along.
func (n *Net) Seen(key wire.Key) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen[key]
}

// match says which fault a request brings about, nil for none.
func (n *Net) match(key wire.Key) *Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen[key]++
	for _, a := range n.faults {
		if a.API != key && a.API != Any {
			continue
		}
		if a.passed < a.Skip {
			a.passed++
			continue
		}
		if a.Times == 0 || a.hits < a.Times {
			a.hits++
			return &a.Fault
		}
	}
	return nil
}

func (n *Net) serve(l net.Listener, behind string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", behind)
		if err != nil {
			reset(c)
			continue
		}
		k := newLink(n, c.(*net.TCPConn), up.(*net.TCPConn))
		n.mu.Lock()
		n.conns[k] = true
		late := n.closed
		n.mu.Unlock()
		if late {
			k.end()
		}
		n.up.Go(k.requests)
		n.work.Go(k.responses)
	}
}

func (n *Net) close() {
	n.mu.Lock()
	n.closed = true
	for _, l := range n.fronts {
		_ = l.Close()
	}
	for k := range n.conns {
		k.end()
	}
	n.mu.Unlock()
	n.work.Wait()
	n.up.Wait()
}

// reset closes a connection so that the other side gets an RST.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
