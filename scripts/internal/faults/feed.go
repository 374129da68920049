//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"
)

// keys is how many different keys there are.
const keys = 1000

// text makes the lines that are produced: the same ones for the same seed, so
// that whoever reads them back can tell an altered one.
type text struct {
	seed uint64
	pads []string
}

func newText(seed uint64) *text {
	random := rand.New(rand.NewPCG(seed, 1))
	t := &text{seed: seed}
	words := []string{"order", "paid", "open", "Zürich", "late", "0.25", "EUR", "shipped", "\\", "\"", "the", "a"}
	for range 64 {
		pad := ""
		for range 3 + random.IntN(8) {
			pad += " " + words[random.IntN(len(words))]
		}
		t.pads = append(t.pads, pad)
	}
	return t
}

// mix spreads a line's number over all bits.
func (t *text) mix(i int) uint64 {
	x := (uint64(i) + t.seed) * 0x9e3779b97f4a7c15
	return (x ^ x>>29) * 0xbf58476d1ce4e5b9 >> 20
}

func (t *text) appendKey(b []byte, i int) []byte {
	return strconv.AppendUint(append(b, 'k'), t.mix(i)%keys, 10)
}

// appendValue writes the line's number and then what goes with it.
func (t *text) appendValue(b []byte, i int) []byte {
	return append(strconv.AppendInt(b, int64(i), 10), t.pads[t.mix(i)>>10%uint64(len(t.pads))]...)
}

func (t *text) appendLine(b []byte, i int) []byte {
	return append(t.appendValue(append(t.appendKey(b, i), '\t'), i), '\n')
}

// number is the line number that a value begins with.
func number(value []byte) (int, error) {
	n := 0
	for n < len(value) && value[n] >= '0' && value[n] <= '9' {
		n++
	}
	i, err := strconv.Atoi(string(value[:n]))
	if err != nil {
		return 0, fmt.Errorf("a value without a number: %.60q", value)
	}
	return i, nil
}

// feed writes lines 0 to n evenly over a time, as fast as they are taken if that
// is slower; a length of zero means as fast as can be. It closes w.
func (t *text) feed(ctx context.Context, w io.WriteCloser, n int, length time.Duration) error {
	defer w.Close()
	out := bufio.NewWriterSize(w, 64<<10)
	begin := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var b []byte
	for i := 0; i < n; {
		due := n
		if length > 0 {
			due = min(n, int(float64(n)*float64(time.Since(begin))/float64(length)))
		}
		for ; i < due; i++ {
			b = t.appendLine(b[:0], i)
			if _, err := out.Write(b); err != nil {
				return fmt.Errorf("feed line %d: %w", i+1, err)
			}
		}
		if err := out.Flush(); err != nil {
			return fmt.Errorf("feed up to line %d: %w", i, err)
		}
		if i < n {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}
