package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kafkactl/internal/consume"
	"kafkactl/internal/sink"
)

// delivering is where consume's records go: to standard output or to children,
// and by how many hands.
type delivering struct {
	exec       string
	per        string // what one child gets: record, batch or partition
	batch      int64
	parallel   int64
	orderedBy  string
	retries    int64
	deadLetter string
	workers    int64 // -1: not said
	perWorker  int64

	children *sink.Exec   // once it runs
	letters  *deadLetters // nil without --dead-letter
}

// usualBatch is what --exec-per batch gives a child without --batch.
const usualBatch = 1000

// execFlags go with --exec alone.
var execFlags = []string{"exec-per", "batch", "parallel", "ordered-by", "exec-retries", "dead-letter"}

func (d *delivering) addFlags(cmd *cobra.Command) {
	d.batch, d.parallel, d.workers, d.perWorker = 1, 1, -1, -1
	d.per, d.orderedBy = "record", "partition"
	f := cmd.Flags()
	f.StringVar(&d.exec, "exec", "", "give records to `CMD` (/bin/sh -c) on its standard input; done is what it exits 0 for")
	f.Var(choice(&d.per, "record", "batch", "partition"), "exec-per", "start a child for each record, batch or partition")
	f.Var(amount(&d.batch), "batch", "give a child up to `N` records of one partition")
	f.Var(amount(&d.parallel), "parallel", "run up to `N` children at once")
	f.Var(choice(&d.orderedBy, "partition", "key", "none"), "ordered-by", "which records wait for one another with --parallel: those of a partition, of a key, or none")
	f.Var(amount(&d.retries), "exec-retries", "give a batch whose child failed to up to `N` others")
	f.StringVar(&d.deadLetter, "dead-letter", "", "send records whose child failed for good to `TOPIC`, and go on")
	f.Var(amount(&d.workers), "workers", "split the partitions over `N` workers, each with children of its own")
	f.Var(amount(&d.perWorker), "partitions-per-worker", "as many workers as give each up to `K` partitions")
	f.Lookup("batch").DefValue, f.Lookup("parallel").DefValue, f.Lookup("exec-retries").DefValue = "1", "1", ""
}

// check refuses what does not go together.
func (d *delivering) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	if changed("exec") && d.exec == "" {
		return usagef("--exec: there is no command in it")
	}
	if err := d.checkExec(cmd); err != nil {
		return err
	}
	switch {
	case changed("workers") && changed("partitions-per-worker"):
		return usagef("--workers and --partitions-per-worker exclude each other")
	case d.workers == 0:
		return usagef("--workers must be 1 or more")
	case d.perWorker == 0:
		return usagef("--partitions-per-worker must be 1 or more")
	}
	if d.workers > 1 || d.perWorker > 0 {
		for _, name := range []string{"last", "sort"} {
			if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
				return usagef("--%s puts all partitions in one order, so it goes without workers", name)
			}
		}
	}
	return nil
}

// checkExec refuses what does not go with --exec, or with one another there.
func (d *delivering) checkExec(cmd *cobra.Command) error {
	changed, typed := cmd.Flags().Changed, typedFlags(cmd)
	if d.exec == "" {
		for _, name := range execFlags {
			if typed[name] {
				return usagef("--%s needs --exec", name)
			}
		}
		return nil
	}
	switch {
	case changed("batch") && d.batch == 0:
		return usagef("--batch must be 1 or more")
	case d.parallel == 0:
		return usagef("--parallel must be 1 or more")
	case changed("dead-letter") && changed("select"):
		return usagef("--dead-letter and --select exclude each other: records that failed are sent as they are").withHint("the command can pick too, as in --exec 'jq .amount'")
	case changed("dead-letter") && d.deadLetter == "":
		return usagef("--dead-letter: a topic has a name")
	case typed["ordered-by"] && !changed("parallel"):
		return usagef("--ordered-by needs --parallel: one child at a time keeps the order of partitions")
	}
	switch d.per {
	case "record":
		if typed["exec-per"] && typed["batch"] && d.batch > 1 {
			return usagef("--exec-per record and --batch exclude each other")
		}
	case "batch":
		if !changed("batch") {
			d.batch = usualBatch
		}
	case "partition":
		if !changed("batch") {
			d.batch = 0
		}
		for _, name := range []string{"parallel", "ordered-by", "exec-retries", "dead-letter", "commit-every-n"} {
			if typed[name] {
				return usagef("--%s: with --exec-per partition each partition has a child of its own, which no other can take over from", name).
					withHint("--exec-per batch keeps its records until its child has ended")
			}
		}
	}
	return nil
}

// checkDead refuses a dead-letter topic that is read.
func (o *consumeOptions) checkDead() error {
	if o.deadLetter == "" {
		return nil
	}
	for i := range o.targets {
		if t := &o.targets[i]; t.Matches(o.deadLetter) {
			return usagef("--dead-letter %s: %s reads that topic", o.deadLetter, t.Text).
				withHint("what failed would come back for ever")
		}
	}
	return nil
}

// hands is how many workers so many partitions get.
func (d *delivering) hands(partitions int) int {
	n := int64(1)
	switch {
	case d.workers > 0:
		n = d.workers
	case d.perWorker > 0:
		n = (int64(partitions) + d.perWorker - 1) / d.perWorker
	}
	return int(max(1, min(n, int64(partitions))))
}

// sinks makes one sink for each worker of so many partitions, and completes opts
// for them. done hears of what is delivered.
func (o *consumeOptions) sinks(opts *consume.Options, partitions int, done func(consume.Mark)) []consume.Sink {
	if o.write != "" {
		return o.fileSinks(opts, partitions, done)
	}
	n := o.hands(partitions)
	list := make([]consume.Sink, n)
	if o.exec == "" {
		w := sink.Share(o.out)
		for i := range list {
			list[i] = o.guard(sink.NewStream(w, o.shown.counted(o.form()), done, 0), o.strict, o.keepGoing)
		}
		return list
	}
	o.children = sink.NewExec(o.execConfig(done))
	o.atKill(o.children.Kill)
	for i := range list {
		var s childSink = o.children.Sink()
		if o.per == "partition" {
			s = o.children.Feed()
		}
		list[i] = lingering{o.guard(s, o.strict, o.keepGoing), s}
	}
	opts.Apart = true
	return list
}

// execConfig is what flags and tuning say about children.
func (o *consumeOptions) execConfig(done func(consume.Mark)) sink.ExecConfig {
	c := sink.ExecConfig{
		Command: o.exec, Batch: int(o.batch), Parallel: int(o.parallel), Format: o.piped, Done: done,
		Retries: int(o.retries), Backoff: o.cfg.tuning.retryBackoff, Grace: o.cfg.timeout,
		Over: o.overForChildren, Skip: o.keepGoing, Stdout: o.childOut(), Stderr: o.errOut, Note: o.note,
	}
	switch o.orderedBy {
	case "key":
		c.Order = sink.ByKey
	case "none":
		c.Order = sink.Unordered
	}
	if o.letters != nil {
		c.Dead = o.letters.take
	}
	return c
}

// overForChildren says that the run is over because whoever read what children
// print has gone: they fail for that, and no record did.
func (o *consumeOptions) overForChildren() error {
	if o.unread() {
		return errClosedPipe
	}
	return nil
}

// childSink is a sink of children.
type childSink interface {
	consume.Lingerer
	consume.Releaser
}

// lingering is a sink of children behind what looks at records first.
type lingering struct {
	consume.Sink
	children childSink
}

// Lull implements consume.Lingerer.
func (l lingering) Lull(ctx context.Context) (time.Duration, error) { return l.children.Lull(ctx) }

// Release implements consume.Releaser.
func (l lingering) Release(ctx context.Context) error { return l.children.Release(ctx) }

// skipped is what children failed for while the run went on: nil if nothing, or
// if all of it is in the dead-letter topic.
func (o *consumeOptions) skipped() error {
	if o.children == nil {
		return nil
	}
	t := o.children.Total()
	if t.Skipped == 0 {
		return nil
	}
	return errors.New(plural(int(t.Skipped), "record") + " skipped, whose command failed: " + firstOf(t))
}

// firstOf names the first few failures.
func firstOf(t sink.ExecTotal) string {
	var names []string
	for _, f := range t.First {
		name := fmt.Sprintf("%s:%d@%d", f.Topic, f.Partition, f.First)
		if f.Last > f.First {
			name += fmt.Sprintf("..%d", f.Last+1)
		}
		names = append(names, name+" "+strings.TrimPrefix(f.Reason(), "the command "))
	}
	if t.Failed > int64(len(names)) {
		names = append(names, "...")
	}
	return strings.Join(names, "; ")
}

// endExec ends what children needed, and says what went to the dead-letter topic,
// and what was skipped in a run that an error or a signal ended.
func (o *consumeOptions) endExec(ended error) {
	if o.letters != nil {
		o.letters.close()
	}
	if o.children == nil {
		return
	}
	t := o.children.Total()
	if t.Dead > 0 {
		o.warn("%s sent to %s, whose command failed: %s", plural(int(t.Dead), "record"), o.deadLetter, firstOf(t))
	}
	var partial *partialError
	if why := o.skipped(); why != nil && !errors.As(ended, &partial) {
		o.warn("%v", why)
	}
}

// childOut is standard output itself, without what watches over our own writes.
func (o *consumeOptions) childOut() io.Writer {
	if out, ok := o.out.(*stdout); ok {
		return out.w
	}
	return o.out
}

// execHint says where reading goes on after a child that failed.
func execHint(_ *env, err error) string {
	var x *sink.ExecError
	if !errors.As(err, &x) {
		return ""
	}
	return fmt.Sprintf("what is before is done; %s:%d@%d.. goes on there, and so does the next run with -g", x.Topic, x.Partition, x.First)
}
