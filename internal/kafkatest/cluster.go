//go:build unix

package kafkatest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Cluster is one or more running brokers and, for old releases, their ZooKeeper.
type Cluster struct {
	Dir   string
	Nodes []*Node

	options   Options
	version   Version
	classPath string
	zkPort    int
	release   func() // lets go of the guardian; nil if detached or attached
}

// Node is one broker. It keeps its address, storage and id over a restart.
type Node struct {
	ID int

	process
	cluster        *Cluster
	port           int
	controllerPort int
}

// Addr is where clients reach the node, host:port.
func (n *Node) Addr() string { return net.JoinHostPort(host, strconv.Itoa(n.port)) }

// Brokers is the bootstrap list of the cluster, host:port,….
func (c *Cluster) Brokers() string {
	var addrs []string
	for _, n := range c.Nodes {
		addrs = append(addrs, n.Addr())
	}
	return strings.Join(addrs, ",")
}

// ZooKeeper is the address of the cluster's ZooKeeper, empty under KRaft.
func (c *Cluster) ZooKeeper() string {
	if !c.options.ZooKeeper {
		return ""
	}
	return net.JoinHostPort(host, strconv.Itoa(c.zkPort))
}

// Version is the release the cluster runs.
func (c *Cluster) Version() Version { return c.version }

// errPortTaken is a start that failed because a port found free was bound by
// somebody else in the meantime.
var errPortTaken = errors.New("a port was taken")

// errStillborn is a start whose process ended before it said a word, which a
// busy machine brings about.
var errStillborn = errors.New("it said nothing")

// Start runs a cluster and returns when it answers. The caller stops it. What
// was started is gone again if Start fails.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	o, version, err := o.defaults()
	if err != nil {
		return nil, err
	}
	classPath, err := BrokerClassPath(ctx, version)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		c := &Cluster{options: o, version: version, classPath: classPath}
		err := c.start(ctx)
		if err == nil {
			return c, nil
		}
		err = fmt.Errorf("start kafka %s: %w", version, errors.Join(err, c.kill()))
		if !errors.Is(err, errPortTaken) && !errors.Is(err, errStillborn) || try == 3 {
			return nil, err
		}
	}
}

func (c *Cluster) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	if err := c.makeDir(); err != nil {
		return err
	}
	ports, err := freePorts(2*c.options.Nodes + 1)
	if err != nil {
		return err
	}
	c.zkPort = ports[0]
	for i := range c.options.Nodes {
		c.Nodes = append(c.Nodes, &Node{
			ID: i + 1, cluster: c, port: ports[1+2*i], controllerPort: ports[2+2*i],
			process: process{filepath.Join(c.Dir, fmt.Sprintf("node%d", i+1))},
		})
	}
	if err := errors.Join(c.writeConfig(), c.save()); err != nil {
		return err
	}
	if c.options.ZooKeeper {
		if err := c.startZooKeeper(ctx); err != nil {
			return err
		}
	} else if err := c.format(ctx); err != nil {
		return err
	}
	for _, n := range c.Nodes {
		if err := n.launch(); err != nil {
			return err
		}
	}
	return c.await(ctx)
}

// makeDir claims the cluster's directory: a new one, or one that is empty.
func (c *Cluster) makeDir() (err error) {
	dir := c.options.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "kafkatest-"); err != nil {
			return fmt.Errorf("make a directory: %w", err)
		}
	} else if dir, err = filepath.Abs(dir); err != nil {
		return err
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	if found, err := os.ReadDir(dir); err != nil {
		return err
	} else if len(found) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	c.Dir = dir
	if !c.options.Detach {
		c.release, err = guard(dir)
	}
	return err
}

// format prepares KRaft storage on all nodes at once: each is a Java start.
func (c *Cluster) format(ctx context.Context) error {
	errs := make([]error, len(c.Nodes))
	var wg sync.WaitGroup
	for i, n := range c.Nodes {
		wg.Go(func() {
			p := process{filepath.Join(n.dir, "format")}
			if errs[i] = os.MkdirAll(p.dir, 0o755); errs[i] != nil {
				return
			}
			args := append([]string{"format", "-t", clusterID, "-c", n.file()}, c.options.Format...)
			_, err := runJava(ctx, c.classPath, "kafka.tools.StorageTool", args...)
			if err != nil {
				errs[i] = fmt.Errorf("format node %d: %w", n.ID, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (c *Cluster) zk() process { return process{filepath.Join(c.Dir, "zk")} }

func (c *Cluster) startZooKeeper(ctx context.Context) error {
	p := c.zk()
	flags := []string{"-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-Dzookeeper.jmx.log4j.disable=true", c.log4j()}
	err := p.start(c.classPath, flags, "org.apache.zookeeper.server.quorum.QuorumPeerMain",
		filepath.Join(p.dir, "zk.properties"))
	if err != nil {
		return err
	}
	return c.watch(ctx, p, func(ctx context.Context) error {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", c.ZooKeeper())
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

func (c *Cluster) log4j() string {
	return "-Dlog4j.configuration=file:" + filepath.Join(c.Dir, "log4j.properties")
}

func (n *Node) file() string { return filepath.Join(n.dir, "server.properties") }

func (n *Node) launch() error {
	c := n.cluster
	flags := append(c.options.heap(), c.log4j())
	return n.process.start(c.classPath, append(flags, c.options.JVM...), "kafka.Kafka", n.file())
}

// readyTopic is what a broker older than 0.10 is asked for: until it has led
// some topic, it answers metadata requests with no brokers at all.
const readyTopic = "kafkatest-ready"

// ready tells whether the node knows the whole cluster.
func (n *Node) ready(ctx context.Context) error {
	var topics []string
	if n.cluster.version.Before(0, 10) {
		topics = []string{readyTopic}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	brokers, led, err := metadata(ctx, n.Addr(), topics...)
	switch {
	case err != nil:
		return err
	case brokers < len(n.cluster.Nodes):
		return fmt.Errorf("node %d knows %d of %d brokers", n.ID, brokers, len(n.cluster.Nodes))
	case topics != nil && led[readyTopic] == 0:
		return fmt.Errorf("node %d knows no leader of topic %s", n.ID, readyTopic)
	}
	return nil
}

// await returns when every node answers and knows all others.
func (c *Cluster) await(ctx context.Context) error {
	for _, n := range c.Nodes {
		if err := c.watch(ctx, n.process, n.ready); err != nil {
			return fmt.Errorf("node %d: %w", n.ID, err)
		}
	}
	return nil
}

// watch polls check, and gives up as soon as the process that should make it
// pass is gone.
func (c *Cluster) watch(ctx context.Context, p process, check func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	gone := 0
	err := poll(ctx, func() error {
		err := check(ctx)
		if err == nil || p.pid() != 0 {
			gone = 0
			return err
		}
		// A process has no command line for the moment in which Java's launcher
		// becomes another program: once proves nothing.
		if gone++; gone >= 3 {
			cancel(errors.New("the process ended by itself"))
		}
		return err
	})
	if err == nil {
		return nil
	}
	said := p.tail()
	switch {
	case strings.Contains(said, "Address already in use"):
		err = errors.Join(errPortTaken, err)
	case p.pid() == 0 && strings.TrimSpace(said) == "":
		err = errors.Join(errStillborn, err)
	}
	return fmt.Errorf("%w\n%s", err, said)
}

// Start runs a stopped or killed node again and returns when it knows the
// whole cluster.
func (n *Node) Start(ctx context.Context) error {
	if n.pid() != 0 {
		return fmt.Errorf("node %d is running", n.ID)
	}
	if err := n.launch(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, n.cluster.options.Timeout)
	defer cancel()
	return n.cluster.watch(ctx, n.process, n.ready)
}

// Stop ends the node in good order, as SIGTERM does, or by force if that takes
// too long. Its storage stays.
func (n *Node) Stop() error { return n.stop(20 * time.Second) }

// Kill ends the node as a crash would. Its storage stays.
func (n *Node) Kill() error { return n.stop(0) }

// Stop ends the cluster in good order and removes its directory. Brokers go
// before their ZooKeeper, without which an old one would not end.
func (c *Cluster) Stop() error { return c.end(20 * time.Second) }

func (c *Cluster) kill() error { return c.end(0) }

func (c *Cluster) end(grace time.Duration) error {
	if c.Dir == "" {
		return nil
	}
	errs := make([]error, len(c.Nodes))
	var wg sync.WaitGroup
	for i, n := range c.Nodes {
		wg.Go(func() { errs[i] = n.stop(grace) })
	}
	wg.Wait()
	if c.options.ZooKeeper {
		errs = append(errs, c.zk().stop(grace))
	}
	errs = append(errs, os.RemoveAll(c.Dir))
	if c.release != nil {
		c.release()
	}
	return errors.Join(errs...)
}

// saved is what another program needs to find the cluster again.
type saved struct {
	Version   string
	ZooKeeper bool
	ZKPort    int
	Ports     []int
}

func (c *Cluster) save() error {
	s := saved{Version: c.version.String(), ZooKeeper: c.options.ZooKeeper, ZKPort: c.zkPort}
	for _, n := range c.Nodes {
		s.Ports = append(s.Ports, n.port)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.Dir, "cluster.json"), text, 0o644)
}

// Attach finds a detached cluster by its directory, to stop it.
func Attach(dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "cluster.json"))
	if err != nil {
		return nil, fmt.Errorf("no cluster in %s: %w", dir, err)
	}
	var s saved
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("no cluster in %s: %w", dir, err)
	}
	version, err := ParseVersion(s.Version)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Dir: dir, version: version, zkPort: s.ZKPort,
		options: Options{Version: s.Version, ZooKeeper: s.ZooKeeper, Nodes: len(s.Ports)}}
	for i, port := range s.Ports {
		c.Nodes = append(c.Nodes, &Node{ID: i + 1, cluster: c, port: port,
			process: process{filepath.Join(dir, fmt.Sprintf("node%d", i+1))}})
	}
	return c, nil
}
