package consume

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kafkactl/internal/broker"
)

// Drop takes partitions away from the session. When it returns, nothing of them
// is in flight: what was accepted by their sinks is flushed and committed, what
// was fetched beyond is dropped, and whatever is still said of them is not
// heard. They may be added again.
//
// With lost they are somebody else's already: nothing is flushed or committed.
// So it is when ctx ends before the sinks are flushed, for a write cannot be
// called back: what is written then is written twice, and nothing is left out.
// OnWarn hears a *LeftError of what stays uncommitted.
func (s *Session) Drop(ctx context.Context, tps []broker.TP, lost bool) {
	ps := s.takeHeld(tps)
	if len(ps) == 0 {
		return
	}
	if lost {
		s.giveUp(ps)
		return
	}
	defer s.giveUp(ps)
	if err := s.barrier(ctx, ps); err != nil || !s.commits.on() {
		return
	}
	if err := s.commits.of(ctx, ps); err != nil {
		s.warn(err)
		s.commits.Progress.kill(ps) // of which the warning told
	}
}

// takeHeld stops the partitions of tps that are held, and holds them no longer.
func (s *Session) takeHeld(tps []broker.TP) []*Partition {
	var ps []*Partition
	s.mu.Lock()
	for _, tp := range tps {
		p := s.held[tp]
		if p == nil {
			continue
		}
		delete(s.held, tp)
		for q := p; q != nil; q = q.before {
			q.leaving.Store(true)
			q.stopped.Store(true)
		}
		ps = append(ps, p)
		s.events = append(s.events, event{p: p, kind: dropped})
	}
	s.mu.Unlock()
	poke(s.wake)
	return ps
}

// giveUp makes whatever is still said of ps unheard, and warns of what nobody
// committed.
func (s *Session) giveUp(ps []*Partition) {
	for _, p := range ps {
		for q := p; q != nil; q = q.before {
			q.gone.Store(true)
		}
	}
	if !s.commits.on() {
		return
	}
	left := s.commits.Progress.kill(ps)
	for _, tp := range slices.SortedFunc(maps.Keys(left), compareTP) {
		s.warn(&LeftError{tp, left[tp].Next})
	}
}

// holds says that p, or what took its place, was not dropped.
func (s *Session) holds(p *Partition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held[p.TP]
	return held != nil && held.fate == p.fate
}

// succeed puts q in p's place, unless p was dropped.
func (s *Session) succeed(p, q *Partition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[p.TP] != p {
		return false
	}
	q.before = p
	s.held[p.TP] = q
	return true
}

// forget ends a partition that was dropped, whose error stays known.
func (s *Session) forget(p *Partition) {
	r := &s.router
	if r.parts[p.TP] != p {
		return // it never began
	}
	if p.state != ended {
		s.end(p, nil)
	}
	delete(r.parts, p.TP)
	if p.fate.err != nil || p.fate.corrupt.Load() > 0 {
		r.past = append(r.past, p.outcome())
	}
}

// LeftError is a partition that was taken away before what was delivered of it
// was committed.
type LeftError struct {
	broker.TP
	Next int64 // everything before is delivered
}

// Error says what that means.
func (e *LeftError) Error() string {
	return fmt.Sprintf("%s:%d: taken away before offset %d was committed: records before it are read again", e.Topic, e.Partition, e.Next)
}
