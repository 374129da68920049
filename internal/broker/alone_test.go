package broker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// Brokers of 0.9 answer requests that they have at once in any order.
func TestBrokersOfBefore010AreAskedOneThingAtATime(t *testing.T) {
	for name, make := range map[string]func(*brokertest.Server){"0.8": (*brokertest.Server).Old, "0.9": (*brokertest.Server).OldMute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testAlone(t, make) })
		})
	}
}

func testAlone(t *testing.T, make func(*brokertest.Server)) {
	s := brokertest.NewPipe(t)
	make(s)
	s.Handle(wire.ListOffsets, nothing)
	c := dialed(t, s)
	first, err := c.Send(t.Context(), ask(1), -1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = c.Send(ctx, ask(2), -1)
	var re *RequestError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &re) || !re.Unsent() {
		t.Errorf("a second request, before the first was answered: %v", err)
	}
	if err := first.Recv(t.Context(), new(wire.ListOffsetsResponse), nil); err != nil {
		t.Errorf("the first, after that: %v", err)
	}
}

// What has begun to arrive is answered: the next request may leave while records
// are read.
func TestAnOldBrokerIsAskedForMoreFromWithinAnAnswer(t *testing.T) {
	s := brokertest.New(t)
	s.OldMute()
	s.Handle(wire.ListOffsets, nothing)
	s.Handle(wire.Fetch, fetched)
	c := dialed(t, s)
	const size = 4000
	call, err := c.Send(t.Context(), fetch(size), -1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var next *Call
	err = call.Recv(t.Context(), new(wire.FetchResponse), func(path []any, body *wire.Body) (err error) {
		if next, err = c.Send(ctx, ask(2), -1); err != nil {
			return err
		}
		return streamed(size)(path, body)
	})
	if err == nil {
		err = next.Recv(t.Context(), new(wire.ListOffsetsResponse), nil)
	}
	if err != nil {
		t.Error(err)
	}
}

func nothing(*brokertest.Request) brokertest.Reply {
	return brokertest.Answer(&wire.ListOffsetsResponse{})
}

func dialed(t *testing.T, s *brokertest.Server) *Conn {
	t.Helper()
	cfg := Config{Seeds: []string{s.Addr()}, Dial: s.Dial}.withDefaults()
	c, err := (&dialer{cfg: &cfg}).dial(t.Context(), s.Addr(), -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
