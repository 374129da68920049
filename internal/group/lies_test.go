package group

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// The time that a coordinator is looked for in vain ends with what was in the way.
func TestACoordinatorThatNobodyKnowsIsNamedInTheEnd(t *testing.T) {
	for _, p := range []Protocol{Auto, ConsumerProtocol} {
		synctest.Test(t, func(t *testing.T) {
			c := brokertest.NewPipeCluster(t, 1)
			c.Node(1).Bend(wire.FindCoordinator, func(_ *brokertest.Request, reply brokertest.Reply) brokertest.Reply {
				resp := reply.Response().(*wire.FindCoordinatorResponse)
				for i := range resp.Coordinators {
					resp.Coordinators[i].NodeID = 77
				}
				return reply
			})
			client, err := broker.New(broker.Config{Seeds: c.Seeds(), Dial: c.Dial, Timeout: 10 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = Join(t.Context(), client, p, Config{Group: "g", Topics: []string{"t"}})
			if took := time.Since(began).Round(time.Second); !errors.Is(err, broker.ErrUnknownNode) || !strings.Contains(err.Error(), "coordinator of group g") || took != 10*time.Second {
				t.Errorf("%v: after %v: %v", p, took, err)
			}
			_ = client.Close()
			c.All((*brokertest.Server).Stop)
		})
	}
}

func TestPatienceEndsWithWhatItWasSpentOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := broker.New(broker.Config{Seeds: []string{"a:1"}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		pt := patience{client: client}
		for err == nil {
			err = pt.wait(ctx, wire.CoordinatorLoadInProgress)
		}
		if !errors.Is(err, wire.CoordinatorLoadInProgress) {
			t.Error(err)
		}
		stopped, stop := context.WithCancel(t.Context())
		stop()
		if err := pt.wait(stopped, wire.CoordinatorLoadInProgress); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	})
}
