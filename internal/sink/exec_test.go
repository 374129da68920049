//go:build unix

package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// shop is an Exec with what its children wrote and what was told of them.
type shop struct {
	*Exec
	out   *os.File
	mu    sync.Mutex
	done  map[broker.TP]int64
	notes []string
}

func newShop(t *testing.T, command string, change func(*ExecConfig)) *shop {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	s := &shop{out: out, done: map[broker.TP]int64{}}
	c := ExecConfig{
		Command: command, Format: Plain{Delim: []byte("\n")}.Append, Stdout: out, Stderr: out, Backoff: time.Millisecond,
		Done: func(m consume.Mark) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if m.Next < s.done[m.P.TP] {
				t.Errorf("%v went back from %d to %d", m.P.TP, s.done[m.P.TP], m.Next)
			}
			s.done[m.P.TP] = m.Next
		},
		Note: func(format string, args ...any) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.notes = append(s.notes, fmt.Sprintf(format, args...))
		},
	}
	if change != nil {
		change(&c)
	}
	s.Exec = NewExec(c)
	return s
}

func (s *shop) wrote(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(s.out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (s *shop) wantDone(t *testing.T, want map[int32]int64) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	got := map[int32]int64{}
	for tp, n := range s.done {
		got[tp.Partition] = n
	}
	if !maps.Equal(got, want) {
		t.Errorf("done %v, want %v", got, want)
	}
}

func recAt(p *consume.Partition, offset int64, value string) *record.Record {
	return &record.Record{Topic: p.Topic, Partition: p.Partition, Offset: offset, Timestamp: 1000 + offset, Value: []byte(value)}
}

// give hands over one record; its mark is the offset behind it.
func give(s *ExecSink, ctx context.Context, p *consume.Partition, offset int64) error {
	return s.Record(ctx, recAt(p, offset, fmt.Sprint("v", offset)), consume.Mark{P: p, Next: offset + 1})
}

func TestEachChildGetsItsRecordAndWhatIsSaidOfIt(t *testing.T) {
	t.Setenv("RECORD_KEY", "of a kafkactl around this one")
	s := newShop(t, `read v; echo "$v $RECORD_TOPIC:$RECORD_PARTITION@$RECORD_OFFSET-$RECORD_LAST_OFFSET n=$RECORD_COUNT t=${RECORD_TIMESTAMP-none} k=${RECORD_KEY-null} k64=${RECORD_KEY64-null}"`, nil)
	k := s.Sink()
	p := part(3)
	for i, key := range [][]byte{nil, {}, []byte("a key"), []byte("a\x00b"), bytes.Repeat([]byte("k"), keyMost+1)} {
		r := recAt(p, int64(i), "x")
		r.Key = key
		if i == 4 {
			r.Timestamp = -1
		}
		if err := k.Record(t.Context(), r, consume.Mark{P: p, Next: int64(i) + 1}); err != nil {
			t.Fatal(err)
		}
	}
	want := `x t:3@0-0 n=1 t=1000 k=null k64=null
x t:3@1-1 n=1 t=1001 k= k64=null
x t:3@2-2 n=1 t=1002 k=a key k64=null
x t:3@3-3 n=1 t=1003 k=null k64=YQBi
x t:3@4-4 n=1 t=none k=null k64=null
`
	if got := s.wrote(t); got != want {
		t.Errorf("children wrote\n%s\nwant\n%s", got, want)
	}
	s.wantDone(t, map[int32]int64{3: 5})
}

func TestS33AChildThatFailsOnTheThirdLeavesTwoDone(t *testing.T) {
	s := newShop(t, `test $RECORD_OFFSET -lt 2 || exit 7`, nil)
	k := s.Sink()
	p := part(0)
	var err error
	n := int64(0)
	for ; n < 5 && err == nil; n++ {
		err = give(k, t.Context(), p, n)
	}
	var x *ExecError
	if !errors.As(err, &x) || x.First != 2 || x.Last != 2 || x.Topic != p.Topic || x.Partition != p.Partition || n != 3 {
		t.Fatalf("after %d records: %v", n, err)
	}
	if want := "t:0 offset 2: the command ended with exit status 7"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if again := k.Flush(t.Context()); !errors.Is(again, err) {
		t.Errorf("flushing after it: %v", again)
	}
	s.wantDone(t, map[int32]int64{0: 2})
}

func TestABatchIsOfOnePartitionAndDoneAsAWhole(t *testing.T) {
	s := newShop(t, `echo "$RECORD_PARTITION@$RECORD_OFFSET-$RECORD_LAST_OFFSET($RECORD_COUNT)[${RECORD_KEY-}]" $(cat)`, func(c *ExecConfig) { c.Batch = 3 })
	k := s.Sink()
	a, b := part(0), part(1)
	for _, at := range []struct {
		p      *consume.Partition
		offset int64
	}{{a, 0}, {b, 10}, {a, 1}, {b, 11}, {a, 5}, {a, 6}} {
		if err := give(k, t.Context(), at.p, at.offset); err != nil {
			t.Fatal(err)
		}
	}
	s.wantDone(t, map[int32]int64{0: 6})
	k.Skip(consume.Mark{P: a, Next: 9})
	k.Skip(consume.Mark{P: part(2), Next: 4})
	s.wantDone(t, map[int32]int64{0: 6, 2: 4})
	if err := k.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantDone(t, map[int32]int64{0: 9, 1: 12, 2: 4})
	if got, want := s.wrote(t), "0@0-5(3)[] v0 v1 v5\n1@10-11(2)[] v10 v11\n0@6-6(1)[] v6\n"; got != want {
		t.Errorf("children wrote %q, want %q", got, want)
	}
}

func TestALullSendsWhatTheLogHasNoMoreFor(t *testing.T) {
	more := true
	s := newShop(t, `cat >/dev/null`, func(c *ExecConfig) {
		c.Batch = 10
		c.more = func(m consume.Mark) bool { return more && m.P.Partition == 0 }
	})
	k := s.Sink()
	a, b := part(0), part(1)
	if err := errors.Join(give(k, t.Context(), a, 0), give(k, t.Context(), b, 0)); err != nil {
		t.Fatal(err)
	}
	again, err := k.Lull(t.Context())
	if err != nil || again <= 0 || again > execWait {
		t.Errorf("lull: %v, again in %v", err, again)
	}
	s.wantDone(t, map[int32]int64{1: 1})
	k.open[0].begun = time.Now().Add(-execWait)
	if again, err = k.Lull(t.Context()); err != nil || again != 0 {
		t.Errorf("lull: %v, again in %v", err, again)
	}
	s.wantDone(t, map[int32]int64{0: 1, 1: 1})
}

func TestABatchOfManyBytesGoesEarly(t *testing.T) {
	s := newShop(t, `wc -c`, func(c *ExecConfig) { c.Batch = 1000 })
	k := s.Sink()
	p := part(0)
	r := recAt(p, 0, strings.Repeat("x", execBytes/2))
	for i := range int64(3) {
		r.Offset = i
		if err := k.Record(t.Context(), r, consume.Mark{P: p, Next: i + 1}); err != nil {
			t.Fatal(err)
		}
	}
	s.wantDone(t, map[int32]int64{0: 2})
	for q := range int32(8) { // all together more than execTotal
		if err := k.Record(t.Context(), r, consume.Mark{P: part(q + 1), Next: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if k.size >= execTotal || len(s.done) < 2 {
		t.Errorf("%d bytes wait in %d batches", k.size, len(k.open))
	}
}

func TestInputThatIsNotReadIsNoFailure(t *testing.T) {
	s := newShop(t, `true`, nil)
	k := s.Sink()
	p := part(0)
	r := recAt(p, 0, strings.Repeat("x", 4<<20)) // more than any pipe takes
	if err := k.Record(t.Context(), r, consume.Mark{P: p, Next: 1}); err != nil {
		t.Fatal(err)
	}
	s.wantDone(t, map[int32]int64{0: 1})
}

func TestABigBatchGoesInWhileItsChildWrites(t *testing.T) {
	s := newShop(t, `cat; cat >&2 </dev/null`, nil)
	k := s.Sink()
	p := part(0)
	value := strings.Repeat("0123456789abcdef", 1<<17)
	if err := k.Record(t.Context(), recAt(p, 0, value), consume.Mark{P: p, Next: 1}); err != nil {
		t.Fatal(err)
	}
	if got := s.wrote(t); got != value+"\n" {
		t.Errorf("%d bytes came through, want %d", len(got), len(value)+1)
	}
}

func TestAProcessLeftBehindHoldsNobodyUp(t *testing.T) {
	s := newShop(t, `exec 3<&0; sleep 300 <&3 >/dev/null 2>&1 & echo $!`, nil)
	k := s.Sink()
	p := part(0)
	if err := k.Record(t.Context(), recAt(p, 0, strings.Repeat("x", 1<<20)), consume.Mark{P: p, Next: 1}); err != nil {
		t.Fatal(err)
	}
	s.wantDone(t, map[int32]int64{0: 1})
	var pid int
	if _, err := fmt.Sscan(s.wrote(t), &pid); err != nil || pid <= 1 {
		t.Fatalf("pid %d: %v", pid, err)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

func TestWhatChildrensEndsSay(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{"exit 1", "t:0 offset 7: the command ended with exit status 1"},
		{"kill -9 $$", "t:0 offset 7: the command was killed by SIGKILL (signal 9)"},
		{"(kill -15 $(exec sh -c 'echo $PPID')); exit $?", "t:0 offset 7: the command ended with exit status 143, the shell's word for SIGTERM (signal 15)"},
		{"no-such-command-anywhere 2>/dev/null", "t:0 offset 7: the command ended with exit status 127: the shell did not find a command in it"},
		{"/dev/null 2>/dev/null", "t:0 offset 7: the command ended with exit status 126: the shell may not run a command in it"},
	} {
		s := newShop(t, c.command, nil)
		err := give(s.Sink(), t.Context(), part(0), 7)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.command, err, c.want)
		}
	}
	s := newShop(t, strings.Repeat("#", 4<<20), nil) // longer than an argument may be
	if err := give(s.Sink(), t.Context(), part(0), 7); err == nil || !strings.Contains(err.Error(), "could not be started") {
		t.Errorf("too long a command: %v", err)
	}
}

func TestRetriesGiveABatchToOtherChildren(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DIR", dir)
	s := newShop(t, `n=$(cat $DIR/n 2>/dev/null || echo 0); echo $((n+1)) >$DIR/n; cat; test $n -ge 2`, func(c *ExecConfig) { c.Retries = 2 })
	k := s.Sink()
	if err := give(k, t.Context(), part(0), 0); err != nil {
		t.Fatal(err)
	}
	s.wantDone(t, map[int32]int64{0: 1})
	if got := s.wrote(t); got != "v0\nv0\nv0\n" {
		t.Errorf("children wrote %q", got)
	}
	if want := "t:0 offset 0: the command ended with exit status 1; try 2 of 3 follows in 1ms"; len(s.notes) != 2 || s.notes[0] != want {
		t.Errorf("notes %q", s.notes)
	}
	s = newShop(t, `exit 3`, func(c *ExecConfig) { c.Retries = 1 })
	err := give(s.Sink(), t.Context(), part(0), 4)
	if want := "t:0 offset 4: the command ended with exit status 3, 2 tries"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	s.wantDone(t, map[int32]int64{})
}

// started waits until a child has written its first line.
func (s *shop) started(t *testing.T, lines int) {
	t.Helper()
	for strings.Count(s.wrote(t), "\n") < lines {
		select {
		case <-t.Context().Done():
			t.Fatal("the child never wrote")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestAnInterruptedChildMayFinishAndNoOtherBegins(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DIR", dir)
	s := newShop(t, `echo begun; while ! test -e $DIR/go; do sleep 0.01; done`, nil)
	k := s.Sink()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	result := make(chan error, 1)
	go func() { result <- give(k, ctx, part(0), 0) }()
	s.started(t, 1)
	cancel(why)
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Errorf("the child that ran: %v", err)
	}
	s.wantDone(t, map[int32]int64{0: 1})
	if err := give(k, ctx, part(0), 1); !errors.Is(err, why) {
		t.Errorf("another record: %v", err)
	}
	if got := s.wrote(t); got != "begun\n" {
		t.Errorf("children wrote %q", got)
	}
}

// dies waits until no process of a group is left.
func dies(t *testing.T, pid int) {
	t.Helper()
	for syscall.Kill(-pid, 0) == nil {
		select {
		case <-t.Context().Done():
			t.Fatal("the group lives on")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestAChildThatGoesOnTooLongIsKilledWithItsGroup(t *testing.T) {
	s := newShop(t, `sleep 300 & echo $$; wait`, func(c *ExecConfig) { c.Grace = 10 * time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- give(s.Sink(), ctx, part(0), 0) }()
	s.started(t, 1)
	cancel()
	var x *ExecError
	if err := <-result; !errors.As(err, &x) || !strings.HasSuffix(err.Error(), "the command was killed by SIGKILL (signal 9)") {
		t.Errorf("%v", err)
	}
	s.wantDone(t, map[int32]int64{})
	if len(s.notes) != 1 || !strings.Contains(s.notes[0], "t:0 offset 0") {
		t.Errorf("notes %q", s.notes)
	}
	var pid int
	if _, err := fmt.Sscan(s.wrote(t), &pid); err != nil || pid <= 1 {
		t.Fatalf("pid %d: %v", pid, err)
	}
	dies(t, pid)
}

func TestKillEndsChildrenAtOnceAndForGood(t *testing.T) {
	s := newShop(t, `echo $$; sleep 300`, nil)
	k := s.Sink()
	result := make(chan error, 1)
	go func() { result <- give(k, t.Context(), part(0), 0) }()
	s.started(t, 1)
	s.Kill()
	if err := <-result; err == nil {
		t.Error("a killed child counts as done")
	}
	if err := give(s.Sink(), t.Context(), part(1), 0); err == nil {
		t.Error("a child began after Kill")
	}
	s.wantDone(t, map[int32]int64{})
}

func TestOneSinksFailureStopsTheOthers(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DIR", dir)
	s := newShop(t, `test $RECORD_PARTITION = 0 && exit 9; echo begun; while ! test -e $DIR/go; do sleep 0.01; done`, nil)
	a, b := s.Sink(), s.Sink()
	result := make(chan error, 1)
	go func() { result <- give(b, t.Context(), part(1), 0) }()
	s.started(t, 1)
	first := give(a, t.Context(), part(0), 0)
	if first == nil {
		t.Fatal("exit 9 is no failure")
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Errorf("the child that ran beside it: %v", err)
	}
	if err := give(b, t.Context(), part(1), 1); !errors.Is(err, first) {
		t.Errorf("a record after it: %v", err)
	}
	s.wantDone(t, map[int32]int64{1: 1})
}

func TestStreamsThatShareAWriterKeepTheirPagesWhole(t *testing.T) {
	var out bytes.Buffer
	w := Share(&out)
	var wg sync.WaitGroup
	const each = 2000
	for i := range int32(4) {
		s := NewStream(w, Plain{Delim: []byte("\n")}.Append(), func(consume.Mark) {}, 64)
		wg.Go(func() {
			p := part(i)
			for n := range int64(each) {
				if err := s.Record(t.Context(), recAt(p, n, fmt.Sprintf("%d %d", i, n)), consume.Mark{P: p, Next: n + 1}); err != nil {
					t.Error(err)
				}
			}
			if err := s.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	next := make([]int, 4)
	for _, line := range slices.Collect(strings.Lines(out.String())) {
		var i, n int
		if _, err := fmt.Sscanf(line, "%d %d\n", &i, &n); err != nil || n != next[i] {
			t.Fatalf("%q where %d was to come", line, next[i])
		}
		next[i]++
	}
	if !slices.Equal(next, []int{each, each, each, each}) {
		t.Errorf("%v lines", next)
	}
}

func TestBehindAPageThatWasCutShortNothingFollows(t *testing.T) {
	full := errors.New("full")
	out := &cutting{room: 7, err: full}
	w := Share(out)
	told := map[int32]int64{}
	streams := make([]*Stream, 2)
	for i := range streams {
		streams[i] = NewStream(w, Plain{Delim: []byte("\n")}.Append(), func(m consume.Mark) { told[m.P.Partition] = m.Next }, 0)
		p := part(int32(i))
		for n := range int64(2) {
			if err := streams[i].Record(t.Context(), recAt(p, n, "abcd"), consume.Mark{P: p, Next: n + 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, s := range streams {
		if err := s.Flush(t.Context()); !errors.Is(err, full) {
			t.Errorf("stream %d: %v", i, err)
		}
	}
	if out.got != "abcd\nab" || !maps.Equal(told, map[int32]int64{0: 1}) {
		t.Errorf("wrote %q, told %v", out.got, told)
	}
}

// cutting takes so many bytes and then no more of that write.
type cutting struct {
	room int
	err  error
	got  string
}

func (c *cutting) Write(p []byte) (int, error) {
	n := min(c.room, len(p))
	c.got += string(p[:n])
	c.room = 1000 // the disk has room again, but the record before is torn
	if n < len(p) {
		return n, c.err
	}
	return n, nil
}
