package main

import (
	"context"
	"sync"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
)

// lookAgain is how often what is followed is looked at anew for partitions that
// were added and topics that came to match a ^REGEX.
const lookAgain = 5 * time.Second

// endAgain is the pause before the end of a range is asked for again.
const endAgain = time.Second

// follower keeps a session that follows supplied: with new partitions, and with
// the ends of ranges that end at a time still to come.
type follower struct {
	*env
	*targeting
	client  *broker.Client
	session *consume.Session
	known   map[broker.TP]bool
	given   bool // by a group, so that none is looked for
	news    chan struct{}
	status  *statusLine                  // hears of the session; may be nil
	late    map[broker.TP]offsets.Window // could not be looked up at first

	mu    sync.Mutex
	until map[broker.TP]*timedEnd
}

// timedEnd is a range that ends at a time.
type timedEnd struct {
	ms  int64
	due time.Time // when to look where that was, no record having said so
}

func newFollower(e *env, t *targeting, client *broker.Client) *follower {
	return &follower{env: e, targeting: t, client: client, known: map[broker.TP]bool{}, news: make(chan struct{}, 1),
		late: map[broker.TP]offsets.Window{}, until: map[broker.TP]*timedEnd{}}
}

// take remembers what the session reads.
func (f *follower) take(ranges []offsets.Resolved) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range ranges {
		f.known[r.TP] = true
		delete(f.until, r.TP)
		if r.Until != 0 {
			f.until[r.TP] = &timedEnd{r.Until, time.UnixMilli(r.Until)}
		}
	}
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// ends is consume.Options.Stop: the first record at or after a time ends the
// range that the time does.
func (f *follower) ends(r *record.Record) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	end, ok := f.until[broker.TP{Topic: r.Topic, Partition: r.Partition}]
	return ok && r.Timestamp >= end.ms
}

// grows says that there may come more to follow than is known.
func (f *follower) grows() bool {
	if f.given {
		return false
	}
	for i := range f.targets {
		if f.targets[i].Regex != nil || f.targets[i].Parts == nil {
			return true
		}
	}
	return len(f.late) > 0
}

// run works until ctx ends.
func (f *follower) run(ctx context.Context) {
	var again <-chan time.Time
	if f.grows() {
		tick := time.NewTicker(lookAgain)
		defer tick.Stop()
		again = tick.C
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var due <-chan time.Time
		if next, some := f.nextEnd(); some {
			timer.Reset(max(0, time.Until(next)))
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return
		case <-f.news:
		case <-due:
			f.endDue(ctx)
		case <-again:
			f.lookForNew(ctx)
		}
	}
}

// nextEnd is when the next range is due to end.
func (f *follower) nextEnd() (next time.Time, some bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, end := range f.until {
		if !some || end.due.Before(next) {
			next, some = end.due, true
		}
	}
	return next, some
}

// endDue ends the ranges whose time has come where the log has got to.
func (f *follower) endDue(ctx context.Context) {
	f.mu.Lock()
	var places []offsets.Place
	for tp, end := range f.until {
		if !end.due.After(time.Now()) {
			places = append(places, offsets.Place{TP: tp, Position: offsets.Position{Base: offsets.Time, N: end.ms}})
		}
	}
	f.mu.Unlock()
	found, err := offsets.Look(ctx, f.client, places, offsets.Options{Isolation: f.level()})
	if err != nil {
		return // ctx's
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, p := range places {
		if found[i].Err != nil {
			f.until[p.TP].due = time.Now().Add(endAgain)
			f.verbose(1, "%v", found[i].Err)
			continue
		}
		delete(f.until, p.TP)
		f.session.SetEnd(p.TP, found[i].Offset)
	}
}

// lookForNew adds what is new. Whatever goes wrong is tried again next time.
func (f *follower) lookForNew(ctx context.Context) {
	snap, err := f.client.Refresh(ctx, f.client.Metadata(), offsets.Topics(f.targets)...)
	if err != nil {
		f.verbose(1, "looking for new partitions: %v", err)
		return
	}
	wants, _, err := offsets.Select(f.targets, f.def, offsets.Window{}, snap)
	if err != nil {
		f.verbose(1, "looking for new partitions: %v", err)
		return
	}
	fresh := wants[:0]
	for _, w := range wants {
		if f.known[w.TP] {
			continue
		}
		if leader, _ := snap.Leader(w.TP); leader < 0 {
			continue // whoever waits for it lets all others wait that are new
		}
		if late, ok := f.late[w.TP]; ok {
			w.Window = late
		} else {
			// It was made after we began, so all of it is new.
			w.Window.From = offsets.Position{Base: offsets.Start}
		}
		fresh = append(fresh, w)
	}
	if len(fresh) == 0 {
		return
	}
	all, err := offsets.Resolve(ctx, f.client, fresh, offsets.Options{Isolation: f.level(), Follow: true})
	if err != nil {
		return // ctx's
	}
	ranges := map[broker.TP]offsets.Range{}
	var names tpNames
	for _, r := range all {
		if r.Err != nil {
			f.verbose(1, "%v", r.Err)
			continue
		}
		ranges[r.TP] = r.Range
		names.add(r.TP)
		f.take([]offsets.Resolved{r})
	}
	if len(ranges) > 0 {
		f.note("now reading %v too", &names)
		f.session.Add(ranges)
	}
}

// follow reads resolved ranges and whatever comes up later. claims are those
// whose beginning is to be committed, as consume.Session.Claim has it.
func (f *follower) follow(ctx context.Context, opts consume.Options, resolved []offsets.Resolved, claims []broker.TP, out ...consume.Sink) (*consume.Report, error) {
	f.take(resolved)
	ranges := map[broker.TP]offsets.Range{}
	for _, r := range resolved {
		if !r.Range.Empty() {
			ranges[r.TP] = r.Range
		}
	}
	if f.timed() {
		opts.Stop = f.ends
	}
	// The others go on, perhaps for days: whoever watches must hear of it now.
	opts.OnFail = func(_ broker.TP, err error) { f.warn("%v; it is followed no longer", err) }
	f.session = consume.NewSession(f.client, opts)
	if f.status != nil {
		f.status.session.Store(f.session)
	}
	f.session.Add(ranges)
	f.session.Claim(claims)
	watch, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { f.run(watch) })
	defer wg.Wait()
	defer stop()
	return f.session.Run(ctx, out...)
}

// timed says that a range may end at a time, now or when it comes up, so that
// records must be asked for theirs.
func (f *follower) timed() bool {
	for i := range f.targets {
		if f.targets[i].Window.Or(f.def).To.Base == offsets.Time {
			return true
		}
	}
	return false
}
