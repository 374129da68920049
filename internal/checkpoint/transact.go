package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/produce"
	"kafkactl/internal/wire"
)

// fate is what became of a transaction that was not seen to be committed.
type fate int8

const (
	final  fate = iota // it is not, and another one would fare no better
	lost               // it is not, and another one may be
	unsure             // nobody knows yet
)

// transact commits a window of records, again and again where a transaction is
// lost or brokers cannot be reached, until they are there, cannot be, or
// DeliveryTimeout has gone by since the first failure.
func (r *runner) transact(ctx context.Context) error {
	t := trouble{r: r}
	for {
		fate, err := r.attempt(ctx, t.left())
		if err == nil {
			t.over()
			return nil
		}
		if fate == unsure {
			r.report.Doubtful = r.win.count
		}
		done := false
		if fate != final {
			done, err = t.settle(ctx, err)
		}
		switch {
		case done:
			t.over()
			return r.committed()
		case err == nil:
			r.report.Doubtful = 0
			continue
		case fate != unsure:
			r.txn.abort(ctx)
		}
		return err
	}
}

// attempt is one transaction; records have so long to be delivered.
func (r *runner) attempt(ctx context.Context, delivery time.Duration) (fate, error) {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	// What was read when a signal came is committed, unless that takes long.
	over := context.AfterFunc(ctx, func() {
		r.win.shut()
		time.AfterFunc(lingering, func() { cancel(context.Cause(ctx)) })
	})
	defer over()
	r.win.replay(every)
	cfg := r.cfg.Produce
	cfg.KeepGoing = false // which records are skipped must not depend on brokers
	cfg.DeliveryTimeout = delivery
	cfg.Txn = r.txn.bind()
	rep, err := produce.Run(inner, r.txn.client, cfg, r.cfg.Topic, r.win)
	r.win.shut()
	if err := r.same(); err != nil {
		return final, err
	}
	switch {
	case err != nil && (produce.Lost(err) || rep.Read == 0 && rep.Cause == nil && passing(err)):
		return lost, err
	case err != nil:
		return final, r.placed(rep, err)
	case rep.Acked != r.win.count:
		return lost, fmt.Errorf("%w: %d of %d records were acknowledged", produce.ErrTxn, rep.Acked, r.win.count)
	}
	ahead := position{r.at.records + r.win.count, r.win.sum()}
	decided, err := r.txn.commit(context.WithoutCancel(ctx), ahead)
	switch {
	case err == nil:
		return final, r.committed()
	case !decided:
		return unsure, err
	case produce.Lost(err) || passing(err):
		return lost, err
	}
	return final, err
}

// committed goes on behind the window.
func (r *runner) committed() error {
	r.at = position{r.at.records + r.win.count, r.win.sum()}
	r.report.Doubtful, r.report.Last = 0, r.win.last
	r.win.drop()
	return r.file.keep(r.at)
}

// placed keeps the line of a record that a broker refused.
func (r *runner) placed(rep produce.Report, err error) error {
	if rep.CauseFirst > 0 && rep.CauseFirst == rep.CauseLast && !errors.Is(err, produce.ErrTxn) {
		return &produce.RecordError{Line: rep.CauseFirst, Err: err}
	}
	return err
}

// trouble is the time between the first failure of a window and its commit.
type trouble struct {
	r     *runner
	since time.Time // zero: none yet
	tries int
	told  bool
}

// noteAfter is how long trouble lasts without a word.
const noteAfter = time.Second

// left is how long records may take to be delivered.
func (t *trouble) left() time.Duration {
	delivery := t.r.cfg.Produce.DeliveryTimeout
	if t.since.IsZero() {
		return delivery
	}
	return max(delivery-time.Since(t.since), lingering)
}

// over says that there is no trouble any more.
func (t *trouble) over() {
	if t.told {
		t.r.cfg.Log(0, "back after %v", time.Since(t.since).Round(100*time.Millisecond))
	}
}

// settle finds out whether a transaction was committed, and if not, has all ready
// for the next one. The error is the one that it came to an end with.
func (t *trouble) settle(ctx context.Context, cause error) (done bool, err error) {
	r := t.r
	if t.since.IsZero() {
		t.since = time.Now()
	}
	for {
		switch since := time.Since(t.since); {
		case ctx.Err() != nil, since >= r.cfg.Produce.DeliveryTimeout:
			return false, cause
		case since >= noteAfter && !t.told:
			t.told = true
			r.cfg.Log(0, "%v; trying again", cause)
		default:
			r.cfg.Log(1, "the transaction is begun anew: %v", cause)
		}
		if t.tries++; t.tries > 1 && r.txn.client.Pause(ctx, t.tries-1) != nil {
			return false, cause
		}
		done, err := r.recover(ctx)
		switch {
		case err == nil:
			return done, nil
		case !passing(err) && !produce.Lost(err):
			return false, err
		}
		cause = err
	}
}

// recover fences what is left of the last transaction, and finds out whether it
// was committed.
func (r *runner) recover(ctx context.Context) (done bool, err error) {
	if err := r.txn.begin(ctx); err != nil {
		return false, err
	}
	stored, found, err := r.txn.position(ctx)
	if err != nil {
		return false, err
	}
	ahead := position{r.at.records + r.win.count, r.win.sum()}
	switch {
	case found && stored == ahead:
		return true, nil
	case found && stored == r.at, !found && r.at.records == 0:
		return false, nil
	case !found:
		return false, fmt.Errorf("%s: %w", r.cfg.Path, ErrForgotten)
	}
	return false, fmt.Errorf("%s: %w", r.cfg.Path, ErrElsewhere)
}

// passing says that an error may go away: somebody cannot be reached, or is not
// ready.
func passing(err error) bool {
	var code wire.Code
	if errors.As(err, &code) {
		return code.Retriable() || code == wire.TransactionCoordinatorFenced
	}
	var dial *broker.DialError
	return errors.As(err, &dial) && !errors.Is(err, broker.ErrTLS) && !errors.Is(err, broker.ErrNotKafka) ||
		errors.Is(err, broker.ErrClosed) || errors.Is(err, broker.ErrUnknownNode) || errors.Is(err, context.DeadlineExceeded)
}
