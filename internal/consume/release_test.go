package consume

import (
	"context"
	"sync/atomic"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
)

// keeping is a sink that keeps what it has until its partition is given up.
type keeping struct {
	has      map[*Partition]bool
	got      chan struct{}
	released atomic.Int64
	flushed  atomic.Int64
	stopped  []bool
}

func (k *keeping) Record(_ context.Context, _ *record.Record, m Mark) error {
	k.has[m.P] = true
	k.got <- struct{}{}
	return nil
}
func (k *keeping) Skip(Mark) {}
func (k *keeping) Flush(context.Context) error {
	k.flushed.Add(1)
	return nil
}

func (k *keeping) Release(context.Context) error {
	for p := range k.has {
		k.stopped = append(k.stopped, (Mark{P: p}).Stopped())
	}
	k.released.Add(1)
	return nil
}

func TestBeforeAPartitionIsGivenUpItsRecordsAreReleased(t *testing.T) {
	c := newCluster(t, 1)
	a, b := c.log(0, plain(0, at(1)...)), c.log(1, plain(0, at(2)...))
	o := quick()
	o.Follow = true
	s := NewSession(c.client(), o)
	s.Add(map[broker.TP]offsets.Range{a: {To: offsets.Follow}, b: {To: offsets.Follow}})
	k := &keeping{has: map[*Partition]bool{}, got: make(chan struct{}, 2)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.Run(ctx, k)
		done <- err
	}()
	<-k.got
	<-k.got
	s.Drop(t.Context(), []broker.TP{a}, false)
	if k.released.Load() != 1 || len(k.stopped) != 2 || k.stopped[0] == k.stopped[1] {
		t.Errorf("released %d times, stopped %v", k.released.Load(), k.stopped)
	}
	cancel()
	<-done
	if k.released.Load() != 1 || k.flushed.Load() == 0 {
		t.Errorf("released %d, flushed %d times", k.released.Load(), k.flushed.Load())
	}
}
