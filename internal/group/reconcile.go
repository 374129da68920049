package group

import (
	"context"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/wire"
)

// reconcile makes what the handler has what the coordinator wants it to have:
// first gives up, and says so at once, for others wait for it, then takes.
func (m *Modern) reconcile(ctx context.Context, h consume.Handler) error {
	m.mu.Lock()
	over, fresh, target := m.over, m.fresh, m.target
	m.fresh = false
	m.mu.Unlock()
	if over != nil {
		return over
	}
	if !fresh {
		return nil
	}
	m.joined = true
	want, whole := m.named(ctx, target)
	gone, come := minus(m.owned, want), minus(want, m.owned)
	if len(gone) > 0 {
		if err := m.revoke(ctx, h, gone); err != nil {
			return err
		}
		m.owned = minus(m.owned, gone)
		m.tell(m.owned)
	}
	if len(come) > 0 {
		if err := handled(h.Assigned(ctx, come)); err != nil {
			return err
		}
	}
	m.owned = want
	m.tell(m.owned)
	m.mu.Lock()
	settled := !m.fresh && m.over == nil
	m.fresh = m.fresh || !whole // to be looked at again
	m.mu.Unlock()
	if !settled {
		return nil
	}
	return handled(h.Settled(ctx))
}

func (m *Modern) revoke(ctx context.Context, h consume.Handler, tps []broker.TP) error {
	limit := m.cfg.RebalanceTimeout
	ctx, cancel := context.WithTimeout(ctx, max(limit-margin, limit/2))
	defer cancel()
	return handled(h.Revoked(ctx, tps, false))
}

// tell has the next heartbeat, sent at once, say what we have.
func (m *Modern) tell(tps []broker.TP) {
	snap := m.client.Metadata()
	var holds []wire.ConsumerGroupTopic
	for _, t := range byTopic(tps) {
		holds = append(holds, wire.ConsumerGroupTopic{TopicID: snap.TopicID(t.Topic), Partitions: t.Partitions})
	}
	m.mu.Lock()
	m.holds = holds
	m.mu.Unlock()
	rouse(m.poke)
}

// named finds the names of topics by their ids, asking for metadata where they
// are unknown, and lists the partitions, sorted. It is not the whole where a
// topic has no name yet.
func (m *Modern) named(ctx context.Context, target []wire.ConsumerGroupTopic) (tps []broker.TP, whole bool) {
	snap := m.client.Metadata()
	names, missing := namesOf(snap, target)
	if missing {
		m.mu.Lock()
		topics := m.topics
		m.mu.Unlock()
		next, err := m.client.Refresh(ctx, snap, topics...)
		if err != nil {
			m.cfg.Log(1, "group %s: looking for the names of topics: %v", m.cfg.Group, err)
		} else {
			names, missing = namesOf(next, target)
		}
	}
	for _, t := range target {
		name, ok := names[t.TopicID]
		if !ok {
			continue
		}
		for _, p := range t.Partitions {
			tps = append(tps, broker.TP{Topic: name, Partition: p})
		}
	}
	slices.SortFunc(tps, compareTP)
	return slices.Compact(tps), !missing
}

func namesOf(snap *broker.Snapshot, target []wire.ConsumerGroupTopic) (names map[wire.UUID]string, missing bool) {
	names = map[wire.UUID]string{}
	for _, t := range snap.Topics() {
		if t.ID != (wire.UUID{}) {
			names[t.ID] = t.Name
		}
	}
	for _, t := range target {
		if _, ok := names[t.TopicID]; !ok {
			missing = true
		}
	}
	return names, missing
}
