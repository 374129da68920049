package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kfake"
)

// devOptions are those of dev, the one command that may import kfake: it costs
// start-up time and size, and nothing else may come to depend on it.
type devOptions struct {
	*env
	port   int
	topics []string
	data   string
}

func newDevCmd(e *env) *cobra.Command {
	o := &devOptions{env: e}
	cmd := &cobra.Command{
		Use:   "dev [flags] [-- COMMAND ARGS...]",
		Short: "Run an embedded broker to try things on",
		Example: `  kafkactl dev                                # a broker on 127.0.0.1:9092, until Ctrl-C
  kafkactl dev --topic orders:3 --data ./kafka   # with a topic, kept in a directory
  kafkactl dev -- sh -c 'seq 5 | kafkactl produce greetings --create && kafkactl consume greetings'`,
		Long: `One broker in this process, speaking today's protocol, with all its data in memory unless
--data names a directory. It is for trying and testing, not for keeping anything dear.

With a COMMAND, the broker takes a free port, the command finds it in KAFKACTL_BROKERS and
kafkactl on its PATH, and dev ends when it does, with its exit status.`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return usagef("%s: a command to run comes after --", args[0]).
					withHint("kafkactl dev -- %s", strings.Join(args, " "))
			}
			if !cmd.Flags().Changed("port") && len(args) > 0 {
				o.port = 0
			}
			return o.run(cmd.Context(), args)
		},
	}
	cmd.Flags().IntVar(&o.port, "port", 9092, "listen on `PORT` of 127.0.0.1, 0 for any (default with a COMMAND)")
	cmd.Flags().StringArrayVar(&o.topics, "topic", nil, "begin with the topic `NAME[:PARTITIONS]`; repeatable")
	cmd.Flags().StringVar(&o.data, "data", "", "keep the data in `DIR`, and begin with what is there")
	return cmd
}

func (o *devOptions) run(ctx context.Context, command []string) error {
	cluster, addr, err := o.start()
	if err != nil {
		return err
	}
	defer cluster.Close()
	if len(command) == 0 {
		if _, err := fmt.Fprintf(o.out, "export KAFKACTL_BROKERS=%s\n", addr); err != nil {
			return err
		}
		o.note("a broker listens at %s until Ctrl-C; the line on stdout is for the shells that should use it", addr)
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return o.runCommand(ctx, addr, command)
}

// start runs the broker and makes the topics that are not there already.
func (o *devOptions) start() (cluster *kfake.Cluster, addr string, err error) {
	type topic struct {
		name       string
		partitions int
	}
	var topics []topic
	for _, t := range o.topics {
		name, n, ok := strings.Cut(t, ":")
		partitions := 1
		if ok {
			if partitions, err = strconv.Atoi(n); err != nil || partitions < 1 {
				return nil, "", usagef("--topic %s: want NAME:PARTITIONS", t)
			}
		}
		topics = append(topics, topic{name, partitions})
	}
	if o.port < 0 || o.port > 65535 {
		return nil, "", usagef("--port %d: want 0 to 65535", o.port)
	}
	options := []kfake.Opt{
		kfake.Ports(o.port),
		kfake.ClusterID("kafkactl-dev"),
		kfake.DefaultNumPartitions(1),
	}
	if o.data != "" {
		options = append(options, kfake.DataDir(o.data))
	}
	cluster, err = kfake.NewCluster(options...)
	if err != nil {
		return nil, "", o.startError(err)
	}
	for _, t := range topics {
		if cluster.TopicInfo(t.name) != nil {
			continue // kept by --data
		}
		if err := cluster.CreateTopic(t.name, int32(t.partitions), nil); err != nil {
			cluster.Close()
			return nil, "", usagef("--topic %s: %v", t.name, err)
		}
	}
	return cluster, cluster.ListenAddrs()[0], nil
}

func (o *devOptions) startError(err error) error {
	err = fmt.Errorf("start the broker: %w", err)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "listen" {
		return &hintError{err, "--port 0 takes a free one"}
	}
	return err
}

// runCommand runs the command beside the broker and ends as it does.
func (o *devOptions) runCommand(ctx context.Context, addr string, command []string) error {
	path, done, err := ownPath()
	if err != nil {
		return err
	}
	defer done()
	o.atKill(done)
	child := exec.Command(command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = o.in, childStream(o.out), o.errOut
	child.Env = append(os.Environ(), "KAFKACTL_BROKERS="+addr, "PATH="+path)
	if found, lookErr := lookIn(path, command[0]); lookErr == nil {
		child.Path, child.Err = found, nil
	}
	if err := child.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return usagef("%s: no such command", command[0])
		}
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	o.atKill(func() { _ = child.Process.Kill() })
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		// What the command does about the signal decides how we end. Ctrl-C on a
		// terminal it has seen itself, and twice might kill it before it could
		// settle anything.
		var sig *interruptedError
		if errors.As(context.Cause(ctx), &sig) && (sig.sig != syscall.SIGINT || !inForeground()) {
			_ = child.Process.Signal(sig.sig)
		}
		err = <-ended
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	return &exitError{statusOf(child.ProcessState)}
}

// childStream gives a child the file itself rather than our wrapper, so that it
// writes without us and sees a terminal where there is one.
func childStream(w any) interface{ Write([]byte) (int, error) } {
	if s, ok := w.(*stdout); ok {
		return s.w
	}
	return w.(interface{ Write([]byte) (int, error) })
}

// ownPath is PATH with this very program before all others under the name
// kafkactl, also when it runs under another, as with go run.
func ownPath() (path string, done func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, fmt.Errorf("find this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "kafkactl-dev-")
	if err != nil {
		return "", nil, err
	}
	done = func() { _ = os.RemoveAll(dir) }
	name := filepath.Join(dir, "kafkactl")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.Symlink(self, name); err != nil {
		if err = os.Link(self, name); err != nil {
			done()
			return "", nil, fmt.Errorf("put kafkactl on the PATH: %w", err)
		}
	}
	return dir + string(filepath.ListSeparator) + os.Getenv("PATH"), done, nil
}

// lookIn finds a bare command in a PATH that is not ours; exec looks in ours.
func lookIn(path, name string) (string, error) {
	if filepath.Base(name) != name {
		return "", exec.ErrNotFound
	}
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil && dir != "" {
			return found, nil
		}
	}
	return "", exec.ErrNotFound
}
