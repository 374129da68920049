//go:build unix

// Command chaos consumes a topic with a group whose members come and go, and
// judges what they printed against what was committed; see scripts/chaos.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"kafkactl/internal/kafkatest"
)

// chaos is one run.
type chaos struct {
	cluster    *kafkatest.Cluster
	tmp        string
	ours       string // path of the kafkactl under test
	topic      string
	records    int
	partitions int
	events     int
	length     time.Duration // over which records are written and events spread
	kinds      []string
	protocol   string
	assignor   string
	killAll    bool
	random     *rand.Rand

	members   []*member // all that ever were
	ledger    *ledger
	samples   int
	committed []int64 // as of the last sample
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	c := &chaos{topic: "chaos"}
	release := flag.String("kafka", "4.3.1", "`RELEASE` of the broker")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the events' order and times")
	kinds := flag.String("members", "kafkactl,java,kcat", "kinds of members, which join in turn")
	flag.StringVar(&c.ours, "kafkactl", "", "`BINARY` under test")
	flag.IntVar(&c.records, "n", 1_000_000, "records")
	flag.IntVar(&c.partitions, "partitions", 12, "of the topic")
	flag.IntVar(&c.events, "events", 20, "members that join, leave or are killed")
	flag.DurationVar(&c.length, "length", time.Minute, "how long records are written and members come and go")
	flag.StringVar(&c.protocol, "protocol", "classic", "classic or consumer, of kafkactl's and Java's members")
	flag.StringVar(&c.assignor, "assignor", "range", "of a classic group: range, roundrobin or cooperative-sticky")
	flag.BoolVar(&c.killAll, "kill-all", false, "kill members of other makes too, whose own commits may then be past what they printed")
	flag.Parse()
	c.kinds = strings.Split(*kinds, ",")
	c.random = rand.New(rand.NewPCG(*seed, 0))
	c.ledger = newLedger(c.partitions, c.records)
	if c.tmp, err = os.MkdirTemp("", "chaos-"); err != nil {
		return err
	}
	defer os.RemoveAll(c.tmp)
	// At least the memory of a small broker: a group of many members moves much.
	c.cluster, err = kafkatest.Start(ctx, kafkatest.Options{Version: *release, HeapMB: 512})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.cluster.Stop()) }()
	fmt.Printf("Kafka %s, %d records over %d partitions in %v, %d events, %s, seed %d\n",
		*release, c.records, c.partitions, c.length, c.events, *kinds, *seed)
	defer c.killRest()
	return c.play(ctx)
}

// play writes records and lets members come and go, then judges.
func (c *chaos) play(ctx context.Context) error {
	if err := c.cluster.CreateTopic(ctx, c.topic, c.partitions, "retention.ms", "-1"); err != nil {
		return err
	}
	lines, written := make(chan [2]int, 1), make(chan error, 1)
	go func() { written <- c.write(ctx, lines) }()
	for range 2 {
		if err := c.join(ctx, c.kinds[0]); err != nil {
			return err
		}
	}
	const steps = 10 // of writing between two events
	for i := range c.events * steps {
		lines <- [2]int{c.records * i / (c.events * steps), c.records * (i + 1) / (c.events * steps)}
		pause := time.Duration(float64(c.length) / float64(c.events*steps) * (0.5 + c.random.Float64()))
		if err := c.watch(ctx, time.Now().Add(pause), nil); err != nil {
			return err
		}
		if i%steps != steps-1 {
			continue
		}
		if err := c.event(ctx); err != nil {
			return err
		}
	}
	close(lines)
	select {
	case err := <-written:
		if err != nil {
			return fmt.Errorf("write the records: %w", err)
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	// Whoever is left has to come to the end; nobody left is nobody's fault.
	if len(c.alive()) == 0 {
		if err := c.join(ctx, c.kinds[0]); err != nil {
			return err
		}
	}
	ends, err := kafkatest.EndOffsets(ctx, c.cluster.Brokers(), c.topic, c.partitions)
	if err != nil {
		return err
	}
	err = c.watch(ctx, time.Now().Add(2*time.Minute), func() bool { return slices.Equal(c.committed, ends) })
	if err != nil {
		return err
	}
	for _, m := range c.alive() {
		if err := c.leave(ctx, m, syscall.SIGTERM); err != nil {
			return err
		}
	}
	if err := c.sample(ctx); err != nil {
		return err
	}
	return c.judge(ctx)
}

// write writes numbered lines as it is told, from one number to another, with
// the program under test. What is written keeps step with what happens, however
// fast the machine is.
func (c *chaos) write(ctx context.Context, lines <-chan [2]int) error {
	cmd := exec.CommandContext(ctx, c.ours, "-b", c.cluster.Brokers(), "-q", "produce", c.topic, "-K", `\t`)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var b []byte
	for l := range lines {
		b = b[:0]
		for i := l[0]; i < l[1]; i++ {
			b = fmt.Appendf(b, "%d\t%d\n", i, i)
		}
		if _, err = in.Write(b); err != nil {
			break
		}
	}
	for range lines { // whoever tells us must not wait for ever
	}
	return errors.Join(err, in.Close(), cmd.Wait())
}

// event is one thing that happens to the group.
func (c *chaos) event(ctx context.Context) error {
	alive := c.alive()
	dice := c.random.IntN(10)
	if len(alive) < 3 || len(alive) < 7 && dice < 5 {
		// Each kind in turn, so that a group is always a mixed one.
		return c.join(ctx, c.kinds[len(c.members)%len(c.kinds)])
	}
	m := alive[c.random.IntN(len(alive))]
	if dice%2 == 0 && (m.kind == "kafkactl" || c.killAll) {
		return c.leave(ctx, m, syscall.SIGKILL)
	}
	return c.leave(ctx, m, syscall.SIGTERM)
}

// watch samples until a time, or until done says so.
func (c *chaos) watch(ctx context.Context, until time.Time, done func() bool) error {
	for time.Now().Before(until) && (done == nil || !done()) {
		if err := c.sample(ctx); err != nil {
			return err
		}
		for _, m := range c.alive() {
			if m.ended() && m.asked == 0 {
				return fmt.Errorf("%s ended by itself: %v\n%s", m.name, m.cmd.ProcessState, m.said())
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// sample asks what is committed and then reads what has been printed by then.
func (c *chaos) sample(ctx context.Context) error {
	at, err := kafkatest.Committed(ctx, c.cluster.Brokers(), "chaos", c.topic, c.partitions)
	for _, m := range c.members {
		if err := m.read(c.ledger); err != nil {
			return err
		}
	}
	if err != nil {
		return nil // the coordinator is not there yet
	}
	c.samples++
	c.committed = at
	c.ledger.compare(at)
	return nil
}

func (c *chaos) judge(ctx context.Context) error {
	ends, err := kafkatest.EndOffsets(ctx, c.cluster.Brokers(), c.topic, c.partitions)
	if err != nil {
		return err
	}
	at, err := kafkatest.Committed(ctx, c.cluster.Brokers(), "chaos", c.topic, c.partitions)
	if err != nil {
		return err
	}
	fmt.Printf("%d samples; %d lines printed, %d records, %d repeats\n", c.samples, c.ledger.lines, c.ledger.distinct,
		c.ledger.lines-c.ledger.distinct)
	for _, m := range c.members {
		fmt.Printf("  %-12s %8d lines, %s\n", m.name, m.lines, m.fate())
	}
	return errors.Join(c.ledger.verdict(ends, at, c.members)...)
}
