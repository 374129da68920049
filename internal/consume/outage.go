package consume

import "time"

// noteAfter is how long partitions may be in trouble without a word.
const noteAfter = time.Second

// noteTrouble says, once an outage, that partitions cannot be read for now, and
// when to look again.
func (s *Session) noteTrouble(now time.Time) (again time.Duration) {
	r := &s.router
	again = time.Hour
	var first *Partition
	for p, w := range r.waits {
		switch age := now.Sub(p.since); {
		case w.err == nil || r.down[p]:
		case age < noteAfter:
			again = min(again, noteAfter-age)
		default:
			if p.down = true; len(r.down) == 0 {
				r.since = p.since
			}
			r.down[p] = true
			if first == nil || compareTP(p.TP, first.TP) < 0 {
				first = p
			}
		}
	}
	if first != nil && !r.noted {
		r.noted = true
		s.note(&RetryNote{first.TP, r.waits[first].err})
	}
	return again
}

// up says so when the last partition of an outage is read again.
func (s *Session) up(p *Partition) {
	r := &s.router
	if delete(r.down, p); len(r.down) == 0 && r.noted {
		r.noted = false
		s.note(&BackNote{time.Since(r.since)})
	}
}
