package produce

import (
	"context"
	"errors"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// metadataAge is how old metadata may get while nothing goes wrong, so that new
// partitions get their share.
const metadataAge = 5 * time.Minute

// leaderless is how often to ask again while a partition has no leader, or none
// that takes anything: who leads it next is to be known as soon as it does.
const leaderless = 100 * time.Millisecond

// errHalted stops the reading when the core has halted; the cause is a record's.
var errHalted = errors.New("a record was not acknowledged")

// post has the dispatcher do something. It is done before any later post of the
// same goroutine, or never, when the run is over.
func (e *engine) post(do func(now time.Time)) {
	select {
	case e.events <- do:
	case <-e.over:
	}
}

// note tells of an outage and of its end.
func (e *engine) note(format string, args ...any) { e.cfg.Log(0, format, args...) }

func (e *engine) lost(r *request, err error, unsent bool) {
	e.post(func(now time.Time) { e.core.lost(r, err, unsent, now) })
}

// ship takes a closed batch from the feeder.
func (e *engine) ship(b *Batch) {
	e.cfg.Stats.Read.Add(int64(b.count))
	e.cfg.Stats.Bytes.Add(int64(b.size))
	e.post(func(now time.Time) { e.core.enqueue(b, now) })
	e.closed <- b
}

// sealer seals until there is no more.
func (e *engine) sealer() {
	var s sealing
	for b := range e.closed {
		if err := e.seal(&s, b); err != nil {
			e.post(func(now time.Time) {
				e.core.now = now
				e.core.spoilt(b, err)
			})
			continue
		}
		e.post(func(now time.Time) {
			e.core.now = now
			e.core.ready(b)
		})
	}
}

// stopReading ends the feeder's work; what it took is still delivered.
func (e *engine) stopReading(why error) {
	e.ended.Do(func() {
		e.stopErr = why
		close(e.stop)
	})
}

// stopped says why no more is to be read, nil when more is.
func (e *engine) stopped(ctx context.Context) error {
	select {
	case <-e.stop:
		return e.stopErr
	default:
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// dispatch is the one goroutine that the core belongs to.
func (e *engine) dispatch(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	e.freshAt = time.Now().Add(metadataAge)
	for {
		now := time.Now()
		next := e.core.wake(now)
		for node := range e.core.killed {
			if s := e.senders[node]; s != nil {
				s.kill()
			}
		}
		clear(e.core.killed)
		for _, r := range e.core.requests(now) {
			r.topicID = e.topicID
			e.sender(ctx, r.node).reqs <- r
		}
		e.holds()
		if e.core.halting != nil {
			e.stopReading(errHalted)
		}
		again := e.outage.look(e.core, now, e.note)
		if e.fed && e.core.done() {
			return
		}
		e.ask(ctx, now)
		if next.IsZero() || e.freshAt.Before(next) {
			next = e.freshAt
		}
		if !again.IsZero() && again.Before(next) {
			next = again
		}
		timer.Reset(max(next.Sub(now), time.Millisecond))
		select {
		case do := <-e.events:
			e.all(do)
		case <-timer.C:
		}
	}
}

// all does what is posted already before anything is decided.
func (e *engine) all(do func(time.Time)) {
	now := time.Now()
	do(now)
	for range cap(e.events) {
		select {
		case do := <-e.events:
			do(now)
		default:
			return
		}
	}
}

// sender gives the sender to a node, started when first asked for.
func (e *engine) sender(ctx context.Context, node int32) *sender {
	s := e.senders[node]
	if s == nil {
		s = newSender(e, node, nil)
		e.senders[node] = s
		e.spawn(func() { s.run(ctx) })
	}
	return s
}

// holds tells the feeder for which partitions a small batch would only queue.
func (e *engine) holds() {
	was := len(e.heldPorts)
	for _, p := range e.heldPorts {
		p.hold.Store(false)
	}
	e.heldPorts = e.heldPorts[:0]
	for _, l := range e.core.busy {
		if len(l.queue) > 0 && l.queue[0].port != nil {
			p := l.queue[0].port
			p.hold.Store(true)
			e.heldPorts = append(e.heldPorts, p)
		}
	}
	if len(e.heldPorts) < was {
		select {
		case e.unheld <- struct{}{}:
		default:
		}
	}
}

// ask starts what has to be asked of the cluster, each question once at a time.
func (e *engine) ask(ctx context.Context, now time.Time) {
	if e.core.wantID && e.cfg.Txn != nil {
		e.endTxn(now)
	} else if e.core.wantID && !e.asking {
		e.asking = true
		old := e.core.id
		e.spawn(func() {
			e.identify(ctx, old)
			e.post(func(time.Time) { e.asking = false })
		})
	}
	if e.core.leaderless() && e.freshAt.Sub(now) > leaderless {
		e.freshAt = now.Add(leaderless)
	}
	if e.refreshing || !e.core.stale && now.Before(e.freshAt) {
		return
	}
	e.core.stale, e.refreshing = false, true
	e.freshAt = now.Add(metadataAge)
	snap := e.snap
	e.spawn(func() {
		fresh, err := e.client.Refresh(ctx, snap, e.topic)
		e.post(func(now time.Time) { e.refreshed(fresh, err, now) })
	})
}

// refreshed takes new metadata, or the news that there are none.
func (e *engine) refreshed(snap *broker.Snapshot, err error, now time.Time) {
	e.refreshing = false
	e.core.now = now
	if err != nil {
		e.cfg.Log(1, "%v", err)
		e.freshAt = now.Add(leaderless)
		return
	}
	t, ok := snap.Topic(e.topic)
	if !ok {
		return
	}
	if t.Err == wire.UnknownTopicOrPartition {
		e.snap = snap // or the next question would be answered by this very news
		if e.missing.IsZero() {
			e.missing = now
		}
		e.freshAt = now.Add(leaderless)
		if now.Sub(e.missing) >= patience {
			err := &broker.RequestError{API: wire.Metadata, Version: -1, Topic: e.topic, Partition: -1, Err: t.Err}
			e.ledger.blame(err)
			e.core.halt(err)
		}
		return
	}
	e.missing = time.Time{}
	e.take(snap, t)
}
