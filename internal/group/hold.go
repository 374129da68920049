package group

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// The states of a classic group in which the coordinator holds answers back.
const (
	statePreparing  = "PreparingRebalance"
	stateCompleting = "CompletingRebalance"
	stateAwaiting   = "AwaitingSync" // what brokers before 0.11 call it
)

// holding says how long an answer may be held back: limit, or as long as the
// group is in state.
type holding struct {
	state string
	limit time.Duration
}

// looks is how often a group is found in another state than the one we wait for
// before our request is taken for lost: an answer may be on its way.
const looks = 3

// silence is what ends the wait for an answer that will not come. It is an
// ErrClosed, since the connection is given up over it.
type silence struct{ why string }

// Error implements error.
func (e *silence) Error() string { return broker.ErrClosed.Error() + ": " + e.why }

// Is makes it a lost connection, for want of time.
func (e *silence) Is(target error) bool {
	return target == broker.ErrClosed || target == os.ErrDeadlineExceeded
}

// held is ask for what the coordinator may hold back for minutes. A connection
// that the network has lost looks just the same from here, so the coordinator is
// asked on another one whether the group still waits.
func (c *Classic) held(ctx context.Context, h holding, req wire.Request, resp wire.Response, code func() wire.Code) (version int16, err error) {
	inner, cancel := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel(nil)
	watch.Go(func() {
		if e := c.silent(inner, h); e != nil {
			cancel(e)
		}
	})
	version, err = c.joins.ask(inner, req, resp, code)
	var e *silence
	if err != nil && errors.As(context.Cause(inner), &e) {
		err = &broker.RequestError{API: req.Key(), Version: version, Partition: -1, Err: e}
	}
	return version, err
}

// silent returns once there is no answer to wait for any more, or ctx ends.
func (c *Classic) silent(ctx context.Context, h holding) *silence {
	timeout := c.client.Config().Timeout
	if h.limit > 0 {
		if !rest(ctx, h.limit) {
			return nil
		}
		return &silence{fmt.Sprintf("no answer within %v", h.limit.Round(time.Millisecond))}
	}
	for n := 0; rest(ctx, timeout/(2*looks)); {
		state, err := c.state(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, wire.GroupAuthorizationFailed): // it will not tell us
			return nil
		case err != nil && !c.client.Passing(err):
			return &silence{err.Error()}
		case err != nil:
		case state == h.state, state == stateAwaiting && h.state == stateCompleting:
			n = 0
		default:
			if n++; n == looks {
				return &silence{fmt.Sprintf("no answer, and the group waits for nobody: it is %s", state)}
			}
		}
	}
	return nil
}

// state asks for the state of our group.
func (c *Classic) state(ctx context.Context) (string, error) {
	req := &wire.DescribeGroupsRequest{Groups: []string{c.cfg.Group}}
	resp := wire.Default[wire.DescribeGroupsResponse]()
	if _, err := c.client.Do(ctx, broker.GroupCoordinator(c.cfg.Group), req, &resp); err != nil {
		return "", err
	}
	for _, g := range resp.Groups {
		if g.GroupID == c.cfg.Group {
			return g.GroupState, g.ErrorCode.Err()
		}
	}
	return "", broker.ErrMalformed
}

// rest waits for d; false when ctx ended first.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
