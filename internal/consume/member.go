package consume

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// emptyAfter is how long a member waits for partitions before holding none
// counts as having read all that is its.
const emptyAfter = 3 * time.Second

// quietAgain is how often a member that has fetched everything looks whether all
// of it is delivered.
const quietAgain = 5 * time.Millisecond

// Member says how a session reads as a member of a group.
type Member struct {
	Group Group
	// Begin says what to read of partitions that were assigned, given what the
	// group has stored for them. One left out is not read. Its error, unless
	// Options.KeepGoing, ends the session.
	Begin func(ctx context.Context, stored map[broker.TP]offsets.Stored) (Beginning, error)
	// OnAssigned hears what is held once a rebalance is over.
	OnAssigned func(held []broker.TP)
}

// Beginning is what to read of partitions that were assigned.
type Beginning struct {
	Ranges map[broker.TP]offsets.Range
	Claims []broker.TP // see Session.Claim
}

// membership is the Handler of a session that reads as a member.
type membership struct {
	s *Session
	m Member

	mu       sync.Mutex
	settled  bool // no rebalance is under way
	since    time.Time
	failures []error
	refusal  error // what Assigned ended the membership with
	news     chan struct{}
}

// RunMember reads what the group gives into sinks. Without Options.Follow it
// ends once no rebalance is under way and all that it holds is read, or it has
// held nothing for 3 s; it does not wait for what others hold. It leaves the
// group once everything delivered is committed.
func (s *Session) RunMember(ctx context.Context, m Member, sinks ...Sink) (*Report, error) {
	h := &membership{s: s, m: m, news: make(chan struct{}, 1)}
	s.open = true
	s.ready.Store(false)
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// The membership outlives ctx, for the last commit needs it.
	joined, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	var wg sync.WaitGroup
	var over error
	var stays bool // over is of our own doing: the group still counts on us
	wg.Go(func() {
		select {
		case <-s.begun:
		case <-work.Done():
			return
		}
		over = m.Group.Run(joined, h)
		if stays = h.refused(over); joined.Err() != nil {
			return
		}
		if !stays {
			s.Drop(joined, s.holding(), true) // others have it
		}
		if over == nil {
			over = errExpelled
		}
		stop(over)
	})
	wg.Go(func() { h.watch(work) })
	report, err := s.Run(work, sinks...)
	stop(nil)
	leave()
	wg.Wait()
	report.Failed = h.failures
	if over != nil && !errors.Is(over, context.Canceled) && !stays {
		return report, err
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Timeout)
	defer cancel()
	if gone := m.Group.Leave(bounded); gone != nil {
		s.note(fmt.Errorf("leaving the group: %w", gone))
	}
	return report, err
}

// Assigned implements Handler.
func (h *membership) Assigned(ctx context.Context, tps []broker.TP) error {
	if len(tps) == 0 {
		return nil
	}
	err := h.begin(ctx, tps)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refusal = err
	return err
}

// refused says that err, which ended the membership, is what Assigned gave.
func (h *membership) refused(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refusal != nil && errors.Is(err, h.refusal)
}

func (h *membership) begin(ctx context.Context, tps []broker.TP) error {
	stored, err := h.stored(ctx, tps)
	if err != nil {
		return err
	}
	var failed []error
	for _, tp := range slices.SortedFunc(maps.Keys(stored), compareTP) {
		if err := stored[tp].Err; err != nil {
			failed = append(failed, err)
			delete(stored, tp)
		}
	}
	b, err := h.m.Begin(ctx, stored)
	if failed = append(failed, err); errors.Join(failed...) != nil {
		if !h.s.o.KeepGoing {
			return errors.Join(failed...)
		}
		h.keep(errors.Join(failed...))
	}
	h.s.Add(b.Ranges)
	h.s.Claim(b.Claims)
	return nil
}

// keep remembers a failure that the session goes on after.
func (h *membership) keep(err error) {
	h.s.warn(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures = append(h.failures, err)
}

// stored asks for the group's offsets, and again for as long as a session that
// follows would wait for a leader.
func (h *membership) stored(ctx context.Context, tps []broker.TP) (map[broker.TP]offsets.Stored, error) {
	for try := 1; ; try++ {
		stored, err := h.m.Group.Stored(ctx, tps)
		if err == nil || !h.s.o.Follow || !passing(err) {
			return stored, err
		}
		if try == 1 {
			h.s.note(fmt.Errorf("%w; trying again", err))
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(h.s.backoff(try + 1)):
		}
	}
}

// Revoked implements Handler.
func (h *membership) Revoked(ctx context.Context, tps []broker.TP, lost bool) error {
	h.s.ready.Store(false)
	h.mu.Lock()
	h.settled = false
	h.mu.Unlock()
	h.s.Drop(ctx, tps, lost)
	return nil
}

// Settled implements Handler.
func (h *membership) Settled(context.Context) error {
	h.s.noteLast(time.Now())
	h.s.ready.Store(true)
	h.mu.Lock()
	h.settled, h.since = true, time.Now()
	h.mu.Unlock()
	poke(h.news)
	if h.m.OnAssigned != nil {
		h.m.OnAssigned(h.s.holding())
	}
	return nil
}

// watch lets the session end once all is read that will be given.
func (h *membership) watch(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		done, again := h.finished(time.Now())
		if done {
			h.s.release()
			return
		}
		timer.Reset(again)
		select {
		case <-ctx.Done():
			return
		case <-h.news:
		case <-h.s.calm:
		case <-timer.C:
		}
	}
}

// finished says that the session may end, or when to look again.
func (h *membership) finished(now time.Time) (done bool, again time.Duration) {
	const long = time.Hour
	h.mu.Lock()
	settled, since := h.settled, h.since
	h.mu.Unlock()
	held, live := h.s.counts()
	switch {
	case !settled || live > 0:
		return false, long
	case held > 0 && !h.s.out.quiet():
		// A rebalance may still take back what is fetched and not delivered, and
		// give it again: to leave now would be to leave it unread.
		return false, quietAgain
	case held > 0:
		return true, 0
	case h.s.o.Follow:
		return false, long
	}
	left := emptyAfter - now.Sub(since)
	return left <= 0, left
}

// holding gives what is held.
func (s *Session) holding() []broker.TP {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.held), compareTP)
}

// counts says how many partitions are held, and how many of them not yet read
// to their ends.
func (s *Session) counts() (held, live int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held), s.live
}

// release lets the session end when nothing live is left.
func (s *Session) release() {
	s.mu.Lock()
	s.open = false
	s.mu.Unlock()
	poke(s.wake)
}

// Claim commits where partitions that were added begin, though nothing of them
// is read yet. Whoever begins at the end would else lose what comes between two
// runs.
func (s *Session) Claim(tps []broker.TP) {
	if !s.commits.on() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tp := range tps {
		if p := s.held[tp]; p != nil {
			s.commits.Progress.claim(p)
		}
	}
}
