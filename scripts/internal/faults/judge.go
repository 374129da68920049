//go:build unix

package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

func sortTimes(ts []time.Time) { slices.SortFunc(ts, time.Time.Compare) }

// verdict is what is wrong with a run.
type verdict struct {
	lost       int // produced and not in the log; or in the log and not printed
	duplicated int // once too often
	reordered  int // behind one that was produced after it, in its partition
	changed    int // not what was produced
	gone       int // taken from the log by the fault before it could be read
}

func (v verdict) clean() bool {
	return v.lost == 0 && v.duplicated == 0 && v.reordered == 0 && v.changed == 0
}

// stored reads a topic back with kcat, which has no code in common with us.
func stored(ctx context.Context, brokers, topic, isolation string, t *text) (*seen, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	c, err := spawn(ctx, "kcat", "kcat", "-b", brokers, "-C", "-t", topic, "-e", "-q", "-o", "beginning",
		"-X", "isolation.level="+isolation, "-X", "check.crcs=true", "-f", format)
	if err != nil {
		return nil, err
	}
	s := newSeen()
	if err := s.read(c.out, t, 0, 0, true); err != nil {
		return nil, fmt.Errorf("read %s back: %w", topic, err)
	}
	<-c.done
	if code := c.exit(); code != 0 {
		return nil, fmt.Errorf("read %s back: kcat ends %d: %s", topic, code, c.said.last())
	}
	return s, nil
}

// log judges what was kept of lines 0 to n: whether each stands once, in order.
func (s *seen) log(n int) (v verdict) {
	v.changed = s.changed
	have := make([]bool, n)
	for _, places := range s.places {
		last := -1
		for _, at := range places {
			switch {
			case at.line >= n:
				v.changed++
				continue
			case have[at.line]:
				v.duplicated++
			case at.line < last:
				v.reordered++
			}
			have[at.line] = true
			last = max(last, at.line)
		}
	}
	for _, ok := range have {
		if !ok {
			v.lost++
		}
	}
	return v
}

// against judges what a reader printed by what the log holds in the end. What it
// printed of a log that the fault has removed since is no fault of its; what the
// log held and holds no longer, and was not printed, is gone.
func (s *seen) against(log *seen, n int) (v verdict) {
	v.changed = s.changed
	printed := make([]bool, n)
	for p, places := range s.places {
		last, once := -1, map[place]bool{}
		for _, at := range places {
			switch {
			case once[at]:
				v.duplicated++
				continue
			case at.line < last:
				v.reordered++
			}
			once[at] = true
			last = max(last, at.line)
			if at.line < n {
				printed[at.line] = true
			}
		}
		for _, at := range log.places[p] {
			if !once[at] {
				v.lost++
			}
		}
	}
	for p, places := range log.places {
		if s.places[p] == nil {
			v.lost += len(places)
		}
		for _, at := range places {
			printed[at.line] = true
		}
	}
	for _, ok := range printed {
		if !ok {
			v.gone++
		}
	}
	return v
}

// missing counts what of the log has not been printed yet.
func (s *seen) missing(log *seen) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, places := range log.places {
		once := map[place]bool{}
		for _, at := range s.places[p] {
			once[at] = true
		}
		for _, at := range places {
			if !once[at] {
				n++
			}
		}
	}
	return n
}
