package broker

import (
	"context"
	"errors"
	"sync"
	"time"
)

// headStart is what a peer has before the next is tried beside it: a little more
// than a broker of before 0.10 takes to be known as one.
const headStart = 2*patience + 250*time.Millisecond

// maxField is how many are tried at once: enough for some black holes ahead of
// who answers.
const maxField = 4

// errSlow is noted of a peer that another overtook.
var errSlow = errors.New("it took too long")

// race is one search for anybody who answers.
type race struct {
	c     *Client
	rest  time.Duration
	peers []peer
	ends  chan int // runners at their end
	field sync.WaitGroup

	started []time.Time // as many as have started
	running int
	over    []bool // by runner, and so are the rest
	conns   []*Conn
	errs    []error
}

// connAny tries all brokers and seeds, those first that are most likely to
// answer: the next when one fails, or has not answered within its head start.
// The first to answer is taken, and the attempts under way are given up and
// waited for. The errors of all are joined where none answers.
func (c *Client) connAny(ctx context.Context, rest time.Duration) (*Conn, error) {
	peers := c.peers()
	if len(peers) == 1 {
		return c.connPeer(ctx, peers[0], rest)
	}
	r := &race{
		c: c, rest: rest, peers: peers, ends: make(chan int, len(peers)), over: make([]bool, len(peers)),
		conns: make([]*Conn, len(peers)), errs: make([]error, len(peers)),
	}
	inner, cancel := context.WithCancel(ctx)
	defer r.field.Wait()
	defer cancel()
	return r.run(inner)
}

func (r *race) run(ctx context.Context) (*Conn, error) {
	next := time.NewTimer(headStart)
	defer next.Stop()
	for r.start(ctx); r.running > 0; {
		select {
		case i := <-r.ends:
			r.running--
			r.over[i] = true
			if r.errs[i] == nil {
				r.noteSlow()
				return r.conns[i], nil
			}
		case <-next.C:
		}
		if ctx.Err() == nil && len(r.started) < len(r.peers) && r.running < maxField {
			r.start(ctx)
			next.Reset(headStart)
		}
	}
	return nil, errors.Join(r.errs...)
}

// start lets the next peer run.
func (r *race) start(ctx context.Context) {
	i := len(r.started)
	r.started = append(r.started, time.Now())
	r.running++
	r.field.Go(func() {
		r.conns[i], r.errs[i] = r.c.connPeer(ctx, r.peers[i], r.rest)
		r.ends <- i
	})
}

// noteSlow has those come last the next time that had their head start and lost.
func (r *race) noteSlow() {
	for i, at := range r.started {
		if !r.over[i] && time.Since(at) >= headStart {
			r.c.note(r.peers[i].addr, errSlow)
		}
	}
}
