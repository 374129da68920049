package group

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// What another client's members hold is told as they joined, by who coordinates
// them, and looking changes nothing.
func TestMembersOfOthersAreDescribed(t *testing.T) {
	k, client := newCluster(t, 4)
	member, err := kgo.NewClient(kgo.SeedBrokers(k.ListenAddrs()...), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"),
		kgo.ClientID("other"), kgo.InstanceID("static-1"), kgo.Balancers(kgo.RangeBalancer()))
	if err != nil {
		t.Fatal(err)
	}
	defer member.Close()
	var got Description
	for late := time.After(20 * time.Second); got.State != "Stable"; {
		all, err := Describe(t.Context(), client, []string{"g", "nobody", "g"})
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(all[1].Err, wire.GroupIDNotFound) || all[0].Group != "g" || all[2].Group != "g" {
			t.Fatalf("%+v", all)
		}
		got = all[0]
		select {
		case <-late:
			t.Fatalf("not stable: %+v", got)
		default:
		}
	}
	if got.Type != TypeClassic || got.Assignor != "range" || got.Epoch != -1 || got.Coordinator.Port == 0 || len(got.Members) != 1 {
		t.Fatalf("%+v", got)
	}
	m := got.Members[0]
	want := []broker.TP{{Topic: "t", Partition: 0}, {Topic: "t", Partition: 1}, {Topic: "t", Partition: 2}, {Topic: "t", Partition: 3}}
	if m.ClientID != "other" || m.InstanceID != "static-1" || m.Host == "" || strings.HasPrefix(m.Host, "/") || !slices.Equal(m.Assigned, want) || !slices.Equal(m.Subscribed, []string{"t"}) || m.Opaque {
		t.Errorf("%+v", m)
	}
	live, err := LiveMembers(t.Context(), client, "g")
	if err != nil || len(live) != 1 || live[0].ID != m.ID {
		t.Errorf("%+v, %v", live, err)
	}
	if live, err := LiveMembers(t.Context(), client, "nobody"); err != nil || live != nil {
		t.Errorf("%+v, %v", live, err)
	}
	list, err := List(t.Context(), client, Filter{States: []string{"stable"}})
	if err != nil || len(list) != 1 || list[0].Group != "g" || list[0].Type != TypeClassic || list[0].Coordinator != got.Coordinator {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := List(t.Context(), client, Filter{Types: []string{TypeShare}}); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// scripted is brokers whose answers about groups a test writes.
func scripted(t *testing.T, n int, set func(node int32, s *brokertest.Server)) *broker.Client {
	t.Helper()
	c := brokertest.NewCluster(t, n)
	for i := range int32(n) {
		set(i+1, c.Node(i+1))
	}
	return newClient(t, c.Seeds())
}

func describing(groups ...wire.DescribedGroup) brokertest.Handler {
	return func(*brokertest.Request) brokertest.Reply {
		return brokertest.Answer(&wire.DescribeGroupsResponse{Groups: groups})
	}
}

// Brokers before 4.0 call a group that is not there Dead; before 3.8 they do not
// know the question for consumer groups.
func TestDeadIsNotFound(t *testing.T) {
	client := scripted(t, 1, func(_ int32, s *brokertest.Server) {
		s.Window(wire.DescribeGroups, 0, 5)
		s.Window(wire.ConsumerGroupDescribe, 1, 0)
		s.Window(wire.ShareGroupDescribe, 1, 0)
		s.Handle(wire.DescribeGroups, describing(wire.DescribedGroup{GroupID: "gone", GroupState: "Dead"},
			wire.DescribedGroup{GroupID: "connect", GroupState: "Stable", ProtocolType: "connect", Members: []wire.DescribedGroupMember{
				{MemberID: "w", ClientHost: "/10.0.0.1", MemberAssignment: []byte("not a consumer's")}}}))
	})
	all, err := Describe(t.Context(), client, []string{"gone", "connect", "silent"})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(all[0].Err, wire.GroupIDNotFound) {
		t.Errorf("%+v", all[0])
	}
	if m := all[1].Members; all[1].Err != nil || len(m) != 1 || !m[0].Opaque || m[0].Assigned != nil || m[0].Host != "10.0.0.1" {
		t.Errorf("%+v", all[1])
	}
	if all[2].Err == nil || errors.Is(all[2].Err, wire.GroupIDNotFound) {
		t.Errorf("%+v", all[2])
	}
}

// Each type answers to its own question alone.
func TestGroupsOfEveryTypeAreFound(t *testing.T) {
	none := func(ids []string, has string) []wire.ConsumerGroupDescription {
		var list []wire.ConsumerGroupDescription
		for _, g := range ids {
			d := wire.ConsumerGroupDescription{GroupID: g, ErrorCode: wire.GroupIDNotFound}
			if g == has {
				d = wire.ConsumerGroupDescription{GroupID: g, GroupState: "Reconciling", GroupEpoch: 5, AssignorName: "uniform", Members: []wire.ConsumerGroupMember{{
					MemberID: "m", MemberEpoch: 4, MemberType: 1, Assignment: wire.MemberAssignment{TopicPartitions: []wire.MemberTopic{{TopicName: "t", Partitions: []int32{1, 0}}}},
				}}}
			}
			list = append(list, d)
		}
		return list
	}
	client := scripted(t, 1, func(_ int32, s *brokertest.Server) {
		s.Handle(wire.ConsumerGroupDescribe, func(r *brokertest.Request) brokertest.Reply {
			req, _ := r.Body.(*wire.ConsumerGroupDescribeRequest)
			return brokertest.Answer(&wire.ConsumerGroupDescribeResponse{Groups: none(req.GroupIDs, "modern")})
		})
		s.Handle(wire.DescribeGroups, func(r *brokertest.Request) brokertest.Reply {
			req, _ := r.Body.(*wire.DescribeGroupsRequest)
			resp := &wire.DescribeGroupsResponse{}
			for _, g := range req.Groups {
				d := wire.DescribedGroup{GroupID: g, ErrorCode: wire.GroupIDNotFound}
				if g == "secret" {
					d.ErrorCode = wire.GroupAuthorizationFailed
				}
				resp.Groups = append(resp.Groups, d)
			}
			return brokertest.Answer(resp)
		})
		s.Handle(wire.ShareGroupDescribe, func(r *brokertest.Request) brokertest.Reply {
			req, _ := r.Body.(*wire.ShareGroupDescribeRequest)
			resp := &wire.ShareGroupDescribeResponse{}
			for _, g := range req.GroupIDs {
				d := wire.ShareGroupDescription{GroupID: g, ErrorCode: wire.GroupIDNotFound}
				if g == "shared" {
					d = wire.ShareGroupDescription{GroupID: g, GroupState: "Stable", GroupEpoch: 2}
				}
				resp.Groups = append(resp.Groups, d)
			}
			return brokertest.Answer(resp)
		})
	})
	all, err := Describe(t.Context(), client, []string{"modern", "shared", "nobody", "secret"})
	if err != nil {
		t.Fatal(err)
	}
	d := all[0]
	if d.Err != nil || d.Type != TypeConsumer || d.Epoch != 5 || len(d.Members) != 1 || d.Members[0].Epoch != 4 || len(d.Members[0].Assigned) != 2 || d.Members[0].Target == nil {
		t.Errorf("%+v", d)
	}
	if all[1].Err != nil || all[1].Type != TypeShare || all[1].Epoch != 2 {
		t.Errorf("%+v", all[1])
	}
	if !errors.Is(all[2].Err, wire.GroupIDNotFound) || !errors.Is(all[3].Err, wire.GroupAuthorizationFailed) {
		t.Errorf("%v, %v", all[2].Err, all[3].Err)
	}
}

// A broker that fails leaves the groups of the others, beside its error; one
// that is loading is asked again; states that are not told are asked for.
func TestEveryBrokerIsAskedForItsGroups(t *testing.T) {
	loading := true
	client := scripted(t, 3, func(node int32, s *brokertest.Server) {
		s.Window(wire.ListGroups, 0, 3)
		s.Window(wire.ConsumerGroupDescribe, 1, 0)
		s.Handle(wire.DescribeGroups, describing(wire.DescribedGroup{GroupID: "a", GroupState: "Empty"}, wire.DescribedGroup{GroupID: "b", GroupState: "Stable"}))
		s.Handle(wire.ListGroups, func(*brokertest.Request) brokertest.Reply {
			resp := &wire.ListGroupsResponse{}
			switch {
			case node == 1 && loading:
				loading = false
				resp.ErrorCode = wire.CoordinatorLoadInProgress
			case node == 1:
				resp.Groups = []wire.ListedGroup{{GroupID: "b", ProtocolType: "consumer"}}
			case node == 2:
				resp.Groups = []wire.ListedGroup{{GroupID: "a"}}
			default:
				resp.ErrorCode = wire.ClusterAuthorizationFailed
			}
			return brokertest.Answer(resp)
		})
	})
	list, err := List(t.Context(), client, Filter{})
	if !errors.Is(err, wire.ClusterAuthorizationFailed) {
		t.Errorf("the error is %v", err)
	}
	if len(list) != 2 || list[0].Group != "a" || list[0].State != "Empty" || list[0].Coordinator.ID != 2 || list[1].State != "Stable" || list[1].Coordinator.ID != 1 {
		t.Errorf("%+v", list)
	}
}

// Brokers before 0.9 know no members, which is not an error for who only wants
// to know whether there are any.
func TestBrokersWithoutGroupsHaveNoLiveMembers(t *testing.T) {
	client := scripted(t, 1, func(_ int32, s *brokertest.Server) {
		for _, key := range []wire.Key{wire.DescribeGroups, wire.ListGroups, wire.ConsumerGroupDescribe, wire.ShareGroupDescribe} {
			s.Window(key, 1, 0)
		}
	})
	if live, err := LiveMembers(t.Context(), client, "g"); live != nil || err != nil {
		t.Error(live, err)
	}
	all, err := Describe(t.Context(), client, []string{"g"})
	if err != nil || all[0].Err == nil || !strings.Contains(all[0].Err.Error(), "0.9.0 or later") {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := List(t.Context(), client, Filter{}); err == nil || !strings.Contains(err.Error(), "0.9.0 or later") {
		t.Errorf("listing: %v", err)
	}
}
