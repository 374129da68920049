package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// connect dials s as a Client would, and closes with the test.
func connect(t *testing.T, s *brokertest.Server, change ...func(*Config)) *Conn {
	t.Helper()
	c, err := tryConnect(t, s.Addr(), change...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryConnect(t *testing.T, addr string, change ...func(*Config)) (*Conn, error) {
	t.Helper()
	cfg := Config{Seeds: []string{addr}}
	for _, f := range change {
		f(&cfg)
	}
	cfg = cfg.withDefaults()
	d := &dialer{cfg: &cfg}
	c, err := d.dial(t.Context(), addr, -1)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func over(s *brokertest.Server) func(*Config) {
	return func(cfg *Config) { cfg.Dial = s.Dial }
}

// ask is a ListOffsets request that its answer can be told by.
func ask(n int32) *wire.ListOffsetsRequest {
	req := wire.Default[wire.ListOffsetsRequest]()
	part := wire.Default[wire.ListOffsetsPartition]()
	part.Index, part.Timestamp = n, wire.LatestTimestamp
	req.Topics = []wire.ListOffsetsTopic{{Name: "t", Partitions: []wire.ListOffsetsPartition{part}}}
	return &req
}

// told answers ask with the number in it.
func told(r *brokertest.Request) brokertest.Reply {
	req := r.Body.(*wire.ListOffsetsRequest)
	if len(req.Topics) == 0 {
		return brokertest.Reply{}
	}
	return answerOf(req.Topics[0].Partitions[0].Index)
}

func answerOf(n int32) brokertest.Reply {
	p := wire.Default[wire.ListOffsetsPartitionResult]()
	p.Index, p.Offset = n, int64(n)
	return brokertest.Answer(&wire.ListOffsetsResponse{Topics: []wire.ListOffsetsTopicResult{
		{Name: "t", Partitions: []wire.ListOffsetsPartitionResult{p}}}})
}

func answered(resp *wire.ListOffsetsResponse, n int32) error {
	if len(resp.Topics) != 1 || resp.Topics[0].Partitions[0].Offset != int64(n) {
		return fmt.Errorf("got the answer %+v, asked for %d", resp, n)
	}
	return nil
}

// fetch asks for size bytes of records, which begin with their own number.
func fetch(size int32) *wire.FetchRequest {
	req := wire.Default[wire.FetchRequest]()
	part := wire.Default[wire.FetchPartition]()
	part.MaxBytes = size
	req.Topics = []wire.FetchTopic{{Name: "t", Partitions: []wire.FetchPartition{part}}}
	return &req
}

func fetched(r *brokertest.Request) brokertest.Reply {
	size := r.Body.(*wire.FetchRequest).Topics[0].Partitions[0].MaxBytes
	p := wire.Default[wire.FetchPartitionResult]()
	p.Records = binary.BigEndian.AppendUint32(nil, uint32(size))
	p.Records = append(p.Records, make([]byte, size-4)...)
	return brokertest.Answer(&wire.FetchResponse{Topics: []wire.FetchTopicResult{
		{Name: "t", Partitions: []wire.FetchPartitionResult{p}}}})
}

// streamed takes a fetch body in, in pieces.
func streamed(size int32) wire.RecordsFunc {
	return func(path []any, body *wire.Body) error {
		if body.Left() != int(size) {
			return fmt.Errorf("%d bytes of records, want %d", body.Left(), size)
		}
		var head [4]byte
		if err := body.Take(head[:]); err != nil {
			return err
		}
		if got := binary.BigEndian.Uint32(head[:]); got != uint32(size) {
			return fmt.Errorf("somebody else's records: %d, want %d", got, size)
		}
		for body.Left() > 0 {
			k := min(body.Left(), 70_000)
			if k%2 == 1 {
				if err := body.Skip(k); err != nil {
					return err
				}
			} else if err := body.Take(make([]byte, k)); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestConnServesManyGoroutinesMixingFramesAndStreams(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, told)
	s.Handle(wire.Fetch, fetched)
	c := connect(t, s)
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 100 {
				n := int32(g*1000 + i)
				if i%10 == 0 {
					size := 4 + rand.Int32N(300_000)
					ca, err := c.Send(t.Context(), fetch(size), -1)
					if err == nil {
						var resp wire.FetchResponse
						err = ca.Recv(t.Context(), &resp, streamed(size))
					}
					if err != nil {
						t.Error(err)
						return
					}
					continue
				}
				var resp wire.ListOffsetsResponse
				_, err := c.Roundtrip(t.Context(), ask(n), &resp, -1)
				if err == nil {
					err = answered(&resp, n)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestS17QueuedFramesAreReadSeparatelyAndInOrder(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, told)
	c := connect(t, s)
	var calls []*Call
	for n := range int32(5) {
		ca, err := c.Send(t.Context(), ask(n), -1)
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, ca)
	}
	for n, ca := range calls {
		var resp wire.ListOffsetsResponse
		if err := ca.Recv(t.Context(), &resp, nil); err != nil {
			t.Fatal(err)
		}
		if err := answered(&resp, int32(n)); err != nil {
			t.Error(err)
		}
	}
}

func TestS17LostSocketIsAnErrorOnceAndTheNextRequestDialsAgain(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, told)
	client, err := New(Config{Seeds: []string{s.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var resp wire.ListOffsetsResponse
	if _, err := client.Try(t.Context(), Any(), ask(1), &resp); err != nil {
		t.Fatal(err)
	}
	s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply { return brokertest.Hangup() })
	if _, err := client.Try(t.Context(), Any(), ask(2), &resp); !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), s.Addr()) {
		t.Fatalf("got %v, want a closed connection to %s", err, s.Addr())
	}
	s.Handle(wire.ListOffsets, told)
	if _, err := client.Try(t.Context(), Any(), ask(3), &resp); err != nil {
		t.Fatal(err)
	}
	if err := answered(&resp, 3); err != nil {
		t.Error(err)
	}
	if n := s.Accepted(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestS17CloseIsIdempotentAndEndsWaitingCalls(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply { return brokertest.Silence() })
	c := connect(t, s)
	var wg sync.WaitGroup
	for n := range int32(3) {
		ca, err := c.Send(t.Context(), ask(n), -1)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			var resp wire.ListOffsetsResponse
			if err := ca.Recv(t.Context(), &resp, nil); !errors.Is(err, ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		})
	}
	s.Await(wire.ListOffsets, 3)
	c.Close()
	c.Close()
	wg.Wait()
	if _, err := c.Send(t.Context(), ask(9), -1); !errors.Is(err, ErrClosed) {
		t.Errorf("Send after Close: %v, want ErrClosed", err)
	}
}

func TestContextThatEndsInMidFrameClosesTheConn(t *testing.T) {
	s := brokertest.New(t)
	release := make(chan struct{})
	defer close(release)
	half := make(chan struct{})
	s.Handle(wire.Fetch, func(r *brokertest.Request) brokertest.Reply { return fetched(r).After(release) })
	// Sends the head of a response and no more.
	s.Handle(wire.Metadata, func(r *brokertest.Request) brokertest.Reply {
		close(half)
		return brokertest.Raw(binary.BigEndian.AppendUint32([]byte{0, 0, 1, 0}, uint32(r.Correlation)))
	})
	c := connect(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	req, resp := wire.Default[wire.MetadataRequest](), wire.Default[wire.MetadataResponse]()
	first, err := c.Send(t.Context(), &req, -1)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Send(t.Context(), fetch(10), -1)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // behind the broken frame; its own context is fine
		if err := second.Recv(t.Context(), &wire.FetchResponse{}, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("the call behind got %v, want ErrClosed", err)
		}
	})
	<-half
	time.AfterFunc(0, cancel)
	if err := first.Recv(ctx, &resp, nil); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want a cancellation that closed", err)
	}
	wg.Wait()
}

func TestContextThatEndsWhileWaitingForItsTurnClosesTheConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply { return brokertest.Silence() })
		c := connect(t, s, over(s))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for n := range int32(5) {
			ca, err := c.Send(t.Context(), ask(n), -1)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if err := ca.Recv(ctx, &wire.ListOffsetsResponse{}, nil); !errors.Is(err, ErrClosed) {
					t.Errorf("got %v, want ErrClosed", err)
				}
			})
		}
		wg.Wait()
	})
}

func TestContextThatEndsBeforeSendDoesTheConnNoHarm(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, told)
	c := connect(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Send(ctx, ask(1), -1); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancellation", err)
	}
	var resp wire.ListOffsetsResponse
	if _, err := c.Roundtrip(t.Context(), ask(2), &resp, -1); err != nil {
		t.Error(err)
	}
}

func TestSlowReaderIsNotASocketTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Handle(wire.Fetch, fetched)
		c := connect(t, s, over(s), func(cfg *Config) { cfg.SocketTimeout = time.Second })
		ca, err := c.Send(t.Context(), fetch(300_000), -1)
		if err != nil {
			t.Fatal(err)
		}
		var resp wire.FetchResponse
		err = ca.Recv(t.Context(), &resp, func(_ []any, body *wire.Body) error {
			for body.Left() > 0 {
				time.Sleep(time.Hour) // a pager somebody reads
				if err := body.Skip(min(body.Left(), 100_000)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestSocketTimeoutEndsASilentRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply { return brokertest.Silence() })
		c := connect(t, s, over(s), func(cfg *Config) { cfg.SocketTimeout = 7 * time.Second })
		start := time.Now()
		_, err := c.Roundtrip(t.Context(), ask(1), &wire.ListOffsetsResponse{}, -1)
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want a deadline", err)
		}
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("took %v, want 7s", took)
		}
	})
}

func TestSocketTimeoutEndsAStuckWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe() // nobody reads theirs
		defer theirs.Close()
		cfg := Config{SocketTimeout: 3 * time.Second}.withDefaults()
		c := newConn(ours, "x:1", -1, &cfg)
		c.speaks.windows = windows08()
		if _, err := c.Send(t.Context(), ask(1), -1); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want a deadline that closed", err)
		}
	})
}

func TestContextEndsAStuckWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		cfg := Config{}.withDefaults()
		c := newConn(ours, "x:1", -1, &cfg)
		c.speaks.windows = windows08()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Send(ctx, ask(1), -1)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want a deadline that closed", err)
		}
		var req *RequestError
		if !errors.As(err, &req) || !req.Unsent() {
			t.Error("half a frame is said to have been sent")
		}
	})
}

func TestUnansweredProduceQueuesNoCall(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.Produce, func(*brokertest.Request) brokertest.Reply { return brokertest.Silence() })
	s.Handle(wire.ListOffsets, told)
	c := connect(t, s)
	ca, err := c.Send(t.Context(), &wire.ProduceRequest{Topics: []wire.ProduceTopic{
		{Name: "t", Partitions: []wire.ProducePartition{{Records: wire.Records("abc")}}}}}, -1)
	if err != nil || ca != nil {
		t.Fatalf("got %v, %v, want no call", ca, err)
	}
	var resp wire.ListOffsetsResponse
	if _, err := c.Roundtrip(t.Context(), ask(4), &resp, -1); err != nil {
		t.Fatal(err)
	}
	got := s.Await(wire.Produce, 1).Body.(*wire.ProduceRequest)
	if r := string(got.Topics[0].Partitions[0].Records); r != "abc" {
		t.Errorf("records %q came", r)
	}
}

func TestRecordsBelongToTheCallerAgainAfterSend(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.Produce, func(*brokertest.Request) brokertest.Reply { return brokertest.Silence() })
	c := connect(t, s)
	records := make(wire.Records, 1<<20)
	for i := range 3 {
		for j := range records {
			records[j] = byte(i)
		}
		req := &wire.ProduceRequest{Topics: []wire.ProduceTopic{{Name: "t", Partitions: []wire.ProducePartition{{Records: records}}}}}
		if _, err := c.Send(t.Context(), req, -1); err != nil {
			t.Fatal(err)
		}
	}
	s.Await(wire.Produce, 3)
	for i, r := range s.Requests(wire.Produce) {
		got := r.Body.(*wire.ProduceRequest).Topics[0].Partitions[0].Records
		if len(got) != 1<<20 || slices.ContainsFunc(got, func(b byte) bool { return b != byte(i) }) {
			t.Errorf("request %d came with other bytes", i)
		}
	}
	if slices.ContainsFunc(c.bufs[:cap(c.bufs)], func(b []byte) bool { return b != nil }) ||
		slices.ContainsFunc(c.frame.Parts[:cap(c.frame.Parts)], func(p wire.Part) bool { return p.Bytes != nil }) {
		t.Error("the Conn still holds on to record bytes")
	}
}

func TestS07WrongCorrelationClosesTheConnAndNamesTheBroker(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply { return told(r).WrongCorrelation() })
	c := connect(t, s)
	_, err := c.Roundtrip(t.Context(), ask(1), &wire.ListOffsetsResponse{}, -1)
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), s.Addr()) {
		t.Errorf("got %v, want a malformed response from %s", err, s.Addr())
	}
	if _, err := c.Send(t.Context(), ask(2), -1); !errors.Is(err, ErrClosed) {
		t.Errorf("then %v, want ErrClosed", err)
	}
}

func TestFramesThatCannotBeAreRefusedWithoutMemory(t *testing.T) {
	for name, tt := range map[string]struct {
		raw  []byte
		text string
	}{
		"negative size":      {[]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, "announces -1 bytes"},
		"size too small":     {[]byte{0, 0, 0, 3, 0, 0, 0}, "announces 3 bytes"},
		"size over 1 GiB":    {[]byte{0x48, 0x54, 0x54, 0x50, '/', '1', '.', '1'}, "announces 1213486160 bytes"},
		"count that is huge": {[]byte{0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0}, "ListOffsetsResponse.Topics"},
	} {
		t.Run(name, func(t *testing.T) {
			s := brokertest.New(t)
			s.Window(wire.ListOffsets, 0, 5)
			s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply { return brokertest.Raw(tt.raw) })
			c := connect(t, s)
			_, err := c.Roundtrip(t.Context(), ask(1), &wire.ListOffsetsResponse{}, -1)
			if !errors.Is(err, ErrMalformed) || !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), s.Addr()) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want a malformed response from %s: %s", err, s.Addr(), tt.text)
			}
		})
	}
}

func TestFrameCutShortIsALostConnection(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.Fetch, func(r *brokertest.Request) brokertest.Reply { return fetched(r).Short(5000) })
	c := connect(t, s)
	ca, err := c.Send(t.Context(), fetch(100_000), -1)
	if err != nil {
		t.Fatal(err)
	}
	err = ca.Recv(t.Context(), &wire.FetchResponse{}, streamed(100_000))
	if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, ErrClosed) || errors.Is(err, ErrMalformed) {
		t.Errorf("got %v, want an end in mid-frame", err)
	}
	var req *RequestError
	if !errors.As(err, &req) || req.Unsent() {
		t.Error("what the broker has answered in part is said not to have been sent")
	}
}

func TestFrameInSingleBytesIsWhole(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply { return told(r).Dribble() })
	c := connect(t, s)
	var resp wire.ListOffsetsResponse
	if _, err := c.Roundtrip(t.Context(), ask(3), &resp, -1); err != nil {
		t.Fatal(err)
	}
	if err := answered(&resp, 3); err != nil {
		t.Error(err)
	}
}

func TestErrorOfTheRecordsFuncComesBackAsItIs(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.Fetch, fetched)
	c := connect(t, s)
	ca, err := c.Send(t.Context(), fetch(100_000), -1)
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	if err := ca.Recv(t.Context(), &wire.FetchResponse{}, func([]any, *wire.Body) error { return full }); err != full {
		t.Errorf("got %v, want the function's own error", err)
	}
	if _, err := c.Send(t.Context(), fetch(10), -1); !errors.Is(err, ErrClosed) {
		t.Errorf("then %v, want ErrClosed: the rest of the frame was never read", err)
	}
}

func TestResponseCannotBeReceivedTwice(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, told)
	c := connect(t, s)
	ca, err := c.Send(t.Context(), ask(1), -1)
	if err != nil {
		t.Fatal(err)
	}
	if err := ca.Recv(t.Context(), &wire.ListOffsetsResponse{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := ca.Recv(t.Context(), &wire.ListOffsetsResponse{}, nil); !errors.Is(err, errTwice) {
		t.Errorf("got %v, want errTwice", err)
	}
}

// A broker that goes away answers what it has worked off first. Our next write
// fails, and the answers are still in our socket.
func TestAnswersOfABrokerThatHungUpAreStillRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		cfg := Config{}.withDefaults()
		c := newConn(&halfOpen{Conn: ours}, "x:1", -1, &cfg)
		c.speaks.windows = map[wire.Key][2]int16{wire.ListOffsets: {1, 1}}
		go func() {
			_, _ = io.ReadFull(theirs, make([]byte, 4+8+2+len("kafkactl")+4+4+2+len("t")+4+4+8))
			body := binary.BigEndian.AppendUint32(nil, 0) // no topics
			frame := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8}, 1)
			_, _ = theirs.Write(append(frame, body...))
			theirs.Close()
		}()
		first, err := c.Send(t.Context(), ask(1), -1)
		if err != nil {
			t.Fatal(err)
		}
		c.nc.(*halfOpen).broken = true
		if _, err := c.Send(t.Context(), ask(2), -1); !errors.Is(err, ErrClosed) || !errors.Is(err, errHungUp) {
			t.Fatalf("got %v, want a hang-up", err)
		}
		if err := first.Recv(t.Context(), &wire.ListOffsetsResponse{}, nil); err != nil {
			t.Errorf("the answer that was there is lost: %v", err)
		}
		if c.failure() == nil {
			t.Error("the Conn lives on")
		}
	})
}

// halfOpen is a connection whose writes fail once broken.
type halfOpen struct {
	net.Conn
	broken bool
}

func (h *halfOpen) Write(p []byte) (int, error) {
	if h.broken {
		return 0, &net.OpError{Op: "write", Err: errors.New("broken pipe")}
	}
	return h.Conn.Write(p)
}

func TestThrottlingDelaysTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
			return brokertest.Answer(&wire.ListOffsetsResponse{ThrottleMs: 5000})
		})
		var told []string
		c := connect(t, s, over(s), func(cfg *Config) {
			cfg.Log = func(level int, format string, args ...any) {
				if strings.Contains(format, "throttles") {
					told = append(told, fmt.Sprintf("%d "+format, append([]any{level}, args...)...))
				}
			}
		})
		start := time.Now()
		for range 2 {
			if _, err := c.Roundtrip(t.Context(), ask(1), &wire.ListOffsetsResponse{}, -1); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("two requests took %v, want 5s between them", took)
		}
		if got := strings.Join(told, "\n"); !regexp.MustCompile(`^0 .* throttles this client: .* 5s\n1 .* throttles`).MatchString(got) {
			t.Errorf("told %q, want it once of what is worth a word, then with -v", told)
		}
		if d := c.ordeal.Throttled(); d != 5*time.Second { // the second is still to come
			t.Errorf("throttled for %v until now, want 5s", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Send(ctx, ask(1), -1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's end", err)
		}
		if c.failure() != nil {
			t.Error("giving up before sending closed the Conn")
		}
	})
}

func TestThrottlingOfOldVersionsHasBeenWaitedForAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		s.Window(wire.ListOffsets, 0, 2)
		s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
			return brokertest.Answer(&wire.ListOffsetsResponse{ThrottleMs: 5000})
		})
		c := connect(t, s, over(s))
		start := time.Now()
		for range 2 {
			if _, err := c.Roundtrip(t.Context(), ask(1), &wire.ListOffsetsResponse{}, -1); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v, want no pause", took)
		}
	})
}

func TestVersionKeepsToBothWindowsAndTheCap(t *testing.T) {
	c := &Conn{speaks: speaks{windows: map[wire.Key][2]int16{
		wire.Fetch:    {4, 11},
		wire.Produce:  {3, 99},
		wire.Metadata: {0, 0},
	}}}
	for _, tt := range []struct {
		key  wire.Key
		cap  int16
		want int16
		err  string
	}{
		{key: wire.Fetch, cap: -1, want: 11},
		{key: wire.Fetch, cap: 6, want: 6},
		{key: wire.Fetch, cap: 3, err: "before 4.0"},
		{key: wire.Produce, cap: 12, want: 12},
		{key: wire.Metadata, cap: -1, want: 0},
		{key: wire.InitProducerID, cap: -1, err: "0.11.0 or later"},
	} {
		got, err := c.Version(tt.key, tt.cap)
		switch {
		case tt.err == "" && (err != nil || got != tt.want):
			t.Errorf("%v up to %d: %d, %v, want %d", tt.key, tt.cap, got, err, tt.want)
		case tt.err != "" && (!errors.Is(err, wire.UnsupportedVersion) || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%v up to %d: %d, %v, want an error naming Kafka %s", tt.key, tt.cap, got, err, tt.err)
		}
	}
}

func TestTopicsWithoutIdsLowerTheVersion(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.Fetch, fetched)
	c := connect(t, s)
	ca, err := c.Send(t.Context(), fetch(10), -1)
	if err != nil {
		t.Fatal(err)
	}
	if ca.Version != 12 {
		t.Errorf("version %d, want 12, the last that names topics", ca.Version)
	}
	if err := ca.Recv(t.Context(), &wire.FetchResponse{}, streamed(10)); err != nil {
		t.Error(err)
	}
}
