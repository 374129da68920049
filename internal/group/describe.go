package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Describe asks the coordinators of groups about them: one Description each, in
// the order given, with the group's error in its Err. The error is ctx's alone.
// It joins nothing and changes nothing.
func Describe(ctx context.Context, c *broker.Client, groups []string) ([]Description, error) {
	list := make([]Listing, len(groups))
	for i, g := range groups {
		list[i] = Listing{Group: g, Coordinator: broker.Broker{ID: -1}}
	}
	return DescribeListed(ctx, c, list)
}

// DescribeListed is Describe for groups whose types and coordinators a List has
// told, which saves asking for them.
func DescribeListed(ctx context.Context, c *broker.Client, list []Listing) ([]Description, error) {
	d := &describer{c: c, nodes: map[string]int32{}, types: map[string]string{}, got: map[string]Description{}}
	var groups []string
	for _, l := range list {
		if _, dup := d.types[l.Group]; dup {
			continue
		}
		groups = append(groups, l.Group)
		d.types[l.Group] = l.Type
		if l.Coordinator.ID >= 0 {
			d.nodes[l.Group] = l.Coordinator.ID
		}
	}
	if err := d.run(ctx, groups); err != nil {
		return nil, err
	}
	all := make([]Description, len(list))
	for i, l := range list {
		all[i] = d.got[l.Group]
	}
	return all, nil
}

// LiveMembers asks a group's coordinator who its members are. There are none
// where the group is empty or not there, and on brokers before 0.9, which know no
// members. Share groups have offsets of another kind, but members alike.
func LiveMembers(ctx context.Context, c *broker.Client, group string) ([]MemberDescription, error) {
	all, err := Describe(ctx, c, []string{group})
	if err != nil {
		return nil, err
	}
	d := all[0]
	var old *broker.VersionError
	switch {
	case errors.Is(d.Err, wire.GroupIDNotFound):
		return nil, nil
	case errors.As(d.Err, &old) && old.API == wire.DescribeGroups:
		return nil, nil
	}
	return d.Members, d.Err
}

// describer is one Describe. A group of a type that is not known is asked after
// in the ways of each in turn, as brokers know it under its own alone.
type describer struct {
	c *broker.Client

	mu    sync.Mutex
	nodes map[string]int32  // who coordinates what
	types map[string]string // "" unknown
	got   map[string]Description
}

// way is how groups of a type are described.
type way struct {
	kind string
	ask  func(d *describer, ctx context.Context, node int32, groups []string) map[string]error
}

func ways() []way {
	return []way{
		{TypeConsumer, (*describer).askConsumer},
		{TypeClassic, (*describer).askClassic},
		{TypeShare, (*describer).askShare},
	}
}

func (d *describer) run(ctx context.Context, groups []string) error {
	errs := map[string]error{}
	for _, w := range ways() {
		var some []string
		for _, g := range groups {
			t := d.types[g]
			if _, done := d.got[g]; !done && (t == w.kind || t == "") {
				some = append(some, g)
			}
		}
		if len(some) == 0 {
			continue
		}
		failed, err := d.c.AskCoordinators(ctx, wire.CoordinatorGroup, some, d.nodes, func(ctx context.Context, node int32, groups []string) map[string]error {
			return w.ask(d, ctx, node, groups)
		})
		if err != nil {
			return err
		}
		for _, g := range some {
			d.settle(g, w.kind, failed[g], errs)
		}
	}
	for _, g := range groups {
		if _, ok := d.got[g]; ok {
			continue
		}
		err := errs[g]
		if err == nil {
			err = fmt.Errorf("groups of type %s cannot be described", d.types[g])
		}
		d.got[g] = Description{Group: g, Type: d.types[g], Epoch: -1, Coordinator: d.coordinator(g), Err: err}
	}
	return nil
}

// settle files what one way made of a group. errs keeps why it is none of its
// type; the classic one's word counts where no way knows it.
func (d *describer) settle(g, kind string, err error, errs map[string]error) {
	if err == nil {
		return
	}
	if errs[g] == nil || kind == TypeClassic {
		errs[g] = err
	}
	unable := errors.Is(err, wire.UnsupportedVersion) || errors.Is(err, wire.ErrVersion)
	if !unable && !errors.Is(err, wire.GroupIDNotFound) {
		// Refused, or not to be reached: the other ways would fare no better.
		d.got[g] = Description{Group: g, Type: d.types[g], Epoch: -1, Coordinator: d.coordinator(g), Err: err}
	}
}

// coordinator is whom a group was asked of last.
func (d *describer) coordinator(g string) broker.Broker {
	if node, ok := d.nodes[g]; ok {
		if b, ok := d.c.Metadata().Broker(node); ok {
			return b
		}
		return broker.Broker{ID: node}
	}
	return broker.Broker{ID: -1}
}

// asked is what every way has in common: errors of the request are every
// group's, and what has no answer failed.
func (d *describer) asked(key wire.Key, node int32, groups []string, version int16, err error) (failed map[string]error, fault func(error) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, _ := d.c.Metadata().Broker(node)
	fault = func(err error) error {
		return &broker.RequestError{API: key, Version: version, Broker: b.Addr(), Partition: -1, Err: err}
	}
	failed = map[string]error{}
	for _, g := range groups {
		d.nodes[g] = node
		if failed[g] = err; err == nil {
			failed[g] = fault(fmt.Errorf("group %s: %w", g, errNotAnswered))
		}
	}
	return failed, fault
}

var errNotAnswered = errors.New("the broker did not answer for it")

// put files a description of a group that was asked for.
func (d *describer) put(failed map[string]error, node int32, code wire.Code, desc Description, fault func(error) error) {
	g := desc.Group
	if _, ok := failed[g]; !ok {
		return
	}
	if code != wire.None {
		failed[g] = fault(fmt.Errorf("group %s: %w", g, code))
		return
	}
	failed[g] = nil
	d.mu.Lock()
	defer d.mu.Unlock()
	desc.Coordinator = d.coordinator(g)
	slices.SortFunc(desc.Members, func(a, b MemberDescription) int { return strings.Compare(a.ID, b.ID) })
	d.got[g] = desc
}

// text is a string that may be null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// host is an address without the slash that Java puts before it.
func host(s string) string { return strings.TrimPrefix(s, "/") }
