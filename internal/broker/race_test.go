package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// counted counts what is dialled and not closed yet, by address, and the most of
// it at any time.
type counted struct {
	dial func(context.Context, string) (net.Conn, error)

	mu            sync.Mutex
	dials, open   map[string]int
	now, mostOpen int
}

func (d *counted) Dial(ctx context.Context, addr string) (net.Conn, error) {
	nc, err := d.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dials == nil {
		d.dials, d.open = make(map[string]int), make(map[string]int)
	}
	d.dials[addr]++
	d.open[addr]++
	d.now++
	d.mostOpen = max(d.mostOpen, d.now)
	return &countedConn{Conn: nc, closed: sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.open[addr]--
		d.now--
	})}, nil
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// raced makes a Client of seeds that are c's nodes where they have their names,
// and else let everybody in and answer nothing.
func raced(t *testing.T, c *brokertest.Cluster, list ...string) (*Client, *counted) {
	t.Helper()
	mute := muteServer(t)
	d := &counted{dial: func(ctx context.Context, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "mute") {
			return mute.Dial(ctx, addr)
		}
		return c.Dial(ctx, addr)
	}}
	return clientOf(t, c, seeds(list...), func(cfg *Config) { cfg.Dial = d.Dial }), d
}

func TestNextSeedIsTriedBesideOneThatIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		client, d := raced(t, c, "mute:1", "mute:2", "node1:9092")
		start := time.Now()
		snap := refresh(t, client, nil)
		if took := time.Since(start); took != 2*headStart {
			t.Errorf("took %v, want %v", took, 2*headStart)
		}
		if d.open["mute:1"]+d.open["mute:2"] != 0 || d.open["node1:9092"] != 1 {
			t.Errorf("open are %v, want the broker's alone", d.open)
		}
		before := d.dials["mute:1"] + d.dials["mute:2"]
		time.Sleep(maxIdle + time.Second) // the broker's connection is made anew
		start = time.Now()
		refresh(t, client, snap)
		if took := time.Since(start); took != 0 || d.dials["mute:1"]+d.dials["mute:2"] != before {
			t.Errorf("took %v and %v dials: the slow ones were not left for last", took, d.dials)
		}
	})
}

func TestSlowSeedThatAnswersFirstIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		awake := make(chan struct{})
		time.AfterFunc(2*headStart-time.Millisecond, func() { close(awake) })
		c.Node(1).Handle(wire.APIVersions, func(r *brokertest.Request) brokertest.Reply {
			<-awake
			return brokertest.Reply{}
		})
		c.Node(1).Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
			<-awake
			return brokertest.Reply{}
		})
		client, d := raced(t, c, "node1:9092", "mute:1", "mute:2")
		start := time.Now()
		refresh(t, client, nil)
		if took := time.Since(start); took != 2*headStart-time.Millisecond {
			t.Errorf("took %v, want %v", took, 2*headStart-time.Millisecond)
		}
		if d.open["mute:1"] != 0 || d.open["node1:9092"] != 1 || d.dials["mute:2"] != 0 {
			t.Errorf("dialled %v, open are %v, want the broker's alone, and the last seed left alone", d.dials, d.open)
		}
	})
}

// Finding out that a broker is old takes a second of silence, in which its
// neighbours need not be asked too.
func TestOldBrokersAreFoundOutWithinTheirHeadStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 3)
		c.All((*brokertest.Server).OldMute)
		client := clientOf(t, c)
		conn, err := client.connAny(t.Context(), maxIdle)
		if err != nil || !conn.speaks.trust.known() {
			t.Fatalf("got %+v, %v, want an old broker", conn, err)
		}
		if n := c.Node(2).Accepted() + c.Node(3).Accepted(); n != 0 {
			t.Errorf("%d connections to the others", n)
		}
	})
}

func TestAllSeedsThatWereTriedAreNamedWhenTheTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		client, d := raced(t, c, "mute:1", "none:1", "mute:2")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := client.Refresh(ctx, nil)
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want ErrUnavailable by deadline", err)
		}
		for _, want := range []string{"1 try, 3s", "mute:1: connected, but no answer to ApiVersions", "none:1: no route to host", "mute:2: connected"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		if d.now != 0 {
			t.Errorf("%d connections are left", d.now)
		}
	})
}

func TestRaceIsBetweenFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		var list []string
		for i := range 100 {
			list = append(list, fmt.Sprintf("mute:%d", i+1))
		}
		client, d := raced(t, c, list...)
		if _, err := client.Refresh(t.Context(), nil); !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		// Each runner has up to three connections: its own, a rival and a suspicion.
		if d.mostOpen > 3*maxField {
			t.Errorf("%d connections at once, want at most %d", d.mostOpen, 3*maxField)
		}
	})
}

// Somebody else may wait for the dial that a race gives up.
func TestRaceTakesNobodyElsesDialAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 2)
		awake := make(chan struct{})
		time.AfterFunc(3*time.Second, func() { close(awake) })
		slow := func(*brokertest.Request) brokertest.Reply {
			<-awake
			return brokertest.Reply{}
		}
		c.Node(1).Handle(wire.APIVersions, slow)
		client := clientOf(t, c)
		var served atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() { refresh(t, client, nil) })
		synctest.Wait() // the race leads
		wg.Go(func() {
			if _, err := client.connPeer(t.Context(), peer{"node1:9092", 1}, maxIdle); err != nil {
				t.Errorf("the one who waited: %v", err)
			}
			served.Store(true)
		})
		wg.Wait()
		if !served.Load() {
			t.Error("not served")
		}
	})
}
