//go:build unix

// Command faults breaks a cluster of three real brokers while clients write and
// read, and judges what came of it; see scripts/faults.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"kafkactl/internal/kafkatest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// choice is what of a run the flags choose.
type choice struct {
	faults, runs, codecs, acks []string
	beside                     []manner
}

func run(ctx context.Context) (err error) {
	l := &lab{}
	release := flag.String("kafka", "4.3.1", "`RELEASE` of the brokers")
	names := flag.String("fault", "all", "`NAMES` of faults, or all; -list tells them")
	runs := flag.String("run", "produce,consume,tail,group", "what goes on meanwhile; checkpoint is there too")
	codecs := flag.String("codec", "none,gzip,snappy,lz4,zstd", "`CODECS`, in turn over the faults")
	acks := flag.String("acks", "all", "`ACKS` to produce with, each with every fault")
	beside := flag.String("beside", "", "more `WRITERS`, as CODEC/ACKS,…, each with a topic of its own, on the same faults")
	table := flag.Bool("table", false, "end with the table of RELIABILITY.md")
	list := flag.Bool("list", false, "tell what faults there are")
	flag.StringVar(&l.ours, "kafkactl", "", "`BINARY` under test")
	flag.IntVar(&l.records, "n", 1_000_000, "records")
	flag.DurationVar(&l.length, "length", 30*time.Second, "how long records are produced")
	soak := flag.Duration("soak", 0, "let faults come at random for so `LONG`, in place of -fault")
	flag.Uint64Var(&l.seed, "seed", uint64(time.Now().UnixNano()), "of keys, times and victims")
	flag.BoolVar(&l.peer, "kcat", true, "run kcat on the same faults, for comparison")
	flag.Parse()
	if *list {
		for _, f := range faults() {
			fmt.Printf("%-20s %s\n", f.name, f.what)
		}
		return nil
	}
	chosen := choice{faults: strings.Split(*names, ","), runs: strings.Split(*runs, ","),
		codecs: strings.Split(*codecs, ","), acks: strings.Split(*acks, ",")}
	for w := range strings.SplitSeq(*beside, ",") {
		codec, acks, ok := strings.Cut(w, "/")
		if !ok && w != "" {
			return fmt.Errorf("-beside %s: a writer is CODEC/ACKS", w)
		}
		if w != "" {
			chosen.beside = append(chosen.beside, manner{codec, acks})
		}
	}
	if *names == "all" {
		chosen.faults = nil
		for _, f := range faults() {
			chosen.faults = append(chosen.faults, f.name)
		}
	}
	if l.scratch, err = os.MkdirTemp("", "faults-"); err != nil {
		return err
	}
	defer os.RemoveAll(l.scratch)
	if l.cluster, err = boot(ctx, *release); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.cluster.Stop()) }()
	if *soak > 0 {
		fmt.Printf("Kafka %s, three nodes, %d records/s for %v, seed %d\n", *release, soakRate, *soak, l.seed)
		rows, err := l.soak(ctx, *soak)
		return errors.Join(err, told(rows))
	}
	fmt.Printf("Kafka %s, three nodes, %d records over %v, seed %d\n", *release, l.records, l.length, l.seed)
	rows, err := l.playAll(ctx, chosen)
	if *table {
		markdown(os.Stdout, rows)
	}
	return err
}

// told prints rows, and is an error if one does not hold what is promised.
func told(rows []row) error {
	failed := 0
	for _, r := range rows {
		r.line(os.Stdout)
		if r.failed() {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d rows do not hold what is promised", failed)
	}
	return nil
}

// boot starts the cluster. Brokers make no topics by themselves: a client that
// asks for one while it is deleted would bring an empty one back.
func boot(ctx context.Context, release string) (*kafkatest.Cluster, error) {
	return kafkatest.Start(ctx, kafkatest.Options{Version: release, Nodes: nodes, HeapMB: 384, Properties: []string{
		"auto.create.topics.enable=false",
		"log.retention.check.interval.ms=1000",
		"log.initial.task.delay.ms=1000",
		"log.segment.delete.delay.ms=1000",
		"leader.imbalance.check.interval.seconds=5",
	}})
}

// playAll plays each fault with each acks. Acks other than all concern writers
// alone.
func (l *lab) playAll(ctx context.Context, chosen choice) (rows []row, err error) {
	played := 0
	var bad error
	for _, acks := range chosen.acks {
		for _, name := range chosen.faults {
			f, err := faultNamed(name)
			if err != nil {
				return rows, err
			}
			runs := chosen.runs
			if acks != "all" {
				runs = []string{"produce"}
			}
			codec := chosen.codecs[played%len(chosen.codecs)]
			played++
			s := l.scene(f, codec, acks, runs)
			s.beside = chosen.beside
			got, err := s.play(ctx)
			bad = errors.Join(bad, told(got))
			rows = append(rows, got...)
			if err != nil {
				return rows, err
			}
		}
	}
	fmt.Printf("%d faults, %d rows\n", played, len(rows))
	return rows, bad
}
