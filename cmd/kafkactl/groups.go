package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/group"
	"kafkactl/internal/wire"
)

func newGroupsCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "groups",
		Short: "List consumer groups, and look into them",
		Example: `  kafkactl groups list                     # every group of the cluster
  kafkactl groups describe billing         # its state, assignor and coordinator
  kafkactl groups members billing -o json  # who is in it, and what they hold`,
		Long: `Classic and consumer (KIP-848) groups, and share groups as far as they are alike. What a group
has read is kafkactl offsets get -g GROUP.`,
	}
	cmd.AddCommand(newGroupsListCmd(e), newGroupsDescribeCmd(e), newGroupsMembersCmd(e), newGroupsDeleteCmd(e))
	return cmd
}

type groupsListOptions struct {
	*env
	listing
	states, types []string
}

func newGroupsListCmd(e *env) *cobra.Command {
	o := &groupsListOptions{env: e}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the groups of the cluster",
		Example: `  kafkactl groups list                             # all of them
  kafkactl groups list --state Empty               # those without members
  kafkactl groups list --type consumer,share -J    # by type, for programs`,
		Long: `Asks every broker for the groups it coordinates. Brokers that do not answer make the exit 3;
what the others have is listed. Brokers before Kafka 0.9 cannot list groups.

A pipe gets GROUP TYPE STATE PROTOCOL COORDINATOR, the last the broker's id.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&o.states, "state", nil, "only groups in one of these `STATES`: Stable, Empty, Dead, Assigning, …")
	f.StringSliceVar(&o.types, "type", nil, "only groups of these `TYPES`: classic, consumer, share, streams")
	addListingFlags(cmd, &o.listing)
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(groupStates(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(groupTypes(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// groupStates are the states of groups of any type, in Kafka's spelling.
func groupStates() []string {
	return []string{"Stable", "Empty", "PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling", "NotReady", "Dead"}
}

func groupTypes() []string {
	return []string{group.TypeClassic, group.TypeConsumer, group.TypeShare, group.TypeStreams}
}

// oneOf checks the values of a filter.
func oneOf(flag string, values, known []string) error {
	for _, v := range values {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, v) }) {
			return usagef("--%s %s: want %s", flag, v, orList(known))
		}
	}
	return nil
}

func (o *groupsListOptions) run(ctx context.Context) error {
	if err := errors.Join(o.listing.check(), oneOf("state", o.states, groupStates()), oneOf("type", o.types, groupTypes())); err != nil {
		return err
	}
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	list, failed := group.List(ctx, client, group.Filter{States: o.states, Types: o.types})
	if failed != nil && len(list) == 0 {
		return failed
	}
	t := newTable("GROUP", "TYPE", "STATE", "PROTOCOL", ">COORDINATOR")
	t.paint("GROUP", o.pal.topic)
	docs := make([]groupDoc, 0, len(list))
	for _, g := range list {
		t.row(g.Group, g.Type, g.State, g.ProtocolType, id(g.Coordinator.ID))
		docs = append(docs, groupDoc{Group: g.Group, Type: g.Type, State: orNull(g.State), ProtocolType: g.ProtocolType, Coordinator: nodeOf(g.Coordinator)})
	}
	t.totals = []string{plural(len(list), "group")}
	if err := o.print(o.env, t, docs); err != nil {
		return err
	}
	if failed != nil {
		return &partialError{err: failed}
	}
	return nil
}

// The JSON documents of groups.
type (
	groupDoc struct {
		Group        string   `json:"group"`
		Type         string   `json:"type"`
		State        *string  `json:"state"`
		ProtocolType string   `json:"protocolType"`
		Coordinator  *nodeDoc `json:"coordinator"`
	}
	nodeDoc struct {
		NodeID int32  `json:"nodeId"`
		Host   string `json:"host"`
		Port   int32  `json:"port"`
	}
)

// nodeOf is null for nobody.
func nodeOf(b broker.Broker) *nodeDoc {
	if b.ID < 0 {
		return nil
	}
	return &nodeDoc{b.ID, b.Host, b.Port}
}

// describeGroups asks about groups that were named, each once, and words what
// went wrong: one that is not there comes with the name that may have been meant.
func (e *env) describeGroups(ctx context.Context, client *broker.Client, names []string) (found []group.Description, failed []group.Description, err error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	all, err := group.Describe(ctx, client, names)
	if err != nil {
		return nil, nil, err
	}
	var have []string
	for _, d := range all {
		if d.Err == nil {
			found = append(found, d)
			continue
		}
		if errors.Is(d.Err, wire.GroupIDNotFound) {
			if have == nil {
				have = e.groupNames(ctx, client)
			}
			d.Err = &notFoundError{kind: "group", name: d.Group, near: nearest(d.Group, have), err: wire.GroupIDNotFound}
		}
		failed = append(failed, d)
	}
	return found, failed, nil
}

// groupNames lists groups for a hint or a shell: silent about its own troubles,
// and quick.
func (e *env) groupNames(ctx context.Context, client *broker.Client) []string {
	ctx, cancel := context.WithTimeout(ctx, min(e.cfg.timeout, 2*time.Second))
	defer cancel()
	list, _ := group.List(ctx, client, group.Filter{})
	names := make([]string, 0, len(list))
	for _, g := range list {
		names = append(names, g.Group)
	}
	return names
}

// outcome is the error of a command that looked at several groups.
func groupsOutcome(found, failed []group.Description) error {
	var errs []error
	for _, d := range failed {
		errs = append(errs, d.Err)
	}
	err := errors.Join(uniqueErrors(errs)...)
	if err != nil && len(found) > 0 {
		return &partialError{err: err}
	}
	return err
}

// epochText is a group's or member's epoch, where it has one.
func epochText(n int32) string {
	if n < 0 {
		return "-"
	}
	return strconv.Itoa(int(n))
}

// dash stands where there is nothing to say, so that a pipe's columns can be
// told apart.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
