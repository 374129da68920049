package group

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"kafkactl/internal/wire"
)

// told is what the coordinator knows of us; what has not changed is not sent.
type told struct {
	topics []string
	holds  []wire.ConsumerGroupTopic
	all    bool // it knows the rest too
}

// firstInterval is how often an unanswered member asks.
const firstInterval = 5 * time.Second

// A coordinator may answer a member that joins before it has worked out what to
// give it (group.consumer.assignment.interval.ms). Whoever has nothing asks again
// soon, for a while: at the interval it would take 5 s to hear.
const (
	emptyInterval = 300 * time.Millisecond
	emptyBeats    = 20
)

// beat sends heartbeats, at once when poked, until the membership is over.
func (m *Modern) beat(ctx context.Context) {
	var t told
	pt := patience{client: m.client, limit: m.limit()}
	interval, empty := firstInterval, 0
	for {
		resp, sent, err := m.heartbeat(ctx, &t)
		switch {
		case err == nil:
			pt.fresh()
			if m.cfg.Persist {
				pt.limit = 0
			}
			t = sent
			if resp.HeartbeatIntervalMs > 0 {
				interval = time.Duration(resp.HeartbeatIntervalMs) * time.Millisecond
			}
			m.hear(resp)
		case ctx.Err() != nil:
			return
		default:
			t.all = false // it may have heard us or not: say all again
			if errors.Is(err, wire.UnreleasedInstanceID) {
				err = pt.pause(ctx, err) // its last holder died, and has to be missed first
			} else {
				err = pt.wait(ctx, err)
			}
			if err != nil {
				m.end(err)
				return
			}
			continue
		}
		pause := interval
		if empty++; !m.waits() {
			empty = 0
		} else if empty <= emptyBeats {
			pause = min(interval, emptyInterval)
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-m.poke:
		case <-ctx.Done():
		}
		wait.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// waits says that there is nothing that the coordinator wants us to have.
func (m *Modern) waits() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.target) == 0
}

// heartbeat sends what is new. sent is what the coordinator knows then.
func (m *Modern) heartbeat(ctx context.Context, t *told) (*wire.ConsumerGroupHeartbeatResponse, told, error) {
	req := wire.Default[wire.ConsumerGroupHeartbeatRequest]()
	m.mu.Lock()
	sent := told{topics: m.topics, holds: m.holds, all: true}
	req.GroupID, req.MemberID, req.InstanceID, req.MemberEpoch = m.cfg.Group, m.member.ID, m.cfg.instance(), m.member.Epoch
	m.mu.Unlock()
	joins := req.MemberEpoch < 0
	if joins {
		req.MemberEpoch = joinsWithEpoch
		sent.holds = nil
	}
	whole := !t.all || joins
	if whole {
		req.RebalanceTimeoutMs = int32(m.cfg.RebalanceTimeout.Milliseconds())
		req.RackID, req.ServerAssignor = optional(m.cfg.Rack), optional(m.cfg.ServerAssignor)
	}
	if whole || !slices.Equal(sent.topics, t.topics) {
		req.SubscribedTopicNames = append([]string{}, sent.topics...)
	}
	if whole || !reflect.DeepEqual(sent.holds, t.holds) {
		req.TopicPartitions = append([]wire.ConsumerGroupTopic{}, sent.holds...)
	}
	opening, cancel := context.WithTimeout(ctx, m.client.Config().Timeout)
	defer cancel()
	if err := m.beats.open(opening); err != nil {
		return nil, sent, err
	}
	// It is answered at once, so long silence is a connection that got lost.
	ctx, cancel = context.WithTimeout(ctx, m.client.Config().Timeout/3)
	defer cancel()
	resp := wire.Default[wire.ConsumerGroupHeartbeatResponse]()
	_, err := m.beats.ask(ctx, &req, &resp, func() wire.Code { return resp.ErrorCode })
	if err != nil && resp.ErrorMessage != nil {
		err = &saidError{err, *resp.ErrorMessage}
	}
	return &resp, sent, err
}

// saidError adds a coordinator's own words to its error.
type saidError struct {
	err  error
	said string
}

// Error is both.
func (e *saidError) Error() string { return e.err.Error() + ": " + e.said }

// Unwrap is the error.
func (e *saidError) Unwrap() error { return e.err }

// hear takes note of an answer.
func (m *Modern) hear(resp *wire.ConsumerGroupHeartbeatResponse) {
	m.mu.Lock()
	if resp.MemberID != nil {
		m.member.ID = *resp.MemberID
	}
	if m.member.Epoch != resp.MemberEpoch {
		m.cfg.Log(1, "group %s: member epoch %d as %s", m.cfg.Group, resp.MemberEpoch, m.member.ID)
	}
	m.member.Epoch = resp.MemberEpoch
	if resp.Assignment != nil {
		m.target, m.fresh = resp.Assignment.TopicPartitions, true
	}
	m.answered()
	m.mu.Unlock()
	rouse(m.news)
}

// end takes note of the end of the membership.
func (m *Modern) end(err error) {
	m.mu.Lock()
	m.over, m.member.Epoch = err, -1
	m.answered()
	m.mu.Unlock()
	rouse(m.news)
}

// answered wakes commits that wait for an epoch. m.mu is held.
func (m *Modern) answered() {
	close(m.beaten)
	m.beaten = make(chan struct{})
}
