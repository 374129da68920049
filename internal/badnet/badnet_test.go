package badnet

import (
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// asked sends one ApiVersions request through n and reads what comes back.
func asked(t *testing.T, n *Net, behind string) (answer []byte, err error) {
	t.Helper()
	c, err := net.Dial("tcp", n.Front(behind))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var f wire.Frame
	req := wire.Default[wire.ApiVersionsRequest]()
	if err := wire.AppendRequest(&f, &req, 0, 7, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(f.Head); err != nil {
		return nil, err
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	return readFrame(c)
}

func TestFaultsStrikeWhereTheyAreTold(t *testing.T) {
	s := brokertest.New(t)
	whole, err := asked(t, New(t), s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		fault Fault
		reset bool
	}{
		{Fault{Kind: Late, Delay: time.Millisecond}, false},
		{Fault{Kind: Narrow, Rate: 1 << 20}, false},
		{Fault{Kind: Sliced}, false},
		{Fault{Kind: Deaf}, false},
		{Fault{Kind: ResetRequest, Bytes: 5}, true},
		{Fault{Kind: ResetResponse, Bytes: 0}, true},
		{Fault{Kind: ResetResponse, Bytes: -1}, true},
	} {
		n := New(t)
		f := tt.fault
		f.API, f.Skip, f.Times = wire.APIVersions, 1, 1
		hits := n.Strike(f)
		for i := range 3 {
			got, err := asked(t, n, s.Addr())
			struck := i == 1 && tt.reset
			switch {
			case struck && !errors.Is(err, syscall.ECONNRESET):
				t.Errorf("%+v: request %d ended with %v, want a reset", f, i, err)
			case !struck && (err != nil || string(got) != string(whole)):
				t.Errorf("%+v: request %d got %d bytes, want %d; %v", f, i, len(got), len(whole), err)
			}
		}
		if hits() != 1 {
			t.Errorf("%+v: struck %d times", f, hits())
		}
	}
}

// A client that follows the metadata stays behind the network.
func TestAddressesInResponsesLeadThroughTheNetwork(t *testing.T) {
	c := brokertest.NewCluster(t, 3)
	c.Create("t", 3)
	n := New(t)
	client, err := broker.New(broker.Config{Seeds: []string{n.Front(c.Seeds()[0])}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req, resp := wire.Default[wire.MetadataRequest](), wire.Default[wire.MetadataResponse]()
	if _, err := client.Do(t.Context(), broker.Any(), &req, &resp); err != nil {
		t.Fatal(err)
	}
	for i, b := range resp.Brokers {
		if got, want := net.JoinHostPort(b.Host, itoa(b.Port)), n.Front(c.Seeds()[i]); got != want {
			t.Errorf("node %d is at %s, want %s", b.NodeID, got, want)
		}
	}
	coord := wire.FindCoordinatorRequest{Keys: []string{"g"}}
	found := wire.Default[wire.FindCoordinatorResponse]()
	if _, err := client.Do(t.Context(), broker.Any(), &coord, &found); err != nil {
		t.Fatal(err)
	}
	if got, want := net.JoinHostPort(found.Coordinators[0].Host, itoa(found.Coordinators[0].Port)), n.Front(c.Seeds()[2]); got != want {
		t.Errorf("the coordinator is at %s, want %s", got, want)
	}
}

// What stalled arrives after Release, though its sender is long gone.
func TestReleaseDeliversWhatWasGivenUp(t *testing.T) {
	s := brokertest.New(t)
	n := New(t)
	n.Strike(Fault{Kind: Stall, API: wire.APIVersions, Times: 1})
	c, err := net.Dial("tcp", n.Front(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	var f wire.Frame
	req := wire.Default[wire.ApiVersionsRequest]()
	if err := wire.AppendRequest(&f, &req, 0, 7, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(f.Head); err != nil {
		t.Fatal(err)
	}
	for n.Seen(wire.APIVersions) == 0 {
		time.Sleep(time.Millisecond)
	}
	c.Close()
	if s.Count(wire.APIVersions) != 0 {
		t.Fatal("it passed at once")
	}
	n.Release()
	s.Await(wire.APIVersions, 1)
}

func TestBlackHolesSwallowEveryByte(t *testing.T) {
	for _, kind := range []Kind{BlackHole, HalfOpen, LostRequests, LostResponses} {
		s := brokertest.New(t)
		n := New(t)
		n.Strike(Fault{Kind: kind, API: wire.APIVersions})
		c, err := net.Dial("tcp", n.Front(s.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var f wire.Frame
		req := wire.Default[wire.ApiVersionsRequest]()
		if err := wire.AppendRequest(&f, &req, 0, 7, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(f.Head); err != nil {
			t.Fatal(err)
		}
		if kind == LostResponses {
			s.Await(wire.APIVersions, 1)
		}
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if got, err := io.ReadAll(c); len(got) > 0 || !isTimeout(err) {
			t.Errorf("%d: got %d bytes and %v, want silence", kind, len(got), err)
		}
		if kind != LostResponses && s.Count(wire.APIVersions) > 0 {
			t.Errorf("%d: the request passed", kind)
		}
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
