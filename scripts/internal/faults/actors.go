//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// cast is everybody who takes part in a scene.
type cast struct {
	*scene
	actors []*actor
}

// actor is one client in one role.
type actor struct {
	*child
	run   string // produce, checkpoint, consume, tail or group
	peer  bool   // kcat, for comparison
	topic string
	manner
	seen  *seen
	acked []receipt // what a producer of ours printed
	fed   chan error
	read  chan error
	stuck bool
}

// receipt is where a producer says that a record stands.
type receipt struct {
	partition int
	offset    int64
}

func drain(c *child) { _, _ = io.Copy(io.Discard, c.out) }

// start starts readers and then writers.
func (s *scene) start(ctx context.Context) (*cast, error) {
	c := &cast{scene: s}
	b := s.cluster.Brokers()
	type command struct {
		run, topic string
		peer       bool
		program    string
		args       []string
		manner     manner
	}
	ours := func(run, topic string, args ...string) command {
		return command{run, topic, false, s.ours, append([]string{"-b", b, run, topic}, args...), s.manner}
	}
	kcat := func(run, topic string, args ...string) command {
		return command{run, topic, true, "kcat", append([]string{"-b", b}, args...), s.manner}
	}
	var all []command
	if s.has("tail") {
		all = append(all, ours("tail", s.topic, "--from", "start", "-f", format),
			kcat("tail", s.topic, "-C", "-t", s.topic, "-u", "-q", "-o", "beginning", "-f", format))
	}
	if s.has("group") {
		group := ours("group", s.topic, "-g", s.groups[0], "--follow", "--offset-reset", "start", "--commit-every-t", "1s", "-f", format)
		group.args[2] = "consume"
		all = append(all, group, kcat("group", s.topic, "-G", s.groups[1], "-u", "-q",
			"-X", "auto.offset.reset=earliest", "-X", "auto.commit.interval.ms=1000", "-f", format, s.topic))
	}
	if s.has("consume") {
		all = append(all, ours("consume", s.full, "-f", format),
			kcat("consume", s.full, "-C", "-t", s.full, "-e", "-q", "-o", "beginning", "-f", format))
	}
	// Somebody has to write, whoever else is judged.
	write := func(topic string, how manner) command {
		w := ours("produce", topic, "-K", `\t`, "-z", how.codec, "--acks", how.acks, "--receipts")
		w.manner = how
		return w
	}
	all = append(all, write(s.topic, s.manner))
	for i, how := range s.beside {
		all = append(all, write(s.besideTopic(i), how))
	}
	if s.has("checkpoint") {
		once := ours("checkpoint", s.once(), "-K", `\t`, "-z", s.codec, "--checkpoint", filepath.Join(s.scratch, s.once()))
		once.args[2] = "produce"
		all = append(all, once)
	}
	if s.has("produce") {
		all = append(all, kcat("produce", s.peers, "-P", "-t", s.peers, "-K", `\t`, "-z", s.codec, "-X", "acks="+s.acks,
			"-X", fmt.Sprintf("enable.idempotence=%v", s.acks == "all"), "-X", "message.timeout.ms=120000"))
	}
	for _, command := range all {
		if command.peer && !s.peer {
			continue
		}
		name := command.run + " " + command.topic
		child, err := spawn(ctx, name, command.program, command.args...)
		if err != nil {
			return nil, err
		}
		a := &actor{child: child, run: command.run, peer: command.peer, topic: command.topic, manner: command.manner,
			seen: newSeen(), fed: make(chan error, 1), read: make(chan error, 1)}
		c.actors = append(c.actors, a)
		go a.work(ctx, s)
	}
	return c, nil
}

// work feeds a writer and reads whatever is printed.
func (a *actor) work(ctx context.Context, s *scene) {
	switch {
	case a.run == "produce":
		go func() { a.fed <- s.text.feed(ctx, a.in, s.records, s.length) }()
		a.read <- a.receipts()
	case a.run == "checkpoint":
		go func() { a.fed <- s.text.feed(ctx, a.in, s.records, s.length) }()
		a.read <- nil
	case a.run == "consume":
		a.read <- a.seen.read(a.out, s.text, s.records, s.length, false)
	default:
		a.read <- a.seen.read(a.out, s.text, 0, 0, false)
	}
	drain(a.child) // nobody waits for us to read when we have given up
}

// receipts reads "topic partition offset", a line a record.
func (a *actor) receipts() error {
	in := bufio.NewScanner(a.out)
	for in.Scan() {
		r := receipt{offset: -1}
		offset, topic := "", ""
		if _, err := fmt.Sscan(in.Text(), &topic, &r.partition, &offset); err != nil {
			return fmt.Errorf("a receipt reads %q", in.Text())
		}
		if offset != "-" {
			if _, err := fmt.Sscan(offset, &r.offset); err != nil {
				return fmt.Errorf("a receipt reads %q", in.Text())
			}
		}
		a.acked = append(a.acked, r)
	}
	return in.Err()
}

// settle waits until all that can be written and read has been, and judges.
func (c *cast) settle(ctx context.Context) (rows []row, err error) {
	for _, a := range c.actors {
		if a.run == "produce" || a.run == "checkpoint" || a.run == "consume" {
			// Ours has two minutes for a record, and so has kcat; all there is
			// to wait for beyond that is a hang.
			a.stuck = a.finish(c.length + 3*time.Minute)
		}
	}
	if err := c.healthy(ctx); err != nil {
		return nil, err
	}
	logs := map[string]*seen{}
	for _, topic := range c.topics() {
		if logs[topic], err = stored(ctx, c.cluster.Brokers(), topic, "read_uncommitted", c.text); err != nil {
			return nil, err
		}
		committed, err := stored(ctx, c.cluster.Brokers(), topic, "read_committed", c.text)
		if err != nil {
			return nil, err
		}
		if topic == c.once() {
			logs[topic] = committed
			continue
		}
		if u, r := logs[topic].count.Load(), committed.count.Load(); u != r {
			return nil, fmt.Errorf("%s: %d records uncommitted, %d committed, though there was no transaction", topic, u, r)
		}
	}
	for _, a := range c.actors {
		if a.run == "tail" || a.run == "group" {
			a.catchUp(ctx, logs[c.topic])
			a.stuck = a.stop(syscall.SIGTERM) || a.stuck
		}
		if err := <-a.read; err != nil && !a.stuck {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		if !c.has(a.run) {
			continue
		}
		rows = append(rows, c.judge(a, logs[a.topic]))
	}
	return rows, nil
}

// catchUp waits until a reader has printed what the log has. One that has not
// after a minute never will.
func (a *actor) catchUp(ctx context.Context, log *seen) {
	wait := time.Minute
	if a.peer {
		wait = 30 * time.Second
	}
	deadline := time.Now().Add(wait)
	for !a.ended() && time.Now().Before(deadline) && a.seen.missing(log) > 0 {
		if sleep(ctx, 500*time.Millisecond) != nil {
			return
		}
	}
}

// judge compares what an actor did with what the log holds.
func (c *cast) judge(a *actor, log *seen) row {
	r := row{fault: c.fault.name, run: a.run, peer: a.peer, codec: a.codec, acks: a.acks, seed: c.seed,
		records: c.records, exit: a.exit(), stuck: a.stuck, acked: -1}
	if text := strings.TrimSpace(a.said.String()); text != "" {
		r.said = a.said.last()
		if i := strings.Index(text, "panic:"); i >= 0 {
			fmt.Fprintf(os.Stderr, "%s:\n%s\n", a.name, text[i:])
		}
	}
	switch a.run {
	case "produce", "checkpoint":
		r.verdict = log.log(c.records)
		c.taken(a, log, &r.verdict)
		r.recovery = log.silence(c.at)
		if !a.peer && a.run == "produce" {
			r.acked = len(a.acked)
			r.broken = c.broken(a, log)
		}
	case "consume":
		r.verdict = a.seen.against(log, c.records)
		r.recovery = a.seen.pause(c.at)
	default:
		r.verdict = a.seen.against(log, c.records)
		r.recovery = a.seen.latest(c.at)
	}
	return r
}

// taken moves from lost to gone what the fault took away after it was stored.
func (c *cast) taken(a *actor, log *seen, v *verdict) {
	if !c.fault.takes {
		return
	}
	gone := 0
	switch {
	case c.fault.name != "topic-recreated":
		for _, places := range log.places {
			gone += int(places[0].offset)
		}
	case a.peer, a.run == "checkpoint":
		gone = v.lost // it gives no receipts: believed
	default:
		next := map[int]int64{}
		before := map[int]int{} // receipts of the first topic
		count := map[int]int{}
		for _, r := range a.acked {
			if r.offset < next[r.partition] {
				before[r.partition] = count[r.partition]
			}
			next[r.partition] = r.offset + 1
			count[r.partition]++
		}
		for _, n := range before {
			gone += n
		}
	}
	v.gone = min(gone, v.lost)
	v.lost -= v.gone
}

// broken counts the receipts for places where the log has nothing, or another
// line than the one that came next in the input.
func (c *cast) broken(a *actor, log *seen) (n int) {
	if a.acks == "0" || c.fault.takes {
		return 0
	}
	for i, r := range a.acked {
		places := log.places[r.partition]
		if r.offset < 0 {
			continue // acknowledged, and nobody told where
		}
		if r.offset >= int64(len(places)) || places[r.offset].line != i {
			n++
		}
	}
	return n
}
