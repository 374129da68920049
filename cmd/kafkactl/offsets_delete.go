package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

type offsetsDeleteOptions struct {
	changing

	group   string
	targets []offsets.Target
}

func newOffsetsDeleteCmd(e *env) *cobra.Command {
	o := &offsetsDeleteOptions{changing: changing{env: e}}
	cmd := &cobra.Command{
		Use:   "delete TARGET... -g GROUP",
		Short: "Delete stored offsets of a group",
		Example: `  kafkactl offsets delete -g billing orders        # as if the group had never read it
  kafkactl offsets delete -g billing orders:0,2-4
  kafkactl offsets delete -g billing '^tmp-' --dry-run`,
		Long: `Takes the stored offsets of partitions away from a group, which then begins there as a new
one would. Brokers from Kafka 2.4 on can do it. Plans and asks as offsets seek does, and
offsets undo takes it back.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.group, "group", "g", "", "the `GROUP` whose offsets to delete")
	o.addChangeFlags(cmd, true)
	return cmd
}

func (o *offsetsDeleteOptions) check(args []string) error {
	if err := o.listing.check(); err != nil {
		return err
	}
	if o.group == "" {
		return noGroupGiven()
	}
	for _, arg := range args {
		t, err := offsets.ParseTarget(arg, o.now())
		if err != nil {
			return targetUsage("", err)
		}
		if t.Window.IsSet() {
			return usagef("%s: what is deleted is the stored offset, wherever it is", arg).withHint("want TOPIC[:PARTITIONS]")
		}
		o.targets = append(o.targets, t)
	}
	return nil
}

func (o *offsetsDeleteOptions) run(ctx context.Context) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	if o.storage == offsets.ZooKeeper {
		return &offsets.ForgetError{Storage: o.storage}
	}
	have, err := o.allStored(ctx, client, o.group)
	if err != nil {
		return err
	}
	// What is stored decides, not what the cluster has.
	r := &revision{operation: operationDelete, group: o.group}
	want := map[broker.TP]offsets.Stored{}
	for i := range o.targets {
		t, n := &o.targets[i], 0
		for tp := range have {
			if t.Matches(tp.Topic) && t.Holds(tp.Partition) {
				want[tp] = offsets.None()
				n++
			}
		}
		if n == 0 {
			r.skipped = append(r.skipped, &notFoundError{kind: "offset", name: t.Text, err: fmt.Errorf("group %s has stored no offset of it", o.group)})
		}
	}
	r.changes = offsets.Plan(have, want)
	return o.perform(ctx, client, []*revision{r}, true)
}
