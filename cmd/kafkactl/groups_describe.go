package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/group"
)

type groupsDescribeOptions struct {
	*env
	listing
	members bool // groups members
}

func newGroupsDescribeCmd(e *env) *cobra.Command {
	o := &groupsDescribeOptions{env: e}
	cmd := &cobra.Command{
		Use:   "describe GROUP...",
		Short: "Show what groups are and how they do",
		Example: `  kafkactl groups describe billing          # state, assignor, coordinator, number of members
  kafkactl groups describe billing audit    # two of them
  kafkactl groups describe billing -J       # with members and all they hold, for programs`,
		Long: `Asks the groups' coordinators, and joins nothing. A group that is not there is exit 6, or 3
among others that are. The epoch is that of KIP-848; of classic groups brokers do not tell it.

A pipe gets GROUP TYPE STATE PROTOCOL ASSIGNOR EPOCH COORDINATOR MEMBERS PARTITIONS, the last
how many of these are assigned, and ERROR where a group failed.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.completeGroups,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	addListingFlags(cmd, &o.listing)
	return cmd
}

func newGroupsMembersCmd(e *env) *cobra.Command {
	o := &groupsDescribeOptions{env: e, members: true}
	cmd := &cobra.Command{
		Use:   "members GROUP...",
		Short: "Show who is in groups, and which partitions they hold",
		Example: `  kafkactl groups members billing              # id, client, host, partitions
  kafkactl groups members billing audit        # of two groups
  kafkactl groups members billing -o json      # for programs`,
		Long: `The members that live now, and what is assigned to each, as TOPIC:PARTITIONS. In groups of
KIP-848 the target is what a member shall have once the rebalance is over. An assignment that
is not in the format of consumers, as Connect's, shows as opaque.

A pipe gets GROUP MEMBER CLIENT HOST INSTANCE EPOCH PARTITIONS ASSIGNED TARGET.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.completeGroups,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	addListingFlags(cmd, &o.listing)
	return cmd
}

func (o *groupsDescribeOptions) run(ctx context.Context, names []string) error {
	if err := o.listing.check(); err != nil {
		return err
	}
	for _, name := range names {
		if name == "" {
			return usagef("a group's name is missing")
		}
	}
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	found, failed, err := o.describeGroups(ctx, client, names)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return groupsOutcome(found, failed)
	}
	docs := make([]descriptionDoc, 0, len(found)+len(failed))
	for _, list := range [][]group.Description{found, failed} {
		for i := range list {
			docs = append(docs, describedDoc(&list[i]))
		}
	}
	t := o.table(found, failed)
	if o.members {
		t = o.memberTable(found)
		for _, d := range found {
			if len(d.Members) == 0 && o.kind(o.env) == "table" {
				o.note("group %s has no members; it is %s", printable(d.Group), d.State)
			}
		}
	}
	if err := o.print(o.env, t, docs); err != nil {
		return err
	}
	return groupsOutcome(found, failed)
}

func (o *groupsDescribeOptions) table(found, failed []group.Description) *table {
	heads := []string{"GROUP", "TYPE", "STATE", "PROTOCOL", "ASSIGNOR", ">EPOCH", ">COORDINATOR", ">MEMBERS", ">PARTITIONS"}
	if len(failed) > 0 {
		heads = append(heads, "ERROR")
	}
	t := newTable(heads...)
	t.paint("GROUP", o.pal.topic)
	t.paint("ERROR", o.pal.failure)
	for _, d := range found {
		held := 0
		for _, m := range d.Members {
			held += len(m.Assigned)
		}
		t.row(d.Group, d.Type, d.State, dash(d.ProtocolType), dash(d.Assignor), epochText(d.Epoch), epochText(d.Coordinator.ID), strconv.Itoa(len(d.Members)), strconv.Itoa(held))
	}
	for _, d := range failed {
		t.row(d.Group, "-", "-", "-", "-", "-", epochText(d.Coordinator.ID), "-", "-", rootOf(d.Err).Error())
	}
	return t
}

func (o *groupsDescribeOptions) memberTable(found []group.Description) *table {
	t := newTable("GROUP", "MEMBER", "CLIENT", "HOST", "INSTANCE", ">EPOCH", ">PARTITIONS", "ASSIGNED", "TARGET")
	t.paint("GROUP", o.pal.topic)
	t.paint("PARTITIONS", o.pal.number)
	piped := o.kind(o.env) == "tsv"
	members, held := 0, 0
	for _, d := range found {
		for _, m := range d.Members {
			assigned, target := tpsText(m.Assigned), tpsText(m.Target)
			if m.Opaque {
				assigned = "opaque"
			}
			row := []string{d.Group, m.ID, m.ClientID, m.Host, m.InstanceID, epochText(m.Epoch), strconv.Itoa(len(m.Assigned)), assigned, target}
			if piped {
				for i := range row {
					row[i] = dash(row[i])
				}
			} else {
				if target == assigned {
					row[8] = ""
				} else if m.Target != nil {
					row[8] = dash(target)
				}
				if m.Epoch < 0 {
					row[5] = ""
				}
			}
			t.row(row...)
			members, held = members+1, held+len(m.Assigned)
		}
	}
	t.totals = []string{plural(members, "member"), "", "", "", "", "", strconv.Itoa(held)}
	return t
}

// tpsText is sorted partitions as TARGETs write them: orders:0,2-4 users:1.
func tpsText(tps []broker.TP) string {
	var b strings.Builder
	for i := 0; i < len(tps); {
		if i > 0 && tps[i].Topic == tps[i-1].Topic {
			b.WriteByte(',')
		} else {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(tps[i].Topic + ":")
		}
		last := i
		for last+1 < len(tps) && tps[last+1].Topic == tps[i].Topic && tps[last+1].Partition == tps[last].Partition+1 {
			last++
		}
		b.WriteString(id(tps[i].Partition))
		if last > i {
			b.WriteString("-" + id(tps[last].Partition))
		}
		i = last + 1
	}
	return b.String()
}

// The JSON documents of a description.
type (
	descriptionDoc struct {
		groupDoc
		Assignor   *string     `json:"assignor"`
		GroupEpoch *int32      `json:"groupEpoch"`
		Members    []memberDoc `json:"members"`
		Error      *string     `json:"error,omitempty"`
	}
	memberDoc struct {
		MemberID        string        `json:"memberId"`
		InstanceID      *string       `json:"instanceId"`
		ClientID        string        `json:"clientId"`
		Host            string        `json:"host"`
		Rack            *string       `json:"rack"`
		MemberEpoch     *int32        `json:"memberEpoch"`
		Classic         bool          `json:"classic"`
		Subscribed      []string      `json:"subscribed"`
		SubscribedRegex *string       `json:"subscribedRegex"`
		Assigned        []assignedDoc `json:"assigned"` // null: not in the format of consumers
		Target          []assignedDoc `json:"target"`   // null: a classic group
	}
	assignedDoc struct {
		Topic      string  `json:"topic"`
		Partitions []int32 `json:"partitions"`
	}
)

func describedDoc(d *group.Description) descriptionDoc {
	doc := descriptionDoc{
		groupDoc: groupDoc{Group: d.Group, Type: d.Type, State: orNull(d.State), ProtocolType: d.ProtocolType, Coordinator: nodeOf(d.Coordinator)},
		Assignor: orNull(d.Assignor), GroupEpoch: epochOrNull(d.Epoch), Members: []memberDoc{},
	}
	if d.Err != nil {
		doc.Error = orNull(rootOf(d.Err).Error())
	}
	for i := range d.Members {
		m := &d.Members[i]
		subscribed := m.Subscribed
		if subscribed == nil {
			subscribed = []string{}
		}
		one := memberDoc{
			MemberID: m.ID, InstanceID: orNull(m.InstanceID), ClientID: m.ClientID, Host: m.Host, Rack: orNull(m.Rack),
			MemberEpoch: epochOrNull(m.Epoch), Classic: d.Type == group.TypeClassic || m.Classic,
			Subscribed: subscribed, SubscribedRegex: orNull(m.Regex), Target: assignedDocs(m.Target),
		}
		if !m.Opaque {
			one.Assigned = assignedDocs(append([]broker.TP{}, m.Assigned...))
		}
		doc.Members = append(doc.Members, one)
	}
	return doc
}

func epochOrNull(n int32) *int32 {
	if n < 0 {
		return nil
	}
	return &n
}

// assignedDocs is null for nil.
func assignedDocs(tps []broker.TP) []assignedDoc {
	if tps == nil {
		return nil
	}
	docs := []assignedDoc{}
	for _, tp := range tps {
		if n := len(docs); n == 0 || docs[n-1].Topic != tp.Topic {
			docs = append(docs, assignedDoc{Topic: tp.Topic})
		}
		last := &docs[len(docs)-1]
		last.Partitions = append(last.Partitions, tp.Partition)
	}
	return docs
}
