package group

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// protocolType is what consumers call themselves among other kinds of groups.
const protocolType = "consumer"

// spoken is the version of JoinGroup that the coordinator speaks, -1 unknown.
func (c *Classic) spoken() int16 {
	if c.joins.conn == nil {
		return -1
	}
	version, err := c.joins.conn.Version(wire.JoinGroup, -1)
	if err != nil {
		return -1
	}
	return version
}

// rebalanceTimeout is how long the group waits for us. Version 0 of JoinGroup
// has the session timeout for it.
func (c *Classic) rebalanceTimeout() time.Duration {
	if v := c.spoken(); v == 0 {
		return c.sessionTimeout(v)
	}
	return c.cfg.RebalanceTimeout
}

// sessionTimeout is what is asked for in a version of JoinGroup: brokers that
// have none but version 0 take no more than 30 s, unless told otherwise.
func (c *Classic) sessionTimeout(version int16) time.Duration {
	d := c.cfg.SessionTimeout
	if version == 0 {
		d = min(d, oldSession)
	}
	return d
}

// join gets us into the next generation and brings our assignment, sorted. It
// joins again by itself where the group has begun another rebalance meanwhile.
func (c *Classic) join(ctx context.Context) ([]broker.TP, error) {
	pt := c.patience()
	for {
		as, err := c.joinOnce(ctx)
		switch {
		case err == nil:
			c.joined = true
			return as, nil
		case errors.Is(err, wire.MemberIDRequired): // KIP-394: the id has been taken note of
		case errors.Is(err, wire.RebalanceInProgress):
			pt.fresh()
			if err := c.client.Pause(ctx, 1); err != nil {
				return nil, err
			}
		case errors.Is(err, wire.UnknownMemberID) && c.identity().Epoch < 0:
			// Nothing to lose yet: an id that was given and forgotten.
			c.setMember("", -1)
			if err := pt.pause(ctx, err); err != nil {
				return nil, err
			}
		default:
			if err := pt.wait(ctx, err); err != nil {
				return nil, err
			}
			c.cfg.Log(1, "group %s: joining again: %v", c.cfg.Group, err)
		}
	}
}

func (c *Classic) joinOnce(ctx context.Context) ([]broker.TP, error) {
	if err := c.joins.open(ctx); err != nil {
		return nil, err
	}
	topics, err := c.cfg.subscribed(ctx, c.client)
	if err != nil {
		return nil, err
	}
	c.topics = topics
	version, err := c.joins.conn.Version(wire.JoinGroup, -1)
	if err != nil {
		return nil, &broker.RequestError{API: wire.JoinGroup, Version: -1, Broker: c.joins.conn.Addr(), Partition: -1, Err: err}
	}
	if c.cfg.Instance != "" && version < firstStatic {
		return nil, c.tooOld(version)
	}
	req, err := c.joinRequest(version)
	if err != nil {
		return nil, err
	}
	resp := wire.Default[wire.JoinGroupResponse]()
	// The coordinator answers once everybody has joined or run out of time. The
	// others' time may be longer than ours, but not by so much.
	patient, cancel := context.WithTimeout(ctx, 2*c.cfg.RebalanceTimeout+c.client.Config().Timeout)
	defer cancel()
	hold := holding{state: statePreparing}
	if version >= firstNamed && req.MemberID == "" && c.cfg.Instance == "" {
		hold = holding{limit: c.client.Config().Timeout / 3} // it only brings us an id (KIP-394)
	}
	if _, err := c.held(patient, hold, req, &resp, func() wire.Code { return resp.ErrorCode }); err != nil {
		if errors.Is(err, wire.MemberIDRequired) {
			c.setMember(resp.MemberID, -1)
		}
		return nil, err
	}
	c.setMember(resp.MemberID, resp.GenerationID)
	c.cfg.Log(1, "group %s: generation %d as %s, assignor %s", c.cfg.Group, resp.GenerationID, resp.MemberID, word(resp.ProtocolName))
	return c.sync(patient, &resp)
}

// firstNamed is the version of JoinGroup that gives out ids before anything else.
const firstNamed = 4

// firstStatic is the version of JoinGroup that knows static members.
const firstStatic = 5

func (c *Classic) tooOld(version int16) error {
	api, _ := wire.Lookup(wire.JoinGroup)
	return &broker.RequestError{API: wire.JoinGroup, Version: -1, Broker: c.joins.conn.Addr(), Partition: -1, Err: &broker.VersionError{
		API: wire.JoinGroup, Cap: -1, Ours: [2]int16{firstStatic, api.Max}, Theirs: [2]int16{0, version},
		Software: broker.Release(wire.JoinGroup, firstStatic) + " or later",
	}}
}

func (c *Classic) joinRequest(version int16) (*wire.JoinGroupRequest, error) {
	m := c.identity()
	req := wire.Default[wire.JoinGroupRequest]()
	req.GroupID, req.MemberID, req.GroupInstanceID, req.ProtocolType = m.Group, m.ID, c.cfg.instance(), protocolType
	req.SessionTimeoutMs = int32(c.sessionTimeout(version).Milliseconds())
	req.RebalanceTimeoutMs = int32(c.cfg.RebalanceTimeout.Milliseconds())
	for _, a := range c.assignors {
		s := wire.Default[wire.ConsumerProtocolSubscription]()
		s.Topics, s.RackID = c.topics, optional(c.cfg.Rack)
		if !c.eager {
			s.OwnedPartitions = byTopic(c.owned)
		}
		s.GenerationID = c.hadIn
		var err error
		if s.UserData, err = a.userData(c.had, c.hadIn); err != nil {
			return nil, err
		}
		b, err := s.Append(nil, 3)
		if err != nil {
			return nil, err
		}
		req.Protocols = append(req.Protocols, wire.JoinGroupProtocol{Name: a.name(), Metadata: b})
	}
	return &req, nil
}

// sync brings our assignment; as the leader we make everybody's first.
func (c *Classic) sync(ctx context.Context, joined *wire.JoinGroupResponse) ([]broker.TP, error) {
	req := wire.SyncGroupRequest{
		GroupID: c.cfg.Group, GenerationID: joined.GenerationID, MemberID: joined.MemberID, GroupInstanceID: c.cfg.instance(),
		ProtocolType: new(protocolType), ProtocolName: joined.ProtocolName,
	}
	hold := holding{state: stateCompleting} // until the leader has spoken
	c.counts = nil
	if joined.Leader == joined.MemberID {
		var err error
		if req.Assignments, err = c.lead(ctx, joined); err != nil {
			return nil, err
		}
		hold = holding{limit: c.client.Config().Timeout / 3}
	}
	var resp wire.SyncGroupResponse
	version, err := c.held(ctx, hold, &req, &resp, func() wire.Code { return resp.ErrorCode })
	if err != nil {
		return nil, err
	}
	as, err := DecodeAssignment(resp.Assignment)
	if err != nil {
		return nil, &broker.RequestError{API: wire.SyncGroup, Version: version, Broker: c.joins.node.Addr(), Partition: -1, Err: fmt.Errorf("the assignment: %w: %w", broker.ErrMalformed, err)}
	}
	c.had, c.hadIn = append([]broker.TP{}, as...), joined.GenerationID
	return as, nil
}

// lead says who gets what, by the assignor that all members know.
func (c *Classic) lead(ctx context.Context, joined *wire.JoinGroupResponse) ([]wire.SyncGroupAssignment, error) {
	name := word(joined.ProtocolName)
	var by assignor
	for _, a := range c.assignors {
		if a.name() == name {
			by = a
		}
	}
	if by == nil {
		return nil, &broker.RequestError{API: wire.JoinGroup, Version: -1, Broker: c.joins.node.Addr(), Partition: -1,
			Err: fmt.Errorf("%w: the group chose the assignor %q, which we did not offer", broker.ErrMalformed, name)}
	}
	members := subscribersOf(joined.Members, func(id string, err error) {
		c.cfg.Log(0, "group %s: nothing is given to member %s, whose subscription cannot be read: %v", c.cfg.Group, id, err)
	})
	topics := topicsOf(members)
	counts, err := c.count(ctx, topics)
	if err != nil {
		return nil, err
	}
	c.led, c.counts = topics, counts
	if joined.SkipAssignment { // KIP-814: a static leader that came back, and all is as it was
		return nil, nil
	}
	given := by.assign(members, counts)
	c.cfg.Log(1, "group %s: leading %d members, topics %s", c.cfg.Group, len(members), strings.Join(topics, ", "))
	list := make([]wire.SyncGroupAssignment, 0, len(members))
	for _, m := range members {
		b, err := (&wire.ConsumerProtocolAssignment{AssignedPartitions: byTopic(sorted(given[m.id]))}).Append(nil, 0)
		if err != nil {
			return nil, err
		}
		list = append(list, wire.SyncGroupAssignment{MemberID: m.id, Assignment: b})
	}
	return list, nil
}
