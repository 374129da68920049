//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// patience is how long a script command waits for what must come.
const patience = 30 * time.Second

type stageKey struct{}

// stage is what one script plays on: a cluster, and the processes it started.
type stage struct {
	real    string // brokers of a real cluster, "" for an embedded one
	suffix  string // ends every topic's name, so that scripts share a cluster
	fake    *kfake.Cluster
	brokers string

	mu     sync.Mutex
	client *kgo.Client
	seen   map[kmsg.Key]int // requests that arrived
	taken  map[kmsg.Key]int // of which await has spoken
	news   chan struct{}    // closed and replaced at each arrival

	procs   map[string]*process
	closers []func()
}

func newStage(real string) *stage {
	return &stage{
		real: real, brokers: real, suffix: "-" + strconv.FormatUint(rand.Uint64N(36*36*36*36*36*36), 36),
		seen: map[kmsg.Key]int{}, taken: map[kmsg.Key]int{}, news: make(chan struct{}), procs: map[string]*process{},
	}
}

func (s *stage) close() {
	for _, p := range s.procs {
		p.kill()
	}
	if s.client != nil {
		s.client.Close()
	}
	if s.fake != nil {
		s.fake.Close()
	}
	for _, f := range s.closers {
		f()
	}
}

func (s *stage) needFake(ts *testscript.TestScript, what string) *kfake.Cluster {
	if s.fake == nil {
		ts.Fatalf("%s needs the embedded broker: begin the script with [!fake] skip, and cluster", what)
	}
	return s.fake
}

// cluster [-nodes N] [-advertise ADDR] NAME:PARTITIONS...
func cmdCluster(s *stage, ts *testscript.TestScript, args []string) {
	nodes, advertise := 1, ""
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-nodes":
			nodes = number(ts, args[1])
		case "-advertise":
			advertise = args[1]
		default:
			ts.Fatalf("cluster: unknown option %s", args[0])
		}
		args = args[2:]
	}
	if s.real == "" {
		var listening []string
		fake, err := kfake.NewCluster(kfake.NumBrokers(nodes), kfake.DefaultNumPartitions(1),
			kfake.ListenFn(func(network, address string) (net.Listener, error) {
				l, err := net.Listen(network, address)
				if err != nil {
					return nil, err
				}
				listening = append(listening, l.Addr().String())
				return &disguised{l, advertise}, nil
			}))
		ts.Check(err)
		s.fake, s.brokers = fake, strings.Join(listening, ",")
		fake.ControlKey(-1, func(req kmsg.Request) (kmsg.Response, error, bool) {
			s.arrived(kmsg.Key(req.Key()))
			return nil, nil, false
		})
	}
	ts.Setenv("KAFKACTL_BROKERS", s.brokers)
	cmdTopic(s, ts, args)
}

// disguised is a listener that brokers advertise under another address.
type disguised struct {
	net.Listener
	as string
}

func (d *disguised) Addr() net.Addr {
	if d.as == "" {
		return d.Listener.Addr()
	}
	return otherAddr(d.as)
}

type otherAddr string

func (otherAddr) Network() string  { return "tcp" }
func (a otherAddr) String() string { return string(a) }

// topic NAME:PARTITIONS... makes topics and sets $NAME to what each is called.
func cmdTopic(s *stage, ts *testscript.TestScript, args []string) {
	for _, arg := range args {
		name, n, ok := strings.Cut(arg, ":")
		partitions := 1
		if ok {
			partitions = number(ts, n)
		}
		full := name + s.suffix
		if s.fake != nil {
			ts.Check(s.fake.CreateTopic(full, int32(partitions), nil))
		} else {
			ts.Check(s.create(full, partitions))
		}
		ts.Setenv(varOf(name), full)
	}
}

// create makes a topic on a real cluster and waits until all can be led there.
func (s *stage) create(topic string, partitions int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cl, err := s.kgo()
	if err != nil {
		return err
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, int32(partitions), 1
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return err
	}
	if err := kerr.ErrorForCode(resp.Topics[0].ErrorCode); err != nil {
		return fmt.Errorf("create %s: %w", topic, err)
	}
	for {
		if led, err := s.led(ctx, topic); err != nil || led == partitions {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("create %s: it has no leaders yet", topic)
		}
	}
}

// led counts a topic's partitions that have a leader.
func (s *stage) led(ctx context.Context, topic string) (int, error) {
	cl, err := s.kgo()
	if err != nil {
		return 0, err
	}
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(topic)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, p := range resp.Topics[0].Partitions {
		if p.ErrorCode == 0 && p.Leader >= 0 {
			n++
		}
	}
	return n, nil
}

// kgo is a client that is none of ours.
func (s *stage) kgo(opts ...kgo.Opt) (*kgo.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(opts) > 0 {
		return kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(s.brokers, ",")...))...)
	}
	if s.client == nil {
		cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(s.brokers, ",")...),
			kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			return nil, err
		}
		s.client = cl
	}
	return s.client, nil
}

// arrived counts a request and wakes await.
func (s *stage) arrived(key kmsg.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[key]++
	close(s.news)
	s.news = make(chan struct{})
}

// await API [N] waits until N more requests have arrived than the awaits before
// it spoke of.
func cmdAwait(s *stage, ts *testscript.TestScript, args []string) {
	s.needFake(ts, "await")
	key, n := apiKey(ts, args), 1
	if len(args) > 1 {
		n = number(ts, args[1])
	}
	late := time.After(patience)
	for {
		s.mu.Lock()
		enough := s.seen[key] >= s.taken[key]+n
		if enough {
			s.taken[key] += n
		}
		seen, news := s.seen[key], s.news
		s.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-news:
		case <-late:
			ts.Fatalf("await %s: %d came", args[0], seen)
		}
	}
}

// fail API TOPIC[:PARTITION]|group=GROUP|- CODE [COUNT] answers with an error in
// place of the topic's or group's own answer, for as long as the script runs or
// COUNT times; - fails the request as a whole.
func cmdFail(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: fail API TOPIC[:PARTITION]|group=GROUP|- CODE [COUNT]")
	}
	f := kfake.Fault{Keys: []kmsg.Key{apiKey(ts, args)}, Err: errorNamed(ts, args[2]), Count: -1}
	if len(args) > 3 {
		f.Count = number(ts, args[3])
	}
	if group, ok := strings.CutPrefix(args[1], "group="); ok {
		f.Group = group
	} else if args[1] == "-" {
		f.TopLevel = true
	} else {
		topic, p, ok := strings.Cut(args[1], ":")
		f.Topic = topic
		if ok {
			f.Partitions = []int32{int32(number(ts, p))}
		}
	}
	s.needFake(ts, "fail").Fault(f)
}

// cut API [COUNT] closes the connection in place of an answer.
func cmdCut(s *stage, ts *testscript.TestScript, args []string) {
	s.control(ts, args, fmt.Errorf("cut by the script"))
}

// mute API [COUNT] never answers.
func cmdMute(s *stage, ts *testscript.TestScript, args []string) { s.control(ts, args, nil) }

func (s *stage) control(ts *testscript.TestScript, args []string, err error) {
	fake, left := s.needFake(ts, "cut and mute"), 1
	key := apiKey(ts, args)
	if len(args) > 1 {
		left = number(ts, args[1])
	}
	fake.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		if left == 0 {
			fake.DropControl()
			return nil, nil, false
		}
		left--
		fake.KeepControl()
		s.arrived(key) // the observer comes after us and will not see it
		return nil, err, true
	})
}

// trim TOPIC:PARTITION OFFSET deletes the records before an offset.
func cmdTrim(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: trim TOPIC:PARTITION OFFSET")
	}
	topic, p, _ := strings.Cut(args[0], ":")
	ts.Check(s.needFake(ts, "trim").DeleteRecords(topic, int32(number(ts, p)), int64(number(ts, args[1]))))
}

// move TOPIC:PARTITION NODE makes a node the leader.
func cmdMove(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: move TOPIC:PARTITION NODE")
	}
	topic, p, _ := strings.Cut(args[0], ":")
	ts.Check(s.needFake(ts, "move").MoveTopicPartition(topic, int32(number(ts, p)), int32(number(ts, args[1]))))
}

// apiKey reads an API by Kafka's name.
func apiKey(ts *testscript.TestScript, args []string) kmsg.Key {
	if len(args) == 0 {
		ts.Fatalf("which API?")
	}
	for k := range int16(kmsg.MaxKey) + 1 {
		if kmsg.NameForKey(k) == args[0] {
			return kmsg.Key(k)
		}
	}
	ts.Fatalf("no API is called %s", args[0])
	return 0
}

// errorNamed reads an error code by Kafka's name.
func errorNamed(ts *testscript.TestScript, name string) *kerr.Error {
	for code := int16(-1); code < 200; code++ {
		if err := kerr.TypedErrorForCode(code); err != nil && err.Message == name {
			return err
		}
	}
	ts.Fatalf("no error is called %s", name)
	return nil
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}
