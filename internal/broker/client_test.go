package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// clientOf makes a Client for a cluster.
func clientOf(t *testing.T, c *brokertest.Cluster, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{Seeds: c.Seeds(), Dial: c.Dial}
	for _, f := range change {
		f(&cfg)
	}
	client, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func seeds(list ...string) func(*Config) { return func(cfg *Config) { cfg.Seeds = list } }

func TestS19DeadSeedsArePassedOver(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("orders", 3)
	client := clientOf(t, c, seeds(brokertest.Dead(t), brokertest.Stranger(t, []byte("HTTP/1.1 400 Bad Request\r\n")), c.Seeds()[0]))
	snap, err := client.Refresh(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if topic, ok := snap.Topic("orders"); !ok || len(topic.Partitions) != 3 {
		t.Errorf("orders: %+v", topic)
	}
}

func TestS19AllSeedsDeadIsUnavailableAndNamesEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Config{Seeds: []string{"a:1", "b:2"}, Dial: refuse})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		start := time.Now()
		_, err = client.Refresh(t.Context(), nil)
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want ErrUnavailable by refusal", err)
		}
		for _, want := range []string{"a:1: connection refused", "b:2: connection refused", "3 tries"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v to say that nobody is there", took)
		}
	})
}

func refuse(context.Context, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// A black hole swallows packets: dialling it ends with its context.
func blackHole(ctx context.Context, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
}

func TestBlackHoledSeedLeavesTimeForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		client := clientOf(t, c, seeds("hole:9092", "node1:9092"), func(cfg *Config) {
			cfg.Timeout = 8 * time.Second
			cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				if addr == "hole:9092" {
					return blackHole(ctx, addr)
				}
				return c.Dial(ctx, addr)
			}
		})
		for _, most := range []time.Duration{headStart, defaultBackoff} {
			start := time.Now()
			if _, err := client.Refresh(t.Context(), client.Metadata()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > most {
				t.Errorf("took %v, want %v at most", took, most)
			}
		}
	})
}

func TestUnansweredDialsEndWithTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Config{Seeds: []string{"a:1", "b:2"}, Dial: blackHole, Timeout: 12 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		start := time.Now()
		_, err = client.Refresh(t.Context(), nil)
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want ErrUnavailable by deadline", err)
		}
		if took := time.Since(start); took != 12*time.Second {
			t.Errorf("took %v, want 12s", took)
		}
	})
}

// An address that lets nobody in is named once, after a while, and again only when
// it has let somebody in meanwhile.
func TestOutageIsToldOnceAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		var up atomic.Bool
		var mu sync.Mutex
		var told []string
		start := time.Now()
		client, err := New(Config{
			Seeds: c.Seeds(), Timeout: time.Minute,
			Dial: func(ctx context.Context, addr string) (net.Conn, error) {
				if !up.Load() {
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
				}
				return c.Dial(ctx, addr)
			},
			Log: func(level int, format string, args ...any) {
				mu.Lock()
				defer mu.Unlock()
				if level == 0 {
					told = append(told, fmt.Sprintf("%v "+format, append([]any{time.Since(start).Truncate(time.Second)}, args...)...))
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		client.warmUp() // who was never let in is not waited for
		time.AfterFunc(10*time.Second, func() { up.Store(true) })
		if _, err := client.Refresh(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`^[34]s waiting for node1:9092: connection refused\n1[01]s node1:9092 is back after 1[01](\.\d)?s$`)
		if got := strings.Join(told, "\n"); !want.MatchString(got) {
			t.Errorf("told %q", told)
		}
		if client.Ordeal().Retries() == 0 {
			t.Error("no retry was counted")
		}
	})
}

// Who waits for another's request for metadata is told what that one met.
func TestMetadataThatCannotBeHadInTimeSaysWhatWentWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Config{Seeds: []string{"a:1"}, Timeout: time.Minute, Dial: func(context.Context, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		client.warmUp()
		go client.Refresh(t.Context(), nil) // leads
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = client.Refresh(ctx, nil, "t")
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "a:1: connection refused") {
			t.Errorf("got %v, want the cause", err)
		}
	})
}

// Whoever's time ends first, ours or the caller's, the message says which host it
// went to and how far that came.
func TestPeerThatNeverAnswersIsNamedWhenTheTimeIsUp(t *testing.T) {
	for name, tt := range map[string]struct {
		timeout, callers time.Duration
		dial             func(context.Context, string) (net.Conn, error)
		want             string
	}{
		"our time":            {3 * time.Second, 0, nil, "no broker answered (1 try, 3s): pipe:9092: connected, but no answer to ApiVersions"},
		"the caller's":        {30 * time.Second, 3 * time.Second, nil, "no broker answered (1 try, 3s): pipe:9092: connected, but no answer to ApiVersions"},
		"both at once":        {3 * time.Second, 3 * time.Second, nil, "no broker answered (1 try, 3s): pipe:9092: connected, but no answer to ApiVersions"},
		"after some attempts": {25 * time.Second, 25 * time.Second, nil, "no broker answered (3 tries, 25s): pipe:9092: connected, but no answer to ApiVersions within 10s (is it a Kafka listener?)"},
		"no connection":       {3 * time.Second, 3 * time.Second, blackHole, "no broker answered (1 try, 3s): pipe:9092: no connection"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := muteServer(t)
				cfg := Config{Seeds: []string{s.Addr()}, Dial: s.Dial, Timeout: tt.timeout}
				if tt.dial != nil {
					cfg.Dial = tt.dial
				}
				client, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				ctx := t.Context()
				if tt.callers > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.callers)
					defer cancel()
				}
				_, err = client.Refresh(ctx, nil)
				if err == nil || err.Error() != tt.want {
					t.Errorf("got  %v\nwant %v", err, tt.want)
				}
				if !errors.Is(err, ErrUnavailable) || !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v is not ErrUnavailable by deadline", err)
				}
			})
		})
	}
}

// muteServer lets everybody in and answers nothing.
func muteServer(t *testing.T) *brokertest.Server {
	s := brokertest.NewPipe(t)
	silence := func(*brokertest.Request) brokertest.Reply { return brokertest.Silence() }
	s.Handle(wire.APIVersions, silence)
	s.Handle(wire.ListOffsets, silence)
	return s
}

func TestCallerWhoCancelsIsToldThatAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := muteServer(t)
		client, err := New(Config{Seeds: []string{s.Addr()}, Dial: s.Dial})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := client.Refresh(ctx, nil); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v, want the cancellation", err)
		}
	})
}

func TestUnknownHostAndStrangersAreNotWaitedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		dial  func(context.Context, string) (net.Conn, error)
		seed  string
		want  error
		tries int32
	}{
		"unknown host": {func(context.Context, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "a", IsNotFound: true}}
		}, "a:1", ErrUnavailable, hopelessTries},
		"web server": {nil, brokertest.Stranger(t, []byte("HTTP/1.1 400 Bad Request\r\n")), ErrNotKafka, 1},
		"TLS":        {nil, brokertest.Stranger(t, []byte("\x15\x03\x03\x00\x02\x02\x0a")), ErrTLS, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var dials atomic.Int32
			dial := tt.dial
			if dial == nil {
				dial = dialTCP
			}
			client, err := New(Config{Seeds: []string{tt.seed}, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
				dials.Add(1)
				return dial(ctx, addr)
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_, err = client.Refresh(t.Context(), nil)
			if !errors.Is(err, tt.want) || !errors.Is(err, ErrUnavailable) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if n := dials.Load(); n != tt.tries {
				t.Errorf("%d dials, want %d", n, tt.tries)
			}
		})
	}
}

func TestUnreachableAdvertisedListenerIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 2)
		c.Create("orders", 2)
		client := clientOf(t, c, seeds("node1:9092"), func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				if addr == "node2:9092" {
					return refuse(ctx, addr)
				}
				return c.Dial(ctx, addr)
			}
		})
		_, err := client.Open(t.Context(), 2)
		var dial *DialError
		if !errors.As(err, &dial) || !dial.Advertised || dial.Node != 2 || dial.Addr != "node2:9092" {
			t.Fatalf("got %#v, want an advertised address that failed", err)
		}
		for _, want := range []string{"node2:9092", "node 2", "advertised.listeners", "connection refused"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		start := time.Now()
		_, err = client.Do(t.Context(), Node(2), ask(0), &wire.ListOffsetsResponse{})
		if !errors.As(err, &dial) || !dial.Advertised || !errors.Is(err, ErrUnavailable) {
			t.Errorf("Do: got %v, want the same, at the end", err)
		}
		if took := time.Since(start); took != defaultTimeout {
			t.Errorf("took %v, want %v: the broker might come back", took, defaultTimeout)
		}
	})
}

func TestAdvertisedHostThatNobodyKnowsIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 2)
		client := clientOf(t, c, seeds("node1:9092"), func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				if addr == "node2:9092" {
					return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "node2", IsNotFound: true}}
				}
				return c.Dial(ctx, addr)
			}
		})
		start := time.Now()
		_, err := client.Do(t.Context(), Node(2), ask(0), &wire.ListOffsetsResponse{})
		if err == nil || !strings.Contains(err.Error(), "node2:9092, the address node 2 advertises") || !strings.Contains(err.Error(), "no such host") {
			t.Errorf("got %v, want the advertised host named", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestListenerThatWantsSASLIsNamed(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply { return brokertest.Hangup() })
	client, err := New(Config{Seeds: []string{s.Addr()}, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = client.Do(t.Context(), Any(), ask(0), &wire.ListOffsetsResponse{})
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "SASL") {
		t.Errorf("got %v, want a hang-up that asks for SASL", err)
	}
	if n := s.Count(wire.ListOffsets); n != hopelessTries {
		t.Errorf("sent %d times, want %d", n, hopelessTries)
	}
}

func TestSeedThatIsAdvertisedTooIsNotBlamedOnTheCluster(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	client := clientOf(t, c)
	if _, err := client.Refresh(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	c.Node(1).Stop()
	_, err := client.Open(t.Context(), 1)
	var dial *DialError
	if !errors.As(err, &dial) || dial.Advertised {
		t.Errorf("got %v, want an address that the user gave", err)
	}
}

func TestDoRepeatsWhatMayBeRepeatedOnLostConnections(t *testing.T) {
	s := brokertest.New(t)
	s.Script(
		brokertest.Step{Key: wire.ListOffsets, Reply: brokertest.Hangup()},
		brokertest.Step{Key: wire.ListOffsets, Reply: answerOf(5).Short(7)},
		brokertest.Step{Key: wire.ListOffsets, Reply: answerOf(5)},
	)
	client, err := New(Config{Seeds: []string{s.Addr()}, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var resp wire.ListOffsetsResponse
	if _, err := client.Do(t.Context(), Any(), ask(5), &resp); err != nil {
		t.Fatal(err)
	}
	if err := answered(&resp, 5); err != nil {
		t.Error(err)
	}
}

func TestDoDoesNotRepeatWhatMayHaveBeenDone(t *testing.T) {
	s := brokertest.New(t)
	s.Script(brokertest.Step{Key: wire.CreateTopics, Reply: brokertest.Hangup()})
	client, err := New(Config{Seeds: []string{s.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := wire.Default[wire.CreateTopicsRequest]()
	_, err = client.Do(t.Context(), Any(), &req, &wire.CreateTopicsResponse{})
	var failed *RequestError
	if !errors.As(err, &failed) || !errors.Is(err, ErrClosed) || failed.Broker != s.Addr() || failed.API != wire.CreateTopics {
		t.Errorf("got %v, want the lost connection, named", err)
	}
	if n := s.Count(wire.CreateTopics); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestDoRepeatsAnythingThatNobodyHasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		down := true
		client := clientOf(t, c, func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				if down {
					down = false
					return refuse(ctx, addr)
				}
				return c.Dial(ctx, addr)
			}
		})
		if err := createOn(t, client, Any(), "t"); err != nil {
			t.Error(err)
		}
		if got := c.Created(); !slices.Equal(got, []string{"t"}) {
			t.Errorf("created %v, want t once", got)
		}
	})
}

func createOn(t *testing.T, client *Client, to To, name string) error {
	t.Helper()
	req := wire.Default[wire.CreateTopicsRequest]()
	topic := wire.Default[wire.CreatableTopic]()
	topic.Name, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
	req.Topics = []wire.CreatableTopic{topic}
	var resp wire.CreateTopicsResponse
	if _, err := client.Do(t.Context(), to, &req, &resp); err != nil {
		return err
	}
	return resp.Topics[0].ErrorCode.Err()
}

func TestControllerIsAskedAgainWhereItMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 3)
		client := clientOf(t, c, seeds("node1:9092"))
		for i, controller := range []int32{2, 3, 1} {
			c.Control(controller)
			name := fmt.Sprint("topic", i)
			if err := createOn(t, client, Controller(), name); err != nil {
				t.Errorf("controller %d: %v", controller, err)
			}
		}
		if n := len(c.Created()); n != 3 {
			t.Errorf("%d topics were made, want 3", n)
		}
	})
}

func TestCoordinatorIsFoundAgainWhereItMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 3)
		c.Create("orders", 1)
		client := clientOf(t, c, seeds("node1:9092"))
		if _, err := client.Refresh(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for i, coordinator := range []int32{2, 3, 3, 1} {
			c.Coordinate(coordinator)
			commit(t, client, "g", int64(i))
			if got := c.Stored("g", "orders", 0, false); got != int64(i) {
				t.Errorf("stored %d, want %d", got, i)
			}
		}
		if n := c.Count(wire.FindCoordinator); n != 3 {
			t.Errorf("looked for %d times, want 3: once and after each move", n)
		}
		c.Coordinate(2)
		c.Node(1).Stop() // which was the coordinator, and the only seed
		commit(t, client, "g", 9)
		if got := c.Stored("g", "orders", 0, false); got != 9 {
			t.Errorf("stored %d, want 9", got)
		}
	})
}

func commit(t *testing.T, client *Client, group string, offset int64) {
	t.Helper()
	req := wire.Default[wire.OffsetCommitRequest]()
	part := wire.Default[wire.OffsetCommitPartition]()
	part.CommittedOffset = offset
	req.GroupID = group
	req.Topics = []wire.OffsetCommitTopic{{Name: "orders", Partitions: []wire.OffsetCommitPartition{part}}}
	var resp wire.OffsetCommitResponse
	if _, err := client.Do(t.Context(), GroupCoordinator(group), &req, &resp); err != nil {
		t.Fatal(err)
	}
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != wire.None {
		t.Fatalf("committing %d: %v", offset, code)
	}
}

func TestS14CoordinatorErrorsAreNamedWhenTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Window(wire.FindCoordinator, 0, 0)
		s.Handle(wire.FindCoordinator, func(r *brokertest.Request) brokertest.Reply {
			return brokertest.Answer(&wire.FindCoordinatorResponse{ErrorCode: wire.CoordinatorNotAvailable, NodeID: -1, Port: -1})
		})
		client, err := New(Config{Seeds: []string{s.Addr()}, Dial: s.Dial, Timeout: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		start := time.Now()
		_, err = client.Coordinator(t.Context(), wire.CoordinatorGroup, "g")
		if !errors.Is(err, wire.CoordinatorNotAvailable) || errors.Is(err, ErrUnavailable) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want COORDINATOR_NOT_AVAILABLE at the end of the time", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v, want 3s", took)
		}
		s.Handle(wire.FindCoordinator, func(r *brokertest.Request) brokertest.Reply {
			return brokertest.Answer(&wire.FindCoordinatorResponse{ErrorCode: wire.GroupAuthorizationFailed, NodeID: -1, Port: -1})
		})
		start = time.Now()
		if _, err = client.Coordinator(t.Context(), wire.CoordinatorGroup, "g"); !errors.Is(err, wire.GroupAuthorizationFailed) {
			t.Errorf("got %v, want GROUP_AUTHORIZATION_FAILED", err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v, want no retry", took)
		}
	})
}

func TestBackoffDoublesWithJitterUpToASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Config{Seeds: []string{"a:1"}})
		if err != nil {
			t.Fatal(err)
		}
		differ := make(map[time.Duration]bool)
		for try, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
			want *= time.Millisecond
			for range 5 {
				start := time.Now()
				if err := client.Pause(t.Context(), try+1); err != nil {
					t.Fatal(err)
				}
				took := time.Since(start)
				if took < want*8/10 || took > want*12/10 {
					t.Errorf("try %d: %v, want about %v", try+1, took, want)
				}
				differ[took] = true
			}
		}
		if len(differ) < 10 {
			t.Error("no jitter")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := client.Pause(ctx, 1_000_000); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's end", err)
		}
	})
}

func TestRetriesAreCountedWhereTheyAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply { return brokertest.Hangup() })
		client, err := New(Config{Seeds: []string{s.Addr()}, Dial: s.Dial, Retries: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		_, err = client.Do(t.Context(), Any(), ask(1), &wire.ListOffsetsResponse{})
		if !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "3 tries") {
			t.Errorf("got %v, want the third failure", err)
		}
		if n := s.Count(wire.ListOffsets); n != 3 {
			t.Errorf("sent %d times, want 3", n)
		}
	})
}

func TestCallersContextEndsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Config{Seeds: []string{"a:1"}, Dial: blackHole})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := client.Do(ctx, Any(), ask(1), &wire.ListOffsetsResponse{}); err == nil {
			t.Error("no error")
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
	})
}

func TestConnectionsAreSharedAndDialledOnce(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("t", 20)
	client := clientOf(t, c)
	var wg sync.WaitGroup
	for n := range int32(20) {
		wg.Go(func() {
			if _, err := client.Do(t.Context(), Any(), ask(n), &wire.ListOffsetsResponse{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := c.Node(1).Accepted(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestDialIsNotLostWithTheCallerThatBeganIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		client := clientOf(t, c, func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				if err := sleep(ctx, 2*time.Second); err != nil {
					return nil, err
				}
				return c.Dial(ctx, addr)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Try(ctx, Any(), ask(1), &wire.ListOffsetsResponse{}); err == nil {
				t.Error("the impatient one was served")
			}
		})
		synctest.Wait()
		if _, err := client.Try(t.Context(), Any(), ask(1), &wire.ListOffsetsResponse{}); err != nil {
			t.Errorf("the patient one: %v", err)
		}
		wg.Wait()
	})
}

func TestRestedConnectionsAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		client := clientOf(t, c)
		for range 2 {
			if err := createOn(t, client, Any(), "t"); err != nil && !errors.Is(err, wire.TopicAlreadyExists) {
				t.Fatal(err)
			}
			time.Sleep(maxIdle + time.Second)
		}
		if n := c.Node(1).Accepted(); n != 2 {
			t.Errorf("%d connections, want 2", n)
		}
	})
}

// The broker was restarted and our connection with it: unnoticed, since nobody
// reads from an idle connection, and what is written to it is lost.
func TestWhatMayNotBeRepeatedIsNotTrustedToARestedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		client := clientOf(t, c, func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				nc, err := c.Dial(ctx, addr)
				return unnoticed{nc}, err
			}
		})
		refresh(t, client, nil)
		c.Node(1).HangUp()
		time.Sleep(2 * maxRest)
		if err := createOn(t, client, Any(), "t"); err != nil {
			t.Error(err)
		}
	})
}

// unnoticed takes writes as a kernel does whose peer has gone.
type unnoticed struct{ net.Conn }

func (u unnoticed) Write(p []byte) (int, error) {
	_, _ = u.Conn.Write(p)
	return len(p), nil
}

func TestAddressesThatFailedComeLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 2)
		dials := make(map[string]int)
		client := clientOf(t, c, seeds("dead:1", "node1:9092", "node2:9092"), func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				dials[addr]++
				return c.Dial(ctx, addr)
			}
		})
		for _, stop := range []int32{0, 1} {
			if stop > 0 {
				c.Node(stop).Stop()
			}
			if _, err := client.Do(t.Context(), Any(), ask(0), &wire.ListOffsetsResponse{}); err != nil {
				t.Fatal(err)
			}
		}
		if dials["dead:1"] != 1 || dials["node2:9092"] != 1 {
			t.Errorf("dialled %v, want the dead one once", dials)
		}
	})
}

func TestRebootstrapLeadsBackToTheSeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 2)
		client := clientOf(t, c, seeds("node1:9092"))
		snap := refresh(t, client, nil)
		stale := wire.Default[wire.MetadataResponse]()
		stale.ErrorCode = wire.RebootstrapRequired
		c.Node(1).Script(brokertest.Step{Key: wire.Metadata, Reply: brokertest.Answer(&stale)})
		if snap = refresh(t, client, snap); len(snap.Brokers) != 2 {
			t.Errorf("brokers %v, want 2", snap.Brokers)
		}
		if n := c.Node(1).Accepted(); n != 2 {
			t.Errorf("%d connections to the seed, want a second", n)
		}
	})
}

func TestSeedsAreAskedAgainWhenAllKnownBrokersAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, now := brokertest.NewPipeCluster(t, 3), brokertest.NewPipeCluster(t, 1)
		now.Create("moved", 1)
		where := old
		client := clientOf(t, old, seeds("seed:9092"), func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				if addr == "seed:9092" { // a name that follows the cluster
					return where.Dial(ctx, "node1:9092")
				}
				return old.Dial(ctx, addr)
			}
		})
		snap, err := client.Refresh(t.Context(), nil)
		if err != nil || len(snap.Brokers) != 3 {
			t.Fatalf("brokers %v, %v", snap, err)
		}
		old.All((*brokertest.Server).Stop)
		where = now
		snap, err = client.Refresh(t.Context(), snap)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := snap.Topic("moved"); !ok {
			t.Error("the new cluster's topic is unknown")
		}
	})
}

func TestClosedClientSaysSo(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	client := clientOf(t, c)
	if _, err := client.Refresh(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	client.Close()
	if _, err := client.Do(t.Context(), Any(), ask(1), &wire.ListOffsetsResponse{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Do: %v, want ErrClosed", err)
	}
	if _, err := client.Open(t.Context(), 1); !errors.Is(err, ErrClosed) {
		t.Errorf("Open: %v, want ErrClosed", err)
	}
}

func TestLogHasALineForEachRequestAndRetry(t *testing.T) {
	s := brokertest.New(t)
	s.Script(
		brokertest.Step{Key: wire.ListOffsets, Reply: brokertest.Hangup()},
		brokertest.Step{Key: wire.ListOffsets, Reply: answerOf(5)},
	)
	var mu sync.Mutex
	lines := make(map[int][]string)
	client, err := New(Config{Seeds: []string{s.Addr()}, RetryBackoff: time.Millisecond, Log: func(level int, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines[level] = append(lines[level], fmt.Sprintf(format, args...))
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Do(t.Context(), Any(), ask(5), &wire.ListOffsetsResponse{}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(lines[1]) != 1 || !strings.Contains(lines[1][0], "retrying ListOffsets") || !strings.Contains(lines[1][0], "hung up") {
		t.Errorf("retries: %q", lines[1])
	}
	if len(lines[2]) != 4 || !strings.Contains(lines[2][1], s.Addr()+": ListOffsets v11, ") {
		t.Errorf("requests: %q", lines[2])
	}
}

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}

func TestS20OneLeaderDiesTheOtherAnswersAndMetadataIsFetchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 2)
		c.Create("orders", 2)
		client := clientOf(t, c)
		snap := refresh(t, client, nil, "orders")
		c.Node(1).Stop()
		try := func(snap *Snapshot, partition int32) error {
			node, _ := snap.Leader(TP{"orders", partition})
			req := ask(partition)
			req.Topics[0].Name = "orders"
			var resp wire.ListOffsetsResponse
			if _, err := client.Try(t.Context(), Node(node), req, &resp); err != nil {
				return err
			}
			return resp.Topics[0].Partitions[0].ErrorCode.Err()
		}
		if err := try(snap, 0); !errors.Is(err, ErrClosed) { // the connection is found lost
			t.Errorf("orders:0: %v, want a lost connection", err)
		}
		var dial *DialError
		if err := try(snap, 0); !errors.As(err, &dial) || dial.Node != 1 {
			t.Errorf("orders:0: %v, want node 1 unreachable", err)
		}
		if err := try(snap, 1); err != nil {
			t.Errorf("orders:1: %v", err)
		}
		c.Lead("orders", 0, -1)
		snap = refresh(t, client, snap, "orders")
		if node, _ := snap.Leader(TP{"orders", 0}); node != -1 {
			t.Errorf("orders:0 is led by %d, want nobody", node)
		}
		c.Lead("orders", 0, 2)
		snap = refresh(t, client, snap, "orders")
		if err := try(snap, 0); err != nil {
			t.Errorf("orders:0 at its new leader: %v", err)
		}
	})
}

// A connection that died unnoticed costs a part of the time, not all of it.
func TestSilentConnectionLeavesTimeForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
			if r.Conn == 1 {
				return brokertest.Silence()
			}
			return told(r)
		})
		client, err := New(Config{Seeds: []string{s.Addr()}, Dial: s.Dial, Timeout: 9 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		var resp wire.ListOffsetsResponse
		start := time.Now()
		if _, err := client.Do(t.Context(), Any(), ask(1), &resp); err != nil {
			t.Fatal(err)
		}
		if err := answered(&resp, 1); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("took %v, a third of the timeout is 3s", took)
		}
	})
}

// A broker that is slow, rather than gone, has most of the time for its answer.
func TestSlowAnswerIsWaitedForInTheSecondTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
			slow := make(chan struct{})
			time.AfterFunc(5*time.Second, func() { close(slow) })
			return told(r).After(slow)
		})
		client, err := New(Config{Seeds: []string{s.Addr()}, Dial: s.Dial, Timeout: 9 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		var resp wire.ListOffsetsResponse
		if _, err := client.Do(t.Context(), Any(), ask(1), &resp); err != nil {
			t.Fatal(err)
		}
		if n := s.Count(wire.ListOffsets); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
	})
}
