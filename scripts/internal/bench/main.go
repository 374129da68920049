//go:build unix

// Command bench measures kafkactl against kcat on a real broker: the same work,
// in turns, warmed up first. It prints a Markdown table of medians and of
// ratios; a ratio is kcat's figure over ours, so more is better. See
// scripts/bench.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"

	"kafkactl/internal/kafkatest"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == spawnWord {
		os.Exit(spawn(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// bench is one session of measuring.
type bench struct {
	ours    string // path of the kafkactl under test
	kcat    string
	brokers string
	old     bool   // the broker is 0.8.2.2: no CreateTopics, and kcat must be told
	tmp     string // scratch directory
	lines   int    // records a job moves
	size    int    // bytes of a record's value
	rounds  int    // measured turns of each side
	plain   bool   // lines differ in a number alone, and compress to nearly nothing
	filler  bool   // topics to consume are written by kafkactl, in its large batches, not by kcat
	only    *regexp.Regexp
	rows    []row
	latency []latency
	failed  []error
}

func run(ctx context.Context) (err error) {
	b := &bench{}
	version := flag.String("kafka", "4.3.1", "release of the broker")
	only := flag.String("jobs", "", "only jobs whose name matches this `REGEX`")
	prove := flag.Bool("prove", false, "measure nothing: move 2,000,000 lines and 1 GiB through every compression and compare")
	old := flag.Bool("old", false, "also the jobs on Kafka 0.8.2.2")
	flag.StringVar(&b.ours, "kafkactl", "", "`BINARY` to measure (default: built from this tree)")
	flag.IntVar(&b.lines, "n", 2_000_000, "records a job moves")
	flag.IntVar(&b.size, "size", 100, "bytes of a record")
	flag.BoolVar(&b.plain, "plain", false, "lines that differ in their number alone, instead of words as in a log")
	flag.BoolVar(&b.filler, "own-batches", false, "consume what kafkactl wrote, instead of kcat")
	flag.IntVar(&b.rounds, "rounds", 5, "turns of each side, after one to warm up")
	flag.Parse()
	if b.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	if b.kcat, err = exec.LookPath("kcat"); err != nil {
		return fmt.Errorf("kcat is not installed: %w", err)
	}
	if b.tmp, err = os.MkdirTemp("", "kafkactl-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.tmp)
	if b.ours == "" {
		b.ours = filepath.Join(b.tmp, "kafkactl")
		build := exec.CommandContext(ctx, "go", "build", "-o", b.ours, "./cmd/kafkactl")
		build.Stderr = os.Stderr
		// As it is released: without the dynamic loader, which costs every start.
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if err := build.Run(); err != nil {
			return fmt.Errorf("build kafkactl: %w", err)
		}
	}
	if *prove {
		return b.with(ctx, *version, b.proveAll)
	}
	if err := b.writeInput(); err != nil {
		return err
	}
	err = b.with(ctx, *version, func(ctx context.Context) error { return b.modernJobs(ctx, *version) })
	if err == nil && *old {
		b.old = true
		err = b.with(ctx, "0.8.2.2", b.oldJobs)
	}
	b.print(os.Stdout, *version)
	return errors.Join(err, errors.Join(b.failed...))
}

// with runs jobs on a broker of its own, roomy enough not to be what is measured.
func (b *bench) with(ctx context.Context, version string, jobs func(context.Context) error) error {
	c, err := kafkatest.Start(ctx, kafkatest.Options{Version: version, Roomy: true, Dir: filepath.Join(b.tmp, "kafka"),
		// Produced topics are deleted after each turn: their files go at once.
		Properties: []string{"file.delete.delay.ms=500", "log.segment.delete.delay.ms=500"}})
	if err != nil {
		return err
	}
	b.brokers = c.Brokers()
	return errors.Join(jobs(ctx), c.Stop())
}

func (b *bench) modernJobs(ctx context.Context, release string) error {
	for _, codec := range []string{"none", "lz4", "snappy", "gzip", "zstd"} {
		b.consume(ctx, codec)
	}
	for _, codec := range []string{"none", "lz4", "snappy", "gzip", "zstd"} {
		b.produce(ctx, codec)
	}
	b.metadata(ctx)
	b.lag(ctx, release)
	b.tail(ctx)
	return ctx.Err()
}

func (b *bench) oldJobs(ctx context.Context) error {
	b.produce(ctx, "snappy")
	b.consume(ctx, "snappy")
	return ctx.Err()
}

// wants tells whether a job was asked for, and says that it begins.
func (b *bench) wants(ctx context.Context, name string) bool {
	if ctx.Err() != nil || !b.only.MatchString(name) {
		return false
	}
	fmt.Fprintln(os.Stderr, "bench:", name)
	return true
}

// fail notes that a job could not be measured, or that a tool did wrong work.
func (b *bench) fail(job string, err error) {
	if err != nil {
		err = fmt.Errorf("%s: %w", job, err)
		fmt.Fprintln(os.Stderr, "bench:", err)
		b.failed = append(b.failed, err)
	}
}
