//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafkactl/internal/badnet"
)

// sea is a cluster, embedded or real, that kafkactl sails to through bad networks
// and another client looks at from the shore.
type sea struct {
	*stage
	n atomic.Int64 // topics and groups made
}

const seaPartitions = 3

func newSea(t *testing.T) *sea {
	t.Helper()
	s := &sea{stage: newStage(os.Getenv("KAFKACTL_TEST_BROKERS"))}
	if s.real == "" {
		fake, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			t.Fatal(err)
		}
		s.fake, s.brokers = fake, strings.Join(fake.ListenAddrs(), ",")
	}
	t.Cleanup(s.close)
	// The first group of all makes a cluster create what it keeps groups in.
	if got := s.sail(t, nil, "", "offsets", "commit", "-g", s.name("first"), s.topic(t)+":0=0"); got.code != exitDone {
		t.Fatalf("%+v", got)
	}
	return s
}

// name gives what nothing else on the cluster is called.
func (s *sea) name(kind string) string {
	return fmt.Sprintf("%s-%d%s", kind, s.n.Add(1), s.suffix)
}

func (s *sea) topic(t *testing.T) string {
	t.Helper()
	name := s.name("sea")
	var err error
	if s.fake != nil {
		err = s.fake.CreateTopic(name, seaPartitions, nil)
	} else {
		err = s.create(name, seaPartitions)
	}
	if err != nil {
		t.Error(err)
	}
	return name
}

// sailed is what a command did.
type sailed struct {
	out, said string
	code      int
	took      time.Duration
}

// sail runs a command through a network until it ends.
func (s *sea) sail(t *testing.T, n *badnet.Net, in string, args ...string) sailed {
	t.Helper()
	var seeds []string
	for _, addr := range strings.Split(s.brokers, ",") {
		if n != nil {
			addr = n.Front(addr)
		}
		seeds = append(seeds, addr)
	}
	cmd := command(t, append(args, "-b", strings.Join(seeds, ","))...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &said
	start := time.Now()
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Error(err)
		return sailed{}
	}
	return sailed{out.String(), said.String(), statusOf(cmd.ProcessState), time.Since(start)}
}

const (
	cargoLines = 2000
	cargoKeys  = 9
)

// cargo is lines "key:number", the numbers of each key in order.
func cargo() string {
	var b strings.Builder
	for i := range cargoLines {
		fmt.Fprintf(&b, "%d:%d\n", i%cargoKeys, i/cargoKeys)
	}
	return b.String()
}

// log reads all partitions by another client, each record as "key:value".
func (s *sea) log(topic string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	starts := map[int32]kgo.Offset{}
	for p := range int32(seaPartitions) {
		starts[p] = kgo.NewOffset().AtStart()
	}
	cl, err := s.kgo(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	left, err := ends(ctx, cl, topic)
	if err != nil {
		return nil, err
	}
	got := make([][]string, seaPartitions)
	for p := range got {
		for int64(len(got[p])) < left[p] {
			fetches := cl.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				return nil, err
			}
			fetches.EachRecord(func(r *kgo.Record) {
				got[r.Partition] = append(got[r.Partition], string(r.Key)+":"+string(r.Value))
			})
		}
	}
	return got, nil
}

// ends are the partitions' end offsets.
func ends(ctx context.Context, cl *kgo.Client, topic string) ([]int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic = topic
	for p := range int32(seaPartitions) {
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition, rp.Timestamp = p, -1
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	list := make([]int64, seaPartitions)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			list[p.Partition] = p.Offset
		}
	}
	return list, nil
}

// committed are a group's offsets, -1 for none.
func (s *sea) committed(group, topic string) ([]int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cl, err := s.stage.kgo()
	if err != nil {
		return nil, err
	}
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	rt := kmsg.NewOffsetFetchRequestTopic()
	rt.Topic = topic
	rg := kmsg.NewOffsetFetchRequestGroup()
	rg.Group = group
	gt := kmsg.NewOffsetFetchRequestGroupTopic()
	gt.Topic = topic
	for p := range int32(seaPartitions) {
		rt.Partitions, gt.Partitions = append(rt.Partitions, p), append(gt.Partitions, p)
	}
	req.Topics, rg.Topics = append(req.Topics, rt), append(rg.Topics, gt)
	req.Groups = append(req.Groups, rg)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	list := slices.Repeat([]int64{-1}, seaPartitions)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			list[p.Partition] = p.Offset
		}
	}
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				list[p.Partition] = p.Offset
			}
		}
	}
	return list, nil
}

// reckoning is how a stream of "key:number" lines differs from what was sent.
type reckoning struct{ lines, lost, twice, disordered int }

// reckon judges lines in the order of their partitions. Lost are numbers below the
// highest of their key that never came.
func reckon(parts [][]string) (c reckoning, err error) {
	for _, lines := range parts {
		last, seen := map[string]int{}, map[string]bool{}
		for _, line := range lines {
			key, value, ok := strings.Cut(line, ":")
			n, bad := strconv.Atoi(value)
			if !ok || bad != nil || n < 0 || n*cargoKeys >= cargoLines {
				return c, fmt.Errorf("nobody wrote %q", line)
			}
			c.lines++
			highest, known := last[key]
			switch {
			case seen[line]:
				c.twice++
			case known && n < highest:
				c.disordered++
				c.lost--
			case known:
				c.lost += n - highest - 1
			default:
				c.lost += n
			}
			seen[line] = true
			last[key] = max(highest, n)
		}
	}
	return c, nil
}

// printed takes the output of -f '%p %o %k:%s\n' apart, by partition, and insists
// that the offsets of each go up.
func printed(out string) (parts [][]string, next []int64, err error) {
	parts, next = make([][]string, seaPartitions), make([]int64, seaPartitions)
	for line := range strings.Lines(out) {
		var p int
		var at int64
		var record string
		if n, _ := fmt.Sscanf(line, "%d %d %s\n", &p, &at, &record); n != 3 || p < 0 || p >= seaPartitions {
			return nil, nil, fmt.Errorf("printed %q", line)
		}
		if at < next[p] {
			return nil, nil, fmt.Errorf("offset %d of partition %d after %d", at, p, next[p]-1)
		}
		next[p] = at + 1
		parts[p] = append(parts[p], record)
	}
	return parts, next, nil
}
