//go:build unix

package kafkatest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const host = "127.0.0.1"

// clusterID formats every cluster; nothing here ever joins two.
const clusterID = "MkU3OEVBNTcwNTJENDM2Qg"

// freePorts finds n ports nobody listens on, below the range from which the
// system picks ports for outgoing connections: a port of that range could be
// taken by any client between being found here and being bound by a broker.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range 2000 {
		if len(ports) == n {
			return ports, nil
		}
		port := 16000 + rand.IntN(16000)
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			continue
		}
		// Held until all are found, so that none is found twice.
		defer l.Close()
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("find %d free ports", n)
}

// properties is the configuration of one broker: small internal topics, no
// waiting for company, and then whatever the caller overrides.
func (c *Cluster) properties(n *Node) string {
	var lines []string
	add := func(name string, value any) { lines = append(lines, fmt.Sprintf("%s=%v", name, value)) }
	addr := n.Addr()
	add("log.dirs", filepath.Join(n.dir, "log"))
	if c.options.ZooKeeper {
		add("broker.id", n.ID)
		add("zookeeper.connect", net.JoinHostPort(host, strconv.Itoa(c.zkPort)))
		add("zookeeper.connection.timeout.ms", 60000)
		add("listeners", "PLAINTEXT://"+addr)
		if c.version.Before(0, 9) {
			add("port", n.port)
			add("host.name", host)
			add("advertised.host.name", host)
			add("advertised.port", n.port)
		}
	} else {
		var voters []string
		for _, m := range c.Nodes {
			voters = append(voters, fmt.Sprintf("%d@%s:%d", m.ID, host, m.controllerPort))
		}
		add("process.roles", "broker,controller")
		add("node.id", n.ID)
		add("controller.quorum.voters", strings.Join(voters, ","))
		add("listeners", fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://%s:%d", addr, host, n.controllerPort))
		add("advertised.listeners", "PLAINTEXT://"+addr)
		add("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT")
		add("controller.listener.names", "CONTROLLER")
		add("inter.broker.listener.name", "PLAINTEXT")
	}
	replicas := min(len(c.Nodes), 3)
	for _, topic := range []string{"offsets.topic", "transaction.state.log", "share.coordinator.state.topic"} {
		add(topic+".replication.factor", replicas)
		add(topic+".num.partitions", 4)
		if topic != "offsets.topic" {
			add(topic+".min.isr", (replicas+1)/2)
		}
	}
	add("default.replication.factor", replicas)
	add("min.insync.replicas", (replicas+1)/2)
	add("num.partitions", 4)
	add("group.initial.rebalance.delay.ms", 0)
	if len(c.Nodes) > 1 && !c.options.ZooKeeper {
		// A killed leader is replaced in seconds, not in a test's whole patience.
		add("broker.session.timeout.ms", 6000)
		add("broker.heartbeat.interval.ms", 1000)
	}
	if !c.options.Roomy {
		// Its default of 128 MiB alone would not fit into the small heap.
		add("log.cleaner.dedupe.buffer.size", 8<<20)
	}
	lines = append(lines, c.options.Properties...)
	return strings.Join(lines, "\n") + "\n"
}

// writeConfig lays out the directories and files of the whole cluster.
func (c *Cluster) writeConfig() error {
	files := map[string]string{
		"log4j.properties": `log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c %m%n
`,
	}
	for _, n := range c.Nodes {
		files[filepath.Join(filepath.Base(n.dir), "server.properties")] = c.properties(n)
	}
	if c.options.ZooKeeper {
		files["zk/zk.properties"] = fmt.Sprintf("dataDir=%s\nclientPort=%d\nclientPortAddress=%s\n"+
			"maxClientCnxns=0\nadmin.enableServer=false\n", filepath.Join(c.Dir, "zk", "data"), c.zkPort, host)
	}
	for name, text := range files {
		path := filepath.Join(c.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("lay out the cluster: %w", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("lay out the cluster: %w", err)
		}
	}
	return nil
}
