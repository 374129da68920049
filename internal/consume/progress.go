package consume

import (
	"sync"

	"kafkactl/internal/broker"
)

// Mark says: everything of P before offset Next is accounted for.
type Mark struct {
	P    *Partition
	Next int64
	// Epoch is the leader epoch of the record before Next, -1 where it is unknown
	// or there is no such record (KIP-320). A wrong one would make readers believe
	// that the log was cut off.
	Epoch int32
}

// Progress is how far sinks got, and the only bridge from a sink to whatever is
// made of that, such as a commit. The zero value is ready.
type Progress struct {
	mu    sync.Mutex
	dirty map[broker.TP]Mark
}

// Done tells that everything up to m is delivered. It never goes back, and of a
// partition that was given up it hears nothing.
func (g *Progress) Done(m Mark) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.P.dead || !m.P.advance(m.Next) {
		return
	}
	g.put(m)
}

func (g *Progress) put(m Mark) {
	if g.dirty == nil {
		g.dirty = make(map[broker.TP]Mark)
	}
	g.dirty[m.P.TP] = m
}

// claim counts the place where p begins as progress, so that it is committed
// before any record comes.
func (g *Progress) claim(p *Partition) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, moved := g.dirty[p.TP]; !moved && !p.dead {
		g.put(Mark{p, p.told.Load(), -1})
	}
}

// Take gives the positions that moved since the last Take.
func (g *Progress) Take() map[broker.TP]Mark {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.dirty
	g.dirty = nil
	return d
}

// takeOf is Take for some partitions alone.
func (g *Progress) takeOf(ps []*Partition) map[broker.TP]Mark {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := make(map[broker.TP]Mark)
	for _, p := range ps {
		if m, ok := g.dirty[p.TP]; ok {
			d[p.TP] = m
			delete(g.dirty, p.TP)
		}
	}
	return d
}

// back puts what was taken and not committed where it was, unless there is news
// since, or the partition was given up.
func (g *Progress) back(marks map[broker.TP]Mark) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for tp, m := range marks {
		if _, newer := g.dirty[tp]; !newer && !m.P.dead {
			g.put(m)
		}
	}
}

// kill makes Progress deaf to partitions, and to those whose place they took. It
// gives what nobody took of them.
func (g *Progress) kill(ps []*Partition) map[broker.TP]Mark {
	g.mu.Lock()
	defer g.mu.Unlock()
	left := make(map[broker.TP]Mark)
	for _, p := range ps {
		for q := p; q != nil; q = q.before {
			q.dead = true
		}
		if m, ok := g.dirty[p.TP]; ok {
			left[p.TP] = m
			delete(g.dirty, p.TP)
		}
	}
	return left
}
