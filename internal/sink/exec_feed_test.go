//go:build unix

package sink

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kafkactl/internal/consume"
)

// nourished hands over one record to a child that lives on.
func nourished(ctx context.Context, s *FeedSink, p *consume.Partition, offset int64, value string) error {
	return s.Record(ctx, recAt(p, offset, value), consume.Mark{P: p, Next: offset + 1})
}

func TestAChildThatLivesOnIsDoneWhenItEndsAfterItsInput(t *testing.T) {
	s := newShop(t, `echo "begun $RECORD_PARTITION@$RECORD_OFFSET"; cat`, nil)
	k := s.Feed()
	p := part(0)
	for i, v := range []string{"a", "b", "c"} {
		if err := nourished(t.Context(), k, p, int64(i), v); err != nil {
			t.Fatal(err)
		}
	}
	k.Skip(consume.Mark{P: p, Next: 7})
	k.Skip(consume.Mark{P: part(1), Next: 2})
	again, err := k.Lull(t.Context())
	if err != nil || again <= 0 {
		t.Errorf("lull: %v, again in %v", err, again)
	}
	s.started(t, 4) // it has them all, and is not done
	s.wantDone(t, map[int32]int64{1: 2})
	if err := k.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantDone(t, map[int32]int64{0: 7, 1: 2})
	if got := s.wrote(t); got != "begun 0@0\na\nb\nc\n" {
		t.Errorf("wrote %q", got)
	}
}

func TestAChildThatEndsBeforeItsInputHasNothingDone(t *testing.T) {
	s := newShop(t, `read line`, nil)
	k := s.Feed()
	value := strings.Repeat("x", feedPage)
	var err error
	for i := int64(0); err == nil && i < 1000; i++ {
		err = nourished(t.Context(), k, part(0), i, value)
	}
	if !errors.Is(err, errEarly) {
		t.Errorf("%v", err)
	}
	s.wantDone(t, map[int32]int64{})
}

func TestAnInterruptionEndsTheInputOfChildrenThatLiveOn(t *testing.T) {
	s := newShop(t, `cat >/dev/null; echo ended`, nil)
	k := s.Feed()
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := nourished(ctx, k, part(0), 0, "a"); err != nil {
		t.Fatal(err)
	}
	why := errors.New("interrupted")
	cancel(why)
	if err := nourished(ctx, k, part(0), 1, "b"); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	s.wantDone(t, map[int32]int64{0: 1})
	if got := s.wrote(t); got != "ended\n" {
		t.Errorf("wrote %q", got)
	}
}

func TestAFailureOfOneChildThatLivesOnLeavesOthersTheirs(t *testing.T) {
	s := newShop(t, `cat >/dev/null; exit $RECORD_PARTITION`, nil)
	k := s.Feed()
	for n := range int32(3) {
		if err := nourished(t.Context(), k, part(n), 0, "a"); err != nil {
			t.Fatal(err)
		}
	}
	var x *ExecError
	if err := k.Flush(t.Context()); !errors.As(err, &x) || x.Partition == 0 {
		t.Errorf("%v", err)
	}
	s.wantDone(t, map[int32]int64{0: 1})
}

func TestAChildThatReadsNothingIsKilledWithTheRun(t *testing.T) {
	s := newShop(t, `echo $$; sleep 300`, func(c *ExecConfig) { c.Grace = 1 })
	k := s.Feed()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		var err error
		for i := int64(0); err == nil; i++ {
			err = nourished(ctx, k, part(0), i, strings.Repeat("x", feedPage))
		}
		result <- err
	}()
	s.started(t, 1)
	cancel()
	if err := <-result; err == nil || !strings.Contains(err.Error(), "SIGKILL") {
		t.Errorf("%v", err)
	}
	s.wantDone(t, map[int32]int64{})
}
