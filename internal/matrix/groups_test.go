//go:build unix

package matrix

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// joinWorks reads as a member, alone and beside another.
func joinWorks(protocol string) func(*testing.T, *bed) {
	return func(t *testing.T, b *bed) {
		join := func(group, topic string, more ...string) []string {
			return append([]string{"consume", "-g", group, topic, "--group-protocol", protocol}, more...)
		}
		b.check(t, "reads to the end, commits and leaves", func(t *testing.T) {
			topic := b.filled(t, "joined", digits...)
			group := "joined-" + protocol
			wantLines(t, "consume", b.kafkactl(t, "", join(group, topic)...).must(t), digits...)
			b.stored(t, "kafka", group, topic, 10)
			b.kafkactl(t, "10\n", "produce", topic, "-p", "0").must(t)
			wantLines(t, "consume again", b.kafkactl(t, "", join(group, topic)...).must(t), "10")
			b.stored(t, "kafka", group, topic, 11)
		})
		b.check(t, "-n commits what was printed", func(t *testing.T) {
			topic := b.filled(t, "counted", digits...)
			wantLines(t, "consume", b.kafkactl(t, "", join("counted-"+protocol, topic, "-n", "4")...).must(t), digits[:4]...)
			b.stored(t, "kafka", "counted-"+protocol, topic, 4)
		})
		b.check(t, "two members share the partitions", func(t *testing.T) { b.shared(t, join) })
	}
}

// shared has two members read what is written to four partitions while they
// follow: all of it is printed, by both of them together.
func (b *bed) shared(t *testing.T, join func(group, topic string, more ...string) []string) {
	topic := b.topic(t, "shared", 4)
	group := "shared-" + topic
	one := b.leave(t, join(group, topic, "--follow")...)
	two := b.leave(t, join(group, topic, "--follow")...)
	written := 0
	// A partition's records tell who holds it: write until both have had some.
	eventually(t, func() error {
		for p := range 4 {
			b.kafkactl(t, fmt.Sprintf("%d\n", written), "produce", topic, "-p", fmt.Sprint(p)).must(t)
			written++
		}
		if one.out.String() == "" || two.out.String() == "" {
			return fmt.Errorf("one printed %q, two %q\n%s\n%s", one.out.String(), two.out.String(), one.err.String(), two.err.String())
		}
		return nil
	})
	eventually(t, func() error {
		seen := map[string]bool{}
		for line := range strings.Lines(one.out.String() + two.out.String()) {
			seen[line] = true
		}
		if len(seen) != written {
			return fmt.Errorf("%d of %d records were printed", len(seen), written)
		}
		return nil
	})
	for _, r := range []*running{one, two} {
		if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		r.ends(t, 143)
	}
	b.stored(t, "kafka", group, topic, int64(written/4))
}

func joinRefused(release, protocol string) func(*testing.T, *bed) {
	return refused(release, "", func(topic string) []string {
		return []string{"consume", "-g", "refused", topic, "--group-protocol", protocol}
	})
}

func groupsWork(t *testing.T, b *bed) {
	topic := b.filled(t, "listed", digits...)
	member := b.leave(t, "consume", "-g", "listed", topic, "--follow")
	member.shows(t, strings.Join(digits, "\n")+"\n")
	b.check(t, "list", func(t *testing.T) {
		out := b.kafkactl(t, "", "groups", "list").must(t)
		if !strings.Contains("\n"+out, "\nlisted\t") {
			t.Errorf("groups list: %q", out)
		}
	})
	b.check(t, "describe and members", func(t *testing.T) {
		if out := b.kafkactl(t, "", "groups", "describe", "listed").must(t); !strings.Contains(out, "Stable") {
			t.Errorf("groups describe: %q", out)
		}
		if out := b.kafkactl(t, "", "groups", "members", "listed").must(t); !strings.Contains(out, "127.0.0.1") {
			t.Errorf("groups members: %q", out)
		}
	})
	b.check(t, "a group with members is left alone", func(t *testing.T) {
		r := b.kafkactl(t, "", "offsets", "seek", "-g", "listed", topic, "--to", "start", "--yes")
		if r.code != 1 || r.out != "" && strings.Contains(r.out, "done") || !strings.Contains(r.err, "member") {
			t.Errorf("seek: exit %d, %q, %q", r.code, r.out, r.err)
		}
	})
	if err := member.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	member.ends(t, 143)
	b.stored(t, "kafka", "listed", topic, 10)
}

func groupsDelete(t *testing.T, b *bed) {
	b.check(t, "with a witness", func(t *testing.T) {
		topic := b.filled(t, "deleted", digits...)
		b.kafkactl(t, "", "offsets", "commit", "-g", "deleted", topic+":0=7").must(t)
		b.kafkactl(t, "", "groups", "delete", "deleted", "--yes").must(t)
		b.stored(t, "kafka", "deleted", topic, -1)
	})
}
