package group

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// Classic is a member by the protocol that every broker from 0.9 on speaks:
// members join, one of them, the leader, says who gets what, and each rebalance
// is a generation.
//
// With eager assignors everything is given up before joining again. With
// cooperative ones (KIP-429) partitions stay during a rebalance; what somebody
// else is to have is given up after it, and then there is another.
type Classic struct {
	client    *broker.Client
	cfg       Config
	assignors []assignor
	eager     bool
	joins     link // JoinGroup, SyncGroup
	beats     link // Heartbeat

	// Of Run's goroutine.
	topics []string         // subscribed to
	owned  []broker.TP      // as the handler was told, sorted
	had    []broker.TP      // of the last assignment, for sticky user data; nil before the first
	hadIn  int32            // its generation
	led    []string         // as leader: what all members subscribe to
	counts map[string]int32 // as leader: the partitions that were given out; nil as a follower
	joined bool             // once

	mu     sync.Mutex
	member offsets.Member // as whom to commit; Epoch is the generation, -1 while we are nobody
}

var _ consume.Group = (*Classic)(nil)

// NewClassic asks nobody yet. Assignors that are none make an *AssignorError.
func NewClassic(client *broker.Client, cfg Config) (*Classic, error) {
	list, err := assignorsNamed(cfg.Assignors)
	if err != nil {
		return nil, err
	}
	c := &Classic{
		client: client, cfg: cfg.withDefaults(), assignors: list, hadIn: -1,
		joins:  link{client: client, group: cfg.Group},
		beats:  link{client: client, group: cfg.Group},
		member: offsets.Member{Group: cfg.Group, Instance: cfg.Instance, Epoch: -1},
	}
	c.eager = slices.ContainsFunc(list, func(a assignor) bool { return !a.cooperative() })
	return c, nil
}

// Stored reads the group's offsets; see offsets.FetchStored.
func (c *Classic) Stored(ctx context.Context, tps []broker.TP) (map[broker.TP]offsets.Stored, error) {
	return offsets.FetchStored(ctx, c.client, c.cfg.Group, offsets.Kafka, tps, true)
}

// Commit stores offsets as the member we are, see offsets.Commit. As nobody, it
// fails for every partition with wire.UnknownMemberID: what comes without a
// generation would be taken from anybody once the group is empty.
func (c *Classic) Commit(ctx context.Context, at map[broker.TP]offsets.Stored) (map[broker.TP]error, error) {
	m := c.identity()
	if m.Epoch < 0 {
		return nobody(at), nil
	}
	return offsets.Commit(ctx, c.client, m, offsets.Kafka, at)
}

func nobody(at map[broker.TP]offsets.Stored) map[broker.TP]error {
	failed := make(map[broker.TP]error, len(at))
	for tp := range at {
		failed[tp] = &broker.RequestError{API: wire.OffsetCommit, Version: -1, Topic: tp.Topic, Partition: tp.Partition, Err: wire.UnknownMemberID}
	}
	return failed
}

// Leave says goodbye, unless we are a static member, which may come back.
func (c *Classic) Leave(ctx context.Context) error {
	m := c.identity()
	if m.ID == "" || m.Instance != "" {
		return nil
	}
	c.setMember("", -1)
	req := &wire.LeaveGroupRequest{GroupID: m.Group, Members: []wire.LeaveGroupMember{{MemberID: m.ID, Reason: new("the consumer is being closed")}}}
	var resp wire.LeaveGroupResponse
	version, err := c.client.Do(ctx, broker.GroupCoordinator(m.Group), req, &resp)
	if err != nil {
		return err
	}
	code := resp.ErrorCode
	for _, r := range resp.Members {
		if code == wire.None {
			code = r.ErrorCode
		}
	}
	if code == wire.None || code == wire.UnknownMemberID {
		return nil
	}
	return &broker.RequestError{API: wire.LeaveGroup, Version: version, Partition: -1, Err: code}
}

func (c *Classic) identity() offsets.Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.member
}

func (c *Classic) setMember(id string, generation int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.member.ID, c.member.Epoch = id, generation
}

// errRejoin ends a generation: there is to be another.
var errRejoin = errors.New("the group rebalances")

// Run joins and stays until ctx ends, without calling h then, or until the
// membership is over for good: somebody took over the instance id
// (wire.FencedInstanceID), the group has no room, other assignors, or is not for
// us, or there was no coordinator for too long.
func (c *Classic) Run(ctx context.Context, h consume.Handler) error {
	defer c.joins.close()
	defer c.beats.close()
	for {
		err := c.generation(ctx, h)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errRejoin):
		case errors.Is(err, errHandler):
			return errors.Unwrap(err)
		case isAny(err, wire.UnknownMemberID, wire.IllegalGeneration):
			c.cfg.Log(1, "group %s: the membership is lost: %v", c.cfg.Group, err)
			id := ""
			if errors.Is(err, wire.IllegalGeneration) {
				id = c.identity().ID
			}
			if err := c.lose(ctx, h, id); err != nil {
				return err
			}
		default:
			if lost := c.lose(ctx, h, c.identity().ID); lost != nil {
				return lost
			}
			return err
		}
	}
}

// lose takes everything from h: it is somebody else's already.
func (c *Classic) lose(ctx context.Context, h consume.Handler, id string) error {
	c.setMember(id, -1)
	gone := c.owned
	c.owned = nil
	return h.Revoked(ctx, gone, true)
}

// generation joins, has its assignment and lives with it until there is to be
// another, which is errRejoin or what the membership was lost of.
func (c *Classic) generation(ctx context.Context, h consume.Handler) error {
	as, err := c.join(ctx)
	if err != nil {
		return err
	}
	m := c.identity()
	req := &wire.HeartbeatRequest{GroupID: m.Group, GenerationID: m.Epoch, MemberID: m.ID, GroupInstanceID: c.cfg.instance()}
	limit := min(c.client.Config().Timeout, c.sessionTimeout(c.spoken())/2) // leaves time for another coordinator
	p := startPulse(ctx, &c.beats, req, c.cfg.HeartbeatInterval, limit, c.patience())
	defer p.stop()
	settled, err := c.reconcile(ctx, h, as)
	if err != nil {
		return err
	}
	if !settled {
		c.cfg.Log(1, "group %s: joining again for what was given up", m.Group)
		return errRejoin
	}
	if again, _ := p.over(); !again {
		if err := handled(h.Settled(ctx)); err != nil {
			return err
		}
	}
	if err := c.live(ctx, p); !errors.Is(err, errRejoin) {
		return err
	}
	return c.prepare(ctx, h, p)
}

func (c *Classic) patience() *patience {
	p := &patience{client: c.client, limit: c.client.Config().Timeout}
	if c.joined && c.cfg.Persist {
		p.limit = 0
	}
	return p
}

// live waits for the end of the generation.
func (c *Classic) live(ctx context.Context, p *pulse) error {
	look := time.NewTicker(c.cfg.MetadataEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.news:
			again, err := p.over()
			if err != nil {
				return err
			}
			if again {
				c.cfg.Log(1, "group %s: a rebalance has begun", c.cfg.Group)
				return errRejoin
			}
		case <-look.C:
			if reason := c.changed(ctx); reason != "" {
				c.cfg.Log(1, "group %s: joining again: %s", c.cfg.Group, reason)
				return errRejoin
			}
		}
	}
}

// prepare makes ready for the next generation, with heartbeats still on.
func (c *Classic) prepare(ctx context.Context, h consume.Handler, p *pulse) error {
	var giveUp []broker.TP
	if c.eager {
		giveUp = c.owned
	}
	if err := c.revoke(ctx, h, giveUp); err != nil {
		return err
	}
	if c.eager {
		c.owned = nil
	}
	if _, err := p.over(); err != nil {
		return err
	}
	return errRejoin
}

// margin is what is left of the rebalance timeout for joining again once
// partitions are given up.
const margin = time.Second

// revoke has h give partitions up, within the time that others wait for us.
func (c *Classic) revoke(ctx context.Context, h consume.Handler, tps []broker.TP) error {
	limit := c.rebalanceTimeout()
	ctx, cancel := context.WithTimeout(ctx, max(limit-margin, limit/2))
	defer cancel()
	return handled(h.Revoked(ctx, tps, false))
}

// reconcile makes what the handler has what the group says. It is settled if
// nothing was given up that another member waits for.
func (c *Classic) reconcile(ctx context.Context, h consume.Handler, as []broker.TP) (settled bool, err error) {
	gone, come := minus(c.owned, as), minus(as, c.owned)
	if len(gone) > 0 {
		if err := c.revoke(ctx, h, gone); err != nil {
			return false, err
		}
		c.owned = minus(c.owned, gone)
	}
	if len(come) > 0 {
		if err := handled(h.Assigned(ctx, come)); err != nil {
			return false, err
		}
	}
	c.owned = as
	return len(gone) == 0, nil
}

// minus is what of a, sorted, is not in b, sorted too.
func minus(a, b []broker.TP) []broker.TP {
	var left []broker.TP
	for _, tp := range a {
		if _, ok := slices.BinarySearchFunc(b, tp, compareTP); !ok {
			left = append(left, tp)
		}
	}
	return left
}

// errHandler marks an error of the handler: it ends Run as it is.
var errHandler = errors.New("handler")

type handlerError struct{ error }

func (handlerError) Is(target error) bool { return target == errHandler }
func (e handlerError) Unwrap() error      { return e.error }

func handled(err error) error {
	if err == nil {
		return nil
	}
	return handlerError{err}
}
