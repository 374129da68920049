//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// digest sums up lines whatever their order, since partitions interleave
// differently in every run.
type digest struct {
	seed  maphash.Seed
	lines int
	bytes int64
	sum   uint64
	rest  []byte
}

// Write takes a piece of a stream of lines.
func (d *digest) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			d.rest = append(d.rest, p...)
			return n, nil
		}
		line := p[:i]
		if len(d.rest) > 0 {
			d.rest = append(d.rest, line...)
			line = d.rest
		}
		d.lines++
		d.bytes += int64(len(line))
		d.sum += maphash.Bytes(d.seed, line)
		d.rest = d.rest[:0]
		p = p[i+1:]
	}
}

// same tells whether two digests saw the same lines.
func (d *digest) same(other *digest) error {
	if d.lines != other.lines || d.bytes != other.bytes || d.sum != other.sum || len(d.rest) != len(other.rest) {
		return fmt.Errorf("%d lines, %d bytes, sum %016x; want %d, %d, %016x",
			d.lines, d.bytes, d.sum, other.lines, other.bytes, other.sum)
	}
	return nil
}

func (b *bench) input() string { return filepath.Join(b.tmp, "input") }

// numberWidth is how many digits number each line, at its front.
const numberWidth = 10

// words is the vocabulary of the input: text that compresses about as log lines do.
func words() []string {
	return strings.Fields(`GET POST PUT DELETE /orders /users /cart /payments /search status 200 201 204 301 404 500
		session request response timeout retry accepted queued shipped cancelled refunded warehouse region
		eu-central us-east ap-south latency bytes cache miss hit user agent mobile desktop checkout token`)
}

// writeInput makes the file of lines every job moves.
func (b *bench) writeInput() error {
	f, err := os.Create(b.input())
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	vocabulary := words()
	r := rand.New(rand.NewPCG(1, 2))
	var line []byte
	for i := range b.lines {
		line = fmt.Appendf(line[:0], "%0*d %08x", numberWidth, i, r.Uint32())
		if b.plain {
			line = fmt.Appendf(line[:0], "%0*d ", numberWidth, i)
		}
		for len(line) < b.size {
			if b.plain {
				line = append(line, 'x')
				continue
			}
			line = append(append(line, ' '), vocabulary[r.IntN(len(vocabulary))]...)
		}
		if _, err := w.Write(append(line[:b.size], '\n')); err != nil {
			return err
		}
	}
	return w.Flush()
}

// inputDigest is what every reading must come to.
func (b *bench) inputDigest(seed maphash.Seed) (*digest, error) {
	f, err := os.Open(b.input())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := &digest{seed: seed}
	_, err = io.CopyBuffer(struct{ io.Writer }{d}, struct{ io.Reader }{f}, make([]byte, 1<<20))
	return d, err
}

// verify runs a program that prints lines, and wants them to be the input's.
func (b *bench) verify(ctx context.Context, argv ...string) error {
	seed := maphash.MakeSeed()
	want, err := b.inputDigest(seed)
	if err != nil {
		return err
	}
	got := &digest{seed: seed}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = got, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(said.String()))
	}
	if err := got.same(want); err != nil {
		return fmt.Errorf("%s printed %w", strings.Join(argv, " "), err)
	}
	return nil
}
