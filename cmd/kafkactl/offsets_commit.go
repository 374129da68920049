package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

type offsetsCommitOptions struct {
	changing

	group    string
	metadata string

	want map[broker.TP]offsets.Stored
}

func newOffsetsCommitCmd(e *env) *cobra.Command {
	o := &offsetsCommitOptions{changing: changing{env: e}}
	cmd := &cobra.Command{
		Use:   "commit TOPIC:PARTITION=OFFSET... -g GROUP",
		Short: "Store offsets for a group",
		Example: `  kafkactl offsets commit -g billing orders:0=1200                    # the next one to read is 1200
  kafkactl offsets commit -g billing orders:0=1200 orders:1=980
  kafkactl offsets commit -g billing orders:0=0 --offset-storage zookeeper`,
		Long: `Stores the offsets given, each the next one that the group shall read, and reads them back.
It asks nothing, for the numbers are explicit; offsets undo takes it back. A group with live
members is refused. An offset outside the log is stored all the same, with a warning.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.completeCommits,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.group, "group", "g", "", "the `GROUP` whose offsets these are")
	f.StringVar(&o.metadata, "metadata", "", "a `TEXT` to store with each")
	f.BoolVar(&o.strict, "strict", false, "an offset outside the log is an error")
	o.addChangeFlags(cmd, false)
	return cmd
}

func (o *offsetsCommitOptions) check(cmd *cobra.Command, args []string) error {
	if err := o.listing.check(); err != nil {
		return err
	}
	if o.group == "" {
		return noGroupGiven()
	}
	var metadata *string
	if cmd.Flags().Changed("metadata") {
		metadata = &o.metadata
	}
	o.want = map[broker.TP]offsets.Stored{}
	for _, arg := range args {
		tp, n, err := parseCommit(arg)
		if err != nil {
			return err
		}
		if _, twice := o.want[tp]; twice {
			return usagef("%s is given twice", tpName(tp))
		}
		o.want[tp] = offsets.Stored{Offset: n, LeaderEpoch: -1, Metadata: metadata}
	}
	return nil
}

func noGroupGiven() error {
	return usagef("-g GROUP is missing").withHint("whose offsets? kafkactl groups list shows the groups")
}

// parseCommit reads TOPIC:PARTITION=OFFSET.
func parseCommit(arg string) (tp broker.TP, offset int64, err error) {
	wrong := func(why string) (broker.TP, int64, error) {
		return tp, 0, usagef("%s: %s", arg, why).withHint("want TOPIC:PARTITION=OFFSET, as orders:0=1200")
	}
	place, number, ok := strings.Cut(arg, "=")
	colon := strings.LastIndexByte(place, ':')
	if !ok || colon <= 0 {
		return wrong("no partition and offset in it")
	}
	p, err := strconv.ParseUint(place[colon+1:], 10, 31)
	if err != nil {
		return wrong(place[colon+1:] + " is no partition's number")
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil {
		return wrong(number + " is no offset")
	}
	return broker.TP{Topic: place[:colon], Partition: int32(p)}, int64(n), nil
}

func (o *offsetsCommitOptions) run(ctx context.Context) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	r := &revision{operation: operationCommit, group: o.group}
	if err := o.exact(ctx, client, r, o.want); err != nil {
		return err
	}
	return o.perform(ctx, client, []*revision{r}, false)
}

// exact plans to store offsets as they are, whatever the log holds: partitions
// have to be there, and what lies outside the log is warned of.
func (o *changing) exact(ctx context.Context, client *broker.Client, r *revision, want map[broker.TP]offsets.Stored) error {
	there, missing, err := o.existing(ctx, client, want)
	if err != nil {
		return err
	}
	r.skipped = missing
	places := make([]offsets.Place, 0, len(there))
	for tp, s := range there {
		if s.Offset >= 0 {
			places = append(places, offsets.Place{TP: tp, Position: offsets.Position{Base: offsets.Absolute, N: s.Offset}})
		}
	}
	found, err := offsets.Look(ctx, client, places, offsets.Options{Now: o.now()})
	if err != nil {
		return err
	}
	if err := o.warnOutside(found); err != nil {
		return err
	}
	return o.plan(ctx, client, r, there)
}

// existing parts what the cluster has from what it has not.
func (o *changing) existing(ctx context.Context, client *broker.Client, want map[broker.TP]offsets.Stored) (map[broker.TP]offsets.Stored, []error, error) {
	t := targeting{}
	for tp := range want {
		t.targets = append(t.targets, offsets.Target{Text: tpName(tp), Topic: tp.Topic, Parts: []offsets.Span{{First: tp.Partition, Last: tp.Partition}}})
	}
	wants, gone, err := t.find(ctx, o.env, client, offsets.Window{}, false)
	if err != nil {
		return nil, nil, err
	}
	there := make(map[broker.TP]offsets.Stored, len(wants))
	for _, w := range wants {
		there[w.TP] = want[w.TP]
	}
	return there, uniqueErrors(errorsOf(gone)), nil
}

// warnOutside warns of offsets that the log does not hold, though they are
// stored as they are.
func (o *changing) warnOutside(found []offsets.Found) error {
	var outside []error
	for _, f := range found {
		if f.Outside != nil {
			outside = append(outside, f.Outside)
		}
	}
	t := targeting{strict: o.strict}
	return t.tellOutside(o.env, sortedErrors(outside))
}
