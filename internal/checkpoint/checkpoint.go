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
	every     = time.Second // how long a transaction takes records in
	most      = 32 << 20    // bytes of records in a transaction
	lingering = 2 * time.Second
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

var (
	// ErrElsewhere says that somebody else moved the position: another run has a
	// copy of the same file.
	ErrElsewhere = errors.New("another run with a copy of this checkpoint has gone on meanwhile")
	// ErrReborn says that the topic is not the one that records were committed to.
	ErrReborn = errors.New("the topic was deleted and made anew since, and what was committed is gone with it; to send all of the input, begin with a new checkpoint")
	// ErrForgotten says that nobody knows any more what is committed.
	ErrForgotten = errors.New("the cluster has no position any more")
)

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
	f, err := openFile(ctx, &cfg)
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
	if err == nil {
		err = r.kept(ctx)
	}
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
	st := &r.file.state
	if st.TopicID == "" {
		st.TopicID = r.topicID()
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
	switch reborn := r.same(); {
	case reborn != nil && (found || st.Records > 0):
		return reborn
	case reborn != nil: // nothing was committed to the one before
		st.TopicID = r.topicID()
		err = r.file.save()
	case !found && st.Records > 0 && !st.Complete:
		err = fmt.Errorf("%s: %w, though %d records were committed; brokers forget it after offsets.retention.minutes", r.cfg.Path, ErrForgotten, st.Records)
	case found && stored.records < st.Records:
		err = fmt.Errorf("%s: the cluster's position is record %d, though %d were committed: it has lost some", r.cfg.Path, stored.records, st.Records)
	}
	switch {
	case err != nil:
		return err
	case !found && st.Records > 0:
		stored = position{st.Records, st.Sum}
	case !found:
		stored = position{0, r.win.sum()}
	}
	return r.resume(ctx, stored, found)
}

// resume goes to a position in the input. Where it is not the cluster's any more,
// nothing can be behind it.
func (r *runner) resume(ctx context.Context, at position, known bool) error {
	if err := r.win.skip(ctx, at); err != nil {
		return err
	}
	r.at, r.report.Before = at, at.records
	if at.records == 0 {
		return nil
	}
	if !known {
		if more, err := r.win.peek(ctx); more || err != nil {
			return errors.Join(err, fmt.Errorf("%s: the input has more than the %d records that were committed, and %w", r.cfg.Path, at.records, ErrForgotten))
		}
	}
	if r.cfg.Resumed != nil {
		r.cfg.Resumed(at.records)
	}
	return nil
}

// topicID is what metadata says, "" before Kafka 2.8.
func (r *runner) topicID() string {
	id := r.txn.client.Metadata().TopicID(r.cfg.Topic)
	if id == (wire.UUID{}) {
		return ""
	}
	return id.String()
}

// same holds that the topic is still the one that records were committed to. A
// topic of the same name knows nothing of them.
func (r *runner) same() error {
	was, is := r.file.state.TopicID, r.topicID()
	if was == "" || is == "" || was == is {
		return nil
	}
	return fmt.Errorf("%s: %s: %w", r.cfg.Path, r.cfg.Topic, ErrReborn)
}

// kept is same with news: brokers that take records by the topic's name take them
// for another one, too.
func (r *runner) kept(ctx context.Context) error {
	client := r.txn.client
	if r.report.Committed == 0 {
		return nil
	}
	if _, err := client.Refresh(ctx, client.Metadata(), r.cfg.Topic); err != nil {
		r.cfg.Log(1, "asking for %s once more: %v", r.cfg.Topic, err)
		return nil // it is committed all the same
	}
	return r.same()
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
