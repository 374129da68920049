package broker

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"reflect"
	"slices"
	"time"

	"kafkactl/internal/wire"
)

// hopelessTries bounds retries of what is most likely a mistake in an address:
// somebody waits for the message.
const hopelessTries = 3

// Do sends req to whom to says and fills resp. What the apis table marks as
// repeatable is retried, with jittered backoff, on transient errors and on lost
// connections (another seed for Any, fresh metadata for the rest), within
// Config.Timeout. It returns the version used. Error codes inside resp are the
// caller's business, but for those at the top that say "not here" or "not yet":
// these are retried too, also for requests that may not be repeated, since the
// broker has done nothing. The first try of what is repeatable waits no longer
// than a third of the time for its answer: a connection may be dead and nobody
// know.
//
// When the time is up, ours or ctx's, the error wraps the last cause; it is
// ErrUnavailable if nobody answered, and os.ErrDeadlineExceeded and
// context.DeadlineExceeded. As long as no broker
// has ever answered, refused connections and unknown hosts end it after three
// tries; so do advertised hosts that are unknown and always were. Peers that are
// no Kafka listeners end it at once.
func (c *Client) Do(ctx context.Context, to To, req wire.Request, resp wire.Response) (version int16, err error) {
	start := time.Now()
	inner, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	api, _ := wire.Lookup(req.Key())
	answered := false
	var last error // the newest that is not just our own time running out
	for try := 1; ; try++ {
		snap := c.Metadata()
		version, err = c.try(inner, to, req, resp, c.patience(inner, api, try))
		if err == nil {
			return version, nil
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return version, c.wrap(api.Key, err)
		}
		if inner.Err() == nil || last == nil {
			last = err
			var within *ExhaustedError // of a coordinator that was looked for, say
			if errors.As(err, &within) {
				last = within.Err
			}
		}
		answered = answered || isAnswer(err)
		end := &ExhaustedError{Tries: try, Elapsed: time.Since(start), Unanswered: !answered, Err: last}
		if inner.Err() != nil {
			return version, c.wrap(api.Key, end)
		}
		end.Early = true
		if !c.mayRetry(err, api.Repeat) {
			if isPeer(err) {
				err = end
			}
			return version, c.wrap(api.Key, err)
		}
		if c.cfg.Retries >= 0 && try > c.cfg.Retries || try >= hopelessTries && c.hopeless(err) {
			return version, c.wrap(api.Key, end)
		}
		c.Retrying(api.Key, err)
		if c.Pause(inner, try) == nil {
			c.reroute(inner, to, snap, err)
		}
	}
}

// Try is Do with one attempt: errors are as they come, *DialError where nobody
// could be reached, *RequestError else. Error codes at the top that say "not
// here" or "not yet" are errors here too, and resp is filled. While ctx leaves
// more than two thirds of Config.Timeout, what may be repeated waits for its
// answer no longer than a third, so that its caller can.
func (c *Client) Try(ctx context.Context, to To, req wire.Request, resp wire.Response) (version int16, err error) {
	limit := time.Duration(0)
	api, _ := wire.Lookup(req.Key())
	if end, ok := ctx.Deadline(); ok && api.Repeat && time.Until(end) > 2*c.cfg.Timeout/3 {
		limit = c.cfg.Timeout / 3
	}
	return c.try(ctx, to, req, resp, limit)
}

// patience is how long a try of Do's may wait for its answer, 0 for as long as
// there is time.
func (c *Client) patience(ctx context.Context, api wire.API, try int) time.Duration {
	limit := c.cfg.Timeout / 3
	end, ok := ctx.Deadline()
	if !ok || try > 1 || !api.Repeat || c.cfg.Retries == 0 || time.Until(end) <= limit {
		return 0
	}
	return limit
}

func (c *Client) try(ctx context.Context, to To, req wire.Request, resp wire.Response, limit time.Duration) (version int16, err error) {
	rest := maxRest
	if api, _ := wire.Lookup(req.Key()); api.Repeat {
		rest = maxIdle
	}
	conn, err := c.connTo(ctx, to, rest)
	if err != nil {
		return -1, c.wrap(req.Key(), err)
	}
	version, err = conn.within(ctx, limit, req, resp)
	if err != nil {
		if isLost(err) && !isContext(err) {
			c.note(conn.addr, err)
		}
		return version, err
	}
	c.note(conn.addr, nil)
	c.warmUp()
	code := topCode(resp, version)
	if code == wire.RebootstrapRequired {
		c.rebootstrap()
	}
	if code != wire.None && (undone(code) || code.Retriable()) {
		return version, conn.fault(req.Key(), version, code, undone(code))
	}
	return version, nil
}

// Pause waits before try number try+1: RetryBackoff doubled with each try, at
// most 1 s, plus or minus a fifth. It returns early with ctx's error.
func (c *Client) Pause(ctx context.Context, try int) error {
	d := maxBackoff
	if try = max(try, 1); try < 30 {
		d = min(max(maxBackoff, c.cfg.RetryBackoff), c.cfg.RetryBackoff<<(try-1))
	}
	return sleep(ctx, time.Duration(float64(d)*(0.8+0.4*rand.Float64())))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reroute makes the next try go elsewhere, where the last went wrong for being
// at the wrong place. snap is what that try went by.
func (c *Client) reroute(ctx context.Context, to To, snap *Snapshot, err error) {
	var code wire.Code
	isCode := errors.As(err, &code)
	switch to.kind {
	case toNode, toController:
		if isCode && code != wire.NotController {
			return
		}
		if _, err := c.refreshBrokers(ctx, snap); err != nil {
			c.cfg.logf(1, "asking where to go next: %v", err)
		}
	case toGroup, toTxn:
		if isCode && code != wire.NotCoordinator && code != wire.CoordinatorNotAvailable {
			return
		}
		keyType := wire.CoordinatorGroup
		if to.kind == toTxn {
			keyType = wire.CoordinatorTransaction
		}
		c.coords.forget(coordinatorKey{keyType, to.name})
	}
}

// mayRetry says whether err can go away and trying again is harmless.
func (c *Client) mayRetry(err error, repeat bool) bool {
	var (
		code wire.Code
		req  *RequestError
		dial *DialError
	)
	switch {
	case isPeer(err): // where a broker was met before, it may be met again
		return slices.ContainsFunc(dials(err), func(d *DialError) bool { return c.hasMet(d.Addr) })
	case errors.Is(err, ErrMalformed), errors.Is(err, wire.ErrVersion), errors.As(err, new(*VersionError)):
		return false
	case errors.As(err, &code):
		return undone(code) || code.Retriable() && repeat
	case errors.As(err, &dial), errors.Is(err, ErrUnknownNode):
		return !c.isClosed()
	case errors.As(err, &req):
		return isLost(err) && (repeat || req.unsent) && !c.isClosed()
	}
	return false
}

// Again says whether it makes sense to Open once more after so many tries that
// ended like err.
func (c *Client) Again(err error, tries int) bool {
	return c.mayRetry(err, true) && (tries < hopelessTries || !c.hopeless(err))
}

// undone are the codes of brokers that were asked too early or are the wrong
// ones to ask: they have done nothing.
func undone(code wire.Code) bool {
	switch code {
	case wire.CoordinatorLoadInProgress, wire.CoordinatorNotAvailable, wire.NotCoordinator,
		wire.NotController, wire.ConcurrentTransactions, wire.RebootstrapRequired:
		return true
	}
	return false
}

// isLost says that a connection ended under a request.
func isLost(err error) bool { return errors.Is(err, ErrClosed) }

// isAnswer says that a broker answered, if not with what was wanted.
func isAnswer(err error) bool {
	var code wire.Code
	return errors.As(err, &code) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrUnknownNode)
}

// isPeer says that an address leads to something that is no Kafka listener.
func isPeer(err error) bool { return errors.Is(err, ErrTLS) || errors.Is(err, ErrNotKafka) }

// hopeless says that trying longer will hardly help: the answer was no, rather
// than none, and it was so from the beginning.
func (c *Client) hopeless(err error) bool {
	cold := !c.isWarm()
	list := dials(err)
	if len(list) == 0 {
		return cold && errors.Is(err, errShown)
	}
	for _, d := range list {
		var dns *net.DNSError
		unknown := errors.As(d.Err, &dns) && dns.IsNotFound && !c.hasMet(d.Addr)
		if !unknown && (!cold || errors.Is(d.Err, os.ErrDeadlineExceeded)) {
			return false
		}
	}
	return true
}

// dials finds the dialling errors in err, which joins several where several
// addresses were tried.
func dials(err error) []*DialError {
	switch e := err.(type) {
	case *DialError:
		return []*DialError{e}
	case interface{ Unwrap() []error }:
		var list []*DialError
		for _, inner := range e.Unwrap() {
			list = append(list, dials(inner)...)
		}
		return list
	case interface{ Unwrap() error }:
		return dials(e.Unwrap())
	}
	return nil
}

// wrap makes err a *RequestError or leaves it a *DialError.
func (c *Client) wrap(key wire.Key, err error) error {
	var req *RequestError
	var dial *DialError
	if errors.As(err, &req) || errors.As(err, &dial) {
		return err
	}
	return &RequestError{API: key, Version: -1, Partition: -1, Err: err, unsent: true}
}

// topCode finds a response's error code where it speaks of the request as a
// whole: in a field of its own, or the same "wrong coordinator" or "wrong
// controller" on every item. What belongs to a transaction succeeds as a whole, so
// there any item may say that it is worth another try.
func topCode(resp wire.Response, version int16) wire.Code {
	switch r := resp.(type) {
	case *wire.FindCoordinatorResponse:
		for _, c := range r.Results(version) {
			if c.ErrorCode.Retriable() {
				return c.ErrorCode
			}
		}
		return wire.None
	case *wire.OffsetFetchResponse:
		for _, g := range r.Results(version) {
			if g.ErrorCode.Retriable() {
				return g.ErrorCode
			}
		}
		var all common
		for _, t := range r.Topics { // versions 0 and 1 have no other place for it
			for _, p := range t.Partitions {
				all.add(p.ErrorCode)
			}
		}
		return all.code()
	case *wire.OffsetCommitResponse:
		var all common
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				all.add(p.ErrorCode)
			}
		}
		return all.code()
	case *wire.TxnOffsetCommitResponse:
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode.Retriable() {
					return p.ErrorCode
				}
			}
		}
		return wire.None
	case *wire.AddPartitionsToTxnResponse:
		// One partition that a coordinator has not heard of yet is none's fault, and
		// keeps the others out.
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode.Retriable() {
					return p.ErrorCode
				}
			}
		}
		return wire.None
	case *wire.CreateTopicsResponse:
		var all common
		for _, t := range r.Topics {
			all.add(t.ErrorCode)
		}
		return all.code()
	}
	if f := reflect.ValueOf(resp).Elem().FieldByName("ErrorCode"); f.IsValid() && f.CanInt() {
		return wire.Code(f.Int())
	}
	return wire.None
}

// common is the code that all items share, if it is about who was asked.
type common struct {
	first wire.Code
	n     int
	mixed bool
}

func (c *common) add(code wire.Code) {
	if c.n == 0 {
		c.first = code
	}
	c.mixed = c.mixed || code != c.first
	c.n++
}

func (c *common) code() wire.Code {
	if c.n == 0 || c.mixed || !undone(c.first) {
		return wire.None
	}
	return c.first
}
