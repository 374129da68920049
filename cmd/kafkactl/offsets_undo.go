package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/journal"
	"kafkactl/internal/offsets"
)

type offsetsUndoOptions struct {
	changing

	group string
	force bool
}

func newOffsetsUndoCmd(e *env) *cobra.Command {
	o := &offsetsUndoOptions{changing: changing{env: e}}
	cmd := &cobra.Command{
		Use:   "undo -g GROUP",
		Short: "Take back the last change of a group's offsets",
		Example: `  kafkactl offsets undo -g billing             # shows what it would do, and asks
  kafkactl offsets undo -g billing --yes
  kafkactl offsets undo -g billing --dry-run   # what was the last change?`,
		Long: `Takes back the newest change that you have made here to a group of this cluster with commit,
seek, import, copy or delete: what consumers commit themselves is none of its business. Each
call goes one change further back. A partition that had no offset loses it again, which brokers
can do from Kafka 2.4 on. If an offset has moved since, nothing is done, unless --force is given.

What changes replaced is kept in $XDG_STATE_HOME/kafkactl/journal (~/.local/state/kafkactl/journal),
a file for each group and cluster.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.listing.check(); err != nil {
				return err
			}
			if o.group == "" {
				return noGroupGiven()
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.group, "group", "g", "", "the `GROUP` whose offsets were changed")
	f.BoolVar(&o.force, "force", false, "also where offsets have moved since")
	o.addChangeFlags(cmd, true)
	return cmd
}

func (o *offsetsUndoOptions) run(ctx context.Context) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	r, err := o.newest(ctx, client)
	if err != nil {
		return err
	}
	r.recheck = func(j *journal.Journal) error {
		if e, _, ok := j.Newest(o.storage, 0); ok && e.ID > r.undoes {
			return fmt.Errorf("group %s: another change came in between: look again", o.group)
		}
		return nil
	}
	return o.perform(ctx, client, []*revision{r}, true)
}

// newest plans to take back the newest change that came about.
func (o *offsetsUndoOptions) newest(ctx context.Context, client *broker.Client) (*revision, error) {
	j, err := o.openJournal(ctx, client, o.group)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	locking, cancel := context.WithTimeout(ctx, client.Config().Timeout)
	defer cancel()
	if err := j.Lock(locking); err != nil {
		return nil, err
	}
	for before := int64(0); ; {
		e, left, ok := j.Newest(o.storage, before)
		if !ok {
			return nil, &notFoundError{kind: "change", name: "group " + o.group, err: fmt.Errorf("no change of its offsets to undo in %s", j.Path())}
		}
		tps := make([]broker.TP, len(left))
		for i, c := range left {
			tps[i] = c.TP
		}
		cur, err := o.current(ctx, client, o.group, tps)
		if err != nil {
			return nil, err
		}
		if !e.Ended {
			left = slices.DeleteFunc(left, func(c offsets.Change) bool { // it never came to that
				return cur[c.TP].Offset == c.From.Offset && c.From.Offset != c.To.Offset
			})
		}
		if len(left) == 0 {
			before = e.ID
			continue
		}
		return o.back(&e, left, cur)
	}
}

// back is the plan that takes left back.
func (o *offsetsUndoOptions) back(e *journal.Entry, left []offsets.Change, cur map[broker.TP]offsets.Stored) (*revision, error) {
	what := fmt.Sprintf("the %s of %s", e.Operation, e.Time.Local().Format(time.DateTime))
	r := &revision{operation: operationUndo, group: o.group, undoes: e.ID}
	want := map[broker.TP]offsets.Stored{}
	var moved []error
	for _, c := range left {
		want[c.TP] = c.From
		if is := cur[c.TP].Offset; is != c.To.Offset && is != c.From.Offset {
			moved = append(moved, &movedError{tp: c.TP, was: c.To.Offset, is: is, since: what})
		}
	}
	if len(moved) > 0 && !o.force {
		for i, m := range moved {
			moved[i] = &hintError{err: m, hint: "somebody has committed since; --force restores what was stored before " + what}
		}
		return nil, errors.Join(moved...)
	}
	for _, m := range moved {
		o.warn("%v", m)
	}
	r.changes = offsets.Plan(cur, want)
	o.note("group %s: taking back %s", o.group, what)
	return r, nil
}
