package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

func newOffsetsCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "offsets",
		Short: "Look offsets up, of partitions and of groups",
		Example: `  kafkactl offsets get orders                  # where each partition starts and ends
  kafkactl offsets get orders --at -1h         # where an hour ago is
  kafkactl offsets get -g billing              # how far a group is, and how far behind`,
		Long: `Offsets of partitions: where they start and end, what a position comes to, and where groups
stand.`,
	}
	cmd.AddCommand(newOffsetsGetCmd(e))
	cmd.AddCommand(offsetsChangeCmds(e)...)
	return cmd
}

type offsetsGetOptions struct {
	*env
	targeting
	listing

	at    []string
	limit int
	lagging

	positions []offsets.Position
	heads     []string // the positions as typed
}

func newOffsetsGetCmd(e *env) *cobra.Command {
	o := &offsetsGetOptions{env: e}
	cmd := &cobra.Command{
		Use:   "get TARGET... | -g GROUP [TARGET...] | --all-groups [TARGET...]",
		Short: "Show what positions come to, or how far groups are",
		Example: `  kafkactl offsets get orders                           # start and end
  kafkactl offsets get orders@2026-11-23..+1d -o json   # where a day begins and ends
  kafkactl offsets get -g billing                       # a group's offsets and lag
  kafkactl offsets get --all-groups --watch             # the lag of all, live`,
		Long: `Shows start and end of each partition, or what every --at comes to; a target with a range of
its own shows the range's sides instead. Offsets past either end are moved to it.

The end is the high watermark; --isolation read_committed shows the last stable offset.
Positions are those of kafkactl help positions, and of newer brokers max-timestamp,
earliest-local, latest-tiered and earliest-pending-upload.

--max-offsets N lists up to N starts of log segments at or before each position, newest
first, as brokers before Kafka 4.0 can.

With -g or --all-groups and no position it shows where groups stand, each partition they have
an offset for or hold, or those of TARGETs: the stored offset, start and end, the lag in
records, and its age, that of the oldest record not read yet. Without an offset a partition
shows none and counts in no total. "-" is what is unknown, or does not apply. An offset
that an open transaction is about to change is marked pending; the one shown still counts.
A group without members or offsets is exit 6. --lag prints the sum of the lags alone.

A pipe gets GROUP TOPIC PARTITION OFFSET START END LAG AGE CLIENT HOST MEMBER METADATA NOTE,
the age in milliseconds, and with --watch the time before them.`,
		ValidArgsFunction: e.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			if o.lags() {
				return o.runLags(cmd.Context())
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVar(&o.at, "at", nil, "look `POS` up; may be given more than once (default start and end)")
	f.Var(count(&o.limit, 0, math.MaxInt32), "max-offsets", "list up to N segment starts at or before each position")
	o.targeting.addIsolationFlag(cmd, false)
	f.BoolVar(&o.strict, "strict", false, "an offset outside the log is an error")
	o.lagging.addFlags(cmd)
	addListingFlags(cmd, &o.listing)
	return cmd
}

func (o *offsetsGetOptions) check(args []string) error {
	if err := o.listing.check(); err != nil {
		return err
	}
	if err := o.targeting.parse(args, o.now()); err != nil {
		return err
	}
	if err := o.checkLags(); err != nil || o.lags() {
		return err
	}
	for _, s := range o.at {
		p, err := offsets.ParsePosition(s, o.targeting.at)
		if err != nil {
			return targetUsage("--at ", err)
		}
		o.def.From = p // for noGroup below
		if err := o.groupNamed(); err != nil {
			return err
		}
		o.positions, o.heads = append(o.positions, p), append(o.heads, s)
	}
	o.def = offsets.Window{}
	if len(o.at) == 0 {
		o.positions = []offsets.Position{{Base: offsets.Start}, {Base: offsets.End}}
		o.heads = []string{"start", "end"}
	}
	if o.limit > 0 {
		for i, p := range o.positions {
			if p.Base != offsets.Time && p != (offsets.Position{Base: offsets.Start}) && p != (offsets.Position{Base: offsets.End}) {
				return usagef("--max-offsets counts from start, end or a time, not from %s", o.heads[i])
			}
		}
	}
	return o.ownRanges()
}

// ownRanges refuses what a target's own range cannot be here.
func (o *offsetsGetOptions) ownRanges() error {
	for i := range o.targets {
		t := &o.targets[i]
		switch {
		case !t.Window.IsSet():
		case len(o.at) > 0:
			return usagef("--at and the range of %s exclude each other", t.Text)
		case o.limit > 0:
			return usagef("--max-offsets and the range of %s exclude each other", t.Text)
		case t.Window.To.Base == offsets.Left && t.Window.From.Base != offsets.Absolute:
			return usagef("%s: the right side counts from what the left comes to, which is not one position here", t.Text)
		}
	}
	return o.groupNamed()
}

// groupNamed refuses "stored" without -g.
func (o *offsetsGetOptions) groupNamed() error {
	if o.group != "" {
		return nil
	}
	return o.noGroup("-g GROUP names it")
}

// asked is one cell: a position of a partition, and what it came to.
type asked struct {
	head string // as typed
	pos  offsets.Position

	found   offsets.Found
	several []int64 // --max-offsets
}

// partitionAsked is one row.
type partitionAsked struct {
	tp      broker.TP
	cells   []asked
	missing error // the target that should have been a row
}

func (o *offsetsGetOptions) run(ctx context.Context) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	wants, missing, err := o.find(ctx, o.env, client, offsets.Window{}, false)
	if err != nil {
		return err
	}
	failures := errorsOf(missing)
	if len(wants) == 0 {
		return errors.Join(failures...)
	}
	rows := o.rows(wants)
	if err := o.lookUp(ctx, client, rows); err != nil {
		return err
	}
	good := 0
	for _, r := range rows {
		for _, c := range r.cells {
			if c.found.Err != nil {
				failures = append(failures, c.found.Err)
			} else {
				good++
			}
		}
	}
	failures = uniqueErrors(failures)
	if good == 0 {
		return errors.Join(failures...)
	}
	for _, a := range missing {
		rows = append(rows, partitionAsked{tp: broker.TP{Topic: a.topic, Partition: a.partition}, missing: a.err})
	}
	if err := o.print(o.env, o.table(rows), o.document(rows)); err != nil {
		return err
	}
	if len(failures) > 0 {
		return &partialError{err: errors.Join(failures...)}
	}
	return nil
}

// rows gives every partition the positions to look up.
func (o *offsetsGetOptions) rows(wants []offsets.Want) []partitionAsked {
	rows := make([]partitionAsked, len(wants))
	for i, w := range wants {
		rows[i].tp = w.TP
		if !w.Window.IsSet() {
			for j, p := range o.positions {
				rows[i].cells = append(rows[i].cells, asked{head: o.heads[j], pos: p})
			}
			continue
		}
		to := w.Window.To
		if to.Base == offsets.Left {
			to = offsets.Position{Base: offsets.Absolute, N: w.Window.From.N + to.N}
		}
		for _, p := range []offsets.Position{w.Window.From, to} {
			if p.IsSet() {
				rows[i].cells = append(rows[i].cells, asked{head: p.String(), pos: p})
			}
		}
	}
	return rows
}

// lookUp fills the rows in.
func (o *offsetsGetOptions) lookUp(ctx context.Context, client *broker.Client, rows []partitionAsked) error {
	var places []offsets.Place
	for _, r := range rows {
		for _, c := range r.cells {
			places = append(places, offsets.Place{TP: r.tp, Position: c.pos})
		}
	}
	if o.limit > 0 {
		return o.lookUpSegments(ctx, client, rows, places)
	}
	found, err := offsets.Look(ctx, client, places, offsets.Options{Isolation: o.level(), Now: o.targeting.at, Group: o.group, Storage: o.storage})
	if err != nil {
		return err
	}
	var outside []error
	coarse, k := false, 0
	for i := range rows {
		for j := range rows[i].cells {
			rows[i].cells[j].found = found[k]
			coarse = coarse || found[k].Coarse
			if out := found[k].Outside; out != nil {
				outside = append(outside, out)
			}
			k++
		}
	}
	if err := o.tellOutside(o.env, outside); err != nil {
		return err
	}
	if coarse {
		o.note("a broker is older than Kafka 0.10.1: times are as fine as its log segments")
	}
	return nil
}

func (o *offsetsGetOptions) lookUpSegments(ctx context.Context, client *broker.Client, rows []partitionAsked, places []offsets.Place) error {
	found, err := offsets.ListSegments(ctx, client, places, int32(o.limit))
	if err != nil {
		return err
	}
	k := 0
	for i := range rows {
		for j := range rows[i].cells {
			c := &rows[i].cells[j]
			c.several, c.found.Err = found[k].Offsets, found[k].Err
			var version *broker.VersionError
			if errors.As(c.found.Err, &version) {
				return &hintError{err: fmt.Errorf("--max-offsets: %w", c.found.Err), hint: "only brokers that speak ListOffsets version 0 list segments; --at finds single offsets everywhere"}
			}
			k++
		}
	}
	return nil
}
