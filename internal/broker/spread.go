package broker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kafkactl/internal/wire"
)

const (
	// keysAtOnce bounds the keys of one request to a coordinator: its answer comes
	// in one piece.
	keysAtOnce = 100
	// coordinatorsAtOnce bounds the requests under way at the same time.
	coordinatorsAtOnce = 32
)

// AskKeys makes one request to node about keys, and gives the errors of those
// that had one.
type AskKeys func(ctx context.Context, node int32, keys []string) map[string]error

// AskCoordinators has ask called for keys of one kind (wire.CoordinatorGroup, …),
// batched by who coordinates them. known says who does, where the caller was told;
// the others are asked after. Keys whose error may go away, a coordinator that
// moved or is not there for example, are looked up and asked again until
// Config.Timeout is over. What then is left of each key's errors is returned; the
// error is ctx's alone. ask runs in several goroutines, never twice at once for a
// key, and must be harmless to repeat.
func (c *Client) AskCoordinators(ctx context.Context, keyType int8, keys []string, known map[string]int32, ask AskKeys) (map[string]error, error) {
	s := &spread{c: c, keyType: keyType, ask: ask, failed: map[string]error{}, nodes: map[string]int32{}}
	for _, k := range keys {
		if node, ok := known[k]; ok {
			s.nodes[k] = node
		}
	}
	inner, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	start := time.Now()
	for try := 1; ; try++ {
		s.once(inner, keys)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		again := slices.DeleteFunc(slices.Clone(keys), func(k string) bool {
			err := s.failed[k]
			return err == nil || inner.Err() == nil && (isExhausted(err) || !c.mayRetry(err, true))
		})
		if len(again) == 0 {
			return s.failed, nil
		}
		if c.cfg.Retries >= 0 && try > c.cfg.Retries || c.Pause(inner, try) != nil {
			for _, k := range again {
				if !isExhausted(s.failed[k]) {
					s.failed[k] = &ExhaustedError{Tries: try, Elapsed: time.Since(start), Early: inner.Err() == nil, Err: s.failed[k]}
				}
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return s.failed, nil
		}
		for _, k := range again {
			c.cfg.logf(1, "asking again about %s: %v", k, s.failed[k])
			delete(s.nodes, k)
		}
		keys = again
	}
}

// Brokers lists the brokers of the cluster, as answered later than stale.
func (c *Client) Brokers(ctx context.Context, stale *Snapshot) ([]Broker, error) {
	snap, err := c.refreshBrokers(ctx, stale)
	if err != nil {
		return nil, err
	}
	return snap.Brokers, nil
}

// Passing says that the error of a request that may be repeated can go away by
// itself.
func (c *Client) Passing(err error) bool {
	return err != nil && !isExhausted(err) && c.mayRetry(err, true)
}

func isExhausted(err error) bool { return errors.As(err, new(*ExhaustedError)) }

// spread is one AskCoordinators.
type spread struct {
	c       *Client
	keyType int8
	ask     AskKeys
	nodes   map[string]int32 // who coordinates what

	mu     sync.Mutex
	failed map[string]error
}

// once looks up whom nobody told of, and asks about each key one time.
func (s *spread) once(ctx context.Context, keys []string) {
	var unknown []string
	for _, k := range keys {
		delete(s.failed, k)
		if _, ok := s.nodes[k]; !ok {
			unknown = append(unknown, k)
		}
	}
	s.find(ctx, unknown)
	byNode := map[int32][]string{}
	for _, k := range keys {
		if node, ok := s.nodes[k]; ok && s.failed[k] == nil {
			byNode[node] = append(byNode[node], k)
		}
	}
	var g errgroup.Group
	g.SetLimit(coordinatorsAtOnce)
	for node, all := range byNode {
		for part := range slices.Chunk(all, keysAtOnce) {
			g.Go(func() error {
				errs := s.ask(ctx, node, part)
				s.mu.Lock()
				defer s.mu.Unlock()
				for k, err := range errs {
					if err != nil {
						s.failed[k] = err
					}
				}
				return nil
			})
		}
	}
	_ = g.Wait()
}

// find asks who coordinates keys, in one request where brokers take several
// (FindCoordinator version 4, Kafka 3.0).
func (s *spread) find(ctx context.Context, keys []string) {
	for part := range slices.Chunk(keys, keysAtOnce) {
		if len(part) > 1 && s.findTogether(ctx, part) {
			continue
		}
		var g errgroup.Group
		g.SetLimit(coordinatorsAtOnce)
		for _, k := range part {
			g.Go(func() error {
				b, err := s.c.Coordinator(ctx, s.keyType, k)
				s.found(k, b.ID, err)
				return nil
			})
		}
		_ = g.Wait()
	}
}

// findTogether is false where the broker takes one key at a time.
func (s *spread) findTogether(ctx context.Context, keys []string) bool {
	var resp wire.FindCoordinatorResponse
	version, err := s.c.Do(ctx, Any(), &wire.FindCoordinatorRequest{KeyType: s.keyType, Keys: keys}, &resp)
	if errors.Is(err, wire.ErrVersion) {
		return false
	}
	for _, k := range keys {
		if err == nil {
			s.found(k, -1, &RequestError{API: wire.FindCoordinator, Version: version, Partition: -1, Err: ErrMalformed})
		} else {
			s.found(k, -1, err)
		}
	}
	if err != nil {
		return true
	}
	for _, r := range resp.Results(version) {
		if slices.Contains(keys, r.Key) {
			if r.ErrorCode == wire.None {
				s.c.coords.put(coordinatorKey{s.keyType, r.Key}, Broker{ID: r.NodeID, Host: r.Host, Port: r.Port})
				s.found(r.Key, r.NodeID, nil)
				continue
			}
			s.found(r.Key, -1, &RequestError{API: wire.FindCoordinator, Version: version, Partition: -1, Err: r.ErrorCode})
		}
	}
	return true
}

// found files who coordinates a key, or why nobody knows.
func (s *spread) found(key string, node int32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed[key] = err
		return
	}
	delete(s.failed, key)
	s.nodes[key] = node
}
