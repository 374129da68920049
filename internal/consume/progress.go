package consume

import (
	"sync"

	"kafkactl/internal/broker"
)

// Mark says: everything of P before offset Next is accounted for.
type Mark struct {
	P    *Partition
	Next int64
}

// Progress is how far sinks got, and the only bridge from a sink to whatever is
// made of that, such as a commit. The zero value is ready.
type Progress struct {
	mu    sync.Mutex
	dirty map[broker.TP]int64
}

// Done tells that everything up to m is delivered. It never goes back.
func (g *Progress) Done(m Mark) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !m.P.advance(m.Next) {
		return
	}
	if g.dirty == nil {
		g.dirty = make(map[broker.TP]int64)
	}
	g.dirty[m.P.TP] = m.Next
}

// Take gives the positions that moved since the last Take.
func (g *Progress) Take() map[broker.TP]int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.dirty
	g.dirty = nil
	return d
}
