//go:build unix

// Command kafka starts and stops real Apache Kafka for tests and trials; see
// scripts/kafka.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"kafkactl/internal/kafkatest"
)

const usage = `usage:
  scripts/kafka start VERSION [FLAGS] [-- NAME=VALUE...]   start a cluster and leave it running;
                                                           prints BROKERS=… and DIR=…
  scripts/kafka stop DIR...                                stop it and remove DIR
  scripts/kafka run VERSION [FLAGS] [NAME=VALUE...] -- COMMAND [ARGS...]
                                                           run COMMAND with a cluster, then stop it
  scripts/kafka tool VERSION CLASS [ARGS...]               run one of Kafka's Java tools
  scripts/kafka fetch VERSION...                           fetch jars into the cache

VERSION is a release from 0.8.2.2 on, such as 4.3.1. NAME=VALUE is broker
configuration, such as message.max.bytes=20000000. COMMAND finds the cluster in
BROKERS, KAFKACTL_BROKERS and KAFKACTL_TEST_BROKERS, and ZooKeeper in ZOOKEEPER.

flags:
`

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	args := os.Args[1:]
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || args[0] == "help" {
		fmt.Fprint(os.Stderr, usage)
		newFlags(&kafkatest.Options{}).PrintDefaults()
		return 2
	}
	var err error
	switch verb, args := args[0], args[1:]; verb {
	case "start":
		err = start(ctx, args)
	case "stop":
		err = stopAll(args)
	case "run":
		err = runWith(ctx, args)
	case "tool":
		err = tool(ctx, args)
	case "fetch":
		err = fetch(ctx, args)
	default:
		err = fmt.Errorf("unknown command %q; see scripts/kafka help", verb)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	return 1
}

func newFlags(o *kafkatest.Options) *flag.FlagSet {
	f := flag.NewFlagSet("scripts/kafka", flag.ExitOnError)
	f.StringVar(&o.Dir, "dir", "", "live in this `DIR`, which must be new or empty (default a temporary one)")
	f.IntVar(&o.Nodes, "nodes", 1, "number of brokers")
	f.BoolVar(&o.ZooKeeper, "zookeeper", false, "run on ZooKeeper where the release can do both")
	f.BoolVar(&o.Roomy, "bench", false, "for measuring: 1 GiB of heap, Java's own compiler and collector settings")
	f.IntVar(&o.HeapMB, "heap", 0, "maximum heap in `MIB` (default 128, with --bench 1024)")
	f.DurationVar(&o.Timeout, "timeout", 0, "to become ready (default 3m)")
	return f
}

// parse reads VERSION, flags and NAME=VALUE words, up to --, and returns what follows.
func parse(args []string) (o kafkatest.Options, rest []string, err error) {
	if len(args) == 0 {
		return o, nil, errors.New("which version? see scripts/kafka help")
	}
	o.Version, args = args[0], args[1:]
	for i, a := range args {
		if a == "--" {
			args, rest = args[:i], args[i+1:]
			break
		}
	}
	f := newFlags(&o)
	for {
		if err := f.Parse(args); err != nil {
			return o, nil, err
		}
		if args = f.Args(); len(args) == 0 {
			return o, rest, nil
		}
		if !strings.Contains(args[0], "=") {
			return o, nil, fmt.Errorf("%q: neither a flag nor NAME=VALUE", args[0])
		}
		o.Properties = append(o.Properties, args[0])
		args = args[1:]
	}
}

func start(ctx context.Context, args []string) error {
	o, properties, err := parse(args)
	if err != nil {
		return err
	}
	o.Properties = append(o.Properties, properties...)
	o.Detach = true
	c, err := kafkatest.Start(ctx, o)
	if err != nil {
		return err
	}
	if _, err := fmt.Printf("BROKERS=%s\nDIR=%s\nZOOKEEPER=%s\n", c.Brokers(), c.Dir, c.ZooKeeper()); err != nil {
		// Nobody knows how to stop it.
		return errors.Join(err, c.Stop())
	}
	return nil
}

func stopAll(dirs []string) error {
	if len(dirs) == 0 {
		return errors.New("stop which DIR? start printed it")
	}
	var errs []error
	for _, dir := range dirs {
		c, err := kafkatest.Attach(dir)
		if err == nil {
			err = c.Stop()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func runWith(ctx context.Context, args []string) (err error) {
	o, command, err := parse(args)
	if err != nil {
		return err
	}
	if len(command) == 0 {
		return errors.New("run what? give -- COMMAND")
	}
	c, err := kafkatest.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "BROKERS="+c.Brokers(), "KAFKACTL_BROKERS="+c.Brokers(),
		kafkatest.BrokersVar+"="+c.Brokers(), "ZOOKEEPER="+c.ZooKeeper())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// A terminal sends its Ctrl-C to the command as well: it decides when to end.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	return cmd.Run()
}

func tool(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("give VERSION and CLASS")
	}
	v, err := kafkatest.ParseVersion(args[0])
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "kafkatest-tool-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd, err := kafkatest.Tool(ctx, v, tmp, args[1], args[2:]...)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}

func fetch(ctx context.Context, args []string) error {
	for _, a := range args {
		v, err := kafkatest.ParseVersion(a)
		if err != nil {
			return err
		}
		if _, err := kafkatest.BrokerClassPath(ctx, v); err != nil {
			return err
		}
		if _, err := kafkatest.ToolsClassPath(ctx, v); err != nil {
			return err
		}
	}
	return nil
}
