package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"kafkactl/internal/consume"
	"kafkactl/internal/sink"
)

// delivering is where consume's records go: to standard output or to children,
// and by how many hands.
type delivering struct {
	exec      string
	batch     int64
	retries   int64
	workers   int64 // -1: not said
	perWorker int64
}

func (d *delivering) addFlags(cmd *cobra.Command) {
	d.batch, d.retries, d.workers, d.perWorker = 1, 0, -1, -1
	f := cmd.Flags()
	f.StringVar(&d.exec, "exec", "", "give records to `CMD` (/bin/sh -c) on its standard input; done is what it exits 0 for")
	f.Var(amount(&d.batch), "batch", "give a child up to `N` records of one partition")
	f.Var(amount(&d.retries), "exec-retries", "give a batch whose child failed to up to `N` others")
	f.Var(amount(&d.workers), "workers", "split the partitions over `N` workers, each with a child of its own")
	f.Var(amount(&d.perWorker), "partitions-per-worker", "as many workers as give each up to `K` partitions")
	f.Lookup("batch").DefValue, f.Lookup("exec-retries").DefValue = "1", ""
}

// check refuses what does not go together.
func (d *delivering) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	if changed("exec") && d.exec == "" {
		return usagef("--exec: there is no command in it")
	}
	if d.exec == "" {
		typed := typedFlags(cmd)
		for _, name := range []string{"batch", "exec-retries"} {
			if typed[name] {
				return usagef("--%s needs --exec", name)
			}
		}
	}
	switch {
	case changed("batch") && d.batch == 0:
		return usagef("--batch must be 1 or more")
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
			list[i] = o.guard(sink.NewStream(w, o.form(), done, 0), o.strict, o.keepGoing)
		}
		return list
	}
	x := sink.NewExec(sink.ExecConfig{
		Command: o.exec, Batch: int(o.batch), Format: o.piped, Done: done,
		Retries: int(o.retries), Backoff: o.cfg.tuning.retryBackoff, Grace: o.cfg.timeout,
		Stdout: o.childOut(), Stderr: o.errOut, Note: o.note,
	})
	o.atKill(x.Kill)
	for i := range list {
		s := x.Sink()
		list[i] = lingering{o.guard(s, o.strict, o.keepGoing), s}
	}
	opts.Apart = true
	return list
}

// lingering is a sink of children behind what looks at records first.
type lingering struct {
	consume.Sink
	children *sink.ExecSink
}

// Lull implements consume.Lingerer.
func (l lingering) Lull(ctx context.Context) (time.Duration, error) { return l.children.Lull(ctx) }

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
