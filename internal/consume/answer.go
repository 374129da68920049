package consume

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// restBytes is how much of an answer is read to its end although nobody needs
// it, to keep the connection.
const restBytes = 64 << 10

// receive takes the records of one partition as they arrive. What the broker
// says of errors and leaders is acted on later: tagged fields are still to come.
func (l *lane) receive(ctx context.Context, path []any, body *wire.Body) error {
	topic, res := path[1].(*wire.FetchTopicResult), path[2].(*wire.FetchPartitionResult)
	a := l.asked[askKey{topic.Name, topic.TopicID, res.Index}]
	if a == nil || a.answered {
		return l.blame(fmt.Errorf("%w: partition %d of topic %q was not asked for, or comes twice", broker.ErrMalformed, res.Index, topic.Name))
	}
	a.answered = true
	if res.ErrorCode != wire.None {
		return nil
	}
	var err error
	if a.cut, err = l.cutter.cut(ctx, a.p, res, body); err != nil {
		return err
	}
	if body.Left() > restBytes && a.p.through() && l.satisfied() {
		return errEnough
	}
	return l.cutter.skip(body, body.Left())
}

// satisfied says that no partition needs another byte.
func (l *lane) satisfied() bool {
	for _, p := range l.parts {
		if !p.through() && !p.stopped.Load() {
			return false
		}
	}
	return true
}

// settle acts on a whole answer: partitions in trouble go back to the router,
// those that brought records go last next time.
func (l *lane) settle() (moved bool, err error) {
	if l.resp.ErrorCode != wire.None {
		return false, l.blame(l.resp.ErrorCode)
	}
	for _, a := range l.asked {
		moved = moved || a.cut.moved
	}
	gone := make(map[*Partition]bool)
	now := time.Now()
	for i := range l.resp.Topics {
		t := &l.resp.Topics[i]
		for j := range t.Partitions {
			res := &t.Partitions[j]
			a := l.asked[askKey{t.Name, t.TopicID, res.Index}]
			if ev := l.judge(a, res, moved, now); ev.kind != nothing {
				gone[a.p] = ev.leaves()
				l.s.post(ev)
			}
		}
	}
	for _, a := range l.asked {
		if !a.answered && !gone[a.p] && !l.putOff(a) {
			gone[a.p] = true
			l.s.post(event{p: a.p, kind: lost, err: l.leftOut()})
		}
	}
	served := make([]*Partition, 0, len(l.parts))
	l.parts = slices.DeleteFunc(l.parts, func(p *Partition) bool {
		switch {
		case gone[p]: // no longer ours to look at
			return true
		case p.served:
			served = append(served, p)
		}
		return p.served
	})
	l.parts = append(l.parts, served...)
	return moved, nil
}

// maxRests is how many Options.Timeout a broker may put a partition off before the
// time of its range runs: others of the same quota may be served first, again and
// again.
const maxRests = 10

// putOff says that a partition is left out because a quota is exceeded: the broker
// then answers with nothing but when it wants to be asked again (KIP-219).
func (l *lane) putOff(a *asking) bool {
	p := a.p
	wait := time.Duration(l.resp.ThrottleMs) * time.Millisecond
	if wait <= 0 || !l.s.follows(p) && (p.putOff >= maxRests*l.s.o.Timeout || wait > l.s.o.Timeout) {
		return false
	}
	a.answered = true // it stands under two keys
	p.putOff += wait
	if !p.since.IsZero() {
		p.since = p.since.Add(wait)
	}
	return true
}

// leftOut is why an answer has nothing of a partition.
func (l *lane) leftOut() error {
	if l.resp.ThrottleMs > 0 {
		return l.blame(&restError{time.Duration(l.resp.ThrottleMs) * time.Millisecond})
	}
	return l.blame(errLeftOut)
}

// judge says what one partition's answer means for it. others says that the
// answer held records of some partition.
func (l *lane) judge(a *asking, res *wire.FetchPartitionResult, others bool, now time.Time) event {
	p, o := a.p, &l.s.o
	p.served = a.cut.moved
	if res.ErrorCode != wire.None {
		return refused(p, res)
	}
	if c := a.cut.corrupt; c != nil {
		if !o.KeepGoing {
			return event{p: p, kind: failed, err: &PartitionError{p.TP, c.Offset, c}}
		}
		p.fate.corrupt.Add(1)
		l.s.warn(&PartitionError{p.TP, c.Offset, c})
		p.next, p.served = c.Resume, true
	}
	if a.cut.bygone && !p.served && a.cut.small == 0 {
		return event{p: p, kind: lost, err: l.blame(errBygone)}
	}
	p.tries = 0
	if !p.heard.Swap(true) {
		l.s.noteLast(now)
	}
	switch {
	case p.served:
		p.since, p.grown, p.putOff = time.Time{}, 0, 0
	case a.cut.small > 0:
		if !p.grow(a.bytes, o.Fetch.PartitionLimit) {
			return event{p: p, kind: failed, err: &TooSmallError{a.cut.small, o.Fetch.PartitionLimit}}
		}
	case l.stalled(p, res, others, now):
		return event{p: p, kind: stalled}
	case res.PreferredReadReplica >= 0 && res.PreferredReadReplica != l.node:
		return event{p: p, kind: moved, hint: wire.LeaderAndEpoch{LeaderID: res.PreferredReadReplica, LeaderEpoch: p.route.epoch}}
	}
	if p.down {
		p.down = false
		return event{p: p, kind: recovered}
	}
	return event{}
}

// refused is what an error code means: ask elsewhere, or again, or never again.
func refused(p *Partition, res *wire.FetchPartitionResult) event {
	ev := event{p: p, kind: failed, err: res.ErrorCode, hint: res.CurrentLeader}
	switch res.ErrorCode {
	case wire.OffsetOutOfRange:
		ev.kind = outOfRange
	default:
		if passing(res.ErrorCode) {
			ev.kind = lost
		}
	}
	return ev
}

// stalled notes an answer that shows a log shorter than the range, and says
// whether that has been so for too long. An answer that had no room left for p
// shows nothing.
func (l *lane) stalled(p *Partition, res *wire.FetchPartitionResult, others bool, now time.Time) bool {
	high := res.HighWatermark
	if l.cutter.committed && res.LastStableOffset >= 0 {
		high = res.LastStableOffset
	}
	if others && high > p.next || l.s.follows(p) {
		return false
	}
	p.trouble(now)
	return now.Sub(p.since) >= l.s.o.Timeout
}
