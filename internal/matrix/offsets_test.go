//go:build unix

package matrix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// stored wants a group's offset in partition 0, asked in bytes of our own; -1
// is none.
func (b *bed) stored(t *testing.T, storage, group, topic string, want int64) {
	t.Helper()
	ask := kafkatest.Committed
	if storage == "zookeeper" {
		ask = kafkatest.CommittedInZooKeeper
	}
	// A coordinator that is new to its work asks for patience.
	eventually(t, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		got, err := ask(ctx, b.Brokers(), group, topic, 1)
		if err == nil && got[0] != want {
			err = fmt.Errorf("%s is at %d of %s:0 in %s, want %d", group, got[0], topic, storage, want)
		}
		return err
	})
}

// offsetsWork moves a group's offsets about in one storage, with a witness.
func offsetsWork(storage string) func(*testing.T, *bed) {
	return func(t *testing.T, b *bed) {
		topic := b.filled(t, "offsets", digits...)
		group := "g-" + storage
		run := func(t *testing.T, args ...string) result {
			t.Helper()
			return b.kafkactl(t, "", append(args, "--offset-storage", storage)...)
		}
		b.check(t, "commit", func(t *testing.T) {
			run(t, "offsets", "commit", "-g", group, topic+":0=7").must(t)
			b.stored(t, storage, group, topic, 7)
		})
		b.check(t, "get", func(t *testing.T) {
			if out := run(t, "offsets", "get", "-g", group, topic+":0").must(t); !slices.Equal(strings.Fields(out)[:7],
				[]string{group, topic, "0", "7", "0", "10", "3"}) {
				t.Errorf("offsets get -g: %q", out)
			}
			wantLines(t, "--lag", run(t, "offsets", "get", "-g", group, topic+":0", "--lag").must(t), "3")
		})
		b.check(t, "the other storage has none", func(t *testing.T) {
			if other := "zookeeper"; storage == "kafka" && b.Version().Before(4) {
				b.stored(t, other, group, topic, -1)
			}
		})
		b.check(t, "seek asks first", func(t *testing.T) {
			run(t, "offsets", "seek", "-g", group, topic+":0", "--to", "start+2", "--dry-run").must(t)
			b.stored(t, storage, group, topic, 7)
		})
		b.check(t, "seek by offset, end and distance", func(t *testing.T) {
			for _, step := range []struct {
				args []string
				want int64
			}{{[]string{"--to", "start+2"}, 2}, {[]string{"--to", "end"}, 10}, {[]string{"--by", "-4"}, 6}} {
				args := append([]string{"offsets", "seek", "-g", group, topic + ":0", "--yes"}, step.args...)
				run(t, args...).must(t)
				b.stored(t, storage, group, topic, step.want)
			}
		})
		b.check(t, "undo", func(t *testing.T) {
			run(t, "offsets", "undo", "-g", group, "--yes").must(t)
			b.stored(t, storage, group, topic, 10)
		})
		b.check(t, "consume --standalone goes on from there", func(t *testing.T) {
			run(t, "offsets", "commit", "-g", group, topic+":0=8").must(t)
			out := run(t, "consume", "--standalone", "-g", group, topic+":0").must(t)
			wantLines(t, "consume", out, "8", "9")
			b.stored(t, storage, group, topic, 10)
		})
	}
}

func offsetsDelete(t *testing.T, b *bed) {
	b.check(t, "with a witness", func(t *testing.T) {
		topic := b.filled(t, "delete", digits...)
		b.kafkactl(t, "", "offsets", "commit", "-g", "gone", topic+":0=7").must(t)
		b.stored(t, "kafka", "gone", topic, 7)
		b.kafkactl(t, "", "offsets", "delete", "-g", "gone", topic+":0", "--yes").must(t)
		b.stored(t, "kafka", "gone", topic, -1)
	})
}

// stays wants a release that cannot delete something to be named, and what was
// to be deleted to be there still.
func stays(release string, args ...string) func(*testing.T, *bed) {
	return func(t *testing.T, b *bed) {
		b.check(t, "is refused", func(t *testing.T) {
			topic := b.filled(t, "delete", digits...)
			b.kafkactl(t, "", "offsets", "commit", "-g", "stays", topic+":0=7").must(t)
			r := b.kafkactl(t, "", append(args, "--yes")...)
			if r.code != 1 || !strings.Contains(r.err, release) {
				t.Errorf("exit %d, want 1, and stderr to name Kafka %s: %q", r.code, release, r.err)
			}
			b.stored(t, "kafka", "stays", topic, 7)
		})
	}
}

// execWorks lets the third child fail: the group is left at the third record,
// which comes again.
func execWorks(t *testing.T, b *bed) {
	storages := []string{"kafka", "zookeeper"}
	if !b.Version().Before(4) {
		storages = storages[:1]
	}
	for _, storage := range storages {
		b.check(t, "standalone, offsets in "+storage, func(t *testing.T) {
			topic := b.filled(t, "exec", digits[:5]...)
			group := "exec-" + storage
			b.childFails(t, topic, group, storage, topic+":0", "--standalone", "--offset-storage", storage)
		})
	}
	if !b.Version().Before(0, 9) {
		b.check(t, "as a member", func(t *testing.T) {
			topic := b.filled(t, "exec", digits[:5]...)
			b.childFails(t, topic, "exec-member", "kafka", topic)
		})
	}
}

func (b *bed) childFails(t *testing.T, topic, group, storage string, args ...string) {
	t.Helper()
	args = append([]string{"consume", "-g", group}, args...)
	r := b.kafkactl(t, "", append(args, "--exec", `cat; [ "$RECORD_OFFSET" != 2 ]`)...)
	if r.code != 1 || !strings.Contains(r.err, topic+":0") {
		t.Errorf("exit %d, want 1 and %s:0 named: %q", r.code, topic, r.err)
	}
	b.stored(t, storage, group, topic, 2)
	out := b.kafkactl(t, "", append(args, "--exec", "cat")...).must(t)
	wantLines(t, "the next run", out, "2", "3", "4")
	b.stored(t, storage, group, topic, 5)
}
