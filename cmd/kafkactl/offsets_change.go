package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/group"
	"kafkactl/internal/journal"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// changing is what commands share that change what groups have stored.
type changing struct {
	*env
	listing
	storage offsets.Storage

	yes, dryRun bool
	keepGoing   bool
	strict      bool

	cluster string
}

// revision is what shall become of one group's offsets.
type revision struct {
	operation string // as the journal calls it
	group     string
	changes   []offsets.Change
	// skipped are partitions that could not be planned for; with --keep-going the
	// others are changed all the same.
	skipped  []error
	newGroup bool
	undoes   int64 // the journal's number of the change taken back
	// recheck, where there is one, looks at the journal once it is locked.
	recheck func(j *journal.Journal) error
	// apply, where there is one, takes the place of commits and deletions.
	apply func(ctx context.Context, client *broker.Client) error

	failed  map[broker.TP]error // after it was carried out
	done    int                 // partitions changed, and read back
	applied bool                // apply has worked
}

// addChangeFlags gives a command what every change of offsets takes.
func (o *changing) addChangeFlags(cmd *cobra.Command, asks bool) {
	f := cmd.Flags()
	if asks {
		f.BoolVar(&o.yes, "yes", false, "do it without a question")
		f.BoolVar(&o.dryRun, "dry-run", false, "only show what would be done")
	}
	f.BoolVar(&o.keepGoing, "keep-going", false, "change the others where one cannot be; exit 3")
	addStorageFlag(cmd, &o.storage)
	addListingFlags(cmd, &o.listing)
}

// pending are the changes that change anything.
func (r *revision) pending() []offsets.Change {
	return slices.DeleteFunc(slices.Clone(r.changes), offsets.Change.Same)
}

// guard refuses groups that are not ours to change: those with live members,
// and those whose offsets are kept by somebody else. It asks their coordinator
// and joins nothing.
func (o *changing) guard(ctx context.Context, client *broker.Client, name string) (*group.Description, error) {
	if o.storage == offsets.ZooKeeper { // whose members brokers do not know
		return &group.Description{Group: name}, nil
	}
	list, err := group.Describe(ctx, client, []string{name})
	if err != nil {
		return nil, err
	}
	d := &list[0]
	switch {
	case d.Err != nil && errors.As(d.Err, new(*broker.VersionError)): // before 0.9 brokers know no members
	case errors.Is(d.Err, wire.GroupIDNotFound):
	case d.Err != nil:
		return d, fmt.Errorf("group %s: %w", name, d.Err)
	case d.Type == group.TypeShare:
		return d, fmt.Errorf("group %s is a share group: it has no stored offsets to change", name)
	case len(d.Members) > 0:
		return d, &group.LiveError{Group: name, Members: d.Members}
	}
	return d, nil
}

// current reads what a group has stored of partitions; a partition that cannot
// be read is an error.
func (o *changing) current(ctx context.Context, client *broker.Client, name string, tps []broker.TP) (map[broker.TP]offsets.Stored, error) {
	got, err := offsets.FetchStored(ctx, client, name, o.storage, tps, true)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, s := range got {
		if s.Err != nil {
			errs = append(errs, s.Err)
		}
	}
	return got, errors.Join(uniqueErrors(errs)...)
}

// plan sets what is stored against what shall be.
func (o *changing) plan(ctx context.Context, client *broker.Client, r *revision, want map[broker.TP]offsets.Stored) error {
	tps := make([]broker.TP, 0, len(want))
	for tp := range want {
		tps = append(tps, tp)
	}
	cur, err := o.current(ctx, client, r.group, tps)
	if err != nil {
		return err
	}
	r.changes = offsets.Plan(cur, want)
	return nil
}

// perform shows the plans, asks where asking is right, and carries them out.
// ask is false for what states its numbers itself.
func (o *changing) perform(ctx context.Context, client *broker.Client, revs []*revision, ask bool) error {
	if skipped := skippedIn(revs); len(skipped) > 0 && !o.keepGoing {
		return errors.Join(skipped...)
	}
	if err := o.vacant(ctx, client, revs); err != nil {
		return err
	}
	if o.dryRun {
		if err := o.show(revs); err != nil {
			return err
		}
		return outcome(revs)
	}
	journals, err := o.journals(ctx, client, revs)
	defer func() {
		for _, j := range journals {
			_ = j.Close()
		}
	}()
	if err != nil {
		return err
	}
	shown := ask && !o.yes && somethingToDo(revs)
	if shown {
		if err := o.show(revs); err != nil {
			return err
		}
		if err := o.confirm(ctx, question(revs)); err != nil {
			return err
		}
	}
	for i, r := range revs {
		if err := o.carryOut(ctx, client, r, journals[i]); err != nil {
			if len(revs) == 1 {
				return err
			}
			r.refuse(err)
		}
	}
	if !shown {
		if err := o.show(revs); err != nil {
			return err
		}
	}
	o.tellDone(revs)
	return outcome(revs)
}

// vacant refuses a change of groups that have members, all before any. A dry
// run only warns: who plans at leisure may stop the consumers later.
func (o *changing) vacant(ctx context.Context, client *broker.Client, revs []*revision) error {
	var errs []error
	for _, r := range revs {
		d, err := o.guard(ctx, client, r.group)
		var live *group.LiveError
		switch {
		case errors.As(err, &live) && o.dryRun:
			o.warn("%v: the change itself would be refused", live)
		case err != nil:
			errs = append(errs, err)
		case errors.Is(d.Err, wire.GroupIDNotFound) && len(r.changes) > 0 && !slices.ContainsFunc(r.changes, func(c offsets.Change) bool { return !c.New() }):
			// Brokers do not describe a group that only ever stored offsets.
			all, err := offsets.FetchStored(ctx, client, r.group, o.storage, nil, false)
			r.newGroup = err == nil && len(all) == 0
		}
	}
	return errors.Join(errs...)
}

// refuse makes all of a revision fail of one cause.
func (r *revision) refuse(err error) {
	r.failed, r.done, r.applied = map[broker.TP]error{}, 0, false
	for _, c := range r.pending() {
		r.failed[c.TP] = err
	}
	if len(r.failed) == 0 {
		r.skipped = append(r.skipped, err)
	}
}

func skippedIn(revs []*revision) []error {
	var all []error
	for _, r := range revs {
		all = append(all, r.skipped...)
	}
	return uniqueErrors(all)
}

func somethingToDo(revs []*revision) bool {
	return slices.ContainsFunc(revs, func(r *revision) bool { return len(r.pending()) > 0 || r.apply != nil })
}

// outcome is nil if all was done, a partialError if some was, else the causes.
// What was as it should be already counts as done.
func outcome(revs []*revision) error {
	var errs []error
	done, left := 0, 0
	for _, r := range revs {
		errs = append(errs, r.skipped...)
		left += len(r.failed) + len(r.skipped)
		done += r.done
		if r.applied && len(r.changes) == 0 {
			done++
		}
		for _, c := range r.changes {
			err := r.failed[c.TP]
			switch {
			case err != nil && r.apply != nil:
				errs = append(errs, fmt.Errorf("group %s: %w", r.group, err))
			case err != nil:
				errs = append(errs, named(c.TP, err))
			case c.Same():
				done++
			}
		}
	}
	if errs = uniqueErrors(errs); len(errs) == 0 {
		return nil
	}
	if done == 0 {
		return errors.Join(errs...)
	}
	return &partialError{msg: fmt.Sprintf("%d done, %d not", done, left), err: errors.Join(errs...)}
}

// named makes sure that an error says which partition it is of.
func named(tp broker.TP, err error) error {
	var req *broker.RequestError
	var moved *movedError
	if errors.As(err, &req) && req.Topic != "" || errors.As(err, &moved) {
		return err
	}
	return fmt.Errorf("%s: %w", tpName(tp), err)
}

// tellDone says what was read back as it shall be.
func (o *changing) tellDone(revs []*revision) {
	for _, r := range revs {
		switch {
		case r.applied:
			o.note("group %s: deleted; kafkactl offsets undo -g %s stores its offsets again", r.group, r.group)
		case r.done > 0 && r.operation == operationUndo:
			o.note("group %s: %s as before", r.group, plural(r.done, "partition"))
		case r.done > 0:
			o.note("group %s: %s changed; kafkactl offsets undo -g %s takes it back", r.group, plural(r.done, "partition"), r.group)
		case r.apply == nil && len(r.failed) == 0 && len(r.pending()) == 0 && len(r.skipped) == 0:
			o.note("group %s: nothing to change", r.group)
		}
	}
}
