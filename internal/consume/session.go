package consume

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// Session reads partitions into sinks. Make one with NewSession, give it
// partitions with Add, and Run it once.
type Session struct {
	client *broker.Client
	o      Options

	wake chan struct{} // something below is new

	mu     sync.Mutex
	events []event
	held   map[broker.TP]*Partition // everything added and not dropped
	live   int                      // of those, with a range that has not ended

	calm  chan struct{} // live came down to 0
	open  bool          // it goes on with nothing live, for more may be added
	ready atomic.Bool   // a time without records counts for Options.Idle
	begun chan struct{} // Run is under way
	over  chan struct{} // everything delivered is flushed, and nothing more will be

	speak sync.Mutex // one warning or note at a time

	// Of a Run.
	out     outlet
	crew    crew
	tally   tally
	commits commits
	born    time.Time    // by the clock that never jumps
	last    atomic.Int64 // when the last record was dealt with, nanoseconds after born
	quit    atomic.Bool  // the workers stop before their next record
	router  router
}

// noteLast says that a record was dealt with.
func (s *Session) noteLast(now time.Time) { s.last.Store(int64(now.Sub(s.born))) }

// Report is what became of a session.
type Report struct {
	Records    int64   // delivered
	Corrupt    int64   // damaged batches passed over
	Idle       bool    // it ended because no record came for Options.Idle
	Full       bool    // it ended because Options.Max was reached
	Commit     error   // why the last commit was not made, nil if it was or none was to be
	Failed     []error // what a member could not begin, with Options.KeepGoing
	Partitions []Outcome
}

// Outcome is what became of one partition.
type Outcome struct {
	broker.TP
	From    int64 // where its range began
	Next    int64 // everything before is delivered, as far as Progress heard
	Records int64 // delivered
	Err     error // why it ended early, nil if it did not
	bytes   int64 // of batches that were delivered from
}

// Err joins the errors of all partitions, nil if there are none.
func (r *Report) Err() error {
	var errs []error
	for i := range r.Partitions {
		errs = append(errs, r.Partitions[i].Err)
	}
	return errors.Join(errs...)
}

// NewSession makes a session that has nothing to read yet.
func NewSession(client *broker.Client, o Options) *Session {
	if o.Timeout == 0 {
		o.Timeout = client.Config().Timeout
	}
	s := &Session{
		client: client, o: o.filled(), held: make(map[broker.TP]*Partition),
		born: time.Now(), wake: make(chan struct{}, 1), calm: make(chan struct{}, 1), begun: make(chan struct{}), over: make(chan struct{}),
	}
	s.ready.Store(true)
	s.commits = commits{s: s, Commit: o.Commit}
	return s
}

// Run reads ranges into sinks until each has ended; see Session.Run.
func Run(ctx context.Context, client *broker.Client, o Options, ranges map[broker.TP]offsets.Range, sinks ...Sink) (*Report, error) {
	s := NewSession(client, o)
	s.Add(ranges)
	return s.Run(ctx, sinks...)
}

// Add gives the session more to read, before or while it runs. Partitions it
// has, or had, are left as they are.
func (s *Session) Add(ranges map[broker.TP]offsets.Range) {
	s.mu.Lock()
	for _, tp := range slices.SortedFunc(maps.Keys(ranges), compareTP) {
		if s.held[tp] == nil {
			p := newPartition(tp, ranges[tp], newFate(ranges[tp].From))
			p.at = s.o.At[tp]
			if low, ok := s.o.floor[tp]; ok {
				p.floor = low
			}
			s.held[tp] = p
			s.live++
			s.events = append(s.events, event{p: p, kind: added})
		}
	}
	s.mu.Unlock()
	poke(s.wake)
}

// SetEnd ends a partition's range earlier than was said, at end (exclusive).
// What was delivered beyond it stays delivered.
func (s *Session) SetEnd(tp broker.TP, end int64) {
	s.post(event{tp: tp, kind: endMoved, end: end})
}

// Run reads until every range has ended, Options.Max or Options.Idle says so, or
// a sink or ctx ends it; with Options.Follow and no partitions it waits for Add.
// There is a worker for each sink, and each partition's records go to one of
// them: of partitions added together, the i-th goes to sink i mod N. All
// goroutines are gone when it returns, and everything the sinks accepted is
// flushed, also after ctx ended: a sink stuck in a write holds it up. What is delivered by then is committed, whatever the end.
//
// Partitions that failed are in the report and not an error of Run, which is
// the sink's or the cause of ctx; so is a last commit that was not made.
func (s *Session) Run(ctx context.Context, sinks ...Sink) (*Report, error) {
	if len(sinks) == 0 || s.o.ByTime && len(sinks) > 1 {
		return nil, errSinks
	}
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(work, func() { s.quit.Store(true) })()
	s.noteLast(time.Now())
	drain := s.startCrew(ctx, stop, sinks) // what is left in the outlet is dealt with
	close(s.begun)
	unwind := s.commits.start(work)
	fetch, end := context.WithCancelCause(work)
	err := s.route(fetch)
	end(errEnded)
	s.router.lanes.Wait()
	drain()
	s.takeLast()
	close(s.over)
	unwind()
	report := s.report()
	report.Commit = s.commits.last(ctx)
	failed := s.failure()
	switch {
	case failed != nil:
		return report, failed
	case report.Full:
		return report, nil
	}
	return report, err
}

func (s *Session) report() *Report {
	r := &Report{Records: s.crew.delivered(), Idle: s.router.idle, Full: s.full()}
	r.Partitions = append(r.Partitions, s.router.past...)
	for _, p := range s.router.parts {
		f := p.fate
		r.Corrupt += f.corrupt.Load()
		r.Partitions = append(r.Partitions, p.outcome())
	}
	slices.SortFunc(r.Partitions, func(a, b Outcome) int { return compareTP(a.TP, b.TP) })
	return r
}

func compareTP(a, b broker.TP) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// follows says that p is waited for however long it takes.
func (s *Session) follows(p *Partition) bool { return s.o.Follow || p.end.Load() == offsets.Follow }

func (s *Session) warn(err error) {
	s.speak.Lock()
	defer s.speak.Unlock()
	s.o.OnWarn(err)
}

func (s *Session) note(err error) {
	s.speak.Lock()
	defer s.speak.Unlock()
	s.o.OnNote(err)
}
