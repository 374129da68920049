//go:build unix

package group

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/kafkatest"
	"kafkactl/internal/wire"
)

// realTopic makes a topic of a name of its own and gives its partitions: those
// asked for, or as many as the broker has by default where it is too old to be
// told.
func realTopic(t *testing.T, client *broker.Client, partitions int32) (string, int) {
	t.Helper()
	name := fmt.Sprintf("group-%d", time.Now().UnixNano())
	topic := wire.Default[wire.CreatableTopic]()
	topic.Name, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	req := wire.Default[wire.CreateTopicsRequest]()
	req.Topics, req.TimeoutMs = []wire.CreatableTopic{topic}, 10_000
	resp := wire.Default[wire.CreateTopicsResponse]()
	_, err := client.Do(t.Context(), broker.Controller(), &req, &resp)
	switch {
	case errors.As(err, new(*broker.VersionError)): // before 0.10.1, asking makes it
		snap, err := client.Refresh(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := client.Open(t.Context(), snap.Brokers[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		ask := wire.Default[wire.MetadataRequest]()
		ask.Topics = []wire.MetadataRequestTopic{{Name: &name}}
		answer := wire.Default[wire.MetadataResponse]()
		if _, err := conn.Roundtrip(t.Context(), &ask, &answer, 0); err != nil {
			t.Fatal(err)
		}
	case err != nil:
		t.Fatal(err)
	case resp.Topics[0].ErrorCode != wire.None:
		t.Fatal(resp.Topics[0].ErrorCode)
	}
	for try := 1; ; try++ {
		snap, err := client.Refresh(t.Context(), client.Metadata(), name)
		if err != nil {
			t.Fatal(err)
		}
		if topic, ok := snap.Topic(name); ok && len(topic.Partitions) > 0 && topic.Err == wire.None {
			return name, len(topic.Partitions)
		}
		if err := client.Pause(t.Context(), try); err != nil {
			t.Fatal(err)
		}
	}
}

func realClient(t *testing.T) *broker.Client {
	t.Helper()
	seeds, err := broker.ParseSeeds(kafkatest.Brokers(t))
	if err != nil {
		t.Fatal(err)
	}
	client, err := broker.New(broker.Config{Seeds: seeds, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// speaksModern says whether the brokers have the KIP-848 protocol.
func speaksModern(t *testing.T, client *broker.Client) bool {
	t.Helper()
	err := speaks(t.Context(), client, "g")
	if errors.As(err, new(*broker.VersionError)) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

func TestRealBrokersTakeOurMembers(t *testing.T) {
	client := realClient(t)
	for _, assignor := range []string{"", Range, RoundRobin, Sticky, CooperativeSticky, "server-" + Uniform, "server-" + ServerRange, "static"} {
		t.Run(assignor, func(t *testing.T) {
			server, modern := strings.CutPrefix(assignor, "server-")
			if modern && !speaksModern(t, client) {
				t.Skip("brokers before 4.0")
			}
			if assignor == "static" && !keepsStatic(t, client) {
				t.Skip("brokers before 2.3")
			}
			topic, n := realTopic(t, client, 12)
			r := newRoster(t)
			cfg := Config{Group: topic, Topics: []string{topic}, HeartbeatInterval: 300 * time.Millisecond, SessionTimeout: 10 * time.Second}
			join := func(name string) *member {
				if modern {
					cfg.ServerAssignor = server
					return r.modern(client, name, cfg)
				}
				if assignor != "" {
					cfg.Assignors = []string{assignor}
				}
				return r.classic(client, name, cfg)
			}
			if assignor == "static" {
				join = func(name string) *member {
					c := cfg
					c.Instance = name
					return r.classic(client, name, c)
				}
			}
			a := join("a")
			r.await("a has all", r.shares(n, map[*member]int{a: n}))
			b := join("b")
			r.await("a and b share", r.shares(n, map[*member]int{a: n / 2, b: n / 2}))
			for _, m := range []*member{a, b} {
				if err := commits(t, m); err != nil {
					t.Error(err)
				}
			}
			if assignor == "static" { // it comes back, and nobody notices
				rounds := a.rounds
				b.leave()
				b = join("b")
				r.await("b is back", r.shares(n, map[*member]int{a: n / 2, b: n / 2}))
				if a.rounds != rounds {
					t.Errorf("a was disturbed %d times", a.rounds-rounds)
				}
				return
			}
			a.leave()
			r.await("b has all", r.shares(n, map[*member]int{b: n}))
			if a.lost+b.lost != 0 {
				t.Errorf("lost: %d, %d", a.lost, b.lost)
			}
			if err := commits(t, b); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRealGroupsGetNewTopicsOfAPattern(t *testing.T) {
	client := realClient(t)
	for _, modern := range []bool{false, true} {
		t.Run(fmt.Sprint(modern), func(t *testing.T) {
			if modern && !speaksModern(t, client) {
				t.Skip("brokers before 4.0")
			}
			name, n := realTopic(t, client, 4)
			r := newRoster(t)
			cfg := Config{Group: name, Match: func(topic string) bool { return topic >= name }}
			join := r.classic
			if modern {
				join = r.modern
			}
			a := join(client, "a", cfg)
			r.await("a has all", r.shares(n, map[*member]int{a: n}))
			realTopic(t, client, 4)
			r.await("a has the new one too", r.shares(2*n, map[*member]int{a: 2 * n}))
		})
	}
}

// ancient says that brokers are too old for today's clients.
func ancient(t *testing.T, client *broker.Client) bool {
	t.Helper()
	l := link{client: client, group: "g"}
	defer l.close()
	if err := l.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l.conn.Versions()[wire.JoinGroup][1] < 1
}

// keepsStatic says that static members are known: brokers from 2.3 on.
func keepsStatic(t *testing.T, client *broker.Client) bool {
	t.Helper()
	l := link{client: client, group: "g"}
	defer l.close()
	if err := l.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l.conn.Versions()[wire.JoinGroup][1] >= 5
}

// peer is another client's member, in a process of its own.
type peer struct {
	name string
	argv func(t *testing.T, topic string) *exec.Cmd
	cfg  Config // ours beside it
	new  bool   // KIP-848
}

func peers() []peer {
	java := func(props ...string) func(*testing.T, string) *exec.Cmd {
		return func(t *testing.T, topic string) *exec.Cmd {
			args := []string{"--bootstrap-server", kafkatest.Brokers(t), "--topic", topic, "--group", topic}
			for _, p := range props {
				args = append(args, "--command-property", p)
			}
			v, err := kafkatest.ParseVersion("4.3.1")
			if err != nil {
				t.Fatal(err)
			}
			cmd, err := kafkatest.Tool(t.Context(), v, t.TempDir(), "org.apache.kafka.tools.consumer.ConsoleConsumer", args...)
			if err != nil {
				t.Skip(err)
			}
			return cmd
		}
	}
	strategy := func(class string) string {
		return "partition.assignment.strategy=org.apache.kafka.clients.consumer." + class
	}
	kcat := func(assignor string) func(*testing.T, string) *exec.Cmd {
		return func(t *testing.T, topic string) *exec.Cmd {
			path, err := exec.LookPath("kcat")
			if err != nil {
				t.Skip(err)
			}
			return exec.CommandContext(t.Context(), path, "-b", kafkatest.Brokers(t), "-G", topic, "-X",
				"partition.assignment.strategy="+assignor, topic)
		}
	}
	python := func(library, assignor string) func(*testing.T, string) *exec.Cmd {
		return func(t *testing.T, topic string) *exec.Cmd {
			bin := os.Getenv("KAFKACTL_TEST_PYTHON")
			if bin == "" {
				t.Skip("needs the Python clients: set KAFKACTL_TEST_PYTHON")
			}
			return exec.CommandContext(t.Context(), bin, "testdata/member.py", kafkatest.Brokers(t), library, topic, assignor)
		}
	}
	only := func(names ...string) Config { return Config{Assignors: names} }
	return []peer{
		{"java range", java(strategy("RangeAssignor")), only(), false},
		{"java roundrobin", java(strategy("RoundRobinAssignor")), only(), false},
		{"java sticky", java(strategy("StickyAssignor")), only(), false},
		{"java cooperative, ours eager", java(strategy("CooperativeStickyAssignor")), only(), false},
		{"java cooperative", java(strategy("CooperativeStickyAssignor")), only(CooperativeSticky), false},
		{"java default", java(), only(), false},
		{"java consumer protocol", java("group.protocol=consumer"), only(), true},
		{"java consumer protocol, ours classic", java("group.protocol=consumer"), only(CooperativeSticky), false},
		{"java classic, ours consumer protocol", java(strategy("RangeAssignor")), only(), true},
		{"kcat range", kcat("range"), only(), false},
		{"kcat roundrobin", kcat("roundrobin"), only(), false},
		{"kcat cooperative", kcat("cooperative-sticky"), only(CooperativeSticky), false},
		{"confluent-kafka", python("confluent", "range,roundrobin"), only(), false},
		{"kafka-python", python("kafka-python", "range"), only(), false},
		{"kafka-python sticky", python("kafka-python", "sticky"), only(), false},
	}
}

// Ours leads first, then the other does, then ours joins it again: each time all
// partitions have one owner, as the coordinator tells it.
func TestRealMembersOfOtherMakesShareWithOurs(t *testing.T) {
	client := realClient(t)
	for _, p := range peers() {
		t.Run(p.name, func(t *testing.T) {
			if ancient(t, client) {
				t.Skip("brokers before 0.10.1: the others need newer ones")
			}
			modern := p.new || strings.Contains(p.name, "consumer protocol")
			if modern && !speaksModern(t, client) {
				t.Skip("brokers before 4.0")
			}
			topic, _ := realTopic(t, client, 7)
			cmd := p.argv(t, topic)
			r := newRoster(t)
			cfg := p.cfg
			cfg.Group, cfg.Topics = topic, []string{topic}
			cfg.HeartbeatInterval, cfg.SessionTimeout = 500*time.Millisecond, 10*time.Second
			join := func(name string) *member {
				if p.new {
					return r.modern(client, name, cfg)
				}
				return r.classic(client, name, cfg)
			}
			a := join("a")
			r.await("ours has all", r.shares(7, map[*member]int{a: 7}))

			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				_ = cmd.Wait()
			}()
			defer func() {
				_ = cmd.Process.Kill()
				<-gone
				if t.Failed() {
					t.Logf("the other said: %s", said.String())
				}
			}()
			both := func(ours *member) {
				t.Helper()
				awaitGroup(t, client, topic, func(ms []MemberDescription) error {
					r.mu.Lock()
					n := len(ours.has)
					r.mu.Unlock()
					switch {
					case len(ms) != 2:
						return fmt.Errorf("%d members", len(ms))
					case n != 3 && n != 4:
						return fmt.Errorf("ours has %d partitions", n)
					case len(ms[0].Assigned)+len(ms[1].Assigned) != 7:
						return fmt.Errorf("%v and %v", ms[0].Assigned, ms[1].Assigned)
					case len(minus(sorted(ms[0].Assigned), sorted(ms[1].Assigned))) != len(ms[0].Assigned):
						return fmt.Errorf("twice: %v and %v", ms[0].Assigned, ms[1].Assigned)
					}
					return nil
				})
				if err := commits(t, ours); err != nil {
					t.Error(err)
				}
			}
			both(a)
			a.leave()
			awaitGroup(t, client, topic, func(ms []MemberDescription) error {
				if len(ms) != 1 || len(ms[0].Assigned) != 7 {
					return fmt.Errorf("%+v", ms)
				}
				return nil
			})
			b := join("b")
			both(b)
			_ = cmd.Process.Signal(syscall.SIGTERM)
			r.await("ours has all again", r.shares(7, map[*member]int{b: 7}))
		})
	}
}

// awaitGroup asks the coordinator until what it tells is as it should be.
func awaitGroup(t *testing.T, client *broker.Client, group string, is func([]MemberDescription) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		ms, err := LiveMembers(ctx, client, group)
		if err == nil {
			err = is(ms)
		}
		if err == nil {
			return
		}
		if client.Pause(ctx, 3) != nil {
			t.Fatal(err)
		}
	}
}
