package sink

import "kafkactl/internal/consume"

// prefix says of one Partition which mark may be told when what it passed is
// delivered in another order: only one that everything before is delivered too.
// It keeps as much as there are spans that have not ended. One goroutine at a
// time uses it.
type prefix struct {
	last  consume.Mark // everything up to it was seen
	told  consume.Mark
	first *span // open ones, oldest first
	final *span
}

// span is a stretch of a partition that holds something undelivered. Others may
// begin and end within it.
type span struct {
	before     consume.Mark // where it began; no partition: with the first that was seen
	prev, next *span
}

// pass takes in that everything up to m is in a span, or needs none.
func (p *prefix) pass(m consume.Mark) { p.last = m }

// begin opens a span behind what was passed: nothing beyond counts until it ends.
func (p *prefix) begin() *span {
	s := &span{before: p.last, prev: p.final}
	if p.final == nil {
		p.first = s
	} else {
		p.final.next = s
	}
	p.final = s
	return s
}

// end closes s, whose records are delivered. Each span ends once.
func (p *prefix) end(s *span) {
	if s.prev == nil {
		p.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		p.final = s.prev
	} else {
		s.next.prev = s.prev
	}
}

// open says that some span has not ended.
func (p *prefix) open() bool { return p.first != nil }

// news gives the mark up to which all is delivered, if it has moved since.
func (p *prefix) news() (m consume.Mark, moved bool) {
	m = p.last
	if p.first != nil {
		m = p.first.before
	}
	if m.P == nil || m == p.told {
		return m, false
	}
	p.told = m
	return m, true
}
