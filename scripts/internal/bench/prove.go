//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"kafkactl/internal/kafkatest"
)

const provePartitions = 4

// proveAll moves two inputs through every compression and back. What comes out
// of each partition must be the same bytes for us and for kcat, in the order of
// the input, and all partitions together must be the input.
func (b *bench) proveAll(ctx context.Context) error {
	var errs []error
	for _, input := range []struct{ lines, size int }{{2_000_000, 100}, {1 << 20, 1023}} {
		b.lines, b.size = input.lines, input.size
		if err := b.writeInput(); err != nil {
			return err
		}
		seed := maphash.MakeSeed()
		want, err := b.inputDigest(seed)
		if err != nil {
			return err
		}
		for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			name := fmt.Sprintf("%d lines of %d bytes, %s", b.lines, b.size, codec)
			if !b.only.MatchString(name) {
				continue
			}
			if err := b.prove(ctx, codec, want); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				fmt.Println("FAIL ", name, err)
				continue
			}
			fmt.Println("ok   ", name)
		}
	}
	return errors.Join(errs...)
}

// prove moves the input through one topic.
func (b *bench) prove(ctx context.Context, codec string, want *digest) (err error) {
	topic := fmt.Sprintf("prove-%s-%d", codec, b.size)
	if err := kafkatest.CreateTopic(ctx, b.brokers, topic, provePartitions, 1); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.drop(ctx, topic)) }()
	in, err := os.Open(b.input())
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := measure(ctx, in, nil, b.oursArgs("produce", topic, "-z", codec)...); err != nil {
		return err
	}
	if err := b.count(ctx, topic); err != nil {
		return err
	}
	if err := b.verify(ctx, b.oursArgs("consume", topic)...); err != nil {
		return err
	}
	all := digest{seed: want.seed}
	for p := range provePartitions {
		ours, err := stream(ctx, want.seed, b.oursArgs("consume", fmt.Sprintf("%s:%d", topic, p)))
		if err != nil {
			return err
		}
		theirs, err := stream(ctx, want.seed, b.kcatArgs("-C", "-t", topic, "-p", strconv.Itoa(p),
			"-o", "beginning", "-e", "-q", "-X", "check.crcs=true"))
		if err != nil {
			return err
		}
		if ours.text() != theirs.text() {
			return fmt.Errorf("partition %d: kafkactl read %s, kcat %s", p, ours.text(), theirs.text())
		}
		all.lines += ours.digest.lines
		all.bytes += ours.digest.bytes
		all.sum += ours.digest.sum
	}
	if err := all.same(want); err != nil {
		return fmt.Errorf("all partitions together: %w", err)
	}
	return nil
}

// ordered is what came out of one partition.
type ordered struct {
	digest digest
	sha    hash.Hash
	last   int64 // number of the line seen last
	rest   []byte
}

// text says what was read in a form that differs whenever the bytes do.
func (o *ordered) text() string {
	return fmt.Sprintf("%d lines with SHA-256 %x", o.digest.lines, o.sha.Sum(nil))
}

// Write takes the next bytes of the partition. Lines carry the number they had
// in the input, which must rise.
func (o *ordered) Write(p []byte) (int, error) {
	o.sha.Write(p)
	if _, err := o.digest.Write(p); err != nil {
		return 0, err
	}
	o.rest = append(o.rest, p...)
	done := 0
	for {
		n := bytes.IndexByte(o.rest[done:], '\n')
		if n < 0 {
			break
		}
		line := o.rest[done : done+n]
		done += n + 1
		if len(line) < numberWidth {
			return 0, fmt.Errorf("line %q is none of the input's", line)
		}
		number, err := strconv.ParseInt(string(line[:numberWidth]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("line %q is none of the input's", line)
		}
		if number <= o.last {
			return 0, fmt.Errorf("line %d comes after line %d", number, o.last)
		}
		o.last = number
	}
	o.rest = append(o.rest[:0], o.rest[done:]...)
	return len(p), nil
}

// stream runs a program that prints one partition.
func stream(ctx context.Context, seed maphash.Seed, argv []string) (*ordered, error) {
	o := &ordered{digest: digest{seed: seed}, sha: sha256.New(), last: -1}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = o, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(said.String()))
	}
	return o, nil
}
