package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

type offsetsSeekOptions struct {
	changing
	targeting

	group     string
	by        int64
	whence    int8
	allTopics bool
	byGiven   bool
}

func newOffsetsSeekCmd(e *env) *cobra.Command {
	o := &offsetsSeekOptions{changing: changing{env: e}}
	cmd := &cobra.Command{
		Use:   "seek TARGET... -g GROUP [--to POS | --by N]",
		Short: "Move a group's offsets",
		Example: `  kafkactl offsets seek -g billing orders --to -2h        # to what was written two hours ago
  kafkactl offsets seek -g billing orders:0@1200 orders:1@end
  kafkactl offsets seek -g billing --all-topics --by -100 # the last hundred of each partition again`,
		Long: `Moves the stored offsets of a group to a position: of a target's own (orders@-2h), or --to for
the others; --by moves each partition from where it is stored. The plan is shown first, and a
question asked on a terminal; elsewhere --yes does it, and --dry-run only shows. What was
stored is read back before it is called done, and offsets undo takes it back.

--by N --whence 0 or 2 spreads N over all partitions, from their starts or ends: whole
numbers rounded down, the first partitions taking one more each for what is left over.

A group with live members is refused: stop them first. Positions past either end are moved to
it, offsets written as numbers with a warning. Positions are those of kafkactl help positions.`,
		ValidArgsFunction: e.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.group, "group", "g", "", "the `GROUP` whose offsets to move")
	f.StringVar(&o.targeting.to, "to", "", "the `POS` of targets without one of their own")
	f.Int64Var(&o.by, "by", 0, "move by `N` offsets, forwards or (-N) backwards")
	f.Var(whenceValue{&o.whence}, "whence", "what --by counts from: 0 start, 1 stored, 2 end")
	o.whence = 1
	f.BoolVar(&o.allTopics, "all-topics", false, "all partitions that the group has offsets of")
	o.addIsolationFlag(cmd, false)
	f.BoolVar(&o.changing.strict, "strict", false, "an offset outside the log is an error")
	o.addChangeFlags(cmd, true)
	return cmd
}

// whenceValue is --whence.
type whenceValue struct{ p *int8 }

func (v whenceValue) Set(s string) error {
	if s != "0" && s != "1" && s != "2" {
		return errors.New("want 0 (start), 1 (stored) or 2 (end)")
	}
	*v.p = int8(s[0] - '0')
	return nil
}
func (v whenceValue) String() string { return fmt.Sprint(*v.p) }
func (v whenceValue) Type() string   { return "0|1|2" }

func (o *offsetsSeekOptions) check(cmd *cobra.Command, args []string) error {
	o.byGiven = cmd.Flags().Changed("by")
	o.targeting.strict = o.changing.strict
	to := o.targeting.to
	switch err := o.listing.check(); {
	case err != nil:
		return err
	case o.group == "":
		return noGroupGiven()
	case o.allTopics && len(args) > 0:
		return usagef("--all-topics and targets exclude each other")
	case !o.allTopics && len(args) == 0:
		return usagef("seek: TARGET is missing").withHint("--all-topics means all that the group has offsets of")
	case o.byGiven && to != "":
		return usagef("--by and --to exclude each other")
	case cmd.Flags().Changed("whence") && !o.byGiven:
		return usagef("--whence says what --by counts from, and there is no --by")
	case to != "" && strings.Trim(to[1:], "0123456789") == "" && (to[0] == '+' || to[0] == '-'):
		return usagef("--to %s: from where?", to).withHint("start%s, end%s or stored%s; --by %s moves each from where it is stored", plusOf(to), minusOf(to), to, to)
	}
	o.targeting.to = "" // it is where to begin, in the grammar's words
	o.targeting.from = to
	if err := o.targeting.parse(args, o.now()); err != nil {
		var u *usageError
		if errors.As(err, &u) {
			u.msg = strings.Replace(u.msg, "--from ", "--to ", 1)
		}
		return err
	}
	for _, t := range o.targets {
		at := strings.IndexByte(t.Text, '@')
		switch {
		case at >= 0 && strings.Contains(t.Text[at:], ".."):
			return usagef("%s: seek goes to a position, not to a range", t.Text).withHint("want %s@POS", t.Text[:at])
		case t.Window.IsSet() && o.byGiven:
			return usagef("%s: --by moves what has no position of its own", t.Text)
		case !t.Window.IsSet() && to == "" && !o.byGiven:
			return usagef("%s: to where?", t.Text).withHint("--to POS, --by N, or %s@POS", t.Text)
		}
	}
	if o.allTopics && to == "" && !o.byGiven {
		return usagef("--all-topics: to where?").withHint("--to POS or --by N")
	}
	return nil
}

func plusOf(s string) string  { return "+" + s[1:] }
func minusOf(s string) string { return "-" + s[1:] }

func (o *offsetsSeekOptions) run(ctx context.Context) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	r := &revision{operation: operationSeek, group: o.group}
	places, err := o.places(ctx, client, r)
	if err != nil {
		return err
	}
	found, err := offsets.Look(ctx, client, places, offsets.Options{
		Isolation: o.level(), Group: o.group, Storage: o.storage, Now: o.targeting.at})
	if err != nil {
		return err
	}
	want := map[broker.TP]offsets.Stored{}
	var outside []error
	coarse := false
	for i, f := range found {
		if f.Err != nil {
			r.skipped = append(r.skipped, named(places[i].TP, f.Err))
			continue
		}
		if f.Outside != nil {
			outside = append(outside, f.Outside)
		}
		coarse = coarse || f.Coarse
		want[places[i].TP] = offsets.Stored{Offset: f.Offset, LeaderEpoch: -1}
	}
	r.skipped = uniqueErrors(r.skipped)
	if err := o.tellOutside(o.env, outside); err != nil {
		return err
	}
	if coarse {
		o.note("a broker is older than Kafka 0.10.1: times are as fine as its log segments, so older records come again too")
	}
	if err := o.plan(ctx, client, r, want); err != nil {
		return err
	}
	return o.perform(ctx, client, []*revision{r}, true)
}

// places are the partitions meant, in order, and where each shall go.
func (o *offsetsSeekOptions) places(ctx context.Context, client *broker.Client, r *revision) ([]offsets.Place, error) {
	var wants []offsets.Want
	if o.allTopics {
		stored, err := o.allStored(ctx, client, o.group)
		if err != nil {
			return nil, err
		}
		if _, err := client.Refresh(ctx, nil, offsets.StoredTopics(stored)...); err != nil {
			return nil, err
		}
		for tp := range stored {
			wants = append(wants, offsets.Want{TP: tp, Window: o.def})
		}
		slices.SortFunc(wants, func(a, b offsets.Want) int { return compareTP(a.TP, b.TP) })
	} else {
		found, gone, err := o.find(ctx, o.env, client, offsets.Window{}, false)
		if err != nil {
			return nil, err
		}
		wants, r.skipped = found, errorsOf(gone)
	}
	if o.byGiven {
		tps := make([]broker.TP, len(wants))
		for i, w := range wants {
			tps[i] = w.TP
		}
		return offsets.SeekBy(tps, o.by, offsets.Whence(o.whence))
	}
	places := make([]offsets.Place, len(wants))
	for i, w := range wants {
		places[i] = offsets.Place{TP: w.TP, Position: w.Window.From}
	}
	return places, nil
}

// allStored reads all that a group has stored; a group without anything is not
// there.
func (o *changing) allStored(ctx context.Context, client *broker.Client, name string) (map[broker.TP]offsets.Stored, error) {
	got, err := offsets.FetchStored(ctx, client, name, o.storage, nil, true)
	if err != nil {
		return nil, err
	}
	var errs []error
	for tp, s := range got {
		if s.Err != nil {
			errs = append(errs, s.Err)
		} else if s.Offset == offsets.NoOffset {
			delete(got, tp)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(sortedErrors(errs)...)
	}
	if len(got) == 0 {
		return nil, &notFoundError{kind: "group", name: name, err: errNoOffsets}
	}
	return got, nil
}

func compareTP(a, b broker.TP) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// sortedErrors puts errors that came out of a map in a lasting order.
func sortedErrors(errs []error) []error {
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errs
}
