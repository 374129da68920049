//go:build unix

package sink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// giveKey hands over one record with a key.
func giveKey(ctx context.Context, s *ExecSink, p *consume.Partition, offset int64, key string) error {
	r := recAt(p, offset, fmt.Sprint(offset))
	r.Key = []byte(key)
	return s.Record(ctx, r, consume.Mark{P: p, Next: offset + 1})
}

func TestTenThousandRecordsKeepTheOrderOfTheirKeysUnderParallel(t *testing.T) {
	const keys = 37
	for _, c := range []struct {
		batch, parallel int
		records         int64
	}{{1, 8, 1500}, {25, 5, 10_000}} {
		dir := t.TempDir()
		t.Setenv("DIR", dir)
		// Records are "KEY OFFSET"; each child appends to its keys' files.
		s := newShop(t, `while read k o; do echo $o >>$DIR/$k; done`, func(c2 *ExecConfig) {
			c2.Batch, c2.Parallel, c2.Order = c.batch, c.parallel, ByKey
			c2.Format = func() Append {
				return func(dst []byte, r *record.Record) []byte { return fmt.Appendf(dst, "%s %s\n", r.Key, r.Value) }
			}
		})
		k := s.Sink()
		p := part(0)
		want := map[string][]string{}
		for i := range c.records {
			key := fmt.Sprint("key", i*i%keys)
			want[key] = append(want[key], fmt.Sprint(i))
			if err := giveKey(t.Context(), k, p, i, key); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for key, list := range want {
			b, err := os.ReadFile(filepath.Join(dir, key))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Fields(string(b)); !slices.Equal(got, list) {
				t.Errorf("batch %d, parallel %d: %s has %d records, or in another order than its %d", c.batch, c.parallel, key, len(got), len(list))
			}
		}
		s.wantDone(t, map[int32]int64{0: c.records})
		if k.records != 0 || k.size != 0 || k.waiting != 0 || len(k.lines)+len(k.parts)+len(k.running) != 0 {
			t.Errorf("left over: %d records of %d bytes, %d waiting", k.records, k.size, k.waiting)
		}
	}
}

func TestWhatEndsOutOfOrderIsToldOnceAllBeforeItIsDone(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DIR", dir)
	s := newShop(t, `echo; test $RECORD_OFFSET != 0 || while ! test -e $DIR/go; do sleep 0.01; done`, func(c *ExecConfig) {
		c.Parallel, c.Order = 3, Unordered
	})
	k := s.Sink()
	p := part(0)
	for i := range int64(20) {
		if err := give(k, t.Context(), p, i); err != nil {
			t.Fatal(err)
		}
	}
	k.Skip(consume.Mark{P: p, Next: 25})
	s.started(t, 20)
	s.wantDone(t, map[int32]int64{}) // offset 0 is not
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantDone(t, map[int32]int64{0: 25})
}

func TestNoMoreThanParallelChildrenRunAndNothingPastAFailureIsTold(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DIR", dir)
	s := newShop(t, `touch $DIR/$RECORD_OFFSET; n=$(ls $DIR | wc -l); test $n -le 4 || echo crowded; rm $DIR/$RECORD_OFFSET; test $RECORD_OFFSET != 50`, func(c *ExecConfig) {
		c.Parallel, c.Order = 4, Unordered
	})
	k := s.Sink()
	p := part(0)
	var err error
	i := int64(0)
	for ; i < 100 && err == nil; i++ {
		err = give(k, t.Context(), p, i)
	}
	if err == nil {
		err = k.Flush(t.Context())
	}
	var x *ExecError
	if !errors.As(err, &x) || x.First != 50 {
		t.Fatalf("%v", err)
	}
	if i > 60 {
		t.Errorf("%d records were taken after the failure", i-50)
	}
	s.wantDone(t, map[int32]int64{0: 50})
	if got := s.wrote(t); got != "" {
		t.Errorf("more than four at once: %q", got)
	}
}

func TestAPartitionThatLeavesWaitsForWhatRunsAndGivesUpTheRest(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DIR", dir)
	leaving := map[int32]bool{}
	s := newShop(t, `echo $RECORD_PARTITION@$RECORD_OFFSET; while ! test -e $DIR/go; do sleep 0.01; done`, func(c *ExecConfig) {
		c.Parallel = 3
		c.leaving = func(m consume.Mark) bool { return leaving[m.P.Partition] }
	})
	k := s.Sink()
	a, b := part(0), part(1)
	for i := range int64(5) {
		if err := give(k, t.Context(), a, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := give(k, t.Context(), b, 0); err != nil {
		t.Fatal(err)
	}
	s.started(t, 2)
	leaving[0] = true
	released := make(chan error, 1)
	go func() { released <- k.Release(t.Context()) }()
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-released; err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	at := s.done[a.TP]
	s.mu.Unlock()
	if at != 1 {
		t.Errorf("%d of the partition that left are done, want 1", at)
	}
	// It comes back where it was committed, as another run over it.
	leaving[0] = false
	again := part(0)
	for i := int64(1); i < 5; i++ {
		if err := give(k, t.Context(), again, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantDone(t, map[int32]int64{0: 5, 1: 1})
	if n := strings.Count(s.wrote(t), "0@"); n != 5 {
		t.Errorf("%d children for 5 records", n)
	}
}

func TestDeadLettersAreTakenBeforeTheirRecordsCount(t *testing.T) {
	var took []record.Record
	refuse := errors.New("refused")
	s := newShop(t, `exit 4`, func(c *ExecConfig) {
		c.Batch = 2
		c.Dead = func(_ context.Context, why *ExecError, records []record.Record) error {
			if code, _ := why.Status(); code != 4 {
				t.Errorf("status %d", code)
			}
			if records[0].Offset >= 2 {
				return refuse
			}
			took = append(took, records...)
			return nil
		}
	})
	k := s.Sink()
	p := part(0)
	var err error
	for i := range int64(4) {
		if err = giveKey(t.Context(), k, p, i, fmt.Sprint("k", i)); err != nil && i < 3 {
			t.Fatal(err)
		}
	}
	if !errors.Is(err, refuse) {
		t.Errorf("%v", err)
	}
	s.wantDone(t, map[int32]int64{0: 2})
	if len(took) != 2 || string(took[0].Key) != "k0" || string(took[1].Value) != "1" || s.Total().Dead != 2 {
		t.Errorf("took %v, total %+v", took, s.Total())
	}
}

func TestSkippedFailuresAreCountedAndTheFirstAreNamed(t *testing.T) {
	s := newShop(t, `test $((RECORD_OFFSET % 2)) = 0`, func(c *ExecConfig) { c.Skip = true })
	k := s.Sink()
	for i := range int64(20) {
		if err := give(k, t.Context(), part(0), i); err != nil {
			t.Fatal(err)
		}
	}
	s.wantDone(t, map[int32]int64{0: 20})
	if got := s.Total(); got.Skipped != 10 || got.Failed != 10 || len(got.First) != execNamed || got.First[1].First != 3 {
		t.Errorf("%+v", got)
	}
	s = newShop(t, `no-such-command-anywhere 2>/dev/null`, func(c *ExecConfig) { c.Skip = true })
	if err := give(s.Sink(), t.Context(), part(0), 0); err == nil {
		t.Error("a command that is not there is the record's fault")
	}
}

func TestAFailureWhenTheRunIsOverSaysNothingOfItsRecords(t *testing.T) {
	over := errors.New("nobody reads")
	for name, set := range map[string]func(*ExecConfig){
		"skipped": func(c *ExecConfig) { c.Skip = true },
		"dead":    func(c *ExecConfig) { c.Dead = func(context.Context, *ExecError, []record.Record) error { return nil } },
		"retried": func(c *ExecConfig) { c.Retries = 1000 },
	} {
		s := newShop(t, `exit 1`, func(c *ExecConfig) {
			c.Over = func() error { return over }
			set(c)
		})
		if err := give(s.Sink(), t.Context(), part(0), 0); !errors.Is(err, over) {
			t.Errorf("%s: %v", name, err)
		}
		s.wantDone(t, map[int32]int64{})
		if got := s.Total(); got.Skipped+got.Dead != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
