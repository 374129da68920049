// Package checkpoint sends an input to a topic so that a run which was
// interrupted, however it was, is taken up by the next one without a repeat or a
// gap. The records and the position in the input that they lead to are committed
// by the same Kafka transaction, so that one is never there without the other
// (KIP-98, KIP-447). A small file says whose position to ask for; what it says of
// the position itself is only a check.
//
// Readers see each record once if they read committed records alone.
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

const (
	every       = time.Second // how long a transaction takes records in
	most        = 32 << 20    // bytes of records in a transaction
	lingering   = 2 * time.Second
	maxRecovers = 5 // in a row, without a commit between
)

// Config says what is sent where.
type Config struct {
	Path    string // of the file
	Cluster string // its id
	Topic   string
	Inputs  []string // names, for whoever reads the file
	// Shape is what makes records of the input, as flags have it: another one
	// would make others.
	Shape map[string]string
	// Restamped: timestamps are given to records on their way, and are no part of
	// what tells one input from another.
	Restamped bool
	// KeepGoing skips what the input spoils. Records that brokers refuse end the
	// run in any case.
	KeepGoing bool
	Produce   produce.Config
	// Pace holds what is sent back, not what was sent before; nil: nothing does.
	Pace func(in produce.Input) produce.Input
	// Resumed hears once how many records were there already.
	Resumed func(records int64)
	Log     func(level int, format string, args ...any)
}

// Report says what became of the input.
type Report struct {
	Before    int64 // records that earlier runs committed
	Committed int64 // and this one
	// Doubtful records may be committed or not: nobody could be asked any more. The
	// next run finds out.
	Doubtful int64
	Last     int64 // the line of the last record committed by this run, 0 for none
	Skipped  int64 // records the input spoilt
	Spoilt   *produce.RecordError
}

// ErrElsewhere says that somebody else moved the position: another run has a
// copy of the same file.
var ErrElsewhere = errors.New("another run with a copy of this checkpoint has gone on meanwhile")

// runner is one run.
type runner struct {
	cfg    Config
	file   *file
	txn    *txn
	win    *window
	at     position
	report Report
}

// Run sends in's records to the topic, those that earlier runs with the same
// file committed aside. The Report is true whatever the error is. When ctx ends,
// what was read is committed if that takes no longer than Produce.FlushTimeout.
func Run(ctx context.Context, client *broker.Client, cfg Config, in produce.Input) (Report, error) {
	f, err := openFile(&cfg)
	if err != nil {
		return Report{}, err
	}
	defer f.close()
	r := &runner{cfg: cfg, file: f, txn: newTxn(client, f.state.ID, f.state.Group, cfg.Topic)}
	r.win = newWindow(in, cfg.Restamped, cfg.KeepGoing)
	defer r.win.stop()
	if err := r.begin(ctx); err != nil {
		return r.report, err
	}
	if cfg.Pace != nil {
		r.win.src = cfg.Pace(in)
	}
	err = r.run(ctx)
	r.report.Committed = r.at.records - r.report.Before
	r.report.Skipped, r.report.Spoilt = r.win.skipped, r.win.spoilt
	if err == nil && !r.file.state.Complete {
		r.file.state.Complete = true
		err = r.file.save()
	}
	return r.report, err
}

// begin finds out how far earlier runs came, and goes there in the input.
func (r *runner) begin(ctx context.Context) error {
	if err := r.txn.supported(ctx); err != nil {
		return err
	}
	if err := r.file.save(); err != nil { // before anything bears its name
		return err
	}
	if err := r.txn.begin(ctx); err != nil {
		return err
	}
	stored, found, err := r.txn.position(ctx)
	if err != nil {
		return err
	}
	st := &r.file.state
	switch {
	case !found && st.Records > 0 && !st.Complete:
		return fmt.Errorf("%s: the cluster has no position any more, though %d records were committed; brokers forget it after offsets.retention.minutes", r.cfg.Path, st.Records)
	case !found && st.Records > 0:
		stored = position{st.Records, st.Sum}
	case !found:
		stored = position{0, r.win.sum()}
	case stored.records < st.Records:
		return fmt.Errorf("%s: the cluster's position is record %d, though %d were committed: it has lost some", r.cfg.Path, stored.records, st.Records)
	}
	if err := r.win.skip(ctx, stored); err != nil {
		return err
	}
	r.at, r.report.Before = stored, stored.records
	if !found && st.Records > 0 {
		if more, err := r.win.peek(ctx); more || err != nil {
			return errors.Join(err, fmt.Errorf("%s: the input has more than the %d records that were committed, and the cluster has no position any more", r.cfg.Path, st.Records))
		}
	}
	if stored.records > 0 && r.cfg.Resumed != nil {
		r.cfg.Resumed(stored.records)
	}
	return nil
}

// run sends one transaction after another until the input ends.
func (r *runner) run(ctx context.Context) error {
	for {
		more, err := r.win.peek(ctx)
		if err != nil {
			return err
		}
		if !more {
			return r.win.ended()
		}
		if err := r.transact(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// transact commits a window of records, again and again where a transaction is
// lost, until they are there or cannot be.
func (r *runner) transact(ctx context.Context) error {
	for try := 1; ; try++ {
		decided, err := r.attempt(ctx)
		if err == nil {
			return nil
		}
		if !decided {
			r.report.Doubtful = r.win.count
		}
		if !recoverable(err) && decided {
			r.txn.abort(ctx)
			return err
		}
		if try > maxRecovers || ctx.Err() != nil {
			return err
		}
		r.cfg.Log(1, "the transaction is begun anew: %v", err)
		done, fresh := r.recover(ctx)
		switch {
		case fresh != nil:
			return errors.Join(fresh, err)
		case done:
			return r.committed()
		}
		r.report.Doubtful = 0
	}
}

// attempt is one transaction. decided says that it is known not to be committed,
// or to be.
func (r *runner) attempt(ctx context.Context) (decided bool, err error) {
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
	cfg.Txn = r.txn.bind()
	rep, err := produce.Run(inner, r.txn.client, cfg, r.cfg.Topic, r.win)
	r.win.shut()
	switch {
	case err != nil:
		return true, r.placed(rep, err)
	case rep.Acked != r.win.count:
		return true, fmt.Errorf("%w: %d of %d records were acknowledged", produce.ErrTxn, rep.Acked, r.win.count)
	}
	ahead := position{r.at.records + r.win.count, r.win.sum()}
	if decided, err = r.txn.commit(context.WithoutCancel(ctx), ahead); err != nil {
		return decided, err
	}
	return true, r.committed()
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
	}
	return false, fmt.Errorf("%s: %w", r.cfg.Path, ErrElsewhere)
}

// recoverable says that another transaction may succeed where this one did not.
func recoverable(err error) bool {
	if produce.Lost(err) {
		return true
	}
	for _, code := range []wire.Code{
		wire.ConcurrentTransactions, wire.TransactionCoordinatorFenced, wire.CoordinatorLoadInProgress,
		wire.CoordinatorNotAvailable, wire.NotCoordinator, wire.NetworkException,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
