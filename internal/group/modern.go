package group

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// Modern is a member by the KIP-848 protocol: the coordinator says who gets what,
// in answers to heartbeats, and members change over one by one. What a member has
// to give up it says it no longer has, and only then others get it.
type Modern struct {
	client *broker.Client
	cfg    Config
	beats  link

	news chan struct{} // for Run: the coordinator said something
	poke chan struct{} // for the heartbeats: there is something to tell at once

	// Of Run's goroutine.
	owned  []broker.TP // as the handler was told, sorted
	joined bool        // once; heartbeats read it before the first answer alone

	mu     sync.Mutex
	member offsets.Member            // as whom to commit; Epoch is -1 while we are nobody
	beaten chan struct{}             // closed and made anew with each answer
	topics []string                  // subscribed to
	holds  []wire.ConsumerGroupTopic // what the coordinator is to know that we have
	target []wire.ConsumerGroupTopic // what it wants us to have
	fresh  bool                      // target is new
	over   error                     // what the membership ended of
}

var _ consume.Group = (*Modern)(nil)

// NewModern asks nobody yet. A server assignor that Kafka does not have makes an
// *AssignorError.
func NewModern(client *broker.Client, cfg Config) (*Modern, error) {
	if a := cfg.ServerAssignor; a != "" && a != Uniform && a != ServerRange {
		return nil, &AssignorError{Name: a, Known: []string{Uniform, ServerRange}}
	}
	return &Modern{
		client: client, cfg: cfg.withDefaults(), beats: link{client: client, group: cfg.Group},
		news: make(chan struct{}, 1), poke: make(chan struct{}, 1), beaten: make(chan struct{}),
		member: offsets.Member{Group: cfg.Group, ID: memberID(), Instance: cfg.Instance, Epoch: -1},
	}, nil
}

// memberID is made up by the member, as Java's is: a UUID in URL-safe base64.
func memberID() string {
	for {
		var id wire.UUID
		_, _ = rand.Read(id[:]) // never fails
		if s := id.String(); s[0] != '-' {
			return s
		}
	}
}

// Stored reads the group's offsets; see offsets.FetchStored.
func (m *Modern) Stored(ctx context.Context, tps []broker.TP) (map[broker.TP]offsets.Stored, error) {
	return offsets.FetchStored(ctx, m.client, m.cfg.Group, offsets.Kafka, tps, true)
}

// staleTries bounds how often a commit asks for the newest epoch.
const staleTries = 10

// Commit stores offsets as the member we are, see offsets.Commit. The epoch may
// change under way; then the newest is asked for, and what was refused sent
// again. As nobody, it fails for every partition with wire.UnknownMemberID.
func (m *Modern) Commit(ctx context.Context, at map[broker.TP]offsets.Stored) (map[broker.TP]error, error) {
	failed := map[broker.TP]error{}
	for try := 1; ; try++ {
		who, beaten := m.identity()
		if who.Epoch < 0 {
			for tp, err := range nobody(at) {
				failed[tp] = err
			}
			return failed, nil
		}
		now, err := offsets.Commit(ctx, m.client, who, offsets.Kafka, at)
		stale := map[broker.TP]offsets.Stored{}
		for tp, s := range at {
			delete(failed, tp)
			if why := now[tp]; why != nil {
				failed[tp] = why
				if errors.Is(why, wire.StaleMemberEpoch) {
					stale[tp] = s
				}
			}
		}
		if len(failed) == 0 {
			return nil, nil
		}
		if len(stale) == 0 || try >= staleTries || ctx.Err() != nil {
			return failed, err
		}
		at = stale
		if m.newer(ctx, who.Epoch, beaten) != nil {
			return failed, ctx.Err()
		}
	}
}

// newer waits for an answer that came after beaten was taken, and asks for it.
func (m *Modern) newer(ctx context.Context, epoch int32, beaten chan struct{}) error {
	if who, _ := m.identity(); who.Epoch != epoch {
		return nil
	}
	rouse(m.poke)
	select {
	case <-beaten:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Epochs of a heartbeat that is none.
const (
	leaves         = -1
	leavesForNow   = -2 // as a static member
	joinsWithEpoch = 0
)

// Leave says goodbye. A static member's partitions stay its own for a session
// timeout.
func (m *Modern) Leave(ctx context.Context) error {
	who, _ := m.identity()
	if who.Epoch < 0 {
		return nil
	}
	m.setEpoch(-1)
	req := wire.Default[wire.ConsumerGroupHeartbeatRequest]()
	req.GroupID, req.MemberID, req.InstanceID, req.MemberEpoch = who.Group, who.ID, m.cfg.instance(), leaves
	if who.Instance != "" {
		req.MemberEpoch = leavesForNow
	}
	resp := wire.Default[wire.ConsumerGroupHeartbeatResponse]()
	version, err := m.client.Do(ctx, broker.GroupCoordinator(who.Group), &req, &resp)
	if err != nil {
		return err
	}
	switch resp.ErrorCode {
	case wire.None, wire.UnknownMemberID, wire.FencedMemberEpoch:
		return nil
	}
	return &broker.RequestError{API: wire.ConsumerGroupHeartbeat, Version: version, Partition: -1, Err: resp.ErrorCode}
}

func (m *Modern) identity() (offsets.Member, chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.member, m.beaten
}

func (m *Modern) setEpoch(epoch int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.member.Epoch = epoch
}

func rouse(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run joins and stays until ctx ends, without calling h then, or until the
// membership is over for good: somebody has the instance id
// (wire.UnreleasedInstanceID, FencedInstanceID), the group has no room or is not
// for us, or there was no coordinator for too long.
func (m *Modern) Run(ctx context.Context, h consume.Handler) error {
	defer m.beats.close()
	for {
		err := m.life(ctx, h)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errHandler) {
			return errors.Unwrap(err)
		}
		again := isAny(err, wire.UnknownMemberID, wire.FencedMemberEpoch)
		if again {
			m.cfg.Log(1, "group %s: the membership is lost: %v", m.cfg.Group, err)
		}
		gone := m.owned
		m.owned = nil
		m.setEpoch(-1)
		if lost := h.Revoked(ctx, gone, true); lost != nil {
			return lost
		}
		if !again {
			return err
		}
		if err := m.client.Pause(ctx, 1); err != nil {
			return err
		}
	}
}

// life is one membership, from epoch 0 to what it ended of.
func (m *Modern) life(ctx context.Context, h consume.Handler) error {
	if err := m.subscribe(ctx, h); err != nil {
		return err
	}
	m.mu.Lock()
	m.holds, m.target, m.fresh, m.over = nil, nil, false, nil
	m.mu.Unlock()
	beats, cancel := context.WithCancel(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		m.beat(beats)
	}()
	defer func() {
		cancel()
		<-gone
	}()
	look := time.NewTicker(m.cfg.MetadataEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.news:
		case <-look.C:
			m.look(ctx)
		}
		if err := m.reconcile(ctx, h); err != nil {
			return err
		}
	}
}

// subscribe waits until there is a topic to subscribe to: a coordinator takes
// nobody in without one.
func (m *Modern) subscribe(ctx context.Context, h consume.Handler) error {
	pt := patience{client: m.client, limit: m.limit()}
	for first := true; ; {
		topics, err := m.cfg.subscribed(ctx, m.client)
		if err != nil {
			if err := pt.wait(ctx, err); err != nil {
				return err
			}
			continue
		}
		pt.fresh()
		m.mu.Lock()
		m.topics = topics
		m.mu.Unlock()
		if len(topics) > 0 {
			return nil
		}
		if first {
			first = false
			if err := handled(h.Settled(ctx)); err != nil {
				return err
			}
		}
		t := time.NewTimer(m.cfg.MetadataEvery)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

func (m *Modern) limit() time.Duration {
	if m.joined && m.cfg.Persist {
		return 0
	}
	return m.client.Config().Timeout
}

// look sees whether other topics match by now.
func (m *Modern) look(ctx context.Context) {
	if m.cfg.Match == nil {
		return
	}
	topics, err := m.cfg.subscribed(ctx, m.client)
	if err != nil {
		m.cfg.Log(1, "group %s: looking for new topics: %v", m.cfg.Group, err)
		return
	}
	m.mu.Lock()
	same := slices.Equal(topics, m.topics)
	m.topics = topics
	m.mu.Unlock()
	if !same {
		m.cfg.Log(1, "group %s: %d topics match now", m.cfg.Group, len(topics))
		rouse(m.poke)
	}
}
