package broker

import (
	"sync"
	"sync/atomic"
	"time"
)

// Ordeal counts what a client went through beside what it was asked for.
type Ordeal struct {
	retries atomic.Int64
	told    atomic.Bool

	mu          sync.Mutex
	throttled   time.Duration // before from
	from, until time.Time     // the newest time in which some broker wants to be left alone
}

// throttleTold is how long a pause asked for by a broker has to be so that the
// user is told of it without asking: shorter ones are how quotas work.
const throttleTold = time.Second

// Retries is how many requests, or parts of them, were sent again.
func (o *Ordeal) Retries() int64 { return o.retries.Load() }

// Throttled is for how long until now some broker wanted to be left alone
// (KIP-219).
func (o *Ordeal) Throttled() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sum(time.Now())
}

// sum is throttled up to now; o.mu is held.
func (o *Ordeal) sum(now time.Time) time.Duration {
	if now.After(o.until) {
		now = o.until
	}
	return o.throttled + now.Sub(o.from)
}

// rests counts a pause of d from now on; those of several connections may overlap.
func (o *Ordeal) rests(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if now.After(o.until) {
		o.throttled, o.from, o.until = o.sum(now), now, now
	}
	if end := now.Add(d); end.After(o.until) {
		o.until = end
	}
}

// Ordeal is what c went through until now.
func (c *Client) Ordeal() *Ordeal { return c.cfg.ordeal }

// Retrying counts something that is asked for again, and with -v says why.
func (c *Client) Retrying(what any, why error) {
	c.cfg.ordeal.retries.Add(1)
	c.cfg.logf(1, "retrying %v: %v", what, why)
}

// slowed takes note of a pause that the peer of conn asks for.
func (c *Conn) slowed(d time.Duration) {
	c.ordeal.rests(d)
	if c.log == nil {
		return
	}
	level := 1
	if d >= throttleTold && !c.ordeal.told.Swap(true) {
		level = 0
	}
	c.log(level, "%s throttles this client: nothing is sent to it for %v", c.name(), d.Round(time.Millisecond))
}
