package broker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"kafkactl/internal/wire"
)

// Conn is one connection after its handshake. Kafka answers in the order it was
// asked, so callers read their own responses in turn, and the Conn needs no
// goroutine. Its methods may be called from several goroutines.
type Conn struct {
	nc       net.Conn
	in       socket
	br       *bufio.Reader // of whoever has the turn
	addr     string
	node     atomic.Int32 // -1 until known
	clientID string
	software string
	timeout  time.Duration
	log      func(level int, format string, args ...any)
	ordeal   *Ordeal
	speaks   speaks // written by the handshake, before others see the Conn
	// rival sees whether the broker answers on another connection, and tells its
	// versions there; nil where that is not in doubt.
	rival func(ctx context.Context) (young bool, err error)
	// suspect says what the peer is if it is certainly no broker; nil where that
	// is not in doubt.
	suspect func(ctx context.Context) error

	// writing holds one token, and who has taken it may write and use these.
	writing chan struct{}
	frame   wire.Frame
	bufs    net.Buffers
	corr    int32

	dead chan struct{} // closed once err is set

	mu       sync.Mutex
	last     chan struct{} // closed once the last queued Call has been received
	heard    chan struct{} // closed once the broker has begun to answer it
	pending  int           // Calls queued and not received
	answered bool          // a response has come whole
	served   bool          // one that was no part of the handshake
	err      error         // what ended the Conn
	werr     error         // what ended writing; responses on their way may still be read
	resume   time.Time     // when the broker's throttling ends (KIP-219)
	used     time.Time     // when the last Call ended
}

func newConn(nc net.Conn, addr string, node int32, cfg *Config) *Conn {
	c := &Conn{
		nc:       nc,
		addr:     addr,
		clientID: cfg.ClientID,
		software: cfg.Software,
		timeout:  cfg.SocketTimeout,
		log:      cfg.Log,
		ordeal:   cfg.ordeal,
		writing:  make(chan struct{}, 1),
		dead:     make(chan struct{}),
		last:     make(chan struct{}),
		heard:    make(chan struct{}),
		used:     time.Now(),
	}
	c.in = socket{nc: nc, timeout: cfg.SocketTimeout}
	c.br = bufio.NewReaderSize(&c.in, readBuffer)
	c.node.Store(node)
	close(c.last)
	close(c.heard)
	return c
}

// Addr is the address dialled.
func (c *Conn) Addr() string { return c.addr }

// name is how errors and the log call the peer.
func (c *Conn) name() string {
	if n := c.node.Load(); n >= 0 {
		return fmt.Sprintf("%s (node %d)", c.addr, n)
	}
	return c.addr
}

// Send writes req; the order of its returns is the order on the wire. cap as in
// Version. A request that is never answered (acks 0) gives a nil Call. Record
// bytes in req are free again on return. ctx bounds the write; a write that does
// not finish closes the Conn. While the broker throttles us, Send waits.
func (c *Conn) Send(ctx context.Context, req wire.Request, cap int16) (*Call, error) {
	version, err := c.choose(req, cap)
	if err != nil {
		return nil, c.fault(req.Key(), -1, err, true)
	}
	return c.send(ctx, req, version)
}

func (c *Conn) send(ctx context.Context, req wire.Request, version int16) (*Call, error) {
	if err := c.takeTurn(ctx); err != nil {
		return nil, c.fault(req.Key(), version, err, true)
	}
	defer func() { <-c.writing }()
	c.corr++
	if err := wire.AppendRequest(&c.frame, req, version, c.corr, c.clientID); err != nil {
		return nil, c.fault(req.Key(), version, err, true)
	}
	var start time.Time
	if c.log != nil {
		start = time.Now()
	}
	size, whole, err := c.write(ctx)
	if err != nil {
		return nil, c.fault(req.Key(), version, err, !whole)
	}
	if p, ok := req.(*wire.ProduceRequest); ok && p.Acks == 0 {
		c.logRequest(req.Key(), version, size, -1, start)
		return nil, nil
	}
	ca := &Call{Version: version, conn: c, key: req.Key(), corr: c.corr, done: make(chan struct{}), heard: make(chan struct{}), start: start, size: size}
	c.mu.Lock()
	ca.turn, c.last, c.heard = c.last, ca.done, ca.heard
	c.pending++
	c.mu.Unlock()
	return ca, nil
}

// takeTurn waits for the right to write, and until the broker is ready. Nothing
// is on the wire yet, so a ctx that ends here does the Conn no harm.
func (c *Conn) takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.writing <- struct{}{}:
	case <-c.dead:
		return c.failure()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := c.Rest(ctx)
	if err == nil && c.speaks.trust.known() {
		err = c.alone(ctx)
	}
	if err == nil {
		err = c.failure()
	}
	if err != nil {
		<-c.writing
	}
	return err
}

// Resting is for how long the broker wants to be left alone yet (KIP-219).
func (c *Conn) Resting() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, time.Until(c.resume))
}

// Rest waits until the broker wants to hear from us again. Send does so by itself.
func (c *Conn) Rest(ctx context.Context) error {
	wait := c.Resting()
	if wait <= 0 {
		return nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.dead:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// alone waits until the broker has begun to answer whatever it was asked before.
// Brokers of 0.9 can answer two requests of a connection in the wrong order when
// they have them at once, and so is what was asked lost.
func (c *Conn) alone(ctx context.Context) error {
	c.mu.Lock()
	heard := c.heard
	c.mu.Unlock()
	select {
	case <-heard:
		return nil
	case <-c.dead:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write sends the encoded frame. whole says that all of it may have reached the
// broker. An error ends the Conn, at once or when what it still owes is read.
func (c *Conn) write(ctx context.Context) (size int, whole bool, err error) {
	c.bufs = c.frame.Buffers(c.bufs[:0])
	for _, b := range c.bufs {
		size += len(b)
	}
	if c.timeout > 0 {
		_ = c.nc.SetWriteDeadline(time.Now().Add(c.timeout)) // what is wrong with it, writing will tell
	}
	g := c.guard(ctx)
	bufs := c.bufs // WriteTo eats the slice it is called on, and forgets what it wrote
	n, err := bufs.WriteTo(c.nc)
	g.end()
	clear(c.frame.Parts) // the caller's record bytes are the caller's again
	whole = n == int64(size)
	if err == nil {
		return size, whole, nil
	}
	err = closedError(transportError(err, false, c.timeout))
	c.mu.Lock()
	hangUp := c.pending > 0 && c.err == nil && errors.Is(err, errHungUp)
	if hangUp {
		c.werr = err
	}
	c.mu.Unlock()
	// A broker that hung up may have answered earlier requests first: those
	// answers are in our socket, and their callers are told the truth by them.
	if hangUp {
		return size, whole, err
	}
	return size, whole, c.fail(err)
}

// Roundtrip is Send and Recv in one.
func (c *Conn) Roundtrip(ctx context.Context, req wire.Request, resp wire.Response, cap int16) (version int16, err error) {
	ca, err := c.Send(ctx, req, cap)
	if err != nil {
		return versionOf(err), err
	}
	if ca == nil {
		return c.choose(req, cap)
	}
	return ca.Version, ca.Recv(ctx, resp, nil)
}

// within is Roundtrip, but waits for the answer no longer than limit, if there is
// one: who is silent for so long is taken for gone.
func (c *Conn) within(ctx context.Context, limit time.Duration, req wire.Request, resp wire.Response) (version int16, err error) {
	if limit <= 0 {
		return c.Roundtrip(ctx, req, resp, -1)
	}
	ca, err := c.Send(ctx, req, -1)
	if err != nil {
		return versionOf(err), err
	}
	if ca == nil {
		return c.choose(req, -1)
	}
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = ca.Recv(inner, resp, nil)
	if err != nil && inner.Err() != nil && ctx.Err() == nil && isContext(err) {
		late := &timeoutError{fmt.Sprintf("no answer within %v", limit.Round(time.Millisecond)), os.ErrDeadlineExceeded}
		err = c.fault(req.Key(), ca.Version, closedError(late), false)
	}
	return ca.Version, err
}

// Close makes every waiting call return; idempotent.
func (c *Conn) Close() error {
	c.fail(ErrClosed)
	return nil
}

// fail ends the Conn, unless it has ended, and gives what ended it.
func (c *Conn) fail(err error) error {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = closedError(err)
		close(c.dead)
	}
	err = c.err
	c.mu.Unlock()
	if first {
		_ = c.nc.Close() // nothing written is waiting in it
	}
	return err
}

// failure is why nothing can be sent any more, nil while it can.
func (c *Conn) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	return c.werr
}

// idle is how long the Conn has had nothing to do, zero while it has.
func (c *Conn) idle() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending > 0 {
		return 0
	}
	return time.Since(c.used)
}

// fault says which request failed at this peer.
func (c *Conn) fault(key wire.Key, version int16, err error, unsent bool) error {
	return &RequestError{API: key, Version: version, Broker: c.name(), Partition: -1, Err: err, unsent: unsent}
}

// guard closes a Conn when a context ends before what it guards is done.
type guard struct {
	c    *Conn
	stop func() bool
	over bool // under c.mu
}

func (c *Conn) guard(ctx context.Context) *guard {
	if ctx.Done() == nil {
		return nil
	}
	g := &guard{c: c}
	g.stop = context.AfterFunc(ctx, func() {
		c.mu.Lock()
		over := g.over
		c.mu.Unlock()
		if !over {
			c.fail(ctx.Err())
		}
	})
	return g
}

// end says that the thing is done. From here on the context may end as it likes.
func (g *guard) end() {
	if g == nil || g.stop() {
		return
	}
	g.c.mu.Lock()
	g.over = true
	g.c.mu.Unlock()
}
