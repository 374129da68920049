package broker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"kafkactl/internal/wire"
)

// To says who should answer.
type To struct {
	kind toKind
	node int32
	name string
}

type toKind int8

const (
	toAny toKind = iota
	toNode
	toController
	toGroup
	toTxn
)

// Any broker may answer.
func Any() To { return To{} }

// Node must answer.
func Node(id int32) To { return To{kind: toNode, node: id} }

// Controller must answer.
func Controller() To { return To{kind: toController} }

// GroupCoordinator of group must answer.
func GroupCoordinator(group string) To { return To{kind: toGroup, name: group} }

// TxnCoordinator of a transactional id must answer.
func TxnCoordinator(id string) To { return To{kind: toTxn, name: id} }

// peer is where a request goes: an address, and the node it belongs to, -1 for
// a seed.
type peer struct {
	addr string
	node int32
}

// connTo gives a connection to whom to says, one that has not rested for longer
// than rest.
func (c *Client) connTo(ctx context.Context, to To, rest time.Duration) (*Conn, error) {
	if to.kind == toController {
		if to = c.controller(ctx); to.kind == toAny {
			return c.connAny(ctx, rest)
		}
	}
	var p peer
	var err error
	switch to.kind {
	case toAny:
		return c.connAny(ctx, rest)
	case toNode:
		p, err = c.nodePeer(ctx, to.node)
	case toGroup:
		p, err = c.coordinatorPeer(ctx, wire.CoordinatorGroup, to.name)
	case toTxn:
		p, err = c.coordinatorPeer(ctx, wire.CoordinatorTransaction, to.name)
	}
	if err != nil {
		return nil, err
	}
	return c.connPeer(ctx, p, rest)
}

func (c *Client) connPeer(ctx context.Context, p peer, rest time.Duration) (*Conn, error) {
	conn, err := c.share(ctx, p, rest)
	if err != nil {
		err = c.dialError(p, err)
	}
	c.note(p.addr, err)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// peers lists whom a request to anybody may go to: who is connected, the seeds,
// the brokers that metadata knows, and last whoever failed, longest ago first.
func (c *Client) peers() []peer {
	snap := c.Metadata()
	var list []peer
	for _, seed := range c.cfg.Seeds {
		list = append(list, peer{seed, -1})
	}
	if snap != nil {
		for _, b := range snap.Brokers {
			at := slices.IndexFunc(list, func(p peer) bool { return p.addr == b.Addr() })
			if at >= 0 {
				list[at].node = b.ID
			} else {
				list = append(list, peer{b.Addr(), b.ID})
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	rank := func(p peer) (int, time.Time) {
		if s := c.shared[p.addr]; s != nil && !s.spent(maxIdle) {
			return 0, time.Time{}
		}
		if at, ok := c.bad[p.addr]; ok {
			return 2, at
		}
		return 1, time.Time{}
	}
	slices.SortStableFunc(list, func(a, b peer) int {
		ra, ta := rank(a)
		rb, tb := rank(b)
		if ra != rb {
			return ra - rb
		}
		return ta.Compare(tb)
	})
	return list
}

// nodePeer finds a node's address, asking for metadata where it is unknown.
func (c *Client) nodePeer(ctx context.Context, node int32) (peer, error) {
	snap := c.Metadata()
	b, ok := snap.Broker(node)
	if !ok {
		next, err := c.refreshBrokers(ctx, snap)
		if err != nil {
			return peer{}, err
		}
		if b, ok = next.Broker(node); !ok {
			return peer{}, fmt.Errorf("node %d: %w", node, ErrUnknownNode)
		}
	}
	return peer{b.Addr(), b.ID}, nil
}

// controller is the node that leads the cluster, anybody where that is unknown:
// a KRaft broker forwards what is the controller's, and before 0.10 there is no
// request for it.
func (c *Client) controller(ctx context.Context) To {
	snap := c.Metadata()
	if snap == nil {
		var err error
		if snap, err = c.refreshBrokers(ctx, nil); err != nil {
			return Any()
		}
	}
	if _, ok := snap.Broker(snap.Controller); !ok {
		return Any()
	}
	return Node(snap.Controller)
}

// coordinators remembers who coordinates what.
type coordinators struct {
	mu   sync.Mutex
	data map[coordinatorKey]Broker
}

type coordinatorKey struct {
	keyType int8
	key     string
}

func (cs *coordinators) get(k coordinatorKey) (Broker, bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	b, ok := cs.data[k]
	return b, ok
}

func (cs *coordinators) put(k coordinatorKey, b Broker) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.data == nil {
		cs.data = make(map[coordinatorKey]Broker)
	}
	cs.data[k] = b
}

func (cs *coordinators) forget(k coordinatorKey) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.data, k)
}

// Coordinator finds who coordinates a group or transactional id
// (wire.CoordinatorGroup, wire.CoordinatorTransaction). It asks, and does not
// go by what it was told before.
func (c *Client) Coordinator(ctx context.Context, keyType int8, key string) (Broker, error) {
	var resp wire.FindCoordinatorResponse
	req := &wire.FindCoordinatorRequest{KeyType: keyType, Keys: []string{key}}
	version, err := c.Do(ctx, Any(), req, &resp)
	if err != nil {
		return Broker{}, err
	}
	for _, r := range resp.Results(version) {
		if r.Key != key && version >= 4 {
			continue
		}
		if err := r.ErrorCode.Err(); err != nil {
			return Broker{}, &RequestError{API: wire.FindCoordinator, Version: version, Partition: -1, Err: err}
		}
		b := Broker{ID: r.NodeID, Host: r.Host, Port: r.Port}
		c.coords.put(coordinatorKey{keyType, key}, b)
		return b, nil
	}
	err = fmt.Errorf("%w: no coordinator for %q in it", ErrMalformed, key)
	return Broker{}, &RequestError{API: wire.FindCoordinator, Version: version, Partition: -1, Err: err}
}

func (c *Client) coordinatorPeer(ctx context.Context, keyType int8, key string) (peer, error) {
	b, ok := c.coords.get(coordinatorKey{keyType, key})
	if !ok {
		var err error
		if b, err = c.Coordinator(ctx, keyType, key); err != nil {
			return peer{}, err
		}
	}
	return peer{b.Addr(), b.ID}, nil
}
