package offsets

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"kafkactl/internal/broker"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

// At is an offset in a partition.
type At struct {
	TP     broker.TP
	Offset int64
}

// Ages finds the timestamps of the records that groups have to read next. No
// request tells a record's timestamp by its offset, so the batch it is in is
// fetched: with a small limit a partition, which ends the answer behind the
// first batch where that is small, and with larger ones for batches that did not
// fit. It remembers what it found, for an offset's timestamp does not change.
// The zero value is ready.
type Ages struct {
	mu    sync.Mutex
	known map[At]aged
}

// aged is what is known of an offset.
type aged struct {
	at   int64 // milliseconds since the epoch, record.NoTimestamp where unknown
	none bool  // from here to the end there are no records, only markers
}

const (
	// agePerRequest bounds the bytes one answer may have.
	agePerRequest = 8 << 20
	// ageAlone bounds the bytes of batches too large to be asked for together. What
	// is behind it stays unknown.
	ageAlone = 128 << 20
	// oldFirst is the limit for brokers before 0.10.1, which cut a batch that is
	// larger.
	oldFirst = 4 << 20
	// markers bounds the control batches passed over before a record comes.
	markers = 8
)

// ageSteps are the limits a partition's first batch is tried with in turn.
func ageSteps() []int32 { return []int32{1 << 10, 16 << 10, 256 << 10} }

// Oldest finds the timestamp of the first record at or after each offset, below
// the partition's end; one that is unknown, or not there, is absent from the
// result. The error is ctx's alone.
func (a *Ages) Oldest(ctx context.Context, c *broker.Client, ends map[At]int64) (map[At]int64, error) {
	ctx2, cancel := context.WithTimeout(ctx, c.Config().Timeout)
	defer cancel()
	s := &ageSearch{c: c, ends: ends, from: map[At]int64{}, found: map[At]aged{}}
	a.mu.Lock()
	var open []At
	for at := range ends {
		if k, ok := a.known[at]; ok && !k.none {
			s.found[at] = k
			continue
		}
		s.from[at] = at.Offset
		open = append(open, at)
	}
	a.mu.Unlock()
	slices.SortFunc(open, func(x, y At) int {
		return cmp.Or(compareTP(x.TP, y.TP), cmp.Compare(x.Offset, y.Offset))
	})
	s.search(ctx2, open)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || len(a.known) > 4*len(ends)+1000 {
		a.known = map[At]aged{} // what moved on is not asked for again
	}
	times := map[At]int64{}
	for at, f := range s.found {
		a.known[at] = f
		if !f.none && f.at >= 0 {
			times[at] = f.at
		}
	}
	return times, nil
}

// ageSearch is one Oldest.
type ageSearch struct {
	c    *broker.Client
	ends map[At]int64

	mu    sync.Mutex
	open  map[broker.TP][]At // sorted; what was found is still among them
	from  map[At]int64       // where the next fetch begins: behind markers, after the first
	found map[At]aged
	spent int // bytes of batches asked for alone
}

// search asks for a few offsets of each partition at first: groups that read the
// same topic are often in the same batch, and one answer then serves them all.
func (s *ageSearch) search(ctx context.Context, open []At) {
	s.open = map[broker.TP][]At{}
	for _, at := range open {
		s.open[at.TP] = append(s.open[at.TP], at)
	}
	for most := 1; len(open) > 0 && ctx.Err() == nil; most *= 8 {
		asked := spaced(open, most)
		s.records(ctx, asked)
		tried := map[At]bool{}
		for _, at := range asked {
			tried[at] = true
		}
		// Those without a batch and without news are given up.
		open = slices.DeleteFunc(open, func(at At) bool {
			_, ok := s.found[at]
			return ok || tried[at]
		})
	}
}

// spaced takes at most so many offsets of each partition, as far from each other
// as there are; open is sorted by partition.
func spaced(open []At, most int) []At {
	var some []At
	for first := 0; first < len(open); {
		last := first
		for last < len(open) && open[last].TP == open[first].TP {
			last++
		}
		of := open[first:last]
		for i := range min(most, len(of)) {
			some = append(some, of[i*len(of)/min(most, len(of))])
		}
		first = last
	}
	return some
}

// records finds the records of some offsets.
func (s *ageSearch) records(ctx context.Context, open []At) {
	for range markers {
		again := open
		for _, limit := range ageSteps() {
			again = s.together(ctx, again, limit)
		}
		s.alone(ctx, again)
		var moved []At
		for _, at := range open {
			if _, ok := s.found[at]; !ok && s.from[at] > at.Offset && s.from[at] < s.ends[at] {
				moved = append(moved, at)
			}
		}
		if open = moved; len(open) == 0 || ctx.Err() != nil {
			return
		}
	}
}

// together asks for many partitions in a request and gives those whose batch did
// not fit.
func (s *ageSearch) together(ctx context.Context, open []At, limit int32) (again []At) {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, b := range s.batches(open, int(agePerRequest/limit)) {
		g.Go(func() error {
			some, _ := s.fetch(ctx, b.node, b.ats, limit)
			s.mu.Lock()
			defer s.mu.Unlock()
			again = append(again, some...)
			return nil
		})
	}
	_ = g.Wait()
	return again
}

// alone asks for one partition at a time: the first batch of an answer comes
// whole, however large it is.
func (s *ageSearch) alone(ctx context.Context, open []At) {
	var g errgroup.Group
	g.SetLimit(4)
	for _, b := range s.batches(open, 1) {
		g.Go(func() error {
			s.mu.Lock()
			enough := s.spent >= ageAlone
			s.mu.Unlock()
			if enough {
				return nil
			}
			again, version := s.fetch(ctx, b.node, b.ats, 1)
			if len(again) > 0 && version >= 0 && version < 3 {
				_, _ = s.fetch(ctx, b.node, again, oldFirst)
			}
			return nil
		})
	}
	_ = g.Wait()
}

// ageBatch is what one request asks for.
type ageBatch struct {
	node int32
	ats  []At
}

// batches spreads offsets over requests to the partitions' leaders, no partition
// twice in one. Those without a leader are left out.
func (s *ageSearch) batches(open []At, most int) []ageBatch {
	snap := s.c.Metadata()
	type place struct {
		node  int32
		round int
	}
	at := map[place]int{}
	seen := map[broker.TP]int{}
	var all []ageBatch
	for _, o := range open {
		node, err := leader(snap, o.TP)
		if err != nil {
			continue
		}
		where := place{node, seen[o.TP]}
		seen[o.TP]++
		i, ok := at[where]
		if !ok || len(all[i].ats) >= most {
			i = len(all)
			at[where] = i
			all = append(all, ageBatch{node: node})
		}
		all[i].ats = append(all[i].ats, o)
	}
	return all
}

// fetch makes one request and gives those whose batch did not fit. What fails
// stays unknown.
func (s *ageSearch) fetch(ctx context.Context, node int32, ats []At, limit int32) (again []At, version int16) {
	snap := s.c.Metadata()
	req := wire.Default[wire.FetchRequest]()
	req.MaxBytes = 2 * agePerRequest
	byTP := map[broker.TP]At{}
	names := map[wire.UUID]string{}
	topics := map[string]int{}
	s.mu.Lock()
	for _, o := range ats {
		byTP[o.TP] = o
		i, ok := topics[o.TP.Topic]
		if !ok {
			i = len(req.Topics)
			topics[o.TP.Topic] = i
			t := wire.Default[wire.FetchTopic]()
			t.Name, t.TopicID = o.TP.Topic, snap.TopicID(o.TP.Topic)
			names[t.TopicID] = t.Name
			req.Topics = append(req.Topics, t)
		}
		p := wire.Default[wire.FetchPartition]()
		p.Index, p.FetchOffset, p.MaxBytes = o.TP.Partition, s.from[o], limit
		_, p.CurrentLeaderEpoch = snap.Leader(o.TP)
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	s.mu.Unlock()
	resp := wire.Default[wire.FetchResponse]()
	version, err := s.c.Try(ctx, broker.Node(node), &req, &resp)
	if err != nil {
		return nil, version
	}
	var reader codec.Reader
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Name == "" {
			t.Name = names[t.TopicID]
		}
		for j := range t.Partitions {
			p := &t.Partitions[j]
			o, ok := byTP[broker.TP{Topic: t.Name, Partition: p.Index}]
			if !ok || p.ErrorCode != wire.None {
				continue
			}
			if !s.read(&reader, o, p.Records) {
				again = append(again, o)
			}
			s.mu.Lock()
			if len(ats) == 1 {
				s.spent += len(p.Records)
			}
			s.mu.Unlock()
		}
	}
	return again, version
}

// read finds the first record of an answer; false is an answer without a whole
// batch.
func (s *ageSearch) read(reader *codec.Reader, at At, entries []byte) bool {
	s.mu.Lock()
	from := s.from[at]
	s.mu.Unlock()
	next := from
	for rest := entries; ; {
		span, ok, err := codec.ParseSpan(rest)
		if !ok || err != nil || span.Size > len(rest) {
			break
		}
		next = max(next, span.Next)
		rest = rest[span.Size:]
	}
	if next == from {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.covered(at, from, next)
	var rec record.Record
	reader.Reset(entries, from)
	for len(waiting) > 0 && reader.Next(&rec) {
		for len(waiting) > 0 && s.from[waiting[0]] <= rec.Offset {
			s.settle(waiting[0], &rec)
			waiting = waiting[1:]
		}
	}
	if reader.Err() != nil {
		return true // nobody can tell what is in a damaged batch
	}
	for _, w := range waiting {
		if s.from[w] = next; next >= s.ends[w] {
			s.found[w] = aged{at: record.NoTimestamp, none: true}
		}
	}
	return true
}

// covered are the offsets of a partition that an answer from one offset to
// another is about: the one that was asked for first, and all others in it.
func (s *ageSearch) covered(at At, from, next int64) []At {
	var list []At
	for _, o := range s.open[at.TP] {
		_, ok := s.found[o]
		if f := s.from[o]; !ok && (f > from && f < next || o == at) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b At) int { return cmp.Compare(s.from[a], s.from[b]) })
	return list
}

// settle files the first record at or after an offset.
func (s *ageSearch) settle(at At, rec *record.Record) {
	s.found[at] = aged{at: rec.Timestamp}
	if rec.Offset >= s.ends[at] {
		s.found[at] = aged{at: record.NoTimestamp, none: true}
	}
}
