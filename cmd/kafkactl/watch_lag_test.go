//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// On a terminal the table is redrawn on a screen of its own, which is gone
// afterwards; what was seen last stays.
func TestWatchingRedrawsAndLeavesTheLastTable(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	client, err := broker.New(broker.Config{Seeds: fake.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	at := map[broker.TP]offsets.Stored{{Topic: "orders", Partition: 1}: {Offset: 0, LeaderEpoch: -1}}
	if failed, err := offsets.Commit(context.Background(), client, offsets.Outside("billing"), offsets.Kafka, at); err != nil || failed != nil {
		t.Fatal(failed, err)
	}
	watch := func(env ...string) string {
		tty, all := terminal(t, 60)
		cmd := command(t, "offsets", "get", "-g", "billing", "orders", "--watch=30ms", "-b", fake.ListenAddrs()[0])
		cmd.Env = append(cmd.Env, env...)
		cmd.Stdout = tty
		looks, seen := 0, make(chan struct{})
		fake.ControlKey(int16(kmsg.OffsetFetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			if looks++; looks == 4 {
				close(seen)
			}
			return nil, nil, false
		})
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-seen
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		state, err := cmd.Process.Wait()
		if err != nil || statusOf(state) != 130 {
			t.Errorf("status %d, %v", statusOf(state), err)
		}
		return all()
	}
	got := watch("NO_COLOR=1")
	opened, rest, ok := strings.Cut(got, "\x1b[?1049h\x1b[?25l")
	live, last, ok2 := strings.Cut(rest, "\x1b[?25h\x1b[?1049l")
	if !ok || !ok2 || opened != "" || strings.Count(live, "\x1b[H") < 2 || !strings.Contains(live, "group billing (Empty)  lag 0") {
		t.Errorf("%q", got)
	}
	if !strings.HasPrefix(last, "TOPIC") || !strings.Contains(last, "3 partitions") || strings.Contains(got, "\x1b[1m") {
		t.Errorf("%q", last)
	}
	if dumb := watch("TERM=dumb"); strings.Contains(dumb, "\x1b") || strings.Count(dumb, "TOPIC") < 2 {
		t.Errorf("a dumb terminal got %q", dumb)
	}
}

func TestRowsWithMostLagAreKept(t *testing.T) {
	tab := newTable("TOPIC", ">OFFSET", ">LAG")
	for _, row := range [][]string{{"a", "1", "5"}, {"b", none, "-"}, {"c", "1", "7"}, {"d", "-", "-"}, {"e", "1", "0"}} {
		tab.row(row...)
	}
	for n, want := range []string{"", "d", "cd", "acd", "acde", "abcde"} {
		got := ""
		for _, row := range mostLag(tab, n) {
			got += row[0]
		}
		if got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestAgesAreReadable(t *testing.T) {
	now := time.UnixMilli(1_000_000_000_000)
	for ago, want := range map[time.Duration]string{
		-time.Minute: "0s", 999 * time.Millisecond: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m01s",
		time.Hour + 5*time.Minute + time.Second: "1h05m", 51 * time.Hour: "2d03h",
	} {
		if got := ageText(now, now.Add(-ago).UnixMilli()); got != want {
			t.Errorf("%v: %s, want %s", ago, got, want)
		}
	}
	if got := ageText(now, -1); got != "-" {
		t.Errorf("unknown: %s", got)
	}
}

func TestPartitionsAreWrittenAsTargets(t *testing.T) {
	tps := func(list ...any) (all []broker.TP) {
		for i := 0; i < len(list); i += 2 {
			all = append(all, broker.TP{Topic: list[i].(string), Partition: int32(list[i+1].(int))})
		}
		return all
	}
	for want, list := range map[string][]broker.TP{
		"": nil, "a:0": tps("a", 0), "a:0,2-4 b:1": tps("a", 0, "a", 2, "a", 3, "a", 4, "b", 1), "a:1 b:2": tps("a", 1, "b", 2),
	} {
		got := tpsText(list)
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
		var back []broker.TP
		for _, s := range strings.Fields(got) {
			target, err := offsets.ParseTarget(s, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for p := range int32(10) {
				if target.Holds(p) {
					back = append(back, broker.TP{Topic: target.Topic, Partition: p})
				}
			}
		}
		if !slices.Equal(back, list) {
			t.Errorf("%s is %v", got, back)
		}
	}
}

// A total is not told where a part is unknown.
func TestTrendNeedsTwoWholeLooks(t *testing.T) {
	at := time.Now()
	look := func(lag int64, err error) *lagView {
		at = at.Add(10 * time.Second)
		return &lagView{at: at, groups: []groupLag{{lags: []offsets.Lag{{Records: lag, Err: err}}}}}
	}
	var trend lagTrend
	for _, step := range []struct {
		lag  int64
		err  error
		want string
	}{{100, nil, ""}, {200, nil, ", growing by 10/s"}, {200, nil, ", steady"}, {-1, io.EOF, ""}, {100, nil, ""}, {0, nil, ", falling by 10/s"}} {
		trend.add(look(step.lag, step.err))
		if got := trend.text(); got != step.want {
			t.Errorf("%d: %q, want %q", step.lag, got, step.want)
		}
	}
	if _, _, failed := look(-1, errors.New("x")).total(); !failed {
		t.Error("a partition that failed counts as known")
	}
}
