//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// place is where a line stands: the offset tells a line from its duplicate, the
// line a deleted topic's offset from its successor's.
type place struct {
	offset int64
	line   int
}

// seen is what one reader printed, by partition in the order it came, and when.
type seen struct {
	mu      sync.Mutex
	places  map[int][]place
	when    map[int][]time.Time // of each of places
	late    []lateness          // of what was late, in the order it came
	changed int                 // lines whose key or value is not what was produced
	count   atomic.Int64
}

func newSeen() *seen { return &seen{places: map[int][]place{}, when: map[int][]time.Time{}} }

// lateness is how long after it was appended a record was printed.
type lateness struct {
	at time.Time
	by time.Duration
}

// soon is what is not late: a fetch that waits, and a machine that is busy.
const soon = 50 * time.Millisecond

// format is what readers print, for kafkactl and kcat alike.
const format = `%p %o %T %k %s\n`

// read takes lines of format from a reader until its end. A length other than
// zero slows it down to n lines over that time: whoever writes has to wait.
// Appended means the log's own clock is believed rather than ours.
func (s *seen) read(r io.Reader, t *text, n int, length time.Duration, appended bool) error {
	in := bufio.NewReaderSize(r, 64<<10)
	begin, got := time.Now(), 0
	var want []byte
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a line: %w", err)
		}
		f := bytes.SplitN(line[:len(line)-1], []byte(" "), 5)
		if len(f) < 5 {
			return fmt.Errorf("printed %q", line)
		}
		p, err1 := strconv.Atoi(string(f[0]))
		offset, err2 := strconv.ParseInt(string(f[1]), 10, 64)
		stamp, err3 := strconv.ParseInt(string(f[2]), 10, 64)
		i, err4 := number(f[4])
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return fmt.Errorf("printed %q: %w", line, err)
		}
		at := time.Now()
		if appended {
			at = time.UnixMilli(stamp)
		}
		late := at.Sub(time.UnixMilli(stamp))
		want = t.appendValue(append(t.appendKey(want[:0], i), ' '), i)
		same := bytes.Equal(want[:len(f[3])], f[3]) && bytes.Equal(want[min(len(want), len(f[3])+1):], f[4])
		s.add(p, place{offset, i}, at, late, same)
		got++
		if length > 0 && got%512 == 0 {
			time.Sleep(time.Until(begin.Add(time.Duration(float64(length) * float64(got) / float64(n)))))
		}
	}
}

func (s *seen) add(p int, at place, when time.Time, late time.Duration, same bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if late > soon {
		s.late = append(s.late, lateness{when, late})
	}
	s.places[p] = append(s.places[p], at)
	s.when[p] = append(s.when[p], when)
	if !same {
		s.changed++
	}
	s.count.Add(1)
}

// latest is how late a record was printed at most, of what came after the fault.
// Brokers stamp records as they append them, so this is the reader's doing and
// theirs, and not that of a writer who was held up.
func (s *seen) latest(fault time.Time) (longest time.Duration) {
	for _, l := range s.late {
		if l.at.After(fault) {
			longest = max(longest, l.by)
		}
	}
	return longest
}

// silence is the longest that one partition took nothing, of what lies after the
// fault.
func (s *seen) silence(fault time.Time) (longest time.Duration) {
	for _, when := range s.when {
		longest = max(longest, gap(when, fault))
	}
	return longest
}

// pause is the same of all partitions together.
func (s *seen) pause(fault time.Time) time.Duration {
	var all []time.Time
	for _, when := range s.when {
		all = append(all, when...)
	}
	sortTimes(all)
	return gap(all, fault)
}

func gap(when []time.Time, fault time.Time) (longest time.Duration) {
	for i := 1; i < len(when); i++ {
		if !when[i].After(fault) {
			continue
		}
		from := when[i-1]
		if from.Before(fault) {
			from = fault
		}
		longest = max(longest, when[i].Sub(from))
	}
	return longest
}
