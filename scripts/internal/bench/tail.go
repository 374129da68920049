//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kafkactl/internal/kafkatest"
)

const (
	tailEvery   = 5 * time.Millisecond
	tailSamples = 1000
	tailTurns   = 3
)

// tail measures the way of one record each 5 ms from its sender's socket to the
// line read from the follower's pipe. The sender writes a request of its own for
// each, so that no client's batching is measured along.
func (b *bench) tail(ctx context.Context) {
	name := b.label("tail latency")
	if !b.wants(ctx, name) {
		return
	}
	const topic = "tail"
	if err := b.fresh(ctx, topic); err != nil {
		b.fail(name, err)
		return
	}
	sides := []struct {
		name string
		argv []string
		all  []time.Duration
		p99  []time.Duration
	}{
		{name: "kcat -u", argv: b.kcatArgs("-C", "-u", "-q", "-t", topic, "-o", "end")},
		{name: "kafkactl", argv: b.oursArgs("tail", topic, "--from", "end")},
	}
	for range tailTurns {
		for i := range sides {
			s := &sides[i]
			took, err := b.follow(ctx, topic, s.argv)
			if err != nil {
				b.fail(name, fmt.Errorf("%s: %w", s.name, err))
				return
			}
			slices.Sort(took)
			s.all = append(s.all, took[len(took)/2])
			s.p99 = append(s.p99, took[len(took)*99/100])
		}
	}
	b.latency = nil
	for _, s := range sides {
		slices.Sort(s.all)
		slices.Sort(s.p99)
		l := latency{s.name, s.all[len(s.all)/2], s.p99[len(s.p99)/2]}
		b.latency = append(b.latency, l)
		fmt.Fprintf(os.Stderr, "bench: %s p50 %v p99 %v\n", l.tool, l.p50, l.p99)
	}
}

// latency is a median turn's figures for one tool.
type latency struct {
	tool     string
	p50, p99 time.Duration
}

// follow starts a follower and a sender, and returns how long each record took.
func (b *bench) follow(ctx context.Context, topic string, argv []string) (took []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var said strings.Builder
	follower := exec.CommandContext(ctx, argv[0], argv[1:]...)
	follower.Stderr = &said
	lines, err := follower.StdoutPipe()
	if err != nil {
		return nil, err
	}
	sender, err := kafkatest.Dial(ctx, b.brokers)
	if err != nil {
		return nil, err
	}
	defer sender.Close()
	if err := follower.Start(); err != nil {
		return nil, err
	}
	defer func() {
		follower.Process.Signal(syscall.SIGTERM)
		follower.Wait()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
		}
	}()
	began := time.Now()
	arrived := make(chan time.Duration, tailSamples)
	go read(lines, began, arrived)

	// The first arrival shows that the follower is in place; some more warm it.
	const warm = 100
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	for sent := 0; len(took) < tailSamples+warm; {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d records arrived: %w", len(took), tailSamples, ctx.Err())
		case <-tick.C:
			stamp := strconv.AppendInt(nil, time.Since(began).Nanoseconds(), 10)
			batch := kafkatest.Batch(0, 1, time.Now().UnixMilli(), kafkatest.EncodeRecords(kafkatest.Record{Value: stamp}))
			if _, err := sender.Produce(topic, int32(sent%4), batch); err != nil {
				return nil, err
			}
			sent++
		case d, ok := <-arrived:
			if !ok {
				return nil, fmt.Errorf("the follower ended after %d records", len(took))
			}
			took = append(took, d)
		}
	}
	return took[warm:], nil
}

// read turns the follower's lines, each the time it was sent at, into delays.
func read(lines io.Reader, began time.Time, arrived chan<- time.Duration) {
	defer close(arrived)
	for in := bufio.NewScanner(lines); in.Scan(); {
		now := time.Since(began)
		sent, err := strconv.ParseInt(in.Text(), 10, 64)
		if err != nil {
			return
		}
		select {
		case arrived <- now - time.Duration(sent):
		default: // enough were read; the rest is on its way while we stop
		}
	}
}
