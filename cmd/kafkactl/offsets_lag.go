package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// lagging is what makes offsets get show where groups stand.
type lagging struct {
	group   string
	all     bool
	sum     bool          // --lag
	watch   time.Duration // 0: once
	storage offsets.Storage

	ages offsets.Ages
}

// watchEvery is how often --watch looks when it is not told.
const watchEvery = 2 * time.Second

func (l *lagging) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&l.group, "group", "g", "", "show where `GROUP` stands; with a position, whose offsets stored means")
	f.BoolVar(&l.all, "all-groups", false, "show where every group stands")
	f.BoolVar(&l.sum, "lag", false, "print the sum of the lags alone")
	f.Var(span(&l.watch), "watch", "look again and again, every `DUR` (--watch=500ms; 2s when bare)")
	f.Lookup("watch").NoOptDefVal, f.Lookup("watch").DefValue = shortDuration(watchEvery), ""
	addStorageFlag(cmd, &l.storage)
}

// lags says that groups are asked for, not positions.
func (o *offsetsGetOptions) lags() bool {
	if o.all {
		return true
	}
	return o.group != "" && len(o.at) == 0 && o.limit == 0 && !o.ranged()
}

// ranged says that a target has a range of its own.
func (o *offsetsGetOptions) ranged() bool {
	for i := range o.targets {
		if o.targets[i].Window.IsSet() {
			return true
		}
	}
	return false
}

// checkLags refuses what does not go together.
func (o *offsetsGetOptions) checkLags() error {
	switch {
	case o.all && o.group != "":
		return usagef("-g and --all-groups exclude each other")
	case o.all && (len(o.at) > 0 || o.limit > 0 || o.ranged()):
		return usagef("--all-groups shows where groups stand, and takes no positions").withHint("-g GROUP --at stored looks one group's positions up")
	case o.all && o.storage == offsets.ZooKeeper:
		return usagef("--all-groups: brokers cannot list the groups whose offsets are in ZooKeeper").withHint("-g GROUP names one")
	case o.lags() && o.strict:
		return usagef("--strict is about positions, and none is given")
	case o.lags():
		return nil
	case len(o.targets) == 0:
		return usagef("get: TARGET is missing").withHint("usage: kafkactl offsets get TARGET... | -g GROUP [TARGET...]")
	case o.sum || o.watch > 0:
		flag := "--lag"
		if !o.sum {
			flag = "--watch"
		}
		if o.group != "" {
			return usagef("%s is about where a group stands, not about positions", flag)
		}
		return usagef("%s needs -g GROUP or --all-groups", flag)
	}
	return nil
}

func (o *offsetsGetOptions) runLags(ctx context.Context) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	if o.watch > 0 {
		return o.watchLags(ctx, client)
	}
	view, err := o.lookAtGroups(ctx, client)
	if err != nil {
		return err
	}
	if view.empty() && view.failure() != nil {
		if len(o.targets) > 0 && len(view.groups) == 1 && view.groups[0].err == nil && !o.sum {
			// Asked by name: each is told of, though nobody knows the group.
			if err := o.printLags(view); err != nil {
				return err
			}
		}
		return view.failure()
	}
	for _, w := range view.warnings() {
		o.warn("%s", w)
	}
	if err := o.printLags(view); err != nil {
		return err
	}
	if !o.all && len(view.groups[0].lags) == 0 && view.failure() == nil {
		o.note("group %s has stored no offsets and holds no partitions", printable(o.group))
	}
	if err := view.failure(); err != nil {
		if view.good() == 0 {
			return err
		}
		return &partialError{err: err}
	}
	return nil
}

// printLags prints a view once.
func (o *offsetsGetOptions) printLags(v *lagView) error {
	if !o.sum {
		return o.print(o.env, o.lagTable(v), v.document())
	}
	total, none, failed := v.total()
	if failed {
		return nil // a sum of what is known would be made up
	}
	if none > 0 {
		o.note("%s without a stored offset: not counted", plural(none, "partition"))
	}
	if o.kind(o.env) == "json" {
		return o.writeJSON(lagSumDoc{Lag: total})
	}
	_, err := o.out.Write(append(strconv.AppendInt(nil, total, 10), '\n'))
	return err
}

type lagSumDoc struct {
	Lag int64 `json:"lag"`
}

// partitionsOf are the partitions the targets name, nil without targets.
func (o *offsetsGetOptions) partitionsOf(ctx context.Context, client *broker.Client) ([]broker.TP, []absent, error) {
	if len(o.targets) == 0 {
		return nil, nil, nil
	}
	wants, missing, err := o.find(ctx, o.env, client, offsets.Window{}, false)
	if err != nil {
		return nil, nil, err
	}
	if len(wants) == 0 {
		return nil, nil, errors.Join(errorsOf(missing)...)
	}
	tps := make([]broker.TP, 0, len(wants))
	for _, w := range wants {
		tps = append(tps, w.TP)
	}
	return tps, missing, nil
}
