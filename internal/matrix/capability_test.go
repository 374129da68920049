//go:build unix

package matrix

import (
	"slices"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

// capability is one row of the table: something brokers have, from one release
// on or up to one.
type capability struct {
	name  string
	since string // the first release that has it, "" for all
	gone  string // the first release that has it no more, "" for none
	works func(t *testing.T, b *bed)
	// lacks checks that a release without it is told by name. It is nil where
	// there is nothing to ask for, as with a setting of the broker's own.
	lacks func(t *testing.T, b *bed)
}

// on tells whether a release has it.
func (c capability) on(v kafkatest.Version) bool {
	return (c.since == "" || !v.Before(parts(c.since)...)) && (c.gone == "" || v.Before(parts(c.gone)...))
}

// cell is what the table says of a release.
func (c capability) cell(v kafkatest.Version) string {
	switch {
	case c.on(v):
		return "yes"
	case c.since != "" && v.Before(parts(c.since)...):
		return "from " + c.since
	}
	return "before " + c.gone
}

// check tries one capability on one broker.
func (c capability) check(t *testing.T, b *bed) {
	switch {
	case c.on(b.Version()):
		c.works(t, b)
	case c.lacks != nil:
		c.lacks(t, b)
	}
}

// refused is the lacks of a command that must fail and name a release. The
// command is given a topic of its own, and its standard input.
func refused(release, stdin string, argv func(topic string) []string) func(*testing.T, *bed) {
	return func(t *testing.T, b *bed) {
		b.check(t, "is refused", func(t *testing.T) {
			topic := b.topic(t, "refused", 4)
			args := argv(topic)
			r := b.kafkactl(t, stdin, args...)
			if r.code != 1 {
				t.Errorf("kafkactl %s: exit %d, want 1", strings.Join(args, " "), r.code)
			}
			b.names(t, r, release)
		})
	}
}

// names wants a message to say which release is needed, one of those that "|"
// parts where there are two answers.
func (b *bed) names(t *testing.T, r result, release string) {
	t.Helper()
	if !slices.ContainsFunc(strings.Split(release, "|"), func(one string) bool { return strings.Contains(r.err, one) }) {
		t.Errorf("stderr does not name Kafka %s: %q", release, r.err)
	}
	if r.out != "" {
		t.Errorf("it printed %q all the same", r.out)
	}
}

// parts takes a release such as 0.11.0 apart.
func parts(release string) (numbers []int) {
	for p := range strings.SplitSeq(release, ".") {
		n := 0
		for _, c := range p {
			n = n*10 + int(c-'0')
		}
		numbers = append(numbers, n)
	}
	return numbers
}
