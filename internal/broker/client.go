package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// maxIdle is how long a shared connection may rest and still be trusted: less
// than what brokers (10 minutes) and the common load balancers allow.
const maxIdle = 3 * time.Minute

// maxRest is the same for requests that may not be repeated: on a connection
// that died unnoticed, nobody could tell whether they were carried out.
const maxRest = time.Second

// outageTold is how long an address may let nobody in before that is told: long
// enough for a restart behind a load balancer to pass unseen, and much shorter
// than the time after which waiting ends.
const outageTold = 3 * time.Second

// Client routes requests, keeps metadata and retries. It owns its shared
// connections; Close ends them.
type Client struct {
	cfg    Config
	dialer dialer
	meta   metadata
	coords coordinators

	mu     sync.Mutex
	shared map[string]*shared   // by address
	bad    map[string]time.Time // addresses that failed last, and when
	met    map[string]bool      // addresses a handshake was made with
	warm   bool                 // some broker has answered a request
	last   trouble              // newest
	down   map[string]*outage   // by addresses that let nobody in
	closed bool
}

// trouble is what went wrong, and when.
type trouble struct {
	err error
	at  time.Time
}

// outage is a time of an address during which it let nobody in.
type outage struct {
	since time.Time
	told  bool
}

// shared is one address's connection, or the attempt to make it.
type shared struct {
	ready chan struct{} // closed once conn or err is set
	conn  *Conn
	err   error
}

// New does not connect yet.
func New(cfg Config) (*Client, error) {
	if len(cfg.Seeds) == 0 {
		return nil, errors.New("no brokers given")
	}
	cfg = cfg.withDefaults()
	cfg.Seeds = slices.Clone(cfg.Seeds)
	if cfg.Shuffle {
		rand.Shuffle(len(cfg.Seeds), func(i, j int) { cfg.Seeds[i], cfg.Seeds[j] = cfg.Seeds[j], cfg.Seeds[i] })
	}
	c := &Client{cfg: cfg, shared: make(map[string]*shared), bad: make(map[string]time.Time), met: make(map[string]bool), down: make(map[string]*outage)}
	c.dialer = dialer{cfg: &c.cfg, tries: len(cfg.Seeds)}
	return c, nil
}

// Config gives back what New was told, defaults filled in.
func (c *Client) Config() Config { return c.cfg }

// Close ends shared connections; waiting calls return.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	list := make([]*shared, 0, len(c.shared))
	for _, s := range c.shared {
		list = append(list, s)
	}
	c.mu.Unlock()
	for _, s := range list {
		select {
		case <-s.ready:
			if s.conn != nil {
				_ = s.conn.Close()
			}
		default: // still dialling; share closes it
		}
	}
	return nil
}

// Open gives the caller a connection of its own to node, handshake done: fetch
// lanes, produce senders, members of groups. The caller closes it. It asks for
// metadata where node is unknown, and dials once: who opens again pauses first.
func (c *Client) Open(ctx context.Context, node int32) (*Conn, error) {
	p, err := c.nodePeer(ctx, node)
	if err != nil {
		return nil, err
	}
	if c.isClosed() {
		return nil, ErrClosed
	}
	conn, err := c.dialer.dial(ctx, p.addr, p.node)
	if err != nil {
		err = c.dialError(p, err)
		c.note(p.addr, err)
		return nil, err
	}
	c.note(p.addr, nil)
	return conn, nil
}

// share gives the Conn that ordinary requests to an address go over. Callers
// that want it at the same time dial once. One that has rested for longer than
// rest is replaced.
func (c *Client) share(ctx context.Context, p peer, rest time.Duration) (*Conn, error) {
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return nil, ErrClosed
		}
		s := c.shared[p.addr]
		mine := s == nil || s.spent(rest)
		if mine {
			if s != nil && s.conn != nil {
				defer s.conn.Close() // rested for too long
			}
			s = &shared{ready: make(chan struct{})}
			c.shared[p.addr] = s
		}
		c.mu.Unlock()
		if mine {
			return c.connect(ctx, p, s)
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if s.err == nil {
			if p.node >= 0 {
				s.conn.node.Store(p.node)
			}
			return s.conn, nil
		}
		if ctx.Err() != nil || !isContext(s.err) {
			return nil, s.err
		}
		// Whoever dialled gave up, for a reason of its own.
	}
}

// connect dials for all who wait on s.
func (c *Client) connect(ctx context.Context, p peer, s *shared) (*Conn, error) {
	conn, err := c.dialer.dial(ctx, p.addr, p.node)
	c.mu.Lock()
	if err == nil && c.closed {
		defer conn.Close()
		conn, err = nil, ErrClosed
	}
	s.conn, s.err = conn, err
	close(s.ready)
	c.mu.Unlock()
	return conn, err
}

// spent says that a connection has to be replaced.
func (s *shared) spent(rest time.Duration) bool {
	select {
	case <-s.ready:
		return s.err != nil || s.conn.failure() != nil || s.conn.idle() > rest
	default:
		return false
	}
}

// note remembers whether an address let us in, so that those which do not come
// last.
func (c *Client) note(addr string, err error) {
	tell, after := c.noted(addr, err)
	switch {
	case tell:
		c.cfg.logf(0, "waiting for %v", err)
	case after > 0:
		c.cfg.logf(0, "%s is back after %v", addr, after.Round(100*time.Millisecond))
	}
}

// noted says whether somebody who waits should hear of it: once in an outage,
// when it has lasted for a while, and, with how long it was, once at its end.
func (c *Client) noted(addr string, err error) (tell bool, after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.met[addr] = true
		delete(c.bad, addr)
		if o := c.down[addr]; o != nil && o.told {
			after = time.Since(o.since)
		}
		delete(c.down, addr)
		return false, after
	}
	if isContext(err) || c.closed {
		return false, 0
	}
	now := time.Now()
	c.bad[addr] = now
	if errors.Is(err, errSlow) {
		return false, 0
	}
	c.last = trouble{err, now}
	if !errors.As(err, new(*DialError)) {
		return false, 0
	}
	o := c.down[addr]
	if o == nil {
		o = &outage{since: now}
		c.down[addr] = o
	}
	tell = !o.told && now.Sub(o.since) >= outageTold
	o.told = o.told || tell
	return tell, 0
}

// troubleSince is the newest that went wrong since then, nil for nothing.
func (c *Client) troubleSince(then time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last.at.Before(then) {
		return nil
	}
	return c.last.err
}

func (c *Client) hasMet(addr string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.met[addr]
}

// warmUp notes that a broker has answered.
func (c *Client) warmUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.warm = true
}

// rebootstrap forgets all addresses but the seeds', and all connections.
func (c *Client) rebootstrap() {
	c.meta.mu.Lock()
	if c.meta.now != nil {
		next := *c.meta.now
		next.Brokers = nil
		c.meta.now = &next
	}
	c.meta.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	for addr, s := range c.shared {
		select {
		case <-s.ready:
			if s.conn != nil {
				_ = s.conn.Close()
			}
			delete(c.shared, addr)
		default: // still dialling, which is new enough
		}
	}
}

func (c *Client) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *Client) isWarm() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.warm
}

// dialError says how the address became known, unless it was no dialling error.
func (c *Client) dialError(p peer, err error) error {
	if errors.Is(err, ErrClosed) && c.isClosed() {
		return fmt.Errorf("client: %w", ErrClosed)
	}
	return &DialError{Addr: shown(p.addr), Advertised: p.node >= 0 && !slices.Contains(c.cfg.Seeds, p.addr), Node: p.node, Err: err}
}

// isContext says that err is the end of somebody's context.
func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
