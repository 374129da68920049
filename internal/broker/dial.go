package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// dialer opens connections and remembers which addresses belong to brokers of
// before 0.10, which cannot be asked for their versions.
type dialer struct {
	cfg   *Config
	tries int // how many addresses may have to be tried within one Timeout

	mu  sync.Mutex
	old map[string]bool
}

// limit bounds one attempt, so that unanswering addresses leave time for the
// ones after them.
func (d *dialer) limit() time.Duration {
	return max(min(maxAttempt, d.cfg.Timeout/time.Duration(max(d.tries, 1))), d.cfg.Timeout/8)
}

// dial gives a Conn that has its handshake behind it.
func (d *dialer) dial(ctx context.Context, addr string, node int32) (*Conn, error) {
	if d.isOld(addr) {
		c, err := d.attempt(ctx, addr, node, trustOld)
		if err != nil {
			d.setOld(addr, false) // it may come back upgraded
		}
		return c, err
	}
	c, err := d.attempt(ctx, addr, node, trustNew)
	if err == nil || !errors.Is(err, errHungUp) || ctx.Err() != nil {
		return c, err
	}
	c, doubt := d.attempt(ctx, addr, node, trustDoubt)
	if errors.Is(doubt, errOld) {
		d.setOld(addr, true)
		return d.attempt(ctx, addr, node, trustOld)
	}
	if errors.Is(doubt, errHungUp) {
		return nil, d.explainHangUp(ctx, addr, err)
	}
	return c, doubt
}

// attempt dials once and shakes hands, in bounded time.
func (d *dialer) attempt(ctx context.Context, addr string, node int32, trust trust) (*Conn, error) {
	limit := d.limit()
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	nc, err := d.cfg.Dial(inner, addr)
	if err != nil {
		return nil, d.inTime(ctx, inner, limit, "no connection", err)
	}
	c := newConn(nc, addr, node, d.cfg)
	c.speaks.trust = trust
	if err := c.handshake(inner, d.cfg.Steps); err != nil {
		c.fail(err)
		return nil, d.inTime(ctx, inner, limit, "connected, but no answer: is this a Kafka listener?", err)
	}
	return c, nil
}

// inTime words the end of an attempt's own time.
func (d *dialer) inTime(ctx, inner context.Context, limit time.Duration, what string, err error) error {
	if inner.Err() == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s within %v: %w", what, limit, os.ErrDeadlineExceeded)
}

// explainHangUp finds out whether a peer that hangs up on plaintext speaks TLS.
func (d *dialer) explainHangUp(ctx context.Context, addr string, err error) error {
	inner, cancel := context.WithTimeout(ctx, d.limit())
	defer cancel()
	nc, dialErr := d.cfg.Dial(inner, addr)
	if dialErr != nil {
		return err
	}
	defer nc.Close()
	host, _, _ := net.SplitHostPort(addr)
	// Nothing is sent over this connection but the greeting, so whom it is with
	// does not matter.
	probe := tls.Client(nc, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	tlsErr := probe.HandshakeContext(inner)
	var alert tls.AlertError
	var op *net.OpError // how crypto/tls reports the peer's alert
	if tlsErr == nil || errors.As(tlsErr, &alert) || errors.As(tlsErr, &op) && op.Op == "remote error" {
		return fmt.Errorf("%w: this listener needs TLS", ErrTLS)
	}
	return fmt.Errorf("it hangs up on whatever it is asked (a listener for TLS or SASL, or not Kafka?): %w", err)
}

func (d *dialer) isOld(addr string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.old[addr]
}

func (d *dialer) setOld(addr string, old bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.old == nil {
		d.old = make(map[string]bool)
	}
	d.old[addr] = old
}
