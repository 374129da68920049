package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/group"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// lagView is where groups stood at one moment.
type lagView struct {
	at      time.Time
	groups  []groupLag // sorted
	missing []absent   // targets that are not there
	failed  error      // of listing the groups
}

// groupLag is one group of a view.
type groupLag struct {
	desc   group.Description
	lags   []offsets.Lag
	owners map[broker.TP]*group.MemberDescription
	err    error // nothing is known of its offsets
}

// lookAtGroups measures where the groups stand. What fails of one group or
// partition stands in the view.
func (o *offsetsGetOptions) lookAtGroups(ctx context.Context, client *broker.Client) (*lagView, error) {
	v := &lagView{at: o.now()}
	tps, missing, err := o.partitionsOf(ctx, client)
	if err != nil {
		return nil, err
	}
	v.missing = missing
	stored, err := o.readGroups(ctx, client, v, tps)
	if err != nil {
		return nil, err
	}
	opts := offsets.LagOptions{Isolation: o.level()}
	if !o.sum {
		opts.Ages = &o.ages
	}
	lags, err := offsets.FetchLags(ctx, client, stored, opts)
	if err != nil {
		return nil, err
	}
	for i := range v.groups {
		v.groups[i].lags, v.groups[i].err = lags[i], stored[i].Err
	}
	o.nameUnknown(ctx, client, v)
	return v, nil
}

// readGroups finds the groups, describes them and reads their offsets, of tps
// where these are not nil. Each group of the view gets its place in the result.
func (o *offsetsGetOptions) readGroups(ctx context.Context, client *broker.Client, v *lagView, tps []broker.TP) ([]*offsets.GroupStored, error) {
	if o.storage == offsets.ZooKeeper {
		v.groups = []groupLag{{desc: group.Description{Group: o.group, Epoch: -1, Coordinator: broker.Broker{ID: -1}}}}
		got, err := offsets.FetchStored(ctx, client, o.group, o.storage, tps, false)
		if err != nil {
			return nil, err
		}
		return []*offsets.GroupStored{{Offsets: got}}, nil
	}
	list := []group.Listing{{Group: o.group, Coordinator: broker.Broker{ID: -1}}}
	if o.all {
		var err error
		if list, err = group.List(ctx, client, group.Filter{Types: []string{group.TypeClassic, group.TypeConsumer, group.TypeStreams}}); err != nil && len(list) == 0 {
			return nil, err
		}
		v.failed = err
	}
	wants := make([]offsets.GroupWant, 0, len(list))
	for _, l := range list {
		w := offsets.GroupWant{Group: l.Group, Node: l.Coordinator.ID}
		if !o.all {
			w.TPs = tps
		}
		wants = append(wants, w)
	}
	described := make(chan error, 1)
	if !o.sum {
		go func() {
			all, err := group.DescribeListed(ctx, client, list)
			for _, d := range all {
				v.groups = append(v.groups, newGroupLag(d))
			}
			described <- err
		}()
	} else {
		for _, l := range list {
			v.groups = append(v.groups, newGroupLag(group.Description{Group: l.Group, Type: l.Type, State: l.State, Epoch: -1, Coordinator: l.Coordinator}))
		}
		described <- nil
	}
	got, err := offsets.FetchGroups(ctx, client, wants)
	if err = errors.Join(<-described, err); err != nil {
		return nil, err
	}
	return o.withHeld(ctx, client, v, tps, got)
}

func newGroupLag(d group.Description) groupLag {
	g := groupLag{desc: d, owners: map[broker.TP]*group.MemberDescription{}}
	for i := range d.Members {
		for _, tp := range d.Members[i].Assigned {
			g.owners[tp] = &d.Members[i]
		}
	}
	return g
}

// withHeld adds partitions that members hold and have stored nothing for: a
// transaction may be about to. With targets, only those named are kept.
func (o *offsetsGetOptions) withHeld(ctx context.Context, client *broker.Client, v *lagView, tps []broker.TP, got map[string]*offsets.GroupStored) ([]*offsets.GroupStored, error) {
	named := map[broker.TP]bool{}
	for _, tp := range tps {
		named[tp] = true
	}
	var more []offsets.GroupWant
	for i := range v.groups {
		g := &v.groups[i]
		stored := got[g.desc.Group]
		if stored == nil {
			got[g.desc.Group] = &offsets.GroupStored{}
			continue
		}
		held := []broker.TP{}
		for tp := range g.owners {
			if _, ok := stored.Offsets[tp]; !ok && (tps == nil || named[tp]) {
				held = append(held, tp)
			}
		}
		if len(held) > 0 && stored.Err == nil {
			more = append(more, offsets.GroupWant{Group: g.desc.Group, Node: g.desc.Coordinator.ID, TPs: held})
		}
	}
	if len(more) > 0 {
		added, err := offsets.FetchGroups(ctx, client, more)
		if err != nil {
			return nil, err
		}
		for name, a := range added {
			g := got[name]
			if g.Err = a.Err; a.Err == nil {
				maps.Copy(g.Offsets, a.Offsets)
				maps.Copy(g.Pending, a.Pending)
			}
		}
	}
	all := make([]*offsets.GroupStored, len(v.groups))
	for i := range v.groups {
		all[i] = got[v.groups[i].desc.Group]
		if tps != nil {
			maps.DeleteFunc(all[i].Offsets, func(tp broker.TP, _ offsets.Stored) bool { return !named[tp] })
		}
	}
	return all, nil
}

// nameUnknown makes a group that nobody knows and that has stored nothing one
// that is not there.
func (o *offsetsGetOptions) nameUnknown(ctx context.Context, client *broker.Client, v *lagView) {
	if o.all || len(v.groups) != 1 || v.groups[0].err != nil {
		return
	}
	g := &v.groups[0]
	for _, l := range g.lags {
		if l.Stored.Err != nil || l.Stored.Offset != offsets.NoOffset || l.Pending || g.owners[l.TP] != nil {
			return
		}
	}
	if o.sum && o.storage == offsets.Kafka {
		// The sum needs no description, but this does.
		if all, err := group.Describe(ctx, client, []string{o.group}); err == nil {
			g.desc = all[0]
		}
	}
	if g.desc.Err == nil && g.desc.Type == group.TypeShare {
		g.err = fmt.Errorf("group %s is a share group, whose members commit no offsets", o.group)
		return
	}
	if g.desc.Err == nil && o.storage == offsets.Kafka {
		return // it is there, and has stored nothing
	}
	if g.desc.Err != nil && !errors.Is(g.desc.Err, wire.GroupIDNotFound) && !errors.Is(g.desc.Err, wire.UnsupportedVersion) {
		g.desc.Err = fmt.Errorf("group %s: %w", o.group, g.desc.Err)
		return
	}
	none := &notFoundError{kind: "group", name: o.group, err: errors.New("no such group, or it has stored no offsets")}
	if o.storage == offsets.Kafka && errors.Is(g.desc.Err, wire.GroupIDNotFound) {
		none.near = nearest(o.group, o.groupNames(ctx, client))
	}
	g.desc.Err = none
}

// empty says that there is not one offset to show.
func (v *lagView) empty() bool {
	for _, g := range v.groups {
		for _, l := range g.lags {
			if l.Err == nil && (l.Stored.Offset != offsets.NoOffset || l.Pending || g.owners[l.TP] != nil) {
				return false
			}
		}
	}
	return true
}

// lost says that nothing could be told of at all.
func (v *lagView) lost() bool { return v.good() == 0 && v.failure() != nil }

// good counts what could be told of.
func (v *lagView) good() int {
	n := 0
	for _, g := range v.groups {
		for _, l := range g.lags {
			if l.Err == nil {
				n++
			}
		}
		if len(g.lags) == 0 && g.err == nil && g.desc.Err == nil {
			n++
		}
	}
	return n
}

// fault is why a group's members are not known, unless there is none to know: on
// brokers that know no members, and of a group that has nothing but offsets.
func (g *groupLag) fault() error {
	err := g.desc.Err
	if g.err != nil {
		return nil // one trouble is enough
	}
	if is[*notFoundError](err) || !errors.Is(err, wire.GroupIDNotFound) && !errors.Is(err, wire.UnsupportedVersion) {
		return err
	}
	return nil
}

// failure joins all that failed, nil for nothing.
func (v *lagView) failure() error {
	errs := append([]error{}, errorsOf(v.missing)...)
	if v.failed != nil {
		errs = append(errs, v.failed)
	}
	for _, g := range v.groups {
		if g.err != nil {
			errs = append(errs, g.err)
		}
		if err := g.fault(); err != nil {
			errs = append(errs, err)
		}
		for _, l := range g.lags {
			if l.Err != nil {
				errs = append(errs, l.Err)
			}
		}
	}
	return errors.Join(uniqueErrors(errs)...)
}

// total is the sum of the lags that are known, how many partitions have no
// offset, and whether some could not be told of.
func (v *lagView) total() (sum int64, none int, failed bool) {
	failed = v.failed != nil || len(v.missing) > 0
	for _, g := range v.groups {
		failed = failed || g.err != nil
		for _, l := range g.lags {
			switch {
			case l.Err != nil:
				failed = true
			case l.Records < 0:
				none++
			default:
				sum += l.Records
			}
		}
	}
	return sum, none, failed
}

// warnings tell of offsets that the log does not hold.
func (v *lagView) warnings() []string {
	var list []string
	for _, g := range v.groups {
		var past, lost tpNames
		for i := range g.lags {
			l := &g.lags[i]
			if l.Past() {
				past.add(l.TP)
			}
			if l.Lost() > 0 {
				lost.add(l.TP)
			}
		}
		if past.n > 0 {
			list = append(list, fmt.Sprintf("%s: %v: the stored offset is past the end of the log", g.desc.Group, &past))
		}
		if lost.n > 0 {
			list = append(list, fmt.Sprintf("%s: %v: the log begins behind the stored offset: records were deleted unread", g.desc.Group, &lost))
		}
	}
	slices.Sort(list)
	return list
}
