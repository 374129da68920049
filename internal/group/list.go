package group

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Filter says which groups a List is about. Empty sides take all; letter case
// does not count.
type Filter struct {
	States []string
	Types  []string
}

func (f Filter) takes(l *Listing) bool {
	has := func(list []string, s string) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(w string) bool { return strings.EqualFold(w, s) })
	}
	return has(f.States, l.State) && has(f.Types, l.Type)
}

// List asks every broker for the groups it coordinates, sorted by name. Brokers
// before 2.6 do not tell states, which are then asked for by describing the
// groups. What the brokers that answered have is returned beside the errors of
// those that did not, joined.
func List(ctx context.Context, c *broker.Client, f Filter) ([]Listing, error) {
	l := &lister{c: c, done: map[int32]bool{}, failed: map[int32]error{}, found: map[string]Listing{}}
	err := l.run(ctx)
	all := make([]Listing, 0, len(l.found))
	for _, g := range l.found {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b Listing) int { return cmp.Compare(a.Group, b.Group) })
	if told := fillStates(ctx, c, all); told != nil {
		err = errors.Join(err, told)
	}
	return slices.DeleteFunc(all, func(g Listing) bool { return !f.takes(&g) }), err
}

// fillStates asks for the states that listings lack.
func fillStates(ctx context.Context, c *broker.Client, all []Listing) error {
	var lacking []Listing
	for _, g := range all {
		if g.State == "" {
			lacking = append(lacking, g)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	described, err := DescribeListed(ctx, c, lacking)
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range described {
		i, _ := slices.BinarySearchFunc(all, d.Group, func(g Listing, name string) int { return cmp.Compare(g.Group, name) })
		switch {
		case errors.Is(d.Err, wire.GroupIDNotFound):
			all[i].State = "Dead" // gone since
		case d.Err != nil:
			errs = append(errs, d.Err)
		default:
			all[i].State = d.State
		}
	}
	return errors.Join(errs...)
}

// lister is one List.
type lister struct {
	c *broker.Client

	mu     sync.Mutex
	done   map[int32]bool
	failed map[int32]error
	found  map[string]Listing
}

// run asks all brokers, again those that could not answer yet. When one has left
// the cluster, others have taken its groups over and are asked anew.
func (l *lister) run(ctx context.Context) error {
	inner, cancel := context.WithTimeout(ctx, l.c.Config().Timeout)
	defer cancel()
	start := time.Now()
	var stale *broker.Snapshot
	for try := 1; ; try++ {
		brokers, err := l.c.Brokers(inner, stale)
		if err != nil {
			return err
		}
		stale = l.c.Metadata()
		for node := range l.failed {
			if !slices.ContainsFunc(brokers, func(b broker.Broker) bool { return b.ID == node }) {
				clear(l.done)
			}
		}
		clear(l.failed)
		l.once(inner, brokers)
		again := false
		for _, err := range l.failed {
			again = again || l.c.Passing(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		retries := l.c.Config().Retries
		if again && (retries < 0 || try <= retries) && l.c.Pause(inner, try) == nil {
			continue
		}
		var errs []error
		for _, err := range l.failed {
			if inner.Err() != nil && l.c.Passing(err) {
				err = &broker.ExhaustedError{Tries: try, Elapsed: time.Since(start), Err: err}
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
}

// once asks each broker that has not answered yet.
func (l *lister) once(ctx context.Context, brokers []broker.Broker) {
	open := slices.DeleteFunc(slices.Clone(brokers), func(b broker.Broker) bool { return l.done[b.ID] })
	var wg sync.WaitGroup
	for _, b := range open {
		wg.Go(func() {
			resp := wire.Default[wire.ListGroupsResponse]()
			version, err := l.c.Try(ctx, broker.Node(b.ID), &wire.ListGroupsRequest{}, &resp)
			if err == nil && resp.ErrorCode != wire.None {
				err = &broker.RequestError{API: wire.ListGroups, Version: version, Broker: b.Addr(), Partition: -1, Err: resp.ErrorCode}
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if err != nil {
				l.failed[b.ID] = err
				return
			}
			l.done[b.ID] = true
			for _, g := range resp.Groups {
				kind := strings.ToLower(g.GroupType)
				if kind == "" {
					kind = TypeClassic
				}
				l.found[g.GroupID] = Listing{Group: g.GroupID, Type: kind, State: g.GroupState, ProtocolType: g.ProtocolType, Coordinator: b}
			}
		})
	}
	wg.Wait()
}
