//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"kafkactl/internal/kafkatest"
)

const (
	nodes      = 3
	partitions = 6
)

// lab is what all scenes share.
type lab struct {
	cluster *kafkatest.Cluster
	ours    string // path of the kafkactl under test
	records int
	length  time.Duration // over which the records are produced, and read
	seed    uint64
	scratch string // a directory
	peer    bool   // run kcat beside us, on the same fault
	made    int    // topics that have been made, for their names
}

// manner is how records are produced.
type manner struct{ codec, acks string }

// scene is one fault while records are produced and read.
type scene struct {
	*lab
	fault fault
	manner
	beside []manner // of more writers
	runs   []string
	random *rand.Rand
	text   *text

	topic, peers, full string    // fed by us, by kcat, and before anything went wrong
	groups             [2]string // ours and kcat's, with one coordinator
	victim             int       // whom a thin topic has all its followers on
	at                 time.Time // when it went wrong
}

func (l *lab) scene(f fault, codec, acks string, runs []string) *scene {
	l.made++
	s := &scene{lab: l, fault: f, manner: manner{codec, acks}, runs: runs,
		random: rand.New(rand.NewPCG(l.seed, 0)), text: newText(l.seed)}
	s.victim = 1 + s.random.IntN(nodes)
	s.topic = fmt.Sprintf("t%d", l.made)
	s.peers, s.full = s.topic+"-kcat", s.topic+"-full"
	return s
}

func (s *scene) has(run string) bool { return slices.Contains(s.runs, run) }

// topics are those the fault befalls.
func (s *scene) topics() []string {
	topics := []string{s.topic}
	if s.has("produce") && s.peer {
		topics = append(topics, s.peers)
	}
	if s.has("consume") {
		topics = append(topics, s.full)
	}
	if s.has("checkpoint") {
		topics = append(topics, s.once())
	}
	for i := range s.beside {
		topics = append(topics, s.besideTopic(i))
	}
	return topics
}

// once is the topic of a checkpointed produce.
func (s *scene) once() string { return s.topic + "-once" }

func (s *scene) besideTopic(i int) string { return fmt.Sprintf("%s-%d", s.topic, i+1) }

// create makes the topics. Brokers set the time of a record, so that the log
// itself tells when each partition took records.
func (s *scene) create(ctx context.Context) error {
	var replicas [][]int
	for p := range partitions {
		r := []int{1 + p%nodes, 1 + (p+1)%nodes, 1 + (p+2)%nodes}
		if s.fault.thin {
			// Whoever leads, the other replica is the victim.
			r = []int{1 + (s.victim+p%2)%nodes, s.victim}
		}
		replicas = append(replicas, r)
	}
	for _, topic := range s.topics() {
		err := s.cluster.CreateAssigned(ctx, topic, replicas, "message.timestamp.type", "LogAppendTime",
			"min.insync.replicas", "2", "segment.bytes", "4194304")
		if err != nil {
			return err
		}
	}
	return nil
}

// healthy returns when every replica of every topic of the scene is in sync.
func (s *scene) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		bad := ""
		for _, topic := range s.topics() {
			found, err := s.cluster.Partitions(ctx, topic)
			if err != nil {
				bad = err.Error()
			}
			for n, p := range found {
				if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
					bad = fmt.Sprintf("%s:%d is not in sync: %+v", topic, n, p)
				}
			}
		}
		if bad == "" {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("the cluster does not recover: %s", bad)
		}
	}
}

// pickGroups finds two groups with one coordinator.
func (s *scene) pickGroups(ctx context.Context) error {
	s.groups[0] = s.topic + "-group"
	ours, err := s.cluster.Coordinator(ctx, s.groups[0])
	if err != nil {
		return err
	}
	for i := range 100 {
		s.groups[1] = fmt.Sprintf("%s-kcat-%d", s.topic, i)
		theirs, err := s.cluster.Coordinator(ctx, s.groups[1])
		if err != nil || theirs == ours {
			return err
		}
	}
	return errors.New("no two groups have one coordinator")
}

// play runs the scene and gives its rows.
func (s *scene) play(ctx context.Context) (rows []row, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.length+10*time.Minute)
	defer cancel()
	if err := errors.Join(s.create(ctx), s.pickGroups(ctx)); err != nil {
		return nil, err
	}
	if err := s.healthy(ctx); err != nil {
		return nil, err
	}
	if s.has("consume") {
		if err := s.fill(ctx); err != nil {
			return nil, err
		}
	}
	actors, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	// Somewhere in the second or third tenth: what comes after has to fit too.
	err = sleep(ctx, time.Duration(float64(s.length)*(0.2+0.2*s.random.Float64())))
	if err == nil {
		s.at = time.Now()
		err = s.fault.do(ctx, s)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.fault.name, err)
	}
	rows, err = actors.settle(ctx)
	for _, topic := range s.topics() {
		err = errors.Join(err, kafkatest.DeleteTopic(ctx, s.cluster.Nodes[0].Addr(), topic))
	}
	return rows, err
}

// fill produces what is there before anything goes wrong.
func (s *scene) fill(ctx context.Context) error {
	c, err := spawn(ctx, "filler", s.ours, "-b", s.cluster.Brokers(), "-q", "produce", s.full, "-K", `\t`, "-z", s.codec)
	if err != nil {
		return err
	}
	go drain(c)
	if err := s.text.feed(ctx, c.in, s.records, 0); err != nil {
		return fmt.Errorf("fill %s: %w: %s", s.full, err, c.said.last())
	}
	<-c.done
	if code := c.exit(); code != 0 {
		return fmt.Errorf("fill %s: ends %d: %s", s.full, code, c.said.last())
	}
	return nil
}
