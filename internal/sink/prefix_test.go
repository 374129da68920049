package sink

import (
	"math/rand/v2"
	"testing"

	"kafkactl/internal/consume"
)

// Spans begin, overlap and end in any order; what is told is always the longest
// run of records from the start of which none is undelivered.
func TestPrefixTellsTheLongestDeliveredRun(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		pt := part(0)
		var p prefix
		open := map[*span][]int64{}
		undelivered := map[int64]bool{}
		told, next := int64(0), int64(0)
		check := func() {
			m, moved := p.news()
			if moved {
				if m.Next <= told {
					t.Fatalf("seed %d: told %d after %d", seed, m.Next, told)
				}
				told = m.Next
			}
			want := next
			for o := range undelivered {
				want = min(want, o)
			}
			if told != want {
				t.Fatalf("seed %d: told %d, want %d", seed, told, want)
			}
		}
		for range 200 {
			switch rnd.IntN(3) {
			case 0: // a record of no span, such as a filtered one
				next++
				p.pass(consume.Mark{P: pt, Next: next})
			case 1: // a record that goes into a span, perhaps a new one
				var s *span
				for o := range open {
					if rnd.IntN(2) == 0 {
						s = o
						break
					}
				}
				if s == nil {
					s = p.begin()
				}
				open[s] = append(open[s], next)
				undelivered[next] = true
				next++
				p.pass(consume.Mark{P: pt, Next: next})
			case 2:
				for s, records := range open {
					p.end(s)
					delete(open, s)
					for _, o := range records {
						delete(undelivered, o)
					}
					break
				}
			}
			check()
		}
		for s := range open {
			p.end(s)
		}
		clear(undelivered)
		check()
		if p.open() || p.first != nil || p.final != nil {
			t.Fatalf("seed %d: a span is left", seed)
		}
	}
}
