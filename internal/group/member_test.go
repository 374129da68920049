package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
)

// newCluster is an embedded cluster with a topic and a client of ours.
func newCluster(t *testing.T, partitions int32, opts ...kfake.Opt) (*kfake.Cluster, *broker.Client) {
	t.Helper()
	k, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.SeedTopics(partitions, "t"),
		kfake.BrokerConfigs(map[string]string{"group.consumer.heartbeat.interval.ms": "100"})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k, newClient(t, k.ListenAddrs())
}

func newClient(t *testing.T, seeds []string) *broker.Client {
	t.Helper()
	client, err := broker.New(broker.Config{Seeds: seeds, Timeout: 10 * time.Second, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// other is another make's client.
func other(t *testing.T, k *kfake.Cluster) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(k.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// roster knows who holds what, over all members of a test: no partition may
// have two at a time, but for the lost.
type roster struct {
	t  *testing.T
	mu sync.Mutex
	by map[broker.TP]*member
	up *sync.Cond
}

func newRoster(t *testing.T) *roster {
	r := &roster{t: t, by: map[broker.TP]*member{}}
	r.up = sync.NewCond(&r.mu)
	return r
}

// await waits until what holds says is so.
func (r *roster) await(what string, holds func() bool) {
	r.t.Helper()
	timeout := time.AfterFunc(30*time.Second, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.t.Errorf("not in 30 s: %s", what)
		r.by = nil
		r.up.Broadcast()
	})
	defer timeout.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.by != nil && !holds() {
		r.up.Wait()
	}
	if r.by == nil {
		r.t.FailNow()
	}
}

// shares is how many partitions each of ms has, and that there are no others.
func (r *roster) shares(total int, ms map[*member]int) func() bool {
	return func() bool {
		for m, n := range ms {
			if len(m.has) != n || !m.settled {
				return false
			}
		}
		return len(r.by) == total
	}
}

// member is one member with a handler that keeps the books.
type member struct {
	consume.Group
	name string
	r    *roster
	stop func() // ends Run, without leaving
	done chan struct{}
	err  error

	// under r.mu
	has      []broker.TP
	settled  bool
	busy     bool
	revoked  int // partitions given up
	lost     int
	rounds   int                                        // times settled
	onRevoke func(ctx context.Context, tps []broker.TP) // called before partitions are given up
}

func (r *roster) join(name string, g consume.Group) *member {
	ctx, cancel := context.WithCancel(r.t.Context())
	m := &member{Group: g, name: name, r: r, done: make(chan struct{})}
	m.stop = func() {
		cancel()
		<-m.done
	}
	go func() {
		defer close(m.done)
		m.err = g.Run(ctx, m)
	}()
	r.t.Cleanup(m.stop)
	return m
}

// leave ends Run and says goodbye.
func (m *member) leave() {
	m.r.t.Helper()
	m.stop()
	m.gone()
	if err := m.Leave(m.r.t.Context()); err != nil {
		m.r.t.Error(err)
	}
}

// gone takes a member that is no more out of the books.
func (m *member) gone() {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	m.drop(m.has)
	m.r.up.Broadcast()
}

// enter marks the beginning of a handler's call, and its end.
func (m *member) enter() func() {
	m.r.mu.Lock()
	if m.busy {
		m.r.t.Errorf("%s: called twice at a time", m.name)
	}
	m.busy = true
	return func() {
		m.busy = false
		m.r.up.Broadcast()
		m.r.mu.Unlock()
	}
}

func (m *member) Assigned(_ context.Context, tps []broker.TP) error {
	defer m.enter()()
	m.settled = false
	for _, tp := range tps {
		if other := m.r.by[tp]; other != nil {
			m.r.t.Errorf("%v is given to %s, and %s has it", tp, m.name, other.name)
		}
		if m.r.by != nil {
			m.r.by[tp] = m
		}
	}
	m.has = append(m.has, tps...)
	return nil
}

func (m *member) Revoked(ctx context.Context, tps []broker.TP, lost bool) error {
	m.r.mu.Lock()
	hook := m.onRevoke
	m.r.mu.Unlock()
	if hook != nil && !lost {
		hook(ctx, tps)
	}
	defer m.enter()()
	m.settled = false
	if lost {
		m.lost += len(tps)
	} else {
		m.revoked += len(tps)
	}
	m.drop(tps)
	return nil
}

func (m *member) drop(tps []broker.TP) {
	for _, tp := range tps {
		if !slices.Contains(m.has, tp) {
			m.r.t.Errorf("%v is taken from %s, which does not have it", tp, m.name)
		}
		if m.r.by[tp] == m {
			delete(m.r.by, tp)
		}
	}
	m.has = minus(sorted(slices.Clone(m.has)), sorted(slices.Clone(tps)))
}

func (m *member) Settled(context.Context) error {
	defer m.enter()()
	m.settled = true
	m.rounds++
	return nil
}

func (r *roster) classic(client *broker.Client, name string, cfg Config) *member {
	r.t.Helper()
	g, err := NewClassic(client, quick(r.t, name, cfg))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.join(name, g)
}

func (r *roster) modern(client *broker.Client, name string, cfg Config) *member {
	r.t.Helper()
	g, err := NewModern(client, quick(r.t, name, cfg))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.join(name, g)
}

// quick is cfg with short intervals.
func quick(t *testing.T, name string, cfg Config) Config {
	if cfg.Group == "" {
		cfg.Group = "g"
	}
	if cfg.Topics == nil && cfg.Match == nil {
		cfg.Topics = []string{"t"}
	}
	if cfg.HeartbeatInterval == 0 {
		cfg.HeartbeatInterval = 20 * time.Millisecond
	}
	if cfg.MetadataEvery == 0 {
		cfg.MetadataEvery = 50 * time.Millisecond
	}
	cfg.Log = func(level int, format string, args ...any) {
		t.Helper()
		t.Logf(name+": "+format, args...)
	}
	return cfg
}

// tps is n partitions of a topic.
func tps(topic string, n int32) []broker.TP {
	var list []broker.TP
	for p := range n {
		list = append(list, broker.TP{Topic: topic, Partition: p})
	}
	return list
}

func at(tps []broker.TP, offset int64) map[broker.TP]offsets.Stored {
	m := map[broker.TP]offsets.Stored{}
	for _, tp := range tps {
		m[tp] = offsets.Stored{Offset: offset, LeaderEpoch: -1}
	}
	return m
}

func TestMembersShareAndTakeOver(t *testing.T) {
	for _, assignors := range [][]string{nil, {Range}, {RoundRobin}, {Sticky}, {CooperativeSticky}} {
		t.Run(fmt.Sprint(assignors), func(t *testing.T) {
			_, client := newCluster(t, 12)
			r := newRoster(t)
			cfg := Config{Assignors: assignors}
			a := r.classic(client, "a", cfg)
			r.await("a has all", r.shares(12, map[*member]int{a: 12}))
			b := r.classic(client, "b", cfg)
			r.await("a and b share", r.shares(12, map[*member]int{a: 6, b: 6}))
			c := r.classic(client, "c", cfg)
			r.await("three share", r.shares(12, map[*member]int{a: 4, b: 4, c: 4}))
			if assignors != nil && assignors[0] == CooperativeSticky && (a.revoked != 8 || b.revoked != 2) {
				t.Errorf("a gave up %d partitions, b %d; 8 and 2 are enough", a.revoked, b.revoked)
			}
			a.leave()
			r.await("b and c share", r.shares(12, map[*member]int{b: 6, c: 6}))
			if a.lost+b.lost+c.lost != 0 {
				t.Errorf("lost: %d, %d, %d", a.lost, b.lost, c.lost)
			}
		})
	}
}

func TestMembersOfTheNewProtocolShareAndTakeOver(t *testing.T) {
	for _, assignor := range []string{"", Uniform, ServerRange} {
		t.Run(assignor, func(t *testing.T) {
			_, client := newCluster(t, 12)
			r := newRoster(t)
			cfg := Config{ServerAssignor: assignor}
			a := r.modern(client, "a", cfg)
			r.await("a has all", r.shares(12, map[*member]int{a: 12}))
			b := r.modern(client, "b", cfg)
			r.await("a and b share", r.shares(12, map[*member]int{a: 6, b: 6}))
			c := r.modern(client, "c", cfg)
			r.await("three share", r.shares(12, map[*member]int{a: 4, b: 4, c: 4}))
			if err := commits(t, c); err != nil {
				t.Error(err)
			}
			a.leave()
			r.await("b and c share", r.shares(12, map[*member]int{b: 6, c: 6}))
			if a.lost+b.lost+c.lost != 0 {
				t.Errorf("lost: %d, %d, %d", a.lost, b.lost, c.lost)
			}
		})
	}
}

// commits has a member commit all it has.
func commits(t *testing.T, m *member) error {
	m.r.mu.Lock()
	has := slices.Clone(m.has)
	m.r.mu.Unlock()
	failed, err := m.Commit(t.Context(), at(has, 7))
	for tp, why := range failed {
		err = errors.Join(err, fmt.Errorf("%v: %w", tp, why))
	}
	if err != nil {
		return err
	}
	got, err := m.Stored(t.Context(), has)
	for tp, s := range got {
		if s.Err != nil || s.Offset != 7 {
			err = errors.Join(err, fmt.Errorf("%v: %+v", tp, s))
		}
	}
	return err
}
