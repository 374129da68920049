//go:build unix

package main

import "fmt"

// nobody stands for an offset that has not been printed.
const nobody = -1

// ledger knows who printed what first.
type ledger struct {
	printed  [][]int32 // by partition and offset: who printed it first
	prefix   []int64   // by partition: all before it have been printed
	ahead    map[gap]int64
	lines    int
	distinct int
	records  int
}

// gap is where a committed offset was ahead of what was printed: the partition,
// and the first offset that nobody had printed then.
type gap struct {
	partition int
	from      int64
}

func newLedger(partitions, records int) *ledger {
	return &ledger{printed: make([][]int32, partitions), prefix: make([]int64, partitions),
		ahead: map[gap]int64{}, records: records}
}

// add notes that a member printed a record.
func (l *ledger) add(p int, offset int64, member int) error {
	if p < 0 || p >= len(l.printed) || offset < 0 || offset >= int64(l.records) {
		return fmt.Errorf("printed %d:%d, which was never written", p, offset)
	}
	for int64(len(l.printed[p])) <= offset {
		l.printed[p] = append(l.printed[p], nobody)
	}
	l.lines++
	if l.printed[p][offset] == nobody {
		l.printed[p][offset] = int32(member)
		l.distinct++
	}
	for l.prefix[p] < int64(len(l.printed[p])) && l.printed[p][l.prefix[p]] != nobody {
		l.prefix[p]++
	}
	return nil
}

// compare notes where what is committed is ahead of what was printed.
func (l *ledger) compare(committed []int64) {
	for p, at := range committed {
		if from := l.prefix[p]; at > from {
			g := gap{p, from}
			l.ahead[g] = max(l.ahead[g], at)
		}
	}
}

// blame is whose commit it was that passed a gap: of whoever printed the gap's
// first record later, or, if nobody did, the record before it.
func (l *ledger) blame(g gap, members []*member) (name string, ours bool) {
	who := int32(nobody)
	if g.from < int64(len(l.printed[g.partition])) {
		who = l.printed[g.partition][g.from]
	}
	if who == nobody && g.from > 0 {
		who = l.printed[g.partition][g.from-1]
	}
	if who == nobody {
		return "nobody known", true
	}
	return members[who].name, members[who].kind == "kafkactl"
}

// verdict lists what went wrong by kafkactl's doing, and prints what went wrong
// by the doing of others.
func (l *ledger) verdict(ends, committed []int64, members []*member) (wrong []error) {
	lost, theirs := 0, 0
	for p, end := range ends {
		if committed[p] > end {
			wrong = append(wrong, fmt.Errorf("partition %d: committed %d, past the end %d", p, committed[p], end))
		}
		var from int64
		for o := range end {
			if o < int64(len(l.printed[p])) && l.printed[p][o] != nobody {
				from = o + 1
			} else if _, ours := l.blame(gap{p, from}, members); ours {
				lost++
			} else {
				theirs++
			}
		}
	}
	if lost > 0 {
		wrong = append(wrong, fmt.Errorf("%d records were printed by nobody", lost))
	}
	if l.distinct+lost+theirs != l.records {
		wrong = append(wrong, fmt.Errorf("%d records were written, %d are known", l.records, l.distinct+lost+theirs))
	}
	passed := 0
	for g, at := range l.ahead {
		name, ours := l.blame(g, members)
		if !ours {
			passed++
			continue
		}
		wrong = append(wrong, fmt.Errorf("partition %d: %d was committed when only what is before %d had been printed (%s)",
			g.partition, at, g.from, name))
	}
	fmt.Printf("members of other makes committed past what they had printed %d times, and so left out %d records\n", passed, theirs)
	return wrong
}
