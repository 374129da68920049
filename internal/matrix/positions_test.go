//go:build unix

package matrix

import (
	"fmt"
	"strings"
	"testing"
)

// digits are ten records, each its own offset.
var digits = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

func positionsWork(t *testing.T, b *bed) {
	topic := b.filled(t, "positions", digits...)
	for target, want := range map[string][]string{
		":0":          digits,
		":0@3":        digits[3:],
		":0@3..5":     digits[3:5],
		":0@3..+4":    digits[3:7],
		":0@-2":       digits[8:],
		":0@..-8":     digits[:2],
		":0@end-3..9": digits[7:9],
		":0@10":       nil,
		":0@start+9":  digits[9:],
	} {
		b.check(t, "consume T"+target, func(t *testing.T) {
			wantLines(t, "consume", b.kafkactl(t, "", "consume", topic+target).must(t), want...)
		})
	}
	b.check(t, "consume --last", func(t *testing.T) {
		wantLines(t, "consume", b.kafkactl(t, "", "consume", topic, "--last", "2").must(t), digits[8:]...)
	})
	b.check(t, "offsets get", func(t *testing.T) {
		out := b.kafkactl(t, "", "offsets", "get", topic+":0", "--at", "start", "--at", "end", "--at", "end-4").must(t)
		wantLines(t, "offsets get", out, topic+"\t0\t0\t10\t6")
	})
	b.check(t, "an offset past the end", func(t *testing.T) {
		r := b.kafkactl(t, "", "consume", topic+":0@100")
		if r.code != 0 || r.out != "" || !strings.Contains(r.err, "past the end of the log, 10") {
			t.Errorf("exit %d, %q, %q", r.code, r.out, r.err)
		}
		if r := b.kafkactl(t, "", "consume", topic+":0@100", "--strict"); r.code != 1 || r.out != "" {
			t.Errorf("--strict: exit %d, %q, %q", r.code, r.out, r.err)
		}
	})
	b.check(t, "partitions named", func(t *testing.T) {
		r := b.kafkactl(t, "", "consume", topic+":9")
		if r.code != 6 || r.out != "" {
			t.Errorf("a partition that is not there: exit %d, %q, %q", r.code, r.out, r.err)
		}
	})
}

// timed is a topic with a record each ten minutes, three of them in a
// compressed set of their own.
func timed(t *testing.T, b *bed) string {
	t.Helper()
	topic := b.topic(t, "timed", 4, "retention.ms", "-1")
	for i, codec := range []string{"gzip", "none", "snappy"} {
		for j := range 3 {
			at := 1_700_000_000_000 + int64(3*i+j)*600_000
			b.kafkactl(t, fmt.Sprintf("%d\n", 3*i+j), "produce", topic, "-p", "0", "-z", codec,
				"--timestamp", fmt.Sprintf("%dms", at)).must(t)
		}
	}
	return topic
}

func timesWork(t *testing.T, b *bed) {
	topic := timed(t, b)
	for at, want := range map[string]string{
		"1699999999999": "0", // before all
		"1700000000000": "0",
		"1700000000001": "1",
		"1700001800000": "3",
		"1700004800000": "8",
		"1700004800001": "9", // after all
	} {
		b.check(t, "offsets get --at "+at, func(t *testing.T) {
			wantLines(t, "offsets get", b.kafkactl(t, "", "offsets", "get", topic+":0", "--at", at+"ms").must(t), topic+"\t0\t"+want)
		})
	}
	b.check(t, "consume between times", func(t *testing.T) {
		out := b.kafkactl(t, "", "consume", topic+":0@1700000600000ms..1700002400000ms").must(t)
		wantLines(t, "consume", out, "1", "2", "3")
	})
}

// timesLack: an old broker knows segments' times alone, and says so.
func timesLack(t *testing.T, b *bed) {
	topic := b.filled(t, "times", digits...)
	b.check(t, "are as fine as a segment", func(t *testing.T) {
		r := b.kafkactl(t, "", "consume", topic+":0@-1h")
		wantLines(t, "consume", r.must(t), digits...)
		if !strings.Contains(r.err, "0.10.1") || !strings.Contains(r.err, "segments") {
			t.Errorf("it does not say that times are coarse: %q", r.err)
		}
	})
}

// special checks a position only newer brokers know, on six records of which
// the last came last.
func special(position, want string) func(*testing.T, *bed) {
	return func(t *testing.T, b *bed) {
		b.check(t, position, func(t *testing.T) {
			topic := b.filled(t, position, digits[:5]...)
			b.kafkactl(t, "late\n", "produce", topic, "-p", "0", "--timestamp", "now").must(t)
			wantLines(t, "offsets get", b.kafkactl(t, "", "offsets", "get", topic+":0", "--at", position).must(t), topic+"\t0\t"+want)
		})
	}
}

func specialRefused(release, position string) func(*testing.T, *bed) {
	return refused(release, "", func(topic string) []string {
		return []string{"offsets", "get", topic + ":0", "--at", position}
	})
}

func segmentsWork(t *testing.T, b *bed) {
	b.check(t, "newest first", func(t *testing.T) {
		topic := b.filled(t, "segments", digits...)
		out := b.kafkactl(t, "", "offsets", "get", topic+":0", "--at", "end", "--max-offsets", "5").must(t)
		wantLines(t, "offsets get", out, topic+"\t0\t10,0")
	})
}

// logStartWorks trims a log by retention, which every release knows, and reads
// from before its start.
func logStartWorks(t *testing.T, b *bed) {
	topic := b.topic(t, "trimmed", 1, "segment.bytes", "1048576", "retention.bytes", "1048576")
	var in strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&in, "%d %s\n", i, strings.Repeat("x", 200))
	}
	b.kafkactl(t, in.String(), "produce", topic, "--batch-n", "500").must(t)
	var begin int
	b.check(t, "offsets get", func(t *testing.T) {
		eventually(t, func() error {
			out := b.kafkactl(t, "", "offsets", "get", topic).must(t)
			var end, p int
			if _, err := fmt.Sscanf(strings.TrimPrefix(out, topic), "\t%d\t%d\t%d", &p, &begin, &end); err != nil || end != 20_000 {
				t.Fatalf("%q: %v", out, err)
			}
			// What is kept in the end is less than the limit and a segment. Until
			// then the start would move under the checks below.
			if begin == 0 || (end-begin)*206 > 2<<20 {
				return fmt.Errorf("the broker has trimmed %s only up to %d yet", topic, begin)
			}
			return nil
		})
	})
	b.check(t, "a position before it", func(t *testing.T) {
		r := b.kafkactl(t, "", "consume", topic+"@0..19990")
		first, _, _ := strings.Cut(r.must(t), " ")
		last := r.out[strings.LastIndex(strings.TrimSpace(r.out), "\n")+1:]
		if first == "0" || !strings.HasPrefix(last, "19989 ") {
			t.Errorf("it printed from %q to %q", first, short(last))
		}
		if !strings.Contains(r.err, "offset 0 is") || !strings.Contains(r.err, "warning") {
			t.Errorf("it does not warn: %q", r.err)
		}
		if r := b.kafkactl(t, "", "consume", topic+"@0", "--strict"); r.code != 1 || r.out != "" {
			t.Errorf("--strict: exit %d, %s", r.code, short(r.out))
		}
		if r := b.kafkactl(t, "", "consume", topic+"@start..+1").must(t); !strings.HasPrefix(r, first+" ") {
			t.Errorf("@start is %q, the first record %q", short(r), first)
		}
	})
}
