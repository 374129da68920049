package group

import (
	"context"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// askClassic describes classic groups.
func (d *describer) askClassic(ctx context.Context, node int32, groups []string) map[string]error {
	req := wire.Default[wire.DescribeGroupsRequest]()
	req.Groups = groups
	resp := wire.Default[wire.DescribeGroupsResponse]()
	version, err := d.c.Try(ctx, broker.Node(node), &req, &resp)
	failed, fault := d.asked(wire.DescribeGroups, node, groups, version, err)
	if err != nil {
		return failed
	}
	for i := range resp.Groups {
		g := &resp.Groups[i]
		code := g.ErrorCode
		if code == wire.None && g.GroupState == "Dead" {
			code = wire.GroupIDNotFound // as brokers before 4.0 say it (KIP-1043)
		}
		desc := Description{Group: g.GroupID, Type: TypeClassic, State: g.GroupState, ProtocolType: g.ProtocolType, Assignor: g.ProtocolData, Epoch: -1}
		for j := range g.Members {
			desc.Members = append(desc.Members, classicMember(&g.Members[j], g.ProtocolType))
		}
		d.put(failed, node, code, desc, fault)
	}
	return failed
}

// classicMember reads what a member of a classic group says of itself, which
// only the members of consumer groups say in a format that is Kafka's own.
func classicMember(m *wire.DescribedGroupMember, protocol string) MemberDescription {
	desc := MemberDescription{ID: m.MemberID, InstanceID: text(m.GroupInstanceID), ClientID: m.ClientID, Host: host(m.ClientHost), Epoch: -1}
	if protocol != "consumer" {
		desc.Opaque = len(m.MemberAssignment) > 0
		return desc
	}
	tps, err := DecodeAssignment(m.MemberAssignment)
	desc.Assigned, desc.Opaque = tps, err != nil
	var sub wire.ConsumerProtocolSubscription
	if len(m.MemberMetadata) > 0 {
		if _, err := sub.Decode(m.MemberMetadata); err == nil {
			desc.Subscribed, desc.Rack = sub.Topics, text(sub.RackID)
		}
	}
	return desc
}

// askConsumer describes groups of the KIP-848 protocol.
func (d *describer) askConsumer(ctx context.Context, node int32, groups []string) map[string]error {
	req := wire.Default[wire.ConsumerGroupDescribeRequest]()
	req.GroupIDs = groups
	resp := wire.Default[wire.ConsumerGroupDescribeResponse]()
	version, err := d.c.Try(ctx, broker.Node(node), &req, &resp)
	failed, fault := d.asked(wire.ConsumerGroupDescribe, node, groups, version, err)
	if err != nil {
		return failed
	}
	for i := range resp.Groups {
		g := &resp.Groups[i]
		desc := Description{Group: g.GroupID, Type: TypeConsumer, State: g.GroupState, ProtocolType: "consumer", Assignor: g.AssignorName, Epoch: g.GroupEpoch}
		for j := range g.Members {
			m := &g.Members[j]
			desc.Members = append(desc.Members, MemberDescription{
				ID: m.MemberID, InstanceID: text(m.InstanceID), ClientID: m.ClientID, Host: host(m.ClientHost), Rack: text(m.RackID),
				Epoch: m.MemberEpoch, Classic: m.MemberType == 0, Subscribed: m.SubscribedTopicNames, Regex: text(m.SubscribedTopicRegex),
				Assigned: d.assigned(ctx, &m.Assignment), Target: d.assigned(ctx, &m.TargetAssignment),
			})
		}
		d.put(failed, node, g.ErrorCode, desc, fault)
	}
	return failed
}

// askShare describes share groups (KIP-932).
func (d *describer) askShare(ctx context.Context, node int32, groups []string) map[string]error {
	req := wire.Default[wire.ShareGroupDescribeRequest]()
	req.GroupIDs = groups
	resp := wire.Default[wire.ShareGroupDescribeResponse]()
	version, err := d.c.Try(ctx, broker.Node(node), &req, &resp)
	failed, fault := d.asked(wire.ShareGroupDescribe, node, groups, version, err)
	if err != nil {
		return failed
	}
	for i := range resp.Groups {
		g := &resp.Groups[i]
		desc := Description{Group: g.GroupID, Type: TypeShare, State: g.GroupState, ProtocolType: "share", Assignor: g.AssignorName, Epoch: g.GroupEpoch}
		for j := range g.Members {
			m := &g.Members[j]
			desc.Members = append(desc.Members, MemberDescription{
				ID: m.MemberID, ClientID: m.ClientID, Host: host(m.ClientHost), Rack: text(m.RackID),
				Epoch: m.MemberEpoch, Subscribed: m.SubscribedTopicNames, Assigned: d.assigned(ctx, &m.Assignment),
			})
		}
		d.put(failed, node, g.ErrorCode, desc, fault)
	}
	return failed
}

// assigned lists a member's partitions, sorted, never nil. A topic that the
// answer names by its id alone is looked up; one that is gone is left out.
func (d *describer) assigned(ctx context.Context, a *wire.MemberAssignment) []broker.TP {
	topics := make([]wire.ConsumerProtocolTopic, 0, len(a.TopicPartitions))
	for _, t := range a.TopicPartitions {
		name := t.TopicName
		if name == "" {
			name = d.nameOf(ctx, t.TopicID)
		}
		if name != "" {
			topics = append(topics, wire.ConsumerProtocolTopic{Topic: name, Partitions: t.Partitions})
		}
	}
	if tps := flatten(topics); tps != nil {
		return tps
	}
	return []broker.TP{}
}

// nameOf finds a topic's name by its id, "" where the cluster has no such topic.
func (d *describer) nameOf(ctx context.Context, id wire.UUID) string {
	find := func(snap *broker.Snapshot) string {
		if snap != nil {
			for _, t := range snap.Topics() {
				if t.ID == id {
					return t.Name
				}
			}
		}
		return ""
	}
	if name := find(d.c.Metadata()); name != "" {
		return name
	}
	snap, err := d.c.Refresh(ctx, nil)
	if err != nil {
		return ""
	}
	return find(snap)
}
