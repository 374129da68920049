package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/group"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

type groupsDeleteOptions struct {
	changing
}

func newGroupsDeleteCmd(e *env) *cobra.Command {
	o := &groupsDeleteOptions{changing: changing{env: e}}
	cmd := &cobra.Command{
		Use:   "delete GROUP...",
		Short: "Delete groups and their offsets",
		Example: `  kafkactl groups delete billing-old
  kafkactl groups delete billing-old audit-old --yes
  kafkactl groups delete billing-old --dry-run      # which offsets would go?`,
		Long: `Deletes groups and all they have stored, as brokers from Kafka 1.1 on can. A group with live
members is refused, and then none is deleted. Shows first what will be lost, and asks on a
terminal; elsewhere --yes does it. offsets undo -g GROUP stores a group's offsets again.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.completeGroups,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.listing.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), args)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.yes, "yes", false, "do it without a question")
	f.BoolVar(&o.dryRun, "dry-run", false, "only show what would be deleted")
	f.BoolVar(&o.keepGoing, "keep-going", false, "delete the others where one cannot be; exit 3")
	addListingFlags(cmd, &o.listing)
	return cmd
}

func (o *groupsDeleteOptions) run(ctx context.Context, names []string) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	names = slices.Clone(names)
	slices.Sort(names)
	var revs []*revision
	var gone []error
	for _, name := range slices.Compact(names) {
		r, err := o.planGroup(ctx, client, name)
		if err != nil {
			gone = append(gone, err)
			continue
		}
		revs = append(revs, r)
	}
	if len(gone) > 0 && (!o.keepGoing || len(revs) == 0) {
		return errors.Join(gone...)
	}
	if len(gone) > 0 {
		revs[0].skipped = gone
	}
	return o.perform(ctx, client, revs, true)
}

// planGroup lists what a group loses.
func (o *groupsDeleteOptions) planGroup(ctx context.Context, client *broker.Client, name string) (*revision, error) {
	d, err := o.guard(ctx, client, name)
	if err != nil && !(o.dryRun && errors.As(err, new(*group.LiveError))) {
		return nil, err
	}
	have, err := offsets.FetchStored(ctx, client, name, o.storage, nil, true)
	if err != nil {
		return nil, err
	}
	want := map[broker.TP]offsets.Stored{}
	for tp, s := range have {
		if s.Err != nil {
			return nil, s.Err
		}
		want[tp] = offsets.None()
	}
	if len(want) == 0 && errors.Is(d.Err, wire.GroupIDNotFound) {
		return nil, &notFoundError{kind: "group", name: name, err: wire.GroupIDNotFound}
	}
	r := &revision{operation: operationDeleteGroup, group: name, changes: offsets.Plan(have, want)}
	r.apply = func(ctx context.Context, client *broker.Client) error {
		return group.Delete(ctx, client, []string{name})[0]
	}
	return r, nil
}
