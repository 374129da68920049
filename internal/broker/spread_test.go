package broker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// asker counts who is asked about what.
type asker struct {
	mu    sync.Mutex
	asked map[int32][]string
	says  func(node int32, key string) error
}

func (a *asker) ask(_ context.Context, node int32, keys []string) map[string]error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked == nil {
		a.asked = map[int32][]string{}
	}
	failed := map[string]error{}
	for _, k := range keys {
		a.asked[node] = append(a.asked[node], k)
		if a.says != nil {
			failed[k] = a.says(node, k)
		}
	}
	return failed
}

func spreadClient(t *testing.T, timeout time.Duration) (*brokertest.Cluster, *broker.Client) {
	t.Helper()
	c := brokertest.NewCluster(t, 3) // node 3 coordinates
	client, err := broker.New(broker.Config{Seeds: c.Seeds(), Timeout: timeout, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return c, client
}

func manyKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("g", i)
	}
	return keys
}

func TestCoordinatorsOfManyAreAskedForTogether(t *testing.T) {
	for _, version := range []int16{3, 4} {
		c, client := spreadClient(t, 10*time.Second)
		c.All(func(s *brokertest.Server) { s.Window(wire.FindCoordinator, 0, version) })
		var a asker
		failed, err := client.AskCoordinators(t.Context(), wire.CoordinatorGroup, manyKeys(150), nil, a.ask)
		if err != nil || len(failed) != 0 {
			t.Fatal(failed, err)
		}
		if len(a.asked) != 1 || len(a.asked[3]) != 150 {
			t.Errorf("v%d: asked %v", version, a.asked)
		}
		want := 2
		if version < 4 {
			want = 150
		}
		if n := c.Count(wire.FindCoordinator); n != want {
			t.Errorf("v%d: %d requests for coordinators, want %d", version, n, want)
		}
	}
}

// What was told before may be wrong by now; what a coordinator says of one key is
// no trouble of the others.
func TestKeysThatMovedAreAskedAfterAgain(t *testing.T) {
	_, client := spreadClient(t, 10*time.Second)
	a := asker{says: func(node int32, key string) error {
		switch {
		case node != 3:
			return wire.NotCoordinator
		case key == "secret":
			return wire.GroupAuthorizationFailed
		}
		return nil
	}}
	keys := []string{"here", "moved", "secret"}
	failed, err := client.AskCoordinators(t.Context(), wire.CoordinatorGroup, keys, map[string]int32{"here": 3, "moved": 1, "secret": 3}, a.ask)
	if err != nil || len(failed) != 1 || !errors.Is(failed["secret"], wire.GroupAuthorizationFailed) {
		t.Error(failed, err)
	}
	if len(a.asked[1]) != 1 || len(a.asked[3]) != 3 {
		t.Errorf("asked %v", a.asked)
	}
}

func TestKeysThatStayLostEndWithTheTimeout(t *testing.T) {
	_, client := spreadClient(t, 50*time.Millisecond)
	a := asker{says: func(_ int32, key string) error {
		if key == "lost" {
			return wire.CoordinatorLoadInProgress
		}
		return nil
	}}
	failed, err := client.AskCoordinators(t.Context(), wire.CoordinatorGroup, []string{"lost", "fine"}, nil, a.ask)
	var end *broker.ExhaustedError
	if err != nil || len(failed) != 1 || !errors.As(failed["lost"], &end) || !errors.Is(end, wire.CoordinatorLoadInProgress) {
		t.Error(failed, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	a.says = func(int32, string) error { cancel(); return wire.NotCoordinator }
	if _, err := client.AskCoordinators(ctx, wire.CoordinatorGroup, []string{"x"}, nil, a.ask); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
