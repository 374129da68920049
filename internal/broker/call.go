package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kafkactl/internal/wire"
)

// Call is a request on the wire. Recv must be called exactly once, or the Conn closed.
type Call struct {
	Version int16

	conn  *Conn
	key   wire.Key
	corr  int32
	turn  chan struct{} // closed once the response before ours has been read
	done  chan struct{} // closed once ours has
	heard chan struct{} // closed once its header has
	used  bool

	start time.Time // with a log only
	size  int       // of the request
}

// Recv waits for its turn and decodes into resp; with on, records stream
// through it in the caller's goroutine, and only single socket reads, not the
// whole response, are bound by the socket timeout. A ctx that ends before the
// frame is whole closes the Conn, for nothing behind it could be read; so does
// an error of on, which is returned as it is.
func (ca *Call) Recv(ctx context.Context, resp wire.Response, on wire.RecordsFunc) error {
	c := ca.conn
	if ca.used {
		return c.fault(ca.key, ca.Version, errTwice, false)
	}
	ca.used = true
	if err := ca.await(ctx); err != nil {
		return c.fault(ca.key, ca.Version, err, false)
	}
	g := c.guard(ctx)
	from := c.in.in - int64(c.br.Buffered())
	foreign, err := ca.read(resp, on)
	g.end()
	in := c.in.in - int64(c.br.Buffered()) - from
	ca.finish(resp, err)
	c.logRequest(ca.key, ca.Version, ca.size, in, ca.start)
	if err == nil || foreign {
		return err
	}
	return c.fault(ca.key, ca.Version, err, false)
}

// await waits until the response ahead of ours has been read.
func (ca *Call) await(ctx context.Context) error {
	c := ca.conn
	select {
	case <-ca.turn:
	case <-c.dead:
	case <-ctx.Done():
		return c.fail(ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return c.fail(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// read takes one frame off the socket. foreign says that the error is on's own.
// After any error the place of the next frame is unknown, so the Conn ends.
func (ca *Call) read(resp wire.Response, on wire.RecordsFunc) (foreign bool, err error) {
	c := ca.conn
	size, err := c.frameSize()
	if err != nil {
		if c.unserved() && errors.Is(err, errHungUp) {
			err = errShown
		}
		return false, c.fail(err)
	}
	r := wire.NewReader(c.br, int(size))
	corr, err := wire.DecodeResponseHeader(r, ca.key, ca.Version)
	if err == nil && corr != ca.corr {
		err = fmt.Errorf("%w: correlation id %d where %d was due", ErrMalformed, corr, ca.corr)
	}
	var onErr error
	if err == nil {
		close(ca.heard)
		if inner := on; inner != nil {
			on = func(path []any, body *wire.Body) error {
				onErr = inner(path, body)
				return onErr
			}
		}
		err = wire.Decode(r, ca.Version, resp, on)
	}
	switch {
	case err == nil:
		return false, nil
	case c.in.err != nil: // on may have wrapped it, the cause is ours all the same
		return false, c.fail(transportError(c.in.err, true, c.timeout))
	case onErr != nil:
		c.fail(onErr)
		return true, onErr
	case !errors.Is(err, ErrMalformed):
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return false, c.fail(err)
}

// frameSize reads the length of the next frame and refuses what cannot be one.
func (c *Conn) frameSize() (int32, error) {
	c.mu.Lock()
	first := !c.answered
	c.mu.Unlock()
	b, err := c.br.Peek(4)
	if err != nil {
		return 0, transportError(err, len(b) > 0, c.timeout)
	}
	size := int32(b[0])<<24 | int32(b[1])<<16 | int32(b[2])<<8 | int32(b[3])
	switch {
	case first && (size < 4 || size > maxFirst):
		return 0, stranger(c.br, size)
	case size < 4 || size > wire.MaxFrame:
		return 0, fmt.Errorf("%w: it announces %d bytes", ErrMalformed, size)
	}
	_, _ = c.br.Discard(4) // they are buffered
	return size, nil
}

// unserved says that the handshake is over and nothing has been answered since.
// Brokers tell their versions to anybody, and hang up on what comes next where
// they want authentication first.
func (c *Conn) unserved() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.served && c.speaks.windows != nil && !c.speaks.trust.known()
}

// finish lets the next Call have its turn and takes note of throttling.
func (ca *Call) finish(resp wire.Response, err error) {
	c := ca.conn
	var pause time.Duration
	if err == nil {
		pause = throttle(resp, ca.Version)
	}
	c.mu.Lock()
	c.pending--
	c.used = time.Now()
	if err == nil {
		c.answered = true
		c.served = c.served || c.speaks.windows != nil
	}
	if pause > 0 {
		c.resume = c.used.Add(pause)
	}
	drained := c.pending == 0 && c.werr != nil
	werr := c.werr
	c.mu.Unlock()
	if drained {
		c.fail(werr)
	}
	close(ca.done)
	if pause > 0 {
		c.slowed(pause)
	}
}

// logRequest writes one line about a request; in is -1 where no answer comes.
func (c *Conn) logRequest(key wire.Key, version int16, out int, in int64, start time.Time) {
	if c.log == nil {
		return
	}
	took := time.Since(start).Round(time.Microsecond)
	if in < 0 {
		c.log(2, "%s: %v v%d, %d bytes out, no answer wanted, %v", c.name(), key, version, out, took)
		return
	}
	c.log(2, "%s: %v v%d, %d bytes out, %d in, %v", c.name(), key, version, out, in, took)
}
