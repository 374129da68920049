package consume

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// job is one partition to find out about.
type job struct {
	p      *Partition
	tp     broker.TP
	kind   eventKind
	topic  wire.UUID
	follow bool
}

// fix is what was found out.
type fix struct {
	p          *Partition
	kind       eventKind
	route      route
	recreated  bool
	start, end int64 // of the log, where asked for
	err        error
}

// help does for waiting partitions what is due: those whose leader is known go
// to a lane at once, for the others one goroutine at a time asks the cluster.
func (s *Session) help(ctx context.Context) {
	r := &s.router
	now := time.Now()
	var jobs []job
	for p, w := range r.waits {
		if w.busy || w.due.After(now) {
			continue
		}
		if to, ok := s.shortcut(p, w); ok {
			p.send(to)
			s.dispatch(ctx, p)
			continue
		}
		if r.repair == nil {
			w.busy = true
			jobs = append(jobs, job{p, p.TP, w.kind, p.route.topic, s.follows(p)})
		}
	}
	if len(jobs) == 0 {
		return
	}
	result := make(chan []fix, 1)
	r.repair = result
	r.lanes.Go(func() { result <- s.findOut(ctx, jobs) })
}

// shortcut gives a leader without asking: for a new partition what metadata
// has, and for one whose leader moved what the old one said.
func (s *Session) shortcut(p *Partition, w *wait) (route, bool) {
	snap := s.client.Metadata()
	switch {
	case w.kind == added:
		to, err := leaderOf(snap, p.TP)
		return to, err == nil
	case w.kind == lost && w.hint.LeaderID >= 0 && w.hint.LeaderEpoch > p.route.epoch && p.tries <= 1:
		_, ok := snap.Broker(w.hint.LeaderID)
		return route{node: w.hint.LeaderID, epoch: w.hint.LeaderEpoch, topic: p.route.topic}, ok
	}
	return route{}, false
}

// leaderOf says whom to ask for tp.
func leaderOf(snap *broker.Snapshot, tp broker.TP) (route, error) {
	t, ok := snap.Topic(tp.Topic)
	if !ok {
		return route{}, wire.UnknownTopicOrPartition
	}
	if t.Err != wire.None {
		return route{}, t.Err
	}
	i := slices.IndexFunc(t.Partitions, func(p broker.Partition) bool { return p.ID == tp.Partition })
	if i < 0 {
		return route{}, wire.UnknownTopicOrPartition
	}
	p := &t.Partitions[i]
	switch {
	case p.Leader >= 0:
		return route{node: p.Leader, epoch: p.LeaderEpoch, topic: t.ID}, nil
	case p.Err != wire.None:
		return route{}, p.Err
	}
	return route{}, errLeader
}

// findOut asks for fresh metadata, and for the ends of logs where those are in doubt.
func (s *Session) findOut(ctx context.Context, jobs []job) []fix {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	var topics []string
	for _, j := range jobs {
		topics = append(topics, j.tp.Topic)
	}
	slices.Sort(topics)
	snap, err := s.client.Refresh(ctx, s.client.Metadata(), slices.Compact(topics)...)
	fixes := make([]fix, len(jobs))
	for i, j := range jobs {
		f := &fixes[i]
		*f = fix{p: j.p, kind: j.kind, err: err}
		if f.err == nil {
			f.route, f.err = leaderOf(snap, j.tp)
		}
		if f.err != nil {
			continue
		}
		none := wire.UUID{}
		f.recreated = j.topic != none && f.route.topic != none && j.topic != f.route.topic
		if j.kind == outOfRange || j.kind == stalled || f.recreated {
			f.err = s.bounds(ctx, j, f)
		}
	}
	return fixes
}

// bounds fills in where the log begins and ends: for a position the high
// watermark counts, for the end of a range what our isolation sees.
func (s *Session) bounds(ctx context.Context, j job, f *fix) (err error) {
	isolation := ReadUncommitted
	if j.kind == stalled {
		isolation = s.o.Isolation
	}
	if f.start, err = s.list(ctx, j.tp, f.route, wire.EarliestTimestamp, isolation); err != nil {
		return err
	}
	f.end, err = s.list(ctx, j.tp, f.route, wire.LatestTimestamp, isolation)
	return err
}

// list asks a leader for one offset.
func (s *Session) list(ctx context.Context, tp broker.TP, to route, timestamp int64, isolation int8) (int64, error) {
	req := wire.Default[wire.ListOffsetsRequest]()
	req.IsolationLevel = isolation
	p := wire.Default[wire.ListOffsetsPartition]()
	p.Index, p.CurrentLeaderEpoch, p.Timestamp = tp.Partition, to.epoch, timestamp
	req.Topics = []wire.ListOffsetsTopic{{Name: tp.Topic, Partitions: []wire.ListOffsetsPartition{p}}}
	resp := wire.Default[wire.ListOffsetsResponse]()
	version, err := s.client.Do(ctx, broker.Node(to.node), &req, &resp)
	if err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, fmt.Errorf("%w: one partition was asked for", broker.ErrMalformed)
	}
	res := &resp.Topics[0].Partitions[0]
	switch {
	case res.ErrorCode != wire.None:
		return 0, &broker.RequestError{API: wire.ListOffsets, Version: version, Topic: tp.Topic, Partition: tp.Partition, Err: res.ErrorCode}
	case version > 0:
		return res.Offset, nil
	case len(res.OldStyleOffsets) == 0:
		return 0, fmt.Errorf("%w: no offset in it", broker.ErrMalformed)
	}
	return res.OldStyleOffsets[0], nil
}

// apply makes use of what was found out.
func (s *Session) apply(ctx context.Context, f *fix) {
	r, p := &s.router, f.p
	if r.waits[p] == nil {
		return // it ended meanwhile
	}
	switch {
	case ctx.Err() != nil:
	case f.err != nil:
		s.trouble(p, &event{p: p, kind: retryKind(f), err: f.err})
	case f.recreated && !s.follows(p):
		s.end(p, ErrRecreated)
	case f.recreated:
		s.reposition(ctx, p, f, f.start, ErrRecreated)
	case f.kind == stalled:
		s.relist(ctx, p, f)
	case f.kind == outOfRange:
		s.outOfRange(ctx, p, f)
	default:
		p.send(f.route)
		s.dispatch(ctx, p)
	}
}

// retryKind is what to ask for again when asking failed.
func retryKind(f *fix) eventKind {
	if f.kind == added {
		return lost
	}
	return f.kind
}

// relist ends a range that the log has become too short for, or gives it up.
func (s *Session) relist(ctx context.Context, p *Partition, f *fix) {
	was := p.end.Load()
	if f.end >= was {
		s.end(p, &StalledError{After: s.o.Timeout, End: was})
		return
	}
	short := &TruncatedError{p.TP, was, f.end}
	if s.o.Strict {
		s.end(p, short)
		return
	}
	s.warn(short)
	p.end.Store(f.end)
	if p.through() {
		s.end(p, nil)
		return
	}
	p.since = time.Time{}
	p.send(f.route)
	s.dispatch(ctx, p)
}

// outOfRange goes on where Options.Reset says.
func (s *Session) outOfRange(ctx context.Context, p *Partition, f *fix) {
	switch {
	case p.next >= f.start && p.next <= f.end: // a leader that had not caught up
		s.trouble(p, &event{p: p, kind: lost, err: wire.OffsetOutOfRange})
	case p.rewound:
		s.reposition(ctx, p, f, f.start, wire.OffsetOutOfRange)
	case s.o.Reset == ResetNone:
		s.end(p, wire.OffsetOutOfRange)
	case s.o.Reset == ResetEnd || p.next > f.end:
		s.reposition(ctx, p, f, f.end, wire.OffsetOutOfRange)
	default:
		s.reposition(ctx, p, f, f.start, wire.OffsetOutOfRange)
	}
}

// reposition puts a fresh Partition in p's place that goes on at to.
func (s *Session) reposition(ctx context.Context, p *Partition, f *fix, to int64, cause error) {
	end := p.end.Load()
	gone := &LostError{TP: p.TP, Position: p.next, Resume: to, Lost: min(to, end) - p.next, Err: cause}
	if to < p.next {
		gone.Lost = p.next - to
		if !s.follows(p) {
			end = min(end, f.end) // what was cut off does not come again
		}
	}
	if s.o.Strict {
		s.end(p, gone)
		return
	}
	s.warn(gone)
	r := &s.router
	q := newPartition(p.TP, offsets.Range{From: to, To: end}, p.fate)
	q.send(f.route)
	q.heard.Store(true)
	if !s.succeed(p, q) {
		return // it was dropped meanwhile, and the router will hear of it
	}
	delete(r.waits, p)
	if r.down[p] {
		s.up(p)
	}
	p.state = ended
	r.parts[p.TP] = q
	s.out.begin(q)
	s.out.end(p)
	if q.through() {
		s.end(q, nil)
		return
	}
	s.dispatch(ctx, q)
}
