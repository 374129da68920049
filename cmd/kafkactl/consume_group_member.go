package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/group"
	"kafkactl/internal/offsets"
)

// member reads as a member of a group.
type member struct {
	*consumeOptions
	begin beginnings
	ends  map[broker.TP]int64 // where what was there before joining ends; nil with --follow
	f     *follower
	parts int // of the topics when it joined: as many workers may be of use

	given atomic.Bool // some partition
}

// runMember joins the group and reads what it is given.
func (o *consumeOptions) runMember(ctx context.Context, client *broker.Client) error {
	fill := offsets.Window{From: offsets.Position{Base: offsets.Start}}
	if !o.follow {
		fill.To = offsets.Position{Base: offsets.End}
	}
	wants, missing, err := o.find(ctx, o.env, client, fill, o.follow)
	if err != nil {
		return cause(ctx, err)
	}
	failures := errorsOf(missing)
	if len(failures) > 0 && (!o.keepGoing || len(wants) == 0) {
		return errors.Join(failures...)
	}
	g, err := o.membership(ctx, client)
	if err != nil {
		return cause(ctx, err)
	}
	reset, _ := o.resetPolicy()
	f := newFollower(o.env, &o.targeting, client)
	f.given = true
	m := &member{consumeOptions: o, parts: len(wants), f: f, begin: beginnings{
		env: o.env, targeting: &o.targeting, client: client, group: g, reset: reset, follow: o.follow,
	}}
	if !o.follow {
		resolved, unresolved, err := o.look(ctx, o.env, client, wants, false)
		if err != nil {
			return cause(ctx, err)
		}
		if failures = append(failures, unresolved...); len(unresolved) > 0 && !o.keepGoing {
			return errors.Join(failures...)
		}
		m.note(resolved)
	}
	if o.max == 0 {
		return nil
	}
	report, err := m.read(ctx, client, g)
	if err = settled(report, err); err != nil {
		return cause(ctx, err)
	}
	return o.outcome(report, append(failures, report.Failed...))
}

// note keeps the ends of what was there before joining.
func (m *member) note(resolved []offsets.Resolved) {
	m.ends = make(map[broker.TP]int64, len(resolved))
	for _, r := range resolved {
		m.ends[r.TP] = r.Range.To
	}
}

func (m *member) read(ctx context.Context, client *broker.Client, g consume.Group) (*consume.Report, error) {
	opts := m.sessionFor()
	progress := new(consume.Progress)
	opts.Commit = m.commit(g, progress)
	if m.f.timed() {
		opts.Stop = m.f.ends
	}
	sinks := m.sinks(&opts, m.parts, progress.Done)
	m.f.session = consume.NewSession(client, opts)
	m.shown.session.Store(m.f.session)
	defer m.showStatus()()
	watch, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.f.run(watch)
	}()
	report, err := m.f.session.RunMember(ctx, consume.Member{
		Group: g, Begin: m.assigned, OnAssigned: m.tell,
	}, sinks...)
	stop()
	<-done
	if err == nil && !m.follow && !m.given.Load() {
		m.env.note("group %s gave no partition to this member, so it has read nothing; they are held by others, or yet by one that died", m.group)
	}
	return report, err
}

// assigned says what to read of partitions that are ours now.
func (m *member) assigned(ctx context.Context, stored map[broker.TP]offsets.Stored) (consume.Beginning, error) {
	wants := make([]offsets.Want, 0, len(stored))
	for tp := range stored {
		wants = append(wants, offsets.Want{TP: tp, Window: offsets.Window{From: storedPosition, To: m.end(tp)}})
	}
	slices.SortFunc(wants, func(a, b offsets.Want) int {
		return cmp.Or(cmp.Compare(a.TP.Topic, b.TP.Topic), cmp.Compare(a.TP.Partition, b.TP.Partition))
	})
	all, claims, err := m.begin.resolve(ctx, wants, stored)
	if err != nil {
		return consume.Beginning{}, err
	}
	for i := range all {
		m.bound(&all[i])
	}
	resolved, failed, err := m.targeting.tell(m.env, all)
	if err != nil {
		return consume.Beginning{}, err
	}
	m.f.take(resolved)
	b := consume.Beginning{Ranges: map[broker.TP]offsets.Range{}, Claims: claims}
	for _, r := range resolved {
		b.Ranges[r.TP] = r.Range
	}
	return b, errors.Join(failed...)
}

// end is where a partition's range is to end.
func (m *member) end(tp broker.TP) offsets.Position {
	for i := range m.targets {
		if !m.targets[i].Matches(tp.Topic) {
			continue
		}
		to := m.targets[i].Window.Or(m.def).To
		if to.Base == offsets.Left || m.follow {
			return to // counted from where the group begins, or still to come
		}
		break
	}
	return offsets.Position{Base: offsets.Absolute, N: m.ends[tp]}
}

// bound keeps a range within what was there before joining. Partitions made since
// hold nothing of that.
func (m *member) bound(r *offsets.Resolved) {
	r.Outside, r.Held = nil, false // said before joining
	if m.follow || r.Err != nil {
		return
	}
	if end, known := m.ends[r.TP]; !known {
		r.Range.To = r.Range.From
	} else {
		r.Range.To = min(r.Range.To, max(end, 0))
	}
}

// tell says, if asked, what is held.
func (m *member) tell(held []broker.TP) {
	var names tpNames
	for _, tp := range held {
		names.add(tp)
		m.given.Store(true)
	}
	if len(held) == 0 {
		m.verbose(1, "group %s: holding no partitions", m.group)
		return
	}
	m.verbose(1, "group %s: holding %v", m.group, &names)
}

// standing reads from a group's offsets without joining.
func (o *consumeOptions) standing(ctx context.Context, client *broker.Client) (consume.Group, error) {
	g := group.NewStandalone(client, o.group, o.store())
	if o.noCommit || o.store() != offsets.Kafka {
		return g, nil
	}
	err := group.Vacant(ctx, client, o.group)
	if is[*group.LiveError](err) {
		err = &hintError{err: err, hint: "--no-commit reads beside them; without --standalone this becomes one of them"}
	}
	return g, err
}
