package brokertest_test

import (
	"errors"
	"io"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// The first answer breaks off, the client asks again, and the second is whole.
func TestScriptedFault(t *testing.T) {
	s := brokertest.New(t)
	group := wire.Default[wire.Coordinator]()
	group.Key, group.Host, group.Port = "g", s.Host(), s.Port()
	whole := brokertest.Answer(&wire.FindCoordinatorResponse{Coordinators: []wire.Coordinator{group}})
	s.Script(
		brokertest.Step{Key: wire.FindCoordinator, Reply: whole.Short(9)},
		brokertest.Step{Key: wire.FindCoordinator, Reply: whole.Dribble(), Check: func(r *brokertest.Request) error {
			if keys := r.Body.(*wire.FindCoordinatorRequest).Keys; len(keys) != 1 || keys[0] != "g" {
				return errors.New("asked for something else")
			}
			return nil
		}},
	)
	client, err := broker.New(broker.Config{Seeds: []string{s.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	b, err := client.Coordinator(t.Context(), wire.CoordinatorGroup, "g")
	if err != nil || b.Addr() != s.Addr() {
		t.Fatalf("coordinator %v, %v", b, err)
	}
	if n := s.Accepted(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// A request may be held back until the test says so.
func TestDelayedAnswer(t *testing.T) {
	s := brokertest.NewPipe(t)
	release := make(chan struct{})
	s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply {
		return brokertest.Hangup().After(release)
	})
	client, err := broker.New(broker.Config{Seeds: []string{s.Addr()}, Dial: s.Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	done := make(chan error)
	go func() {
		var resp wire.ListOffsetsResponse
		_, err := client.Try(t.Context(), broker.Any(), &wire.ListOffsetsRequest{ReplicaID: -1}, &resp)
		done <- err
	}()
	s.Await(wire.ListOffsets, 1)
	close(release)
	if err := <-done; !errors.Is(err, broker.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want a closed connection, between responses", err)
	}
}
