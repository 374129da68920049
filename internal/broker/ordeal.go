package broker

import (
	"sync/atomic"
	"time"
)

// Ordeal counts what a client went through beside what it was asked for.
type Ordeal struct {
	retries   atomic.Int64
	throttled atomic.Int64 // nanoseconds
	told      atomic.Bool
}

// throttleTold is how long a pause asked for by a broker has to be so that the
// user is told of it without asking: shorter ones are how quotas work.
const throttleTold = time.Second

// Retries is how many requests, or parts of them, were sent again.
func (o *Ordeal) Retries() int64 { return o.retries.Load() }

// Throttled is how long brokers asked to be left alone (KIP-219), summed over
// connections.
func (o *Ordeal) Throttled() time.Duration { return time.Duration(o.throttled.Load()) }

// Ordeal is what c went through until now.
func (c *Client) Ordeal() *Ordeal { return c.cfg.ordeal }

// Retrying counts something that is asked for again, and with -v says why.
func (c *Client) Retrying(what any, why error) {
	c.cfg.ordeal.retries.Add(1)
	c.cfg.logf(1, "retrying %v: %v", what, why)
}

// slowed takes note of a pause that the peer of conn asks for.
func (c *Conn) slowed(d time.Duration) {
	c.ordeal.throttled.Add(int64(d))
	if c.log == nil {
		return
	}
	level := 1
	if d >= throttleTold && !c.ordeal.told.Swap(true) {
		level = 0
	}
	c.log(level, "%s throttles this client: nothing is sent to it for %v", c.name(), d.Round(time.Millisecond))
}
