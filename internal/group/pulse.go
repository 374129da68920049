package group

import (
	"context"
	"errors"
	"sync"
	"time"

	"kafkactl/internal/wire"
)

// pulse keeps a classic member alive through one generation, in a goroutine of
// its own, and hears from the coordinator that the generation is over.
type pulse struct {
	stop func() // returns when the goroutine is gone

	news chan struct{} // something below is new

	mu    sync.Mutex
	again bool  // a rebalance has begun: join again
	err   error // the membership is gone, or nobody could be reached for too long
}

// startPulse begins with a pause: the coordinator has just heard of us. An
// answer is waited for no longer than limit.
func startPulse(ctx context.Context, l *link, req *wire.HeartbeatRequest, every, limit time.Duration, pt *patience) *pulse {
	ctx, cancel := context.WithCancel(ctx)
	p := &pulse{news: make(chan struct{}, 1)}
	gone := make(chan struct{})
	p.stop = func() {
		cancel()
		<-gone
	}
	go func() {
		defer close(gone)
		p.beat(ctx, l, req, every, limit, pt)
	}()
	return p
}

func (p *pulse) beat(ctx context.Context, l *link, req *wire.HeartbeatRequest, every, limit time.Duration, pt *patience) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for {
			err := heartbeat(ctx, l, req, limit)
			if err == nil {
				pt.fresh()
				break
			}
			if errors.Is(err, wire.RebalanceInProgress) {
				pt.fresh()
				p.tell(true, nil)
				break
			}
			if err = pt.wait(ctx, err); err != nil {
				if ctx.Err() == nil {
					p.tell(false, err)
				}
				return
			}
		}
	}
}

func heartbeat(ctx context.Context, l *link, req *wire.HeartbeatRequest, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var resp wire.HeartbeatResponse
	_, err := l.ask(ctx, req, &resp, func() wire.Code { return resp.ErrorCode })
	return err
}

func (p *pulse) tell(again bool, err error) {
	p.mu.Lock()
	p.again = p.again || again
	p.err = err
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// over says what the pulse has heard so far.
func (p *pulse) over() (again bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.again, p.err
}
