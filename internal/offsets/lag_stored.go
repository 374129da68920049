package offsets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// GroupWant is a group whose stored offsets are wanted.
type GroupWant struct {
	Group string
	Node  int32       // who coordinates it, -1 unknown
	TPs   []broker.TP // nil: all it has an offset for
}

// GroupStored is what a group has stored.
type GroupStored struct {
	Offsets map[broker.TP]Stored
	// Pending are partitions whose offset an open transaction is about to change
	// (KIP-447); Offsets has the one that still counts. Brokers tell from 2.5 on.
	Pending map[broker.TP]bool
	Err     error // nothing could be read
}

// groupsAtOnce bounds the groups one request asks of, and singlesAtOnce the
// requests to a broker before 3.0, which takes one group at a time.
const (
	groupsAtOnce  = 50
	singlesAtOnce = 16
)

// FetchGroups reads the stored offsets of many groups, a request for as many of
// one coordinator as fit. Every want has an entry in the result, under its
// group; the error is ctx's alone.
func FetchGroups(ctx context.Context, c *broker.Client, wants []GroupWant) (map[string]*GroupStored, error) {
	f := &groupFetch{c: c, wants: map[string][]broker.TP{}, got: map[string]*GroupStored{}, stable: true}
	if err := f.run(ctx, wants); err != nil {
		return nil, err
	}
	// What is about to change still has a value, which is told when asked for
	// without the wish for a stable one.
	var again []GroupWant
	for _, w := range wants {
		if g := f.got[w.Group]; g != nil && len(g.Pending) > 0 {
			again = append(again, GroupWant{w.Group, w.Node, slices.SortedFunc(maps.Keys(g.Pending), compareTP)})
		}
	}
	if len(again) > 0 {
		second := &groupFetch{c: c, wants: map[string][]broker.TP{}, got: map[string]*GroupStored{}}
		if err := second.run(ctx, again); err != nil {
			return nil, err
		}
		for _, w := range again {
			for _, tp := range w.TPs {
				s := Stored{Offset: NoOffset, LeaderEpoch: -1, Err: second.got[w.Group].Err}
				if s.Err == nil {
					s = second.got[w.Group].Offsets[tp]
				}
				f.got[w.Group].Offsets[tp] = s
			}
		}
	}
	return f.got, nil
}

// groupFetch is one round of FetchGroups.
type groupFetch struct {
	c      *broker.Client
	wants  map[string][]broker.TP
	stable bool

	mu  sync.Mutex
	got map[string]*GroupStored
}

func (f *groupFetch) run(ctx context.Context, wants []GroupWant) error {
	known := map[string]int32{}
	groups := make([]string, 0, len(wants))
	for _, w := range wants {
		groups = append(groups, w.Group)
		f.wants[w.Group] = w.TPs
		if w.Node >= 0 {
			known[w.Group] = w.Node
		}
	}
	failed, err := f.c.AskCoordinators(ctx, wire.CoordinatorGroup, groups, known, f.ask)
	for g, err := range failed {
		if err != nil {
			f.got[g] = &GroupStored{Err: err}
		}
	}
	return err
}

// ask reads groups of one coordinator, one by one where it takes no more.
func (f *groupFetch) ask(ctx context.Context, node int32, groups []string) map[string]error {
	failed := map[string]error{}
	for part := range slices.Chunk(groups, groupsAtOnce) {
		errs, err := f.once(ctx, node, part, nil)
		if err == nil {
			maps.Copy(failed, errs)
			continue
		}
		if !errors.Is(err, wire.ErrVersion) {
			for _, g := range part {
				failed[g] = err
			}
			continue
		}
		var mu sync.Mutex
		var each errgroup.Group
		each.SetLimit(singlesAtOnce)
		for _, g := range part {
			each.Go(func() error {
				err := f.single(ctx, node, g)
				mu.Lock()
				defer mu.Unlock()
				failed[g] = err
				return nil
			})
		}
		_ = each.Wait()
	}
	return failed
}

// single reads one group. Brokers before 0.10.2 do not list what it has, so that
// every partition there is gets asked for.
func (f *groupFetch) single(ctx context.Context, node int32, group string) error {
	errs, err := f.once(ctx, node, []string{group}, nil)
	if err == nil {
		return errs[group]
	}
	if f.wants[group] != nil || !errors.Is(err, wire.ErrVersion) {
		return err
	}
	snap, err := f.c.Refresh(ctx, nil)
	if err != nil {
		return err
	}
	if errs, err = f.once(ctx, node, []string{group}, allPartitions(snap)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if g := f.got[group]; g != nil {
		maps.DeleteFunc(g.Offsets, func(_ broker.TP, s Stored) bool { return s.Err == nil && s.Offset == NoOffset })
	}
	return errs[group]
}

func allPartitions(snap *broker.Snapshot) []broker.TP {
	tps := []broker.TP{}
	for _, t := range snap.Topics() {
		for _, p := range t.Partitions {
			tps = append(tps, broker.TP{Topic: t.Name, Partition: p.ID})
		}
	}
	return tps
}

// once makes one request; instead replaces what the groups want. failed are the
// groups' own errors.
func (f *groupFetch) once(ctx context.Context, node int32, groups []string, instead []broker.TP) (failed map[string]error, err error) {
	req := wire.Default[wire.OffsetFetchRequest]()
	asked := map[string][]broker.TP{}
	for _, name := range groups {
		g := wire.Default[wire.OffsetFetchGroup]()
		g.GroupID = name
		asked[name] = f.wants[name]
		if instead != nil {
			asked[name] = instead
		}
		if asked[name] != nil {
			g.Topics = fetchTopics(nil, asked[name], nil)
		}
		req.Groups = append(req.Groups, g)
	}
	req.RequireStable = f.stable
	resp := wire.Default[wire.OffsetFetchResponse]()
	version, err := f.c.Try(ctx, broker.Node(node), &groupsFetch{&req}, &resp)
	var code wire.Code
	if err != nil && !(errors.As(err, &code) && len(resp.Groups) > 0) {
		return nil, err // one group's code would be an error of the whole, where the others have answers
	}
	failed = map[string]error{}
	for _, g := range groups {
		failed[g] = &broker.RequestError{API: wire.OffsetFetch, Version: version, Partition: -1, Err: fmt.Errorf("group %s: %w", g, errNotAnsweredGroup)}
	}
	for _, g := range resp.Results(version) {
		if version < 8 {
			g.GroupID = groups[0]
		}
		if _, ok := failed[g.GroupID]; !ok {
			continue
		}
		got, err := readGroup(&g, version, asked[g.GroupID], nil)
		failed[g.GroupID] = err
		if err != nil {
			continue
		}
		f.mu.Lock()
		f.got[g.GroupID] = settled(got)
		f.mu.Unlock()
	}
	return failed, nil
}

var errNotAnsweredGroup = errors.New("the broker did not answer for it")

// settled tells pending partitions from failed ones.
func settled(got map[broker.TP]Stored) *GroupStored {
	g := &GroupStored{Offsets: got, Pending: map[broker.TP]bool{}}
	for tp, s := range got {
		if errors.Is(s.Err, wire.UnstableOffsetCommit) {
			g.Pending[tp] = true
		}
	}
	return g
}

// groupsFetch asks for several groups in any version but 0, by the names of
// topics, which versions up to 9 have.
type groupsFetch struct{ req *wire.OffsetFetchRequest }

// Key implements wire.Request.
func (*groupsFetch) Key() wire.Key { return wire.OffsetFetch }

// Cap implements wire.Capper.
func (*groupsFetch) Cap() int16 { return 9 }

// At implements wire.Adapter. Where a broker cannot tell stable offsets from
// others there are no others.
func (r *groupsFetch) At(version int16) (wire.Request, error) {
	if version == 0 {
		return nil, errOnlyZooKeeper
	}
	req := *r.req
	req.RequireStable = req.RequireStable && version >= 7
	return req.At(version)
}
