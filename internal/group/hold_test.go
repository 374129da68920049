package group

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// A coordinator holds the answer to JoinGroup back for as long as the group waits
// for others. A connection that was lost looks the same; what the group is in the
// meantime tells the one from the other.
func TestAnAnswerIsWaitedForOnlyWhileTheGroupWaits(t *testing.T) {
	for name, c := range map[string]struct {
		state string
		hold  holding
		gone  bool
	}{
		"the group waits for others":          {statePreparing, holding{state: statePreparing}, false},
		"the group has long been complete":    {"Stable", holding{state: statePreparing}, true},
		"the group is gone":                   {"Dead", holding{state: stateCompleting}, true},
		"the leader has yet to assign":        {stateCompleting, holding{state: stateCompleting}, false},
		"so it is called before 0.11":         {stateAwaiting, holding{state: stateCompleting}, false},
		"an answer that is due within a time": {statePreparing, holding{limit: time.Minute}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := brokertest.NewPipe(t)
				s.Handle(wire.FindCoordinator, func(r *brokertest.Request) brokertest.Reply {
					resp := wire.Default[wire.FindCoordinatorResponse]()
					one := wire.Default[wire.Coordinator]()
					one.Key, one.NodeID, one.Host, one.Port = "g", 1, "pipe", 9092
					resp.Coordinators = []wire.Coordinator{one}
					return brokertest.Answer(&resp)
				})
				s.Handle(wire.DescribeGroups, func(*brokertest.Request) brokertest.Reply {
					return brokertest.Answer(&wire.DescribeGroupsResponse{Groups: []wire.DescribedGroup{{GroupID: "g", GroupState: c.state}}})
				})
				client, err := broker.New(broker.Config{Seeds: []string{s.Addr()}, Dial: s.Dial, Timeout: 30 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				m := &Classic{client: client, cfg: Config{Group: "g"}}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				start := time.Now()
				gone := m.silent(ctx, c.hold)
				if (gone != nil) != c.gone {
					t.Errorf("after %v: %v", time.Since(start), gone)
				}
				if took := time.Since(start); c.gone && took > 2*time.Minute {
					t.Errorf("known only after %v", took)
				}
			})
		})
	}
}
