package produce

import "kafkactl/internal/wire"

// triage sorts the batches of one lane after bad answers.
type triage struct {
	core    *core
	lane    *lane
	doubt   bool     // something of the lane may be in the log
	keep    []*Batch // to be sent again
	hole    int64    // first sequence that left without being stored, -1 none
	unknown bool     // what left may be in the log
	failed  bool     // something failed that time may heal
	moving  bool     // something failed by itself, so that wrong sequences behind it mean nothing
	wrong   bool     // there are wrong sequences
	astray  bool     // some leader said that it is none
	early   bool     // the transaction before is still being completed
	// unformed: the log has no place for sequences.
	unformed bool
}

func (t *triage) see(b *Batch) {
	c, l := t.core, t.lane
	switch b.fate {
	case again:
		if c.txn && b.answer.code == wire.ConcurrentTransactions {
			t.moving, t.early = true, true
			t.keep = append(t.keep, b)
			return
		}
		if t.lost(b) {
			return
		}
		t.moving, t.failed = true, true
		t.astray = t.astray || !b.answer.lost && b.answer.stale()
		t.keep = append(t.keep, b)
	case unformed:
		if t.doubt || l.proved || c.txn {
			c.refuse(b)
			return
		}
		t.unformed = true
		t.keep = append(t.keep, b)
	case sequence:
		if !l.id.sequenced() {
			c.refuse(b)
			return
		}
		t.wrong = true
		t.keep = append(t.keep, b)
	case tooLarge:
		if b.count > 1 && !b.doubt {
			x, y, err := c.halve(b)
			if err == nil {
				t.moving = true
				t.keep = append(t.keep, x, y)
				return
			}
			b.last = err
		}
		t.gone(b, b.doubt)
		c.refuse(b)
	default:
		if c.keepGoing && len(b.answer.blame) > 0 && !t.doubt {
			if rest := c.without(b); rest != nil {
				t.gone(b, false)
				t.moving = true
				t.keep = append(t.keep, rest)
				return
			}
		}
		t.gone(b, b.doubt)
		c.refuse(b)
	}
}

// lost says whether a batch that could be sent again has used up its attempts,
// and then settles it.
func (t *triage) lost(b *Batch) bool {
	c, l := t.core, t.lane
	switch b.answer.code {
	case wire.RequestTimedOut:
		if c.timeoutsFinal {
			t.gone(b, b.doubt)
			c.refuse(b)
			return true
		}
	case wire.UnknownTopicOrPartition, wire.UnknownTopicID:
		if l.missing.IsZero() {
			l.missing = c.now
		}
		if c.now.Sub(l.missing) >= patience {
			t.gone(b, b.doubt)
			c.refuse(b)
			return true
		}
	}
	b.tries++
	if c.retries < 0 || b.tries <= c.retries {
		if c.repeating != nil {
			c.repeating(b)
		}
		return false
	}
	t.gone(b, b.doubt)
	if c.retries == 0 {
		c.refuse(b)
	} else {
		c.abandon(b, ErrRetries)
	}
	return true
}

// gone notes that a batch leaves without being stored.
func (t *triage) gone(b *Batch, unknown bool) {
	if t.hole < 0 && b.seq >= 0 {
		t.hole = b.seq
	}
	t.unknown = t.unknown || unknown
}
