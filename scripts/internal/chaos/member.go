//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kafkactl/internal/kafkatest"
)

// member is one process of the group. It prints into a file: what it has
// written is then there to be seen at once, and stays when it is killed.
type member struct {
	name, kind string
	number     int
	cmd        *exec.Cmd
	done       chan struct{}
	asked      syscall.Signal // what it was sent to end it, 0 for nothing yet
	out        *os.File       // read end of what it prints
	rest       []byte         // the beginning of a line
	lines      int
	errFile    string
}

// sessionTimeout is how many milliseconds a killed member's partitions stay
// with it: few, so that others take them before the run is over.
const sessionTimeout = "6000"

// join starts a member.
func (c *chaos) join(ctx context.Context, kind string) error {
	m := &member{kind: kind, number: len(c.members), name: fmt.Sprintf("%s-%d", kind, len(c.members)), done: make(chan struct{})}
	cmd, err := c.command(ctx, kind)
	if err != nil {
		return err
	}
	path := filepath.Join(c.tmp, m.name+".out")
	m.errFile = filepath.Join(c.tmp, m.name+".err")
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	said, err := os.Create(m.errFile)
	if err != nil {
		return err
	}
	defer said.Close()
	if m.out, err = os.Open(path); err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	m.cmd = cmd
	go func() {
		defer close(m.done)
		_ = cmd.Wait()
	}()
	c.members = append(c.members, m)
	fmt.Printf("  %s joins\n", m.name)
	return nil
}

// command is how a member of a kind is run: it prints partition and offset of
// each record, and commits every second.
func (c *chaos) command(ctx context.Context, kind string) (*exec.Cmd, error) {
	switch kind {
	case "kafkactl":
		args := []string{"-b", c.cluster.Brokers(), "consume", "-g", "chaos", c.topic, "--follow", "-f", `%p %o\n`,
			"--commit-every-t", "1s", "--group-protocol", c.protocol}
		if c.protocol == "classic" {
			args = append(args, "--assignor", c.assignor, "-X", "session.timeout.ms="+sessionTimeout, "-X", "heartbeat.interval.ms=1000")
		}
		return exec.Command(c.ours, args...), nil
	case "kcat":
		return exec.Command("kcat", "-b", c.cluster.Brokers(), "-G", "chaos", "-u", "-q", "-f", `%p %o\n`,
			"-X", "auto.offset.reset=earliest", "-X", "auto.commit.interval.ms=1000",
			"-X", "session.timeout.ms="+sessionTimeout, "-X", "heartbeat.interval.ms=1000",
			"-X", "partition.assignment.strategy="+c.assignor, c.topic), nil
	case "java":
		return c.java(ctx)
	}
	return nil, fmt.Errorf("no kind of member is called %q", kind)
}

// java is Kafka's console consumer, of the broker's release or near it.
func (c *chaos) java(ctx context.Context) (*exec.Cmd, error) {
	class, formatter, consumer := "org.apache.kafka.tools.consumer.ConsoleConsumer", "--formatter-property", "--command-property"
	if c.cluster.Version().Before(4, 2) {
		formatter, consumer = "--property", "--consumer-property"
	}
	if c.cluster.Version().Before(3, 8) {
		class = "kafka.tools.ConsoleConsumer"
	}
	args := []string{"--bootstrap-server", c.cluster.Brokers(), "--group", "chaos", "--topic", c.topic}
	for _, p := range []string{"print.partition=true", "print.offset=true", "print.value=false"} {
		args = append(args, formatter, p)
	}
	settings := []string{"auto.offset.reset=earliest", "auto.commit.interval.ms=1000"}
	if c.protocol == "consumer" {
		settings = append(settings, "group.protocol=consumer")
	} else {
		settings = append(settings, "session.timeout.ms="+sessionTimeout, "heartbeat.interval.ms=1000", "partition.assignment.strategy="+map[string]string{
			"range":              "org.apache.kafka.clients.consumer.RangeAssignor",
			"roundrobin":         "org.apache.kafka.clients.consumer.RoundRobinAssignor",
			"cooperative-sticky": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
		}[c.assignor])
	}
	for _, s := range settings {
		args = append(args, consumer, s)
	}
	return kafkatest.Tool(ctx, c.cluster.Version(), c.tmp, class, args...)
}

// leave ends a member, and waits for its end while sampling goes on.
func (c *chaos) leave(ctx context.Context, m *member, sig syscall.Signal) error {
	fmt.Printf("  %s gets %v\n", m.name, sig)
	m.asked = sig
	if err := m.cmd.Process.Signal(sig); err != nil && !m.ended() {
		return err
	}
	if err := c.watch(ctx, time.Now().Add(time.Minute), m.ended); err != nil {
		return err
	}
	if !m.ended() {
		return fmt.Errorf("%s does not end after %v\n%s", m.name, sig, m.said())
	}
	return nil
}

func (c *chaos) alive() (ms []*member) {
	for _, m := range c.members {
		if m.asked == 0 {
			ms = append(ms, m)
		}
	}
	return ms
}

// killRest ends what a failed run left, so that nothing outlives it.
func (c *chaos) killRest() {
	for _, m := range c.members {
		if !m.ended() {
			_ = m.cmd.Process.Kill()
			<-m.done
		}
		m.out.Close()
	}
}

func (m *member) ended() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// said is the end of what it wrote to stderr.
func (m *member) said() string {
	text, err := os.ReadFile(m.errFile)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

func (m *member) fate() string {
	if m.asked == 0 {
		return "alive"
	}
	return fmt.Sprintf("%v, %v", m.asked, m.cmd.ProcessState)
}

// read takes what it has printed since into the ledger.
func (m *member) read(l *ledger) error {
	b, err := io.ReadAll(m.out)
	if err != nil {
		return err
	}
	b = append(m.rest, b...)
	for {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		if !whole {
			m.rest = bytes.Clone(b)
			return nil
		}
		b = rest
		p, offset, err := parse(string(line))
		if err != nil {
			return fmt.Errorf("%s printed %q: %w", m.name, line, err)
		}
		m.lines++
		if err := l.add(p, offset, m.number); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
}

// parse reads "3 120" and the console consumer's "Partition:3\tOffset:120".
func parse(line string) (p int, offset int64, err error) {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return 0, 0, fmt.Errorf("not two numbers")
	}
	if p, err = strconv.Atoi(strings.TrimPrefix(fields[0], "Partition:")); err != nil {
		return 0, 0, err
	}
	offset, err = strconv.ParseInt(strings.TrimPrefix(fields[1], "Offset:"), 10, 64)
	return p, offset, err
}
