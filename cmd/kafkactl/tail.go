package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
	"kafkactl/internal/sink"
)

// tailLast is how many records tail begins with.
const tailLast = 10

type tailOptions struct {
	*env
	targeting
	printing

	last int64 // -1: not asked for
}

func newTailCmd(e *env) *cobra.Command {
	o := &tailOptions{env: e, last: -1}
	cmd := &cobra.Command{
		Use:   "tail TARGET...",
		Short: "Print the last records of topics, then follow them",
		Example: `  kafkactl tail orders                 # the last 10 records, then what comes
  kafkactl tail '^orders' -n 0         # only what comes, new topics too
  kafkactl tail orders@-15m users      # begin a quarter of an hour ago
  kafkactl tail orders --wrap          # long values folded rather than cut`,
		Long: `Prints the last 10 records over all partitions in time order, then follows for ever, through
broker restarts, leader moves, new partitions, and new topics for a ^REGEX; new ones are
looked for every 5 seconds. It commits nothing.

On a terminal each line has the time, partition and offset and the key before the value, in
colours that JSON has too, and is fitted to the width, or folded with --wrap. The last line
says how many came, how fast, and how many are still to come; -q does without. Control characters of records
are shown escaped. In a pipe it prints as consume does.`,
		Args:              cobra.MinimumNArgs(1),
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
	f.VarP(amount(&o.last), "last", "n", "begin with the last `N` records over all targets (default 10)")
	f.StringVar(&o.from, "from", "", "begin every target without a range at `POS`")
	o.targeting.addIsolationFlag(cmd, true)
	f.BoolVar(&o.strict, "strict", false, "a warning that changes which records come is an error")
	f.BoolVar(&o.keepGoing, "keep-going", false, "skip damaged batches with a warning")
	o.printing.addFlags(cmd)
	cmd.SetFlagErrorFunc(groupless("tail belongs to no group and commits nothing: begin with -n N or --from POS"))
	return cmd
}

func (o *tailOptions) check(cmd *cobra.Command, args []string) error {
	if err := o.printing.check(cmd); err != nil {
		return err
	}
	if err := o.targeting.parse(args, o.now()); err != nil {
		return err
	}
	ranged := o.from != ""
	for i := range o.targets {
		w := o.targets[i].Window
		ranged = ranged || w.IsSet()
		if w.To.IsSet() {
			return usagef("%s: tail follows for ever, so a range has no end", o.targets[i].Text).
				withHint("kafkactl consume --follow %s waits for an end", o.targets[i].Text)
		}
	}
	if ranged && o.last >= 0 {
		return usagef("-n/--last and a beginning of one's own exclude each other")
	}
	return o.noGroup("tail belongs to no group: begin with -n N, an offset or a time")
}

func (o *tailOptions) run(ctx context.Context) error {
	ctx, stop := o.watchOut(ctx)
	defer stop()
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	end := offsets.Window{From: offsets.Position{Base: offsets.End}}
	wants, missing, err := o.find(ctx, o.env, client, end, true)
	if err != nil {
		return cause(ctx, err)
	}
	if len(missing) > 0 {
		return errors.Join(errorsOf(missing)...)
	}
	resolved, late, err := o.look(ctx, o.env, client, wants, true)
	if err != nil {
		return cause(ctx, err)
	}
	if len(late) > 0 && len(resolved) == 0 {
		return errors.Join(late...)
	}
	f := newFollower(o.env, &o.targeting, client)
	if len(late) > 0 {
		o.postpone(f, wants, resolved, late)
	}
	opts := o.sessionOptions(o.env)
	opts.Keep = o.wanted(o.strict, o.last != 0)
	defer o.tellUnclear(o.env)
	opts.Follow = true
	var shown statusLine
	defer shown.start(o.env, o.raw)()
	f.status = &shown
	out := o.guard(sink.NewStream(o.out, shown.counted(o.form()), new(consume.Progress).Done, 0), o.strict, o.keepGoing)
	if err := o.first(ctx, client, opts, resolved, out); err != nil {
		return cause(ctx, err)
	}
	report, err := f.follow(ctx, opts, resolved, nil, out)
	if err != nil {
		return cause(ctx, err)
	}
	return report.Err() // every partition failed for good
}

// postpone leaves partitions that cannot be looked up to the follower.
func (o *tailOptions) postpone(f *follower, wants []offsets.Want, resolved []offsets.Resolved, late []error) {
	ready := map[broker.TP]bool{}
	for _, r := range resolved {
		ready[r.TP] = true
	}
	for _, w := range wants {
		if !ready[w.TP] {
			f.late[w.TP] = w.Window
		}
	}
	for _, err := range late {
		o.warn("%v; trying again", err)
	}
}

// first prints the last records of what has no beginning of its own, up to where
// following begins.
func (o *tailOptions) first(ctx context.Context, client *broker.Client, opts consume.Options, resolved []offsets.Resolved, out consume.Sink) error {
	n := o.last
	if n < 0 {
		n = tailLast
	}
	ranges := map[broker.TP]offsets.Range{}
	for _, r := range resolved {
		if past := (offsets.Range{From: r.Bounds.Start, To: r.Range.From}); !o.begun(r) && !past.Empty() {
			ranges[r.TP] = past
		}
	}
	if n == 0 || len(ranges) == 0 {
		return nil
	}
	opts.ByTime, opts.Follow = true, false
	last, at, err := consume.Last(ctx, client, opts, ranges, n)
	opts.At = at
	o.unclear.pause.Store(true)
	defer o.unclear.pause.Store(false)
	if err != nil {
		return err
	}
	for tp, r := range last {
		if r.Empty() {
			delete(last, tp)
		}
	}
	if len(last) == 0 {
		return nil
	}
	report, err := consume.Run(ctx, client, opts, last, out)
	if err != nil {
		return err
	}
	for i := range report.Partitions {
		if err := report.Partitions[i].Err; err != nil {
			o.warn("%v", err) // following it says more
		}
	}
	return nil
}

// begun says that a beginning was given for the partition.
func (o *tailOptions) begun(r offsets.Resolved) bool {
	return r.Window.From != offsets.Position{Base: offsets.End} || o.from != ""
}

// form is how a record is printed.
func (o *tailOptions) form() sink.Append {
	if !isTerminal(o.out) {
		return o.piped()
	}
	topics := o.regexes() || len(offsets.Topics(o.targets)) > 1
	return o.line(o.pal, topics, func() int { return width(o.out) }, o.now)
}
