package group

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// once answers the next request of an API with an error code.
func once(k *kfake.Cluster, key wire.Key, code wire.Code) (asked *atomic.Int32) {
	asked = new(atomic.Int32)
	k.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
		asked.Add(1)
		resp := req.ResponseKind()
		switch r := resp.(type) {
		case *kmsg.HeartbeatResponse:
			r.ErrorCode = int16(code)
		case *kmsg.JoinGroupResponse:
			r.ErrorCode = int16(code)
		case *kmsg.SyncGroupResponse:
			r.ErrorCode = int16(code)
		case *kmsg.ConsumerGroupHeartbeatResponse:
			r.ErrorCode = int16(code)
		case *kmsg.OffsetCommitResponse:
			for _, t := range req.(*kmsg.OffsetCommitRequest).Topics {
				rt := kmsg.OffsetCommitResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
				for _, p := range t.Partitions {
					rt.Partitions = append(rt.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: int16(code)})
				}
				r.Topics = append(r.Topics, rt)
			}
		}
		return resp, nil, true
	})
	return asked
}

// both runs a test with a member of either protocol.
func both(t *testing.T, test func(t *testing.T, k *kfake.Cluster, client *broker.Client, r *roster, join func(string, Config) *member, beat wire.Key)) {
	t.Run("classic", func(t *testing.T) {
		k, client := newCluster(t, 6)
		r := newRoster(t)
		test(t, k, client, r, func(name string, cfg Config) *member { return r.classic(client, name, cfg) }, wire.Heartbeat)
	})
	t.Run("consumer", func(t *testing.T) {
		k, client := newCluster(t, 6)
		r := newRoster(t)
		test(t, k, client, r, func(name string, cfg Config) *member { return r.modern(client, name, cfg) }, wire.ConsumerGroupHeartbeat)
	})
}

func TestALostMemberGivesEverythingUpAndJoinsAgain(t *testing.T) {
	both(t, func(t *testing.T, k *kfake.Cluster, _ *broker.Client, r *roster, join func(string, Config) *member, beat wire.Key) {
		a := join("a", Config{RebalanceTimeout: time.Second}) // for the coordinator knows it still
		r.await("a has all", r.shares(6, map[*member]int{a: 6}))
		codes := []wire.Code{wire.UnknownMemberID, wire.IllegalGeneration}
		if beat == wire.ConsumerGroupHeartbeat {
			codes[1] = wire.FencedMemberEpoch
		}
		for i, code := range codes {
			once(k, beat, code)
			r.await("a lost all", func() bool { return a.lost == 6*(i+1) })
			r.await("a has all again", r.shares(6, map[*member]int{a: 6}))
		}
		if a.revoked != 0 {
			t.Errorf("%d partitions were given up as if they were still ours", a.revoked)
		}
		if err := commits(t, a); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoIsNoMemberCommitsNothing(t *testing.T) {
	both(t, func(t *testing.T, k *kfake.Cluster, client *broker.Client, r *roster, join func(string, Config) *member, _ wire.Key) {
		a := join("a", Config{})
		r.await("a has all", r.shares(6, map[*member]int{a: 6}))
		if err := commits(t, a); err != nil {
			t.Fatal(err)
		}
		a.leave()
		failed, err := a.Commit(t.Context(), at(tps("t", 6), 99))
		if err != nil || len(failed) != 6 || !errors.Is(failed[broker.TP{Topic: "t"}], wire.UnknownMemberID) {
			t.Errorf("%v, %v", failed, err)
		}
		got, err := a.Stored(t.Context(), tps("t", 6))
		for tp, s := range got {
			if s.Offset != 7 {
				t.Errorf("%v: %+v, %v", tp, s, err)
			}
		}
	})
}

func TestAGroupMovesToAnotherCoordinator(t *testing.T) {
	both(t, func(t *testing.T, k *kfake.Cluster, client *broker.Client, r *roster, join func(string, Config) *member, beat wire.Key) {
		a := join("a", Config{})
		r.await("a has all", r.shares(6, map[*member]int{a: 6}))
		for _, code := range []wire.Code{wire.NotCoordinator, wire.CoordinatorNotAvailable, wire.CoordinatorLoadInProgress} {
			asked := once(k, beat, code)
			await(t, "the heartbeat was refused", func() bool { return asked.Load() == 1 })
		}
		if err := commits(t, a); err != nil {
			t.Error(err)
		}
		b := join("b", Config{})
		r.await("a and b share", r.shares(6, map[*member]int{a: 3, b: 3}))
		if a.lost != 0 {
			t.Errorf("%d partitions were lost", a.lost)
		}
	})
}

// await polls what no handler tells of.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("not in 20 s: ", what)
		}
	}
}

func TestJoiningGoesOnThroughTransientErrors(t *testing.T) {
	k, client := newCluster(t, 6)
	r := newRoster(t)
	once(k, wire.JoinGroup, wire.CoordinatorLoadInProgress)
	once(k, wire.JoinGroup, wire.NotCoordinator)
	once(k, wire.JoinGroup, wire.UnknownMemberID)
	once(k, wire.SyncGroup, wire.RebalanceInProgress)
	once(k, wire.SyncGroup, wire.CoordinatorNotAvailable)
	a := r.classic(client, "a", Config{})
	r.await("a has all", r.shares(6, map[*member]int{a: 6}))
	if a.lost != 0 {
		t.Error(a.lost)
	}
}

func TestWhatCannotBeHelpedEndsTheMembership(t *testing.T) {
	both(t, func(t *testing.T, k *kfake.Cluster, _ *broker.Client, r *roster, join func(string, Config) *member, beat wire.Key) {
		a := join("a", Config{})
		r.await("a has all", r.shares(6, map[*member]int{a: 6}))
		once(k, beat, wire.GroupAuthorizationFailed)
		<-a.done
		if !errors.Is(a.err, wire.GroupAuthorizationFailed) || a.lost != 6 {
			t.Errorf("%v, %d lost", a.err, a.lost)
		}
	})
}

func TestAStaticMemberIsFencedByItsSuccessor(t *testing.T) {
	_, client := newCluster(t, 6)
	r := newRoster(t)
	a := r.classic(client, "a", Config{Instance: "i"})
	r.await("a has all", r.shares(6, map[*member]int{a: 6}))
	r.mu.Lock()
	clear(r.by) // b is given them before a notices
	r.mu.Unlock()
	b := r.classic(client, "b", Config{Instance: "i"})
	<-a.done
	if !errors.Is(a.err, wire.FencedInstanceID) || a.lost != 6 {
		t.Errorf("%v, %d lost", a.err, a.lost)
	}
	r.await("b has all", r.shares(6, map[*member]int{b: 6}))
}

func TestAStaticMemberNeedsABrokerThatKnowsThem(t *testing.T) {
	_, client := newCluster(t, 1, kfake.MaxVersions(kversion.V2_2_0()))
	r := newRoster(t)
	a := r.classic(client, "a", Config{Instance: "i"})
	<-a.done
	var version *broker.VersionError
	if !errors.As(a.err, &version) || !strings.Contains(a.err.Error(), "Kafka 2.3 or later does") {
		t.Error(a.err)
	}
}

func TestHeartbeatsGoOnWhilePartitionsAreGivenUp(t *testing.T) {
	k, client := newCluster(t, 6)
	r := newRoster(t)
	cfg := Config{SessionTimeout: 6 * time.Second, RebalanceTimeout: 20 * time.Second}
	a := r.classic(client, "a", cfg)
	r.await("a has all", r.shares(6, map[*member]int{a: 6}))
	var beats atomic.Int32
	r.mu.Lock()
	a.onRevoke = func(ctx context.Context, tps []broker.TP) {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 20*time.Second {
			t.Error("no deadline before others stop waiting")
		}
		k.ControlKey(int16(wire.Heartbeat), func(kmsg.Request) (kmsg.Response, error, bool) {
			k.KeepControl()
			beats.Add(1)
			return nil, nil, false
		})
		await(t, "five heartbeats", func() bool { return beats.Load() >= 5 })
	}
	r.mu.Unlock()
	b := r.classic(client, "b", cfg)
	r.await("a and b share", r.shares(6, map[*member]int{a: 3, b: 3}))
	if a.lost != 0 {
		t.Error(a.lost)
	}
}

// The embedded broker gives no new assignment to a KIP-848 group for a changed
// subscription; that is tested on real brokers.
func TestNewPartitionsAndTopicsAreShared(t *testing.T) {
	k, client := newCluster(t, 6)
	r := newRoster(t)
	cfg := Config{Match: func(topic string) bool { return strings.HasPrefix(topic, "t") }}
	a, b := r.classic(client, "a", cfg), r.classic(client, "b", cfg)
	r.await("a and b share", r.shares(6, map[*member]int{a: 3, b: 3}))
	if err := k.CreateTopic("tt", 4, nil); err != nil {
		t.Fatal(err)
	}
	if err := k.CreateTopic("other", 4, nil); err != nil {
		t.Fatal(err)
	}
	r.await("a and b share the new one", r.shares(10, map[*member]int{a: 5, b: 5}))
	req := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "t", 8
	req.Topics, req.TimeoutMillis = append(req.Topics, topic), 1000
	if _, err := other(t, k).Request(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	r.await("a and b share the new partitions", r.shares(12, map[*member]int{a: 6, b: 6}))
}

func TestStaleEpochsAreCaughtUpWith(t *testing.T) {
	k, client := newCluster(t, 6)
	r := newRoster(t)
	a := r.modern(client, "a", Config{})
	r.await("a has all", r.shares(6, map[*member]int{a: 6}))
	first := once(k, wire.OffsetCommit, wire.StaleMemberEpoch)
	second := once(k, wire.OffsetCommit, wire.StaleMemberEpoch)
	if err := commits(t, a); err != nil {
		t.Error(err)
	}
	if first.Load() != 1 || second.Load() != 1 {
		t.Error("the commit was not refused twice")
	}
}

func TestAMemberWithNothingToSubscribeToWaits(t *testing.T) {
	both(t, func(t *testing.T, k *kfake.Cluster, _ *broker.Client, r *roster, join func(string, Config) *member, _ wire.Key) {
		a := join("a", Config{Match: func(topic string) bool { return topic == "later" }})
		r.await("a has settled with nothing", func() bool { return a.rounds > 0 })
		if err := k.CreateTopic("later", 2, nil); err != nil {
			t.Fatal(err)
		}
		r.await("a has the new topic", r.shares(2, map[*member]int{a: 2}))
	})
}

func TestTheProtocolIsTheGroups(t *testing.T) {
	k, client := newCluster(t, 6)
	kind := func(client *broker.Client, protocol Protocol, cfg Config) string {
		t.Helper()
		cfg.Group = "g"
		switch g, err := Join(t.Context(), client, protocol, cfg); g.(type) {
		case *Classic:
			return TypeClassic
		case *Modern:
			return TypeConsumer
		default:
			if errors.As(err, new(*broker.VersionError)) && strings.HasSuffix(err.Error(), "Kafka 4.0 or later does") {
				return "too old"
			}
			return err.Error()
		}
	}
	is := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	is(kind(client, Auto, Config{}), TypeConsumer)
	is(kind(client, Auto, Config{Assignors: []string{Range}}), TypeConsumer)
	is(kind(client, Auto, Config{Assignors: []string{Sticky}}), TypeClassic)
	is(kind(client, ClassicProtocol, Config{}), TypeClassic)
	is(kind(client, ConsumerProtocol, Config{Assignors: []string{RoundRobin}}), `no assignor "roundrobin": there are uniform, range`)
	is(kind(client, ClassicProtocol, Config{Assignors: []string{Uniform}}), `no assignor "uniform": there are range, roundrobin, sticky, cooperative-sticky`)
	r := newRoster(t)
	a := r.classic(client, "a", Config{})
	r.await("a has all", r.shares(6, map[*member]int{a: 6}))
	is(kind(client, Auto, Config{}), TypeClassic)
	a.leave()
	is(kind(client, Auto, Config{}), TypeConsumer)
	_ = k

	old, oldClient := newCluster(t, 1, kfake.MaxVersions(kversion.V3_6_0()))
	_ = old
	is(kind(oldClient, Auto, Config{}), TypeClassic)
	is(kind(oldClient, ConsumerProtocol, Config{}), "too old")
}

func TestAGroupWithMembersIsNotVacant(t *testing.T) {
	_, client := newCluster(t, 6)
	if err := Vacant(t.Context(), client, "g"); err != nil {
		t.Error(err)
	}
	r := newRoster(t)
	a := r.classic(client, "a", Config{})
	r.await("a has all", r.shares(6, map[*member]int{a: 6}))
	var live *LiveError
	if err := Vacant(t.Context(), client, "g"); !errors.As(err, &live) || !strings.HasPrefix(err.Error(), "group g has 1 live member: kafkactl (127.0.0.1") {
		t.Error(err)
	}
	failed, _ := NewStandalone(client, "g", 0).Commit(t.Context(), at(tps("t", 2), 5))
	if len(failed) != 2 {
		t.Errorf("%v", failed)
	}
	a.leave()
	if failed, err := NewStandalone(client, "g", 0).Commit(t.Context(), at(tps("t", 2), 5)); failed != nil || err != nil {
		t.Error(failed, err)
	}
	many := &LiveError{Group: "g", Members: slices.Repeat([]MemberDescription{{ID: "i", ClientID: "c"}}, 7)}
	if got := many.Error(); !strings.HasPrefix(got, "group g has 7 live members: c (i), ") || !strings.HasSuffix(got, " and 2 more") {
		t.Error(got)
	}
}

func TestAMemberWithoutACoordinatorGivesUpInTime(t *testing.T) {
	k, _ := newCluster(t, 6)
	client, err := broker.New(broker.Config{Seeds: k.ListenAddrs(), Timeout: 300 * time.Millisecond, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r := newRoster(t)
	a := r.classic(client, "a", Config{})
	r.await("a has all", r.shares(6, map[*member]int{a: 6}))
	k.Close()
	<-a.done
	if a.err == nil || a.lost != 6 {
		t.Errorf("%v, %d lost", a.err, a.lost)
	}
}
