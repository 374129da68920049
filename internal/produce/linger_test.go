package produce

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// bubble runs a producer inside a synctest bubble. The broker and the client end
// before it does.
func bubble(t *testing.T, cfg Config, play func(c *brokertest.Cluster, in *feedInput), check func(Report, error)) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		c.Create("t", 1)
		client, err := broker.New(broker.Config{Seeds: c.Seeds(), Dial: c.Dial, RetryBackoff: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		in := newFeed()
		done := make(chan struct{})
		var rep Report
		go func() {
			defer close(done)
			rep, err = Run(t.Context(), client, cfg, "t", in)
		}()
		synctest.Wait()
		play(c, in)
		<-done
		check(rep, err)
		_ = client.Close()
		c.All((*brokertest.Server).Stop)
	})
}

func fine(t *testing.T, acked int64) func(Report, error) {
	return func(rep Report, err error) {
		t.Helper()
		if err != nil || rep.Acked != acked {
			t.Errorf("%+v %v", rep, err)
		}
	}
}

func TestEveryRecordLeavesWithinTheLinger(t *testing.T) {
	bubble(t, quick(), func(c *brokertest.Cluster, in *feedInput) {
		for n := range 5 {
			in.put(fmt.Sprint(n))
			time.Sleep(4 * time.Millisecond)
			synctest.Wait()
			if got := c.Count(wire.Produce); got != n {
				t.Errorf("%d requests 4 ms after record %d, before the linger is over", got, n)
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if got := len(values(c, "t", 0)); got != n+1 {
				t.Errorf("%d records stored 5 ms after record %d", got, n)
			}
			time.Sleep(time.Second)
		}
		in.end()
	}, fine(t, 5))
}

func TestRecordsOfOneLingerLeaveTogether(t *testing.T) {
	cfg := quick()
	cfg.Linger = 20 * time.Second
	bubble(t, cfg, func(c *brokertest.Cluster, in *feedInput) {
		for n := range 19 {
			in.put(fmt.Sprint(n))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if got := c.Count(wire.Produce); got != 0 {
			t.Errorf("%d requests before the linger is over", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := c.Count(wire.Produce); got != 1 {
			t.Errorf("%d requests", got)
		}
		in.end()
	}, fine(t, 19))
}

func TestTimestampsAreOfWhenARecordArrived(t *testing.T) {
	bubble(t, quick(), func(c *brokertest.Cluster, in *feedInput) {
		for range 3 {
			in.put("x")
			time.Sleep(time.Hour)
		}
		in.end()
		synctest.Wait()
		recs := c.Records("t", 0)
		for i := 1; i < len(recs); i++ {
			if d := recs[i].Timestamp - recs[i-1].Timestamp; d != time.Hour.Milliseconds() {
				t.Errorf("record %d is %d ms after the one before", i, d)
			}
		}
	}, fine(t, 3))
}

func TestSilentBrokerIsGivenUpAfterTheDeliveryTimeout(t *testing.T) {
	cfg := DefaultConfig()
	var began time.Time
	bubble(t, cfg, func(c *brokertest.Cluster, in *feedInput) {
		c.Node(1).Handle(wire.Produce, func(*brokertest.Request) brokertest.Reply { return brokertest.Silence() })
		began = time.Now()
		in.put("1")
	}, func(rep Report, err error) {
		took := time.Since(began).Round(time.Second)
		if !errors.Is(err, ErrDeliveryTimeout) || rep.Unknown != 1 || took != cfg.DeliveryTimeout {
			t.Errorf("after %v: %+v %v", took, rep, err)
		}
	})
}

func TestUnreachableLeaderRefusesWhatWasNeverSent(t *testing.T) {
	bubble(t, DefaultConfig(), func(c *brokertest.Cluster, in *feedInput) {
		in.put("1")
		time.Sleep(time.Second)
		c.Node(1).Stop()
		time.Sleep(time.Hour) // the idle connection is not trusted any more
		in.put("2")
	}, func(rep Report, err error) {
		if !errors.Is(err, ErrDeliveryTimeout) || rep.Acked != 1 || rep.Refused != 1 || rep.Unknown != 0 {
			t.Errorf("%+v %v", rep, err)
		}
	})
}

func TestWaitingForALeaderEndsWithTheClientsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.NewPipeCluster(t, 1)
		c.Create("t", 1)
		c.Lead("t", 0, -1)
		client, err := broker.New(broker.Config{Seeds: c.Seeds(), Dial: c.Dial, Timeout: 7 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = Run(t.Context(), client, DefaultConfig(), "t", newFeed())
		if took := time.Since(began).Round(time.Second); !errors.Is(err, wire.LeaderNotAvailable) && !errors.Is(err, context.DeadlineExceeded) || took != 7*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		_ = client.Close()
		c.All((*brokertest.Server).Stop)
	})
}
