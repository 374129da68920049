//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"

	"kafkactl/internal/kafkatest"
)

const (
	lagGroups     = 200
	lagPartitions = 50
	lagTopic      = "lag"
)

// lag measures showing where many groups stand, against Kafka's own tool, which
// stands in kcat's column: kcat has no such command.
func (b *bench) lag(ctx context.Context, release string) {
	const name = "offsets get --all-groups, 200 × 50 (kafka-consumer-groups in place of kcat)"
	if !b.wants(ctx, name) {
		return
	}
	java, err := b.groupsTool(ctx, release)
	if err == nil {
		err = b.fillGroups(ctx)
	}
	if err != nil {
		b.fail(name, err)
		return
	}
	run := func(argv []string) side {
		return func(ctx context.Context) (cost, error) { return measure(ctx, nil, nil, argv...) }
	}
	ours := b.oursArgs("offsets", "get", "--all-groups")
	for _, argv := range [][]string{java, ours} {
		out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
		if n := bytes.Count(out, []byte(" "+lagTopic+" ")) + bytes.Count(out, []byte("\t"+lagTopic+"\t")); err != nil || n != lagGroups*lagPartitions {
			b.fail(name, fmt.Errorf("%s shows %d partitions, not %d: %w", filepath.Base(argv[0]), n, lagGroups*lagPartitions, err))
			return
		}
	}
	b.pair(ctx, name, b.rounds, run(java), run(ours))
	b.fail(name, b.drop(ctx, lagTopic))
}

// groupsTool is the command line of Kafka's own tool, by way of a shell that
// gives Java its class path.
func (b *bench) groupsTool(ctx context.Context, release string) ([]string, error) {
	v, err := kafkatest.ParseVersion(release)
	if err != nil {
		return nil, err
	}
	class := "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
	if v.Before(3, 8) {
		class = "kafka.admin.ConsumerGroupCommand"
	}
	cmd, err := kafkatest.Tool(ctx, v, b.tmp, class, "--bootstrap-server", b.brokers, "--describe", "--all-groups", "--timeout", "60000")
	if err != nil {
		return nil, err
	}
	for _, env := range cmd.Env {
		if len(env) > 10 && env[:10] == "CLASSPATH=" {
			return append([]string{"env", env}, cmd.Args...), nil
		}
	}
	return cmd.Args, nil
}

// fillGroups makes a topic and groups that stand anywhere in it.
func (b *bench) fillGroups(ctx context.Context) error {
	if err := kafkatest.CreateTopic(ctx, b.brokers, lagTopic, lagPartitions, 1); err != nil {
		return err
	}
	var records, offsets bytes.Buffer
	for i := range 500_000 {
		fmt.Fprintf(&records, "%d\n", i)
	}
	feed := func(in io.Reader, args ...string) error {
		cmd := exec.CommandContext(ctx, b.ours, append([]string{"-b", b.brokers, "-q"}, args...)...)
		cmd.Stdin, cmd.Stderr = in, os.Stderr
		return cmd.Run()
	}
	if err := feed(&records, "produce", lagTopic, "--partitioner", "roundrobin"); err != nil {
		return fmt.Errorf("write %s: %w", lagTopic, err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for g := range lagGroups {
		for p := range lagPartitions {
			fmt.Fprintf(&offsets, `{"group":"lag-%d","topic":%q,"partition":%d,"offset":%d}`+"\n", g, lagTopic, p, random.IntN(9000))
		}
	}
	if err := feed(&offsets, "offsets", "import", "--yes"); err != nil {
		return fmt.Errorf("import offsets: %w", err)
	}
	return nil
}
