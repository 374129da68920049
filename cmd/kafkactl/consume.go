package main

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
	"kafkactl/internal/sink"
)

type consumeOptions struct {
	*env
	targeting
	printing
	grouping
	delivering
	writing

	max             int64 // -1: all
	last            int64 // -1: not asked for
	follow          bool
	idle            time.Duration
	consumerTimeout time.Duration
	reset           string
	sort            string // "": partitions as they come
	sortWait        time.Duration
	shown           statusLine
}

func newConsumeCmd(e *env) *cobra.Command {
	o := &consumeOptions{env: e, max: -1, last: -1, sortWait: time.Second}
	cmd := &cobra.Command{
		Use:   "consume TARGET...",
		Short: "Print the records of topics, and end",
		Example: `  kafkactl consume orders                        # all there is now
  kafkactl consume orders:0@100..+5 users@-1h    # five offsets, and an hour
  kafkactl consume -g billing orders --follow    # as one of a group, committing what is printed`,
		Long: `Reads each target's range, from its start to its end as it is now, and ends. Order is kept
within a partition. A piped record is its value and a newline, exactly.

A topic or partition that is not there is exit 6, before anything is printed. A partition
that goes bad later stops there, the others finish, and the exit is 3.

On a terminal the last line says how many records came, how fast, and how many offsets are
to go, or with --follow behind the end; -q does without.

With -g it joins the group and begins where the group left off, or where --offset-reset says.
Only what was wholly written is committed: every 5 seconds, before a partition is given up, and at
the end, whatever ends it. Without --follow it ends once all that it holds is read.

--exec gives records to a command instead, and counts what it exits 0 for; kafkactl help exec.
--write puts them into files, whole or not at all; kafkactl help write.

TARGET is TOPIC[:PARTS][@RANGE]; kafkactl help positions has the whole grammar.`,
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
	f.StringVar(&o.from, "from", "", "begin every target without a range at `POS`")
	f.StringVar(&o.to, "to", "", "end every target without a range at `POS`")
	f.VarP(amount(&o.max), "max-records", "n", "end after the first `N` records")
	f.Var(amount(&o.last), "last", "only the last `N` records over all targets, in time order")
	f.BoolVar(&o.follow, "follow", false, "go on past the end, as records arrive")
	f.Var(span(&o.idle), "idle", "follow, and end when no record came for so long")
	f.Var(span(&o.consumerTimeout), "consumer-timeout", "the same, with exit 4")
	f.StringVar(&o.reset, "offset-reset", "", "`WHERE` to begin without a stored offset, and to go on when the log lost one: start, end, or none to fail")
	o.grouping.addFlags(cmd)
	o.delivering.addFlags(cmd)
	o.writing.addFlags(cmd)
	o.targeting.addIsolationFlag(cmd, true)
	f.Var(choice(&o.sort, "time"), "sort", "merge partitions by `time`; the order within one still wins")
	f.Var(span(&o.sortWait), "sort-wait", "with --sort and --follow, how long a quiet partition is waited for")
	f.BoolVar(&o.strict, "strict", false, "a warning that changes which records come is an error")
	f.BoolVar(&o.keepGoing, "keep-going", false, "skip what fails, and exit 3")
	o.printing.addFlags(cmd)
	f.Lookup("idle").DefValue, f.Lookup("consumer-timeout").DefValue = "", "" // never
	_ = cmd.RegisterFlagCompletionFunc("offset-reset", cobra.FixedCompletions([]string{"start", "end", "none"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// groupless explains -g where there is none.
func groupless(hint string) func(*cobra.Command, error) error {
	return func(cmd *cobra.Command, err error) error {
		var missing *pflag.NotExistError
		if errors.As(err, &missing) && (missing.GetSpecifiedName() == "g" || missing.GetSpecifiedName() == "group") {
			name := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
			return usagef("%s takes no group", name).withHint("%s", hint)
		}
		return flagError(cmd, err)
	}
}

// check refuses what does not go together.
func (o *consumeOptions) check(cmd *cobra.Command, args []string) error {
	if err := errors.Join(o.printing.check(cmd), o.delivering.check(cmd)); err != nil {
		return err
	}
	if err := o.writing.check(cmd, args, &o.printing); err != nil {
		return err
	}
	changed := cmd.Flags().Changed
	switch {
	case changed("idle") && changed("consumer-timeout"):
		return usagef("--idle and --consumer-timeout exclude each other")
	case changed("idle") && o.idle == 0, changed("consumer-timeout") && o.consumerTimeout == 0:
		return usagef("--idle and --consumer-timeout must be more than nothing")
	case o.last >= 0 && o.max >= 0:
		return usagef("-n/--max-records and --last exclude each other").withHint("the first of the last N are TARGET@-N with -n")
	}
	o.follow = o.follow || o.idle > 0 || o.consumerTimeout > 0
	if o.last >= 0 && o.follow {
		return usagef("--last and --follow exclude each other").withHint("kafkactl tail -n N shows the last N and follows")
	}
	if _, err := o.resetPolicy(); err != nil {
		return err
	}
	if err := o.targeting.parse(args, o.now()); err != nil {
		return err
	}
	if o.group != "" && o.last >= 0 {
		return usagef("--last: a group's offsets say where to begin").withHint("--standalone reads TARGET@-N too")
	}
	o.whose, o.kept = o.group, o.store()
	return errors.Join(o.grouping.check(cmd, &o.targeting), o.checkDead())
}

// resetPolicy reads --offset-reset in any client's words.
func (o *consumeOptions) resetPolicy() (consume.Reset, error) {
	switch o.reset {
	case "", "start", "earliest", "smallest":
		return consume.ResetNearest, nil
	case "end", "latest", "largest":
		return consume.ResetEnd, nil
	case "none":
		return consume.ResetNone, nil
	}
	return 0, usagef("--offset-reset %s: want start, end or none", o.reset)
}

func (o *consumeOptions) run(ctx context.Context) (err error) {
	defer func() { o.endExec(err) }()
	if o.write == "" { // else nobody need read standard output
		var stop func()
		ctx, stop = o.watchOut(ctx)
		defer stop()
	}
	defer o.endWriting()
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	if err := o.beginLetters(ctx, client); err != nil {
		return cause(ctx, err)
	}
	if o.joins() {
		return o.runMember(ctx, client)
	}
	fill := offsets.Window{From: offsets.Position{Base: offsets.Start}}
	if o.group != "" {
		fill.From = storedPosition
	}
	if !o.follow {
		fill.To = offsets.Position{Base: offsets.End}
	}
	wants, missing, err := o.find(ctx, o.env, client, fill, o.follow)
	if err != nil {
		return cause(ctx, err)
	}
	failures := errorsOf(missing)
	if len(failures) > 0 && !o.keepGoing {
		return errors.Join(failures...)
	}
	plan, unresolved, err := o.locate(ctx, client, wants)
	if err != nil {
		return cause(ctx, err)
	}
	failures = append(failures, unresolved...)
	if len(unresolved) > 0 && !o.keepGoing || len(failures) > 0 && len(plan.resolved) == 0 {
		return errors.Join(failures...)
	}
	report, err := o.read(ctx, client, plan)
	if err = settled(report, err); err != nil {
		return cause(ctx, err)
	}
	return o.outcome(report, failures)
}

// foundRanges is what is to be read, and where progress is kept.
type foundRanges struct {
	resolved []offsets.Resolved
	claims   []broker.TP
	group    consume.Group // nil without one
}

// locate says where wants begin and end.
func (o *consumeOptions) locate(ctx context.Context, client *broker.Client, wants []offsets.Want) (r foundRanges, failed []error, err error) {
	if o.group == "" {
		r.resolved, failed, err = o.look(ctx, o.env, client, wants, o.follow)
		return r, failed, err
	}
	if r.group, err = o.standing(ctx, client); err != nil {
		return r, nil, err
	}
	reset, _ := o.resetPolicy()
	b := beginnings{env: o.env, targeting: &o.targeting, client: client, group: r.group, reset: reset, follow: o.follow}
	all, claims, err := b.from(ctx, wants)
	if err != nil {
		return r, nil, err
	}
	r.claims = claims
	r.resolved, failed, err = o.tell(o.env, all)
	return r, failed, err
}

// cause prefers what ended ctx, such as a closed pipe, to its symptom.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil && (errors.Is(err, context.Canceled) || errors.Is(err, ctx.Err())) {
		return why
	}
	return err
}

// read moves the records to standard output.
func (o *consumeOptions) read(ctx context.Context, client *broker.Client, r foundRanges) (*consume.Report, error) {
	if o.max == 0 || o.last == 0 {
		return &consume.Report{}, nil
	}
	opts := o.sessionFor()
	progress := new(consume.Progress)
	opts.Commit = o.commit(r.group, progress)
	ranges, err := o.narrow(ctx, client, &opts, r.resolved)
	if err != nil {
		return nil, err
	}
	for _, tp := range r.claims { // also where nothing is to be read
		ranges[tp] = rangeOf(r.resolved, tp)
	}
	if len(ranges) == 0 && !o.follow {
		return &consume.Report{}, nil
	}
	sinks := o.sinks(&opts, len(ranges), progress.Done)
	defer o.showStatus()()
	if o.follow {
		f := newFollower(o.env, &o.targeting, client)
		f.status = &o.shown
		return f.follow(ctx, opts, r.resolved, r.claims, sinks...)
	}
	s := consume.NewSession(client, opts)
	o.shown.session.Store(s)
	s.Add(ranges)
	s.Claim(r.claims)
	o.shown.session.Store(s)
	defer o.showStatus()()
	return s.Run(ctx, sinks...)
}

func rangeOf(resolved []offsets.Resolved, tp broker.TP) offsets.Range {
	for _, r := range resolved {
		if r.TP == tp {
			return r.Range
		}
	}
	return offsets.Range{}
}

// form is how a record is printed.
func (o *consumeOptions) form() sink.Append {
	if isTerminal(o.out) {
		return o.terminal(o.pal, o.regexes() || len(offsets.Topics(o.targets)) > 1, func() int { return width(o.out) })
	}
	return o.piped()
}

// narrow leaves out what is empty, and with --last all but the last records.
func (o *consumeOptions) narrow(ctx context.Context, client *broker.Client, opts *consume.Options, resolved []offsets.Resolved) (map[broker.TP]offsets.Range, error) {
	ranges := map[broker.TP]offsets.Range{}
	for _, r := range resolved {
		if !r.Range.Empty() {
			ranges[r.TP] = r.Range
		}
	}
	if o.last < 0 {
		return ranges, nil
	}
	opts.ByTime = true
	last, at, err := consume.Last(ctx, client, *opts, ranges, o.last)
	opts.At = at
	o.unclear.pause.Store(true)
	for tp, r := range last {
		if r.Empty() {
			delete(last, tp)
		}
	}
	return last, err
}

// options are what consume and tail tell a session alike.
func (t *targeting) sessionOptions(e *env) consume.Options {
	tune, usual := e.cfg.tuning, defaultTuning()
	fetch := consume.Fetch{
		Wait:           tune.fetchWait,
		MinBytes:       int32(min(tune.fetchMinBytes, math.MaxInt32)),
		MaxBytes:       int32(min(tune.fetchMaxBytes, math.MaxInt32)),
		PartitionLimit: int32(min(tune.maxPartitionBytesLimit, math.MaxInt32)),
	}
	if tune.maxPartitionBytes != usual.maxPartitionBytes { // else the session shares fetch-max-bytes out
		fetch.PartitionBytes = int32(min(tune.maxPartitionBytes, math.MaxInt32))
	}
	return consume.Options{
		Isolation: t.level(),
		Timeout:   e.cfg.timeout,
		Strict:    t.strict,
		KeepGoing: t.keepGoing,
		Fetch:     fetch,
		OnWarn:    func(err error) { e.warn("%v", err) },
		OnNote:    e.noted,
	}
}

// sessionFor is what the session is told.
func (o *consumeOptions) sessionFor() consume.Options {
	opts := o.sessionOptions(o.env)
	opts.Keep = o.wanted(o.strict, o.max > 0 || o.last > 0)
	opts.Follow = o.follow
	opts.Reset, _ = o.resetPolicy()
	opts.Idle = max(o.idle, o.consumerTimeout)
	opts.Max = max(o.max, 0)
	opts.ByTime, opts.SortWait = o.sort != "", o.sortWait
	return opts
}

// outcome is the command's error: of partitions that failed, of damage that was
// passed over, and of a time without records.
func (o *consumeOptions) outcome(report *consume.Report, failures []error) error {
	o.verbose(1, "%s", plural(int(report.Records), "record"))
	done := 0
	for i := range report.Partitions {
		if err := report.Partitions[i].Err; err != nil {
			failures = append(failures, err)
		} else {
			done++
		}
	}
	if err := o.shortfall(o.env); err != nil {
		failures = append(failures, err)
	}
	if err := o.skipped(); err != nil {
		failures = append(failures, err)
	}
	switch {
	case len(failures) > 0 && (done > 0 || o.keepGoing):
		return &partialError{err: errors.Join(failures...)}
	case len(failures) > 0:
		return errors.Join(failures...)
	case report.Corrupt > 0:
		return &partialError{msg: plural(int(report.Corrupt), "damaged batch") + " skipped"}
	case report.Idle && o.consumerTimeout > 0:
		return &hintError{err: &quietError{after: o.consumerTimeout}, hint: "--idle does the same with exit 0"}
	}
	return nil
}

// quietError is --consumer-timeout running out: exit 4.
type quietError struct{ after time.Duration }

func (e *quietError) Error() string {
	return "no record arrived for " + shortDuration(e.after)
}

// Is makes it one of the timeouts, which decides the exit code.
func (e *quietError) Is(target error) bool { return target == context.DeadlineExceeded }
