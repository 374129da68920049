package produce

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"kafkactl/internal/broker"
)

// noteAfter is how long deliveries may be in trouble without a word: most often
// a leader has moved, and metadata knows where to.
const noteAfter = time.Second

// errLeader is what keeps a partition waiting that metadata name no leader for.
var errLeader = errors.New("no leader is known")

// outage is a time during which some partition takes no records.
type outage struct {
	since time.Time // zero: none
	noted bool
}

// look sees whether something is in trouble, says so once in an outage and once
// at its end, and gives when to look again, zero for at the next change.
func (o *outage) look(c *core, now time.Time, note func(format string, args ...any)) (again time.Time) {
	l := c.troubled()
	switch {
	case l == nil:
		// What was given up is over too, and nothing is back.
		if o.noted && c.halting == nil && c.took.After(o.since) {
			note("back after %v", now.Sub(o.since).Round(100*time.Millisecond))
		}
		*o = outage{}
		return time.Time{}
	case o.since.IsZero():
		o.since = now
	}
	if o.noted {
		return time.Time{}
	}
	if due := o.since.Add(noteAfter); due.After(now) {
		return due
	}
	o.noted = true
	note("%v; trying again", c.complaint(l))
	return time.Time{}
}

// troubled is the first partition, by number, whose batches were not taken when
// they were last sent, or have nowhere to go; nil for none.
func (c *core) troubled() *lane {
	var first *lane
	for _, l := range c.busy {
		if len(l.queue)+len(l.flight) == 0 || l.failures == 0 && l.leader >= 0 && c.idErr == nil {
			continue
		}
		if first == nil || cmp.Compare(l.tp.Partition, first.tp.Partition) < 0 {
			first = l
		}
	}
	return first
}

// complaint is why a lane gets no further.
func (c *core) complaint(l *lane) error {
	for _, list := range [][]*Batch{l.flight, l.queue} {
		for _, b := range list {
			if b.last == nil {
				continue
			}
			var at *broker.RequestError
			if errors.As(b.last, &at) && at.Topic == "" || errors.As(b.last, new(*broker.DialError)) {
				return fmt.Errorf("%s:%d: %w", l.tp.Topic, l.tp.Partition, b.last)
			}
			return b.last
		}
	}
	cause := c.idErr
	if cause == nil {
		cause = errLeader
	}
	return fmt.Errorf("%s:%d: %w", l.tp.Topic, l.tp.Partition, cause)
}

// reborn says that the topic was deleted and made anew. The new logs know nothing
// of us and have nothing of what was sent before: nothing follows from what is
// stored about what is in doubt, and no batch may overtake the first of its lane.
// What was stored has been acknowledged, and is gone.
func (c *core) reborn() {
	for _, l := range c.lanes {
		l.proven, l.proved, l.ghost = 0, false, false
		l.epoch = -1
		for _, b := range l.queue {
			b.doubt = false
		}
		for _, b := range l.flight {
			b.doubt, b.bygone = false, b.waiting
		}
	}
}

// leaderless says that some partition with records to send has no leader, or
// waits because its leader failed it.
func (c *core) leaderless() bool {
	for _, l := range c.busy {
		if l.leader < 0 || l.until.After(c.now) && l.wire == 0 && len(l.queue) > 0 {
			return true
		}
	}
	return false
}
