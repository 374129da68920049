package broker

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// dialer opens connections and remembers which addresses belong to brokers, and
// which of those are of before 0.10 and cannot be asked for their versions.
type dialer struct {
	cfg   *Config
	tries int // how many addresses may have to be tried within one Timeout

	mu   sync.Mutex
	ages map[string]trust // by the addresses of brokers that were met: trustNew, trust08, trust09
}

// limit bounds one attempt, so that unanswering addresses leave time for the
// ones after them.
func (d *dialer) limit() time.Duration {
	return max(min(maxAttempt, d.cfg.Timeout/time.Duration(max(d.tries, 1))), d.cfg.Timeout/8)
}

// dial gives a Conn that has its handshake behind it.
func (d *dialer) dial(ctx context.Context, addr string, node int32) (*Conn, error) {
	if age := d.age(addr); age.known() {
		c, err := d.attempt(ctx, addr, node, age)
		if err != nil && !isContext(err) {
			d.setAge(addr, trustNew) // it may come back upgraded
		}
		return c, err
	}
	c, err := d.attempt(ctx, addr, node, trustNew)
	hungUp := err
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, errHungUp):
		c, err = d.attempt(ctx, addr, node, trustDoubt)
		if errors.Is(err, errHungUp) && ctx.Err() == nil { // as brokers from 4.0 on do, of which nobody need doubt
			c, err = d.attempt(ctx, addr, node, trustNew)
		}
	case errors.Is(err, errStalled):
		c, err = d.attempt(ctx, addr, node, trustNew)
	}
	switch {
	case err == nil:
		d.setAge(addr, trustNew)
		return c, nil
	case errors.Is(err, errOld):
		return d.dialOld(ctx, addr, node, errors.Is(err, errMute))
	case errors.Is(err, errHungUp):
		return nil, d.explainHangUp(ctx, addr, hungUp)
	}
	return nil, err
}

// dialOld connects to a broker of before 0.10 whose age is not known further; mute
// says that it kept silent when it was asked for its versions, and did not hang
// up. If it then passes for the one that does the other thing, a connection may
// have been lost by chance: it is asked for its versions once more.
func (d *dialer) dialOld(ctx context.Context, addr string, node int32, mute bool) (*Conn, error) {
	c, err := d.attempt(ctx, addr, node, trustOld)
	age, release := trust09, "0.9"
	if errors.Is(err, errOlder) {
		age, release = trust08, "0.8.2"
		c, err = d.attempt(ctx, addr, node, trust08)
	}
	if err != nil {
		return nil, err
	}
	if mute != (age == trust09) {
		if young, err := d.attempt(ctx, addr, node, trustNew); err == nil {
			_ = c.Close() // it was asked nothing
			d.setAge(addr, trustNew)
			return young, nil
		}
	}
	d.cfg.logf(1, "%s: %v: it will be spoken to as Kafka %s was", addr, errOld, release)
	d.setAge(addr, age)
	return c, nil
}

// attempt dials once and shakes hands, in bounded time.
func (d *dialer) attempt(ctx context.Context, addr string, node int32, trust trust) (*Conn, error) {
	if shown(addr) != addr {
		return nil, errNoAddress
	}
	limit := d.limit()
	inner, cancel := within(ctx, limit)
	defer cancel()
	nc, err := d.cfg.Dial(inner, addr)
	if err != nil {
		return nil, inTime(ctx, inner, err, "no connection", limit)
	}
	c := newConn(nc, addr, node, d.cfg)
	c.speaks.trust = trust
	if trust == trustNew {
		if !d.met(addr) {
			c.suspect = func(ctx context.Context) error { return d.suspect(ctx, addr) }
		}
		c.rival = func(ctx context.Context) (young bool, err error) { return d.rival(ctx, addr, node) }
	}
	if err := c.handshake(inner, d.cfg.Steps); err != nil {
		c.fail(err)
		return nil, inTime(ctx, inner, err, unanswered(err), limit)
	}
	return c, nil
}

// maxAddr is as long as an address can be: a name of 253 letters, and a port.
const maxAddr = 253 + len(":65535")

var errNoAddress = errors.New("no address can be like that")

// shown is an address as messages give it: metadata may name anything.
func shown(addr string) string {
	if len(addr) > maxAddr {
		return strconv.Quote(addr[:60]) + "..."
	}
	if strings.ContainsFunc(addr, func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }) {
		return strconv.Quote(addr)
	}
	return addr
}

// rival finds out on other connections whether a broker answers at all, and
// whether it tells its versions there. Brokers from 4.0 on hang up on requests
// of 0.8, so these are asked for their versions alone.
func (d *dialer) rival(ctx context.Context, addr string, node int32) (young bool, err error) {
	c, err := d.attempt(ctx, addr, node, trustProbe)
	if errors.Is(err, errHungUp) && ctx.Err() == nil {
		c, err = d.attempt(ctx, addr, node, trustAsk)
		young = err == nil
	}
	if err != nil {
		return false, err
	}
	defer c.Close()
	if !young {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		_, err := c.askVersions(ctx, firstAsked)
		young = err == nil
	}
	return young, nil
}

// within bounds ctx by limit, unless its own end comes no later: of two ends at
// one moment, the caller's is the one to be told.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= limit {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// unanswered says what a peer did that let us in and then kept silent.
func unanswered(err error) string {
	var req *RequestError
	if errors.As(err, &req) {
		return fmt.Sprintf("connected, but no answer to %v", req.API)
	}
	return "connected, but the handshake did not end"
}

// inTime words the end of an attempt's time by what was waited for. How long
// that was is said where it was the attempt's own time; the caller's is known to
// the caller.
func inTime(ctx, inner context.Context, err error, what string, limit time.Duration) error {
	switch {
	case inner.Err() == nil, !isContext(err), errors.Is(ctx.Err(), context.Canceled):
		return err
	case ctx.Err() != nil:
		return &timeoutError{what, ctx.Err()}
	}
	return &timeoutError{fmt.Sprintf("%s within %v (is it a Kafka listener?)", what, limit), os.ErrDeadlineExceeded}
}

// timeoutError is the end of some time in words of its own.
type timeoutError struct {
	what string
	err  error // context.DeadlineExceeded or os.ErrDeadlineExceeded
}

// Error implements error.
func (e *timeoutError) Error() string { return e.what }

// Unwrap tells whose time it was.
func (e *timeoutError) Unwrap() error { return e.err }

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
		return fmt.Errorf("%w, and hangs up on plaintext", ErrTLS)
	}
	return fmt.Errorf("it hangs up on whatever it is asked (a listener for TLS or SASL, or not Kafka?): %w", err)
}

// nonsense is a line of text that no protocol knows, and that a broker takes for
// a request far larger than it allows: it hangs up. It is no HTTP either, which
// proxies in front of a broker would recognise and answer themselves.
const nonsense = "kafkactl?\r\n\r\n"

// suspect finds out whether a peer that keeps silent waits for a line of text:
// a request of Kafka's need not have a line's end in it. The error is nil
// unless the peer answers in a way no broker does.
func (d *dialer) suspect(ctx context.Context, addr string) error {
	nc, err := d.cfg.Dial(ctx, addr)
	if err != nil {
		return nil
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	if _, err := nc.Write([]byte(nonsense)); err != nil {
		return nil
	}
	br := bufio.NewReader(nc)
	_, _ = br.Peek(4) // less is nothing to go by, and foreign says so
	return foreign(buffered(br))
}

// met says that a broker has let us in at addr.
func (d *dialer) met(addr string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.ages[addr]
	return ok
}

func (d *dialer) age(addr string) trust {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ages[addr]
}

func (d *dialer) setAge(addr string, age trust) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ages == nil {
		d.ages = make(map[string]trust)
	}
	d.ages[addr] = age
}
