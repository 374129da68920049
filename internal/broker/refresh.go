package broker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/wire"
)

// metadata is a Client's knowledge of the cluster and the requests under way
// for more.
type metadata struct {
	mu     sync.Mutex
	now    *Snapshot
	asked  time.Time // when the last answer came
	wants  map[*want]struct{}
	flight *flight
}

// want is one waiting Refresh.
type want struct {
	stale   *Snapshot
	topics  []string // none: all
	brokers bool     // and no topics at all
}

// flight is a request for metadata that several Refreshes wait for.
type flight struct {
	done   chan struct{}
	err    error
	serves map[*want]struct{} // whom it serves; set before done is closed
}

// Metadata is the last snapshot, nil before the first Refresh.
func (c *Client) Metadata() *Snapshot {
	c.meta.mu.Lock()
	defer c.meta.mu.Unlock()
	return c.meta.now
}

// Refresh fetches metadata newer than stale of the named topics, or of all with
// none named, merges it into the snapshot and returns that. With a nil stale,
// what is known already will do, if it has all the topics without an error: give
// the snapshot that failed to force news. Calls that wait for the same news
// share one request, and requests that ask again are at least a backoff apart.
// On brokers that would create a named topic it asks for all. A topic that does
// not exist is in the result with its Err, not an error.
func (c *Client) Refresh(ctx context.Context, stale *Snapshot, topics ...string) (*Snapshot, error) {
	return c.refresh(ctx, &want{stale: stale, topics: topics})
}

// refreshBrokers asks for brokers and controller only.
func (c *Client) refreshBrokers(ctx context.Context, stale *Snapshot) (*Snapshot, error) {
	return c.refresh(ctx, &want{stale: stale, brokers: true})
}

func (c *Client) refresh(ctx context.Context, w *want) (*Snapshot, error) {
	began := time.Now()
	m := &c.meta
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wants == nil {
		m.wants = make(map[*want]struct{})
	}
	m.wants[w] = struct{}{}
	defer delete(m.wants, w)
	for !m.now.covers(w) {
		f := m.flight
		leads := f == nil
		if leads {
			f = &flight{done: make(chan struct{})}
			m.flight = f
			c.fly(ctx, f, w)
			m.flight = nil
			close(f.done)
		} else {
			m.mu.Unlock()
			select {
			case <-f.done:
			case <-ctx.Done():
			}
			m.mu.Lock()
		}
		if err := ctx.Err(); err != nil {
			if leads && f.err != nil && !errors.Is(err, context.Canceled) { // it tells where our time went
				return nil, f.err
			}
			if last := c.troubleSince(began); last != nil && !errors.Is(err, context.Canceled) {
				err = &lateError{last, err}
			}
			return nil, &RequestError{API: wire.Metadata, Version: -1, Partition: -1, Err: err, unsent: true}
		}
		// A flight that ended because its leader's context did has served nobody.
		if _, mine := f.serves[w]; mine {
			if f.err != nil {
				return nil, f.err
			}
			break
		}
	}
	return m.now, nil
}

// fly makes one request for all that wait when it leaves. m.mu is held by the
// caller and let go of meanwhile.
func (c *Client) fly(ctx context.Context, f *flight, w *want) {
	m := &c.meta
	if wait := time.Until(m.asked.Add(c.cfg.RetryBackoff)); wait > 0 && m.now.again(w) {
		m.mu.Unlock()
		err := sleep(ctx, wait)
		m.mu.Lock()
		if err != nil {
			return
		}
	}
	passengers := maps.Clone(m.wants)
	names, all := union(passengers)
	m.mu.Unlock()
	req := &metadataRequest{names: names, all: all}
	resp := wire.Default[wire.MetadataResponse]()
	version, err := c.Do(ctx, Any(), req, &resp)
	m.mu.Lock()
	f.err = err
	if err != nil && ctx.Err() != nil {
		return // its leader gave up; somebody else may lead
	}
	f.serves = passengers
	if err == nil {
		m.now = m.now.merge(&resp, names, req.asksAll(version))
		m.asked = time.Now()
	}
}

// again says that w asks for nothing but what was asked before, which can wait a
// little.
func (s *Snapshot) again(w *want) bool {
	switch {
	case s == nil:
		return false
	case w.stale != nil:
		return true
	case len(w.topics) == 0:
		return false
	}
	for _, name := range w.topics {
		if _, ok := s.topics[name]; !ok {
			return false
		}
	}
	return true
}

// union is all that the wants want, sorted.
func union(wants map[*want]struct{}) (names []string, all bool) {
	set := make(map[string]struct{})
	for w := range wants {
		all = all || len(w.topics) == 0 && !w.brokers
		for _, name := range w.topics {
			set[name] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(set)), all
}

// firstPolite is the Metadata version from which a broker can be told not to
// create the topics it is asked about (KIP-204).
const firstPolite = 4

// metadataRequest asks for topics by name where that creates none.
type metadataRequest struct {
	names []string
	all   bool
}

// Key implements wire.Request.
func (*metadataRequest) Key() wire.Key { return wire.Metadata }

// asksAll says that a version is asked for all topics. Version 0 has no other
// way to ask for none.
func (r *metadataRequest) asksAll(version int16) bool {
	return r.all || version < firstPolite && (version == 0 || len(r.names) > 0)
}

// At implements wire.Adapter.
func (r *metadataRequest) At(version int16) (wire.Request, error) {
	req := wire.Default[wire.MetadataRequest]()
	if r.asksAll(version) {
		return &req, nil
	}
	req.Topics = make([]wire.MetadataRequestTopic, 0, len(r.names))
	for _, name := range r.names {
		req.Topics = append(req.Topics, wire.MetadataRequestTopic{Name: &name})
	}
	return &req, nil
}
