package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/journal"
	"kafkactl/internal/offsets"
)

// settleTime bounds what is done after an interruption: reading back what came
// of a change that was on its way.
const settleTime = 5 * time.Second

// journals opens a journal for each group, in order, before anything is changed:
// where none can be kept, nothing is.
func (o *changing) journals(ctx context.Context, client *broker.Client, revs []*revision) ([]*journal.Journal, error) {
	var list []*journal.Journal
	for _, r := range revs {
		j, err := o.openJournal(ctx, client, r.group)
		if err != nil {
			return list, err
		}
		list = append(list, j)
	}
	return list, nil
}

func (o *changing) openJournal(ctx context.Context, client *broker.Client, name string) (*journal.Journal, error) {
	if o.cluster == "" {
		var err error
		if o.cluster, err = clusterName(ctx, client); err != nil {
			return nil, err
		}
	}
	dir, err := journal.Dir()
	if err == nil {
		var j *journal.Journal
		if j, err = journal.Open(dir, o.cluster, name); err == nil {
			return j, nil
		}
	}
	return nil, &hintError{err: err, hint: "nothing was changed; what a change replaces is kept below $XDG_STATE_HOME (~/.local/state), so that it can be undone"}
}

// clusterName is the cluster's id or, before Kafka 0.10.1, the address of its
// lowest broker.
func clusterName(ctx context.Context, client *broker.Client) (string, error) {
	snap := client.Metadata()
	if snap == nil || snap.ClusterID == "" && len(snap.Brokers) == 0 {
		var err error
		if snap, err = client.Refresh(ctx, snap); err != nil {
			return "", err
		}
	}
	switch {
	case snap.ClusterID != "":
		return snap.ClusterID, nil
	case len(snap.Brokers) > 0:
		return "at " + snap.Brokers[0].Addr(), nil
	}
	return "", errors.New("the cluster tells no brokers")
}

// movedError is an offset that somebody else has changed in between.
type movedError struct {
	tp      broker.TP
	was, is int64
	since   string // what it has moved since
}

// Error names both offsets.
func (e *movedError) Error() string {
	return fmt.Sprintf("%s: the offset has moved from %s to %s since %s", tpName(e.tp), offsetText(e.was), offsetText(e.is), e.since)
}

// carryOut does one revision under its journal's lock: nothing is changed that
// moved since it was planned, or whose group has got members, and what it
// replaces is on the disk before. The error is of what kept all of it from being
// begun; what failed of it stands in r.
func (o *changing) carryOut(ctx context.Context, client *broker.Client, r *revision, j *journal.Journal) error {
	pending := r.pending()
	if len(pending) == 0 && r.apply == nil && r.undoes == 0 {
		return nil
	}
	locking, cancel := context.WithTimeout(ctx, client.Config().Timeout)
	defer cancel()
	if err := j.Lock(locking); err != nil {
		return err
	}
	defer j.Unlock()
	if err := o.settleInterrupted(ctx, client, j, r.group); err != nil {
		return err
	}
	if r.recheck != nil {
		if err := r.recheck(j); err != nil {
			return err
		}
	}
	if err := o.unmoved(ctx, client, r); err != nil {
		return err
	}
	if _, err := o.guard(ctx, client, r.group); err != nil {
		return err
	}
	recorded := pending
	if r.undoes != 0 {
		recorded = r.changes
	}
	if len(recorded) == 0 { // a group without offsets
		err := r.apply(ctx, client)
		r.applied = err == nil
		return err
	}
	id, err := j.Begin(r.operation, o.storage, r.undoes, recorded, o.now())
	if err != nil {
		return &hintError{err: err, hint: "nothing was changed: what a change replaces has to be on the disk first"}
	}
	r.failed = o.send(ctx, client, r, pending)
	return o.readBack(ctx, client, r, pending, j, id)
}

// unmoved compares what is stored with what the plan began from.
func (o *changing) unmoved(ctx context.Context, client *broker.Client, r *revision) error {
	tps := make([]broker.TP, len(r.changes))
	for i, c := range r.changes {
		tps[i] = c.TP
	}
	now, err := o.current(ctx, client, r.group, tps)
	if err != nil {
		return err
	}
	var moved []error
	for _, c := range r.changes {
		if is := now[c.TP]; is.Offset != c.From.Offset {
			moved = append(moved, &movedError{tp: c.TP, was: c.From.Offset, is: is.Offset, since: "the plan was made"})
		}
	}
	return errors.Join(moved...)
}

// send commits and deletes; the causes of what did not work come back.
func (o *changing) send(ctx context.Context, client *broker.Client, r *revision, pending []offsets.Change) map[broker.TP]error {
	failed := map[broker.TP]error{}
	if r.apply != nil {
		err := r.apply(ctx, client)
		r.applied = err == nil
		for _, c := range pending {
			if err != nil {
				failed[c.TP] = err
			}
		}
		return failed
	}
	store := map[broker.TP]offsets.Stored{}
	var forget []broker.TP
	for _, c := range pending {
		if c.Deletes() {
			forget = append(forget, c.TP)
		} else {
			store[c.TP] = c.To
		}
	}
	bad, _ := offsets.Commit(ctx, client, offsets.Outside(r.group), o.storage, store)
	for tp, err := range bad {
		failed[tp] = err
	}
	bad, _ = offsets.Forget(ctx, client, r.group, o.storage, forget)
	for tp, err := range bad {
		failed[tp] = err
	}
	return failed
}

// readBack finds out what is stored now, which alone decides what was done, and
// writes it to the journal. It does so after an interruption too.
func (o *changing) readBack(ctx context.Context, client *broker.Client, r *revision, pending []offsets.Change, j *journal.Journal, id int64) error {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
	}
	tps := make([]broker.TP, len(pending))
	for i, c := range pending {
		tps[i] = c.TP
	}
	now, err := offsets.FetchStored(ctx, client, r.group, o.storage, tps, true)
	if err != nil {
		// The entry stays open: what came of it is seen when it is needed.
		for _, c := range pending {
			if r.failed[c.TP] == nil {
				r.failed[c.TP] = fmt.Errorf("stored, but not read back: %w", err)
			}
		}
		return nil
	}
	causes := r.failed
	r.failed = map[broker.TP]error{}
	var failures []journal.Failure
	for _, off := range offsets.Mismatch(pending, now) {
		cause := causes[off.TP]
		switch {
		case cause != nil:
		case off.From.Err != nil:
			cause = fmt.Errorf("read back: %w", off.From.Err)
		case off.From.Offset == off.To.Offset:
			cause = fmt.Errorf("read back %s with another leader epoch or metadata", offsetText(off.From.Offset))
		default:
			cause = fmt.Errorf("read back %s where %s was stored: somebody else commits for the group", offsetText(off.From.Offset), offsetText(off.To.Offset))
		}
		r.failed[off.TP] = cause
		var never *offsets.ForgetError
		failures = append(failures, journal.Failure{Topic: off.TP.Topic, Partition: off.TP.Partition, Reason: cause.Error(), Never: errors.As(cause, &never)})
	}
	r.done = len(pending) - len(r.failed)
	r.applied = r.applied && len(r.failed) == 0
	if err := j.End(id, failures, o.now()); err != nil {
		o.warn("the change was made, but its outcome could not be noted: %v", err)
	}
	return nil
}

// settleInterrupted finds out what became of changes whose process ended in
// their midst, so that an undo does not take back what never was.
func (o *changing) settleInterrupted(ctx context.Context, client *broker.Client, j *journal.Journal, name string) error {
	for _, e := range j.Entries() {
		if e.Ended || e.Storage != o.storage {
			continue
		}
		tps := make([]broker.TP, len(e.Changes))
		for i, c := range e.Changes {
			tps[i] = c.TP
		}
		now, err := o.current(ctx, client, name, tps)
		if err != nil {
			return fmt.Errorf("what became of an interrupted %s: %w", e.Operation, err)
		}
		var failures []journal.Failure
		for _, c := range e.Changes {
			if is := now[c.TP].Offset; is == c.From.Offset && is != c.To.Offset {
				failures = append(failures, journal.Failure{Topic: c.TP.Topic, Partition: c.TP.Partition, Reason: "interrupted"})
			}
		}
		if err := j.End(e.ID, failures, o.now()); err != nil {
			return err
		}
	}
	return nil
}
