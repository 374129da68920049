//go:build unix

package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ownPartitions is how many partitions a broker gives a topic that it makes
// because somebody named it (config.go).
const ownPartitions = 4

// CreateTopic makes a topic on a cluster of any age, with topic settings given
// as name, value pairs, and returns when every partition has a leader.
func (c *Cluster) CreateTopic(ctx context.Context, topic string, partitions int, settings ...string) error {
	addr := c.Nodes[0].Addr()
	switch {
	case !c.version.Before(0, 11):
		return CreateTopic(ctx, addr, topic, partitions, 1, settings...)
	case !c.version.Before(0, 10, 1):
		return createTopic(ctx, addr, 0, topic, partitions, 1, settings...)
	case partitions != ownPartitions || len(settings) > 0:
		if err := c.createByTool(ctx, topic, partitions, settings); err != nil {
			return err
		}
	}
	return poll(ctx, func() error {
		_, led, err := metadata(ctx, addr, topic)
		if err == nil && led[topic] < partitions {
			err = fmt.Errorf("topic %s: %d of %d partitions have a leader", topic, led[topic], partitions)
		}
		return err
	})
}

// createByTool has Kafka's own tool write the topic into ZooKeeper, a second's work.
func (c *Cluster) createByTool(ctx context.Context, topic string, partitions int, settings []string) error {
	if len(settings)%2 != 0 {
		return fmt.Errorf("create topic %s: a setting without a value", topic)
	}
	args := []string{"--zookeeper", c.ZooKeeper(), "--create", "--topic", topic,
		"--partitions", fmt.Sprint(partitions), "--replication-factor", "1"}
	for i := 0; i < len(settings); i += 2 {
		args = append(args, "--config", settings[i]+"="+settings[i+1])
	}
	_, err := c.Tool(ctx, "kafka.admin.TopicCommand", args...)
	return err
}

// Tool runs one of the Java programs of the cluster's own release to its end,
// and returns what it printed.
func (c *Cluster) Tool(ctx context.Context, class string, args ...string) (string, error) {
	return c.ToolWith(ctx, "", class, args...)
}

// ToolWith is Tool with something to read on standard input.
func (c *Cluster) ToolWith(ctx context.Context, stdin, class string, args ...string) (string, error) {
	tmp, err := os.MkdirTemp("", "kafkatest-java-")
	if err != nil {
		return "", fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(tmp)
	cmd, err := Tool(ctx, c.version, tmp, class, args...)
	if err != nil {
		return "", err
	}
	var out, said strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &said
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s", class, errors.Join(err, ctx.Err()), strings.TrimSpace(said.String()+out.String()))
	}
	return out.String(), nil
}

// LogDir is where the node keeps the log of a partition.
func (n *Node) LogDir(topic string, partition int) string {
	return fmt.Sprintf("%s/log/%s-%d", n.dir, topic, partition)
}
