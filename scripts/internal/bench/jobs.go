//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"kafkactl/internal/kafkatest"
)

// side runs one tool once and says what it cost.
type side func(ctx context.Context) (cost, error)

// pair measures two tools in turns: one turn each to warm up, then rounds. A
// job that writes says how much was stored in the end.
func (b *bench) pair(ctx context.Context, name string, rounds int, kcat, ours side, stored ...*int64) {
	r := row{job: name}
	for i := range rounds + 1 {
		for _, s := range []struct {
			run  side
			into *[]cost
		}{{kcat, &r.kcat}, {ours, &r.ours}} {
			c, err := s.run(ctx)
			if err != nil {
				b.fail(name, err)
				return
			}
			if i > 0 {
				*s.into = append(*s.into, c)
			}
		}
	}
	for _, n := range stored {
		r.stored = append(r.stored, *n)
	}
	b.rows = append(b.rows, r)
	fmt.Fprintln(os.Stderr, "bench:", r.markdown())
}

func (b *bench) kcatArgs(args ...string) []string {
	argv := []string{b.kcat, "-b", b.brokers}
	if b.old {
		argv = append(argv, "-X", "api.version.request=false", "-X", "broker.version.fallback=0.8.2.2")
	}
	return append(argv, args...)
}

func (b *bench) oursArgs(args ...string) []string {
	return append([]string{b.ours, "-b", b.brokers, "-q"}, args...)
}

// label names a job, and the broker if it is not the usual one.
func (b *bench) label(name string) string {
	if b.old {
		return "0.8.2.2: " + name
	}
	return name
}

// fresh makes a topic of four partitions.
func (b *bench) fresh(ctx context.Context, topic string) error {
	if b.old {
		return nil // made by the first to name it
	}
	return kafkatest.CreateTopic(ctx, b.brokers, topic, 4, 1)
}

func (b *bench) drop(ctx context.Context, topic string) error {
	if b.old {
		return nil
	}
	return kafkatest.DeleteTopic(ctx, b.brokers, topic)
}

// consume measures reading a topic that kcat wrote, to /dev/null; uncompressed
// also into a pipe, and with kcat's checksums off as they are by default.
func (b *bench) consume(ctx context.Context, codec string) {
	name := b.label("consume " + codec)
	topic := "consume-" + codec
	kcat := b.kcatArgs("-C", "-t", topic, "-o", "beginning", "-e", "-q")
	checked := append(kcat, "-X", "check.crcs=true")
	ours := b.oursArgs("consume", topic)
	piped, unchecked := name+", piped", name+", kcat unchecked"
	plain := codec == "none"
	if !b.only.MatchString(name) && !(plain && (b.only.MatchString(piped) || b.only.MatchString(unchecked))) {
		return
	}
	if err := b.fill(ctx, topic, codec); err != nil {
		b.fail(name, err)
		return
	}
	if err := errors.Join(b.verify(ctx, checked...), b.verify(ctx, ours...)); err != nil {
		b.fail(name, err)
		return
	}
	run := func(argv []string) side {
		return func(ctx context.Context) (cost, error) { return measure(ctx, nil, nil, argv...) }
	}
	pipe := func(argv []string) side {
		return func(ctx context.Context) (cost, error) { return measurePiped(ctx, argv...) }
	}
	if b.wants(ctx, name) {
		b.pair(ctx, name, b.rounds, run(checked), run(ours))
	}
	if plain && b.wants(ctx, piped) {
		b.pair(ctx, piped, b.rounds, pipe(checked), pipe(ours))
	}
	if plain && b.wants(ctx, unchecked) {
		b.pair(ctx, unchecked, b.rounds, run(kcat), run(ours))
	}
	b.fail(name, b.drop(ctx, topic))
}

// fill writes the input to a new topic.
func (b *bench) fill(ctx context.Context, topic, codec string) error {
	if err := b.fresh(ctx, topic); err != nil {
		return err
	}
	in, err := os.Open(b.input())
	if err != nil {
		return err
	}
	defer in.Close()
	argv := b.kcatProduce(topic, codec)
	if b.filler {
		argv = b.oursProduce(topic, codec)
	}
	_, err = measure(ctx, in, nil, argv...)
	return err
}

func (b *bench) kcatProduce(topic, codec string) []string {
	return b.kcatArgs("-P", "-t", topic, "-z", codec, "-X", "acks=all")
}

func (b *bench) oursProduce(topic, codec string) []string {
	args := []string{"produce", topic, "-z", codec}
	if b.old {
		args = append(args, "--create")
	}
	return b.oursArgs(args...)
}

// produce measures writing the input, read from a file, to a new topic each
// turn. What the warm-up wrote is read back with kcat and compared; later turns
// are counted.
func (b *bench) produce(ctx context.Context, codec string) {
	name := b.label("produce " + codec)
	if !b.wants(ctx, name) {
		return
	}
	turn := 0
	write := func(stored *int64, argv func(topic string) []string) side {
		checked := false
		return func(ctx context.Context) (c cost, err error) {
			turn++
			topic := fmt.Sprintf("produce-%s-%d", codec, turn)
			if err := b.fresh(ctx, topic); err != nil {
				return c, err
			}
			defer func() { err = errors.Join(err, b.drop(ctx, topic)) }()
			in, err := os.Open(b.input())
			if err != nil {
				return c, err
			}
			defer in.Close()
			if c, err = measure(ctx, in, nil, argv(topic)...); err != nil {
				return c, err
			}
			if *stored, err = b.stored(topic); err != nil {
				return c, err
			}
			if !checked {
				checked = true
				return c, b.verify(ctx, b.kcatArgs("-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X", "check.crcs=true")...)
			}
			return c, b.count(ctx, topic)
		}
	}
	var theirs, own int64
	b.pair(ctx, name, b.rounds,
		write(&theirs, func(topic string) []string { return b.kcatProduce(topic, codec) }),
		write(&own, func(topic string) []string { return b.oursProduce(topic, codec) }),
		&theirs, &own)
}

// stored is the size of a topic on the broker's disk.
func (b *bench) stored(topic string) (size int64, err error) {
	logs, err := filepath.Glob(filepath.Join(b.tmp, "kafka", "node1", "log", topic+"-[0-9]*", "*.log"))
	for _, log := range logs {
		info, statErr := os.Stat(log)
		if err = errors.Join(err, statErr); statErr == nil {
			size += info.Size()
		}
	}
	return size, err
}

// count wants the topic's end offsets to come to what was written.
func (b *bench) count(ctx context.Context, topic string) error {
	if b.old {
		return nil // the query needs a newer broker; the warm-up was read back
	}
	ends, err := kafkatest.EndOffsets(ctx, b.brokers, topic, 4)
	if err != nil {
		return err
	}
	sum := int64(0)
	for _, n := range ends {
		sum += n
	}
	if sum != int64(b.lines) {
		return fmt.Errorf("%s holds %d records, not %d", topic, sum, b.lines)
	}
	return nil
}

// metadata measures a whole process that asks one question.
func (b *bench) metadata(ctx context.Context) {
	name := b.label("metadata")
	if !b.wants(ctx, name) {
		return
	}
	b.fail(name, b.fresh(ctx, "some-topic"))
	run := func(argv []string) side {
		return func(ctx context.Context) (cost, error) { return measure(ctx, nil, nil, argv...) }
	}
	b.pair(ctx, name, max(b.rounds, 40), run(b.kcatArgs("-L")), run(b.oursArgs("metadata")))
}

// versions names what was measured.
func (b *bench) versions(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	kcat, _ := exec.CommandContext(ctx, b.kcat, "-V").Output()
	for line := range strings.Lines(string(kcat)) {
		if strings.HasPrefix(line, "Version") {
			own, more, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "Version")), " (")
			if _, lib, ok := strings.Cut(more, "librdkafka "); ok {
				lib, _, _ = strings.Cut(lib, " ")
				own += ", librdkafka " + lib
			}
			return "kcat " + own
		}
	}
	return "kcat"
}
