package produce

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

var (
	modelSeeds = flag.Int("model.seeds", 4000, "how many random runs the model is tried on")
	modelSeed  = flag.Uint64("model.seed", 0, "try one seed only, and say what happens")
)

// world is the core in a cluster of dice: brokers that keep Kafka's rules about
// sequences, lose connections, leaders and memory, answer late or wrongly, and
// append what they say they have not.
type world struct {
	t    *testing.T
	rng  *rand.Rand
	core *core
	now  time.Time
	loud bool
	seed uint64

	modern   bool // duplicates older than the cache are out of order, unknown producers may begin anywhere
	bump     bool
	plain    bool // no idempotence
	storm    float64
	limit    int32 // most records a batch may have
	poison   map[int64]bool
	parts    []*partition
	conns    map[int32][]*transit
	late     []*transit // sent on a connection that was cut, not read by the broker yet
	nextPID  int64
	line     int64
	total    int64
	fates    map[int64]string
	unsealed []*Batch
}

// partition is one log and what its leader knows of producers.
type partition struct {
	tp        broker.TP
	leader    int32
	epoch     int32
	log       []int64
	producers map[int64]*known
}

type known struct {
	epoch int16
	cache []stamp // last five
}

type stamp struct {
	seq, last int32
	base      int64
}

// transit is a request on its way, as it was when it was sent.
type transit struct {
	req     *request
	sent    []sent
	answers []answer // nil until the broker has read it
}

type sent struct {
	tp    broker.TP
	id    identity
	seq   int32
	lines []int64
}

func newWorld(t *testing.T, seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := &world{
		t: t, rng: rng, now: time.Unix(1e9, 0), loud: *modelSeed != 0, seed: seed,
		modern: rng.IntN(3) > 0, bump: rng.IntN(3) > 0, plain: rng.IntN(6) == 0,
		storm: []float64{0, 0.02, 0.1, 0.3}[rng.IntN(4)],
		limit: []int32{1, 3, 100, 100}[rng.IntN(4)],
		conns: make(map[int32][]*transit), fates: make(map[int64]string), poison: make(map[int64]bool),
		total: int64(20 + rng.IntN(200)),
	}
	for id := range int32(1 + rng.IntN(3)) {
		w.parts = append(w.parts, &partition{tp: broker.TP{Topic: "t", Partition: id}, leader: id % 2, producers: make(map[int64]*known)})
	}
	w.core = newCore(rules{
		acks: -1, maxInFlight: 1 + rng.IntN(6), retries: -1, backoff: 100 * time.Millisecond,
		delivery: 20 * time.Second, flush: 5 * time.Second, keepGoing: rng.IntN(2) == 0,
	})
	if rng.IntN(8) == 0 {
		w.core.retries = rng.IntN(4)
	}
	w.core.dice = rng.Int64N
	w.core.settled = w.settle
	w.core.halve = w.halve
	w.core.without = w.without
	if w.plain {
		w.core.id = anonymous()
	} else {
		w.core.wantID = true
	}
	if rng.IntN(4) == 0 {
		for range 1 + rng.IntN(4) {
			w.poison[1+rng.Int64N(w.total)] = true
		}
	}
	w.metadata()
	return w
}

func (w *world) say(format string, args ...any) {
	if w.loud {
		w.t.Logf("%v "+format, append([]any{w.now.Sub(time.Unix(1e9, 0))}, args...)...)
	}
}

func all(l lines) []int64 {
	if l.first == 0 {
		return nil
	}
	list := []int64{l.first}
	for c := l.walk(); c.next(); {
		list = append(list, c.at)
	}
	return list
}

func (w *world) settle(b *Batch, base int64, err error, doubt bool) {
	if b.waiting {
		w.t.Fatalf("seed %d: lines %v settled while on the wire", w.seed, all(b.lines))
	}
	fate := "acked"
	switch {
	case err != nil && doubt:
		fate = "unknown"
	case err != nil:
		fate = "refused"
	}
	w.say("%s %v of %v: base %d %v", fate, all(b.lines), b.tp, base, err)
	for _, line := range all(b.lines) {
		if was, ok := w.fates[line]; ok {
			w.t.Fatalf("seed %d: line %d settled twice: %s, then %s", w.seed, line, was, fate)
		}
		w.fates[line] = fate
	}
	if base >= 0 {
		if log := w.parts[b.tp.Partition].log; !slices.Equal(log[base:base+int64(b.count)], all(b.lines)) {
			w.t.Fatalf("seed %d: %v acknowledged at %d of %v", w.seed, all(b.lines), base, log)
		}
	}
}

func (w *world) halve(b *Batch) (x, y *Batch, err error) {
	x, y = b.cut(b.count / 2)
	return x, y, nil
}

func (w *world) without(b *Batch) *Batch {
	if b.count == 1 {
		return nil
	}
	bad := b.answer.blame[0].BatchIndex
	head, rest := (*Batch)(nil), b
	if bad > 0 {
		head, rest = b.cut(bad)
	}
	one := rest
	var tail *Batch
	if rest.count > 1 {
		one, tail = rest.cut(1)
	}
	w.settle(one, -1, b.last, false)
	if head == nil || tail == nil {
		if head == nil {
			head = tail
		}
		head.unnumber()
		return head
	}
	joined := &Batch{tp: b.tp, magic: 2, sealed: true, deadline: b.deadline, id: b.id}
	for _, line := range append(all(head.lines), all(tail.lines)...) {
		joined.lines.add(line)
		joined.count++
	}
	joined.unnumber()
	return joined
}

// feed closes another batch.
func (w *world) feed() {
	p := w.parts[w.rng.IntN(len(w.parts))]
	b := &Batch{tp: p.tp, magic: 2}
	for range 1 + w.rng.IntN(5) {
		if w.line == w.total {
			break
		}
		w.line++
		b.lines.add(w.line)
		b.count++
	}
	w.core.enqueue(b, w.now)
	if w.rng.IntN(3) == 0 {
		w.unsealed = append(w.unsealed, b)
	} else {
		w.core.ready(b)
	}
}

func (w *world) send() {
	for _, r := range w.core.requests(w.now) {
		tr := &transit{req: r}
		for _, b := range r.batches {
			tr.sent = append(tr.sent, sent{b.tp, b.id, int32(b.seq & 0x7fffffff), all(b.lines)})
			w.say("send %v seq %d id %v to %d", all(b.lines), b.seq, b.id, r.node)
		}
		w.conns[r.node] = append(w.conns[r.node], tr)
	}
}

// serve lets a broker read one request.
func (w *world) serve(node int32, tr *transit) {
	tr.answers = make([]answer, len(tr.sent))
	for i, s := range tr.sent {
		code, base, blame := w.append(node, s)
		tr.answers[i] = answer{code: code, base: base, err: code.Err(), leader: wire.LeaderAndEpoch{LeaderID: -1}}
		if blame >= 0 {
			tr.answers[i].blame = []wire.ProduceRecordError{{BatchIndex: int32(blame)}}
		}
		if p := w.parts[s.tp.Partition]; code == wire.NotLeaderOrFollower && w.rng.IntN(2) == 0 {
			tr.answers[i].leader = wire.LeaderAndEpoch{LeaderID: p.leader, LeaderEpoch: p.epoch}
		}
		w.say("broker %d answers %v seq %d: %v base %d", node, s.lines, s.seq, code, base)
	}
}

func (w *world) append(node int32, s sent) (code wire.Code, base int64, blame int) {
	p := w.parts[s.tp.Partition]
	if p.leader != node {
		return wire.NotLeaderOrFollower, -1, -1
	}
	dice := w.rng.Float64()
	switch {
	case dice < w.storm*0.2:
		return wire.NotEnoughReplicas, -1, -1
	case dice < w.storm*0.25:
		return wire.CorruptMessage, -1, -1
	case dice < w.storm*0.26:
		return wire.UnknownServerError, -1, -1
	}
	if int32(len(s.lines)) > w.limit {
		return wire.MessageTooLarge, -1, -1
	}
	for i, line := range s.lines {
		if w.poison[line] {
			return wire.InvalidRecord, -1, i
		}
	}
	code, base = w.sequenced(p, s)
	if code == wire.None {
		switch {
		case dice > 1-w.storm*0.2:
			return wire.RequestTimedOut, -1, -1
		case dice > 1-w.storm*0.25:
			return wire.UnknownServerError, -1, -1
		case dice > 1-w.storm*0.3:
			return wire.NotLeaderOrFollower, -1, -1
		}
	}
	return code, base, -1
}

// sequenced is Kafka's ProducerStateManager.
func (w *world) sequenced(p *partition, s sent) (wire.Code, int64) {
	base := int64(len(p.log))
	if !s.id.sequenced() {
		p.log = append(p.log, s.lines...)
		return wire.None, base
	}
	st := stamp{s.seq, s.seq + int32(len(s.lines)) - 1, base}
	k := p.producers[s.id.producer]
	switch {
	case k == nil:
		if !w.modern && s.seq != 0 {
			return wire.UnknownProducerID, -1
		}
		k = &known{epoch: s.id.epoch}
		p.producers[s.id.producer] = k
	case s.id.epoch < k.epoch:
		return wire.InvalidProducerEpoch, -1
	case s.id.epoch > k.epoch:
		if s.seq != 0 {
			return wire.OutOfOrderSequenceNumber, -1
		}
		*k = known{epoch: s.id.epoch}
	default:
		for _, old := range k.cache {
			if old.seq == st.seq && old.last == st.last {
				return wire.None, old.base
			}
		}
		last := k.cache[len(k.cache)-1].last
		if st.last <= last && !w.modern {
			return wire.DuplicateSequenceNumber, -1
		}
		if st.seq != last+1 {
			return wire.OutOfOrderSequenceNumber, -1
		}
	}
	p.log = append(p.log, s.lines...)
	k.cache = append(k.cache, st)
	if len(k.cache) > 5 {
		k.cache = k.cache[1:]
	}
	return wire.None, base
}

// cut ends a connection; what the broker has not read may still reach it.
func (w *world) cut(node int32) {
	w.say("cut %d", node)
	for _, tr := range w.conns[node] {
		unsent := false
		if tr.answers == nil {
			switch w.rng.IntN(3) {
			case 0:
				w.serve(node, tr)
			case 1:
				w.late = append(w.late, &transit{req: &request{node: node}, sent: tr.sent})
			case 2:
				unsent = w.rng.IntN(2) == 0
			}
		}
		w.core.lost(tr.req, errors.New("cut"), unsent, w.now)
	}
	w.conns[node] = nil
}

func (w *world) metadata() {
	w.core.stale = false
	for _, p := range w.parts {
		w.core.leads(p.tp, p.leader, p.epoch)
	}
}

// step lets one thing happen.
func (w *world) step() {
	nodes := []int32{0, 1}
	node := nodes[w.rng.IntN(2)]
	if w.rng.Float64() < w.storm {
		w.mishap(node)
		return
	}
	switch w.rng.IntN(9) {
	case 0:
		if w.line < w.total && w.core.halting == nil {
			w.feed()
		}
	case 1, 2:
		w.send()
	case 3, 4:
		for _, tr := range w.conns[node] {
			if tr.answers == nil {
				w.serve(node, tr)
				break
			}
		}
	case 5, 6:
		if q := w.conns[node]; len(q) > 0 && q[0].answers != nil {
			w.conns[node] = q[1:]
			w.core.answered(q[0].req, q[0].answers, w.now)
		}
	case 7:
		w.now = w.now.Add(time.Duration(w.rng.IntN(10)) * time.Millisecond)
		next := w.core.wake(w.now)
		if !next.IsZero() && w.rng.Float64() < w.storm && next.After(w.now) {
			w.now = next
		}
		for _, node := range nodes {
			if w.core.killed[node] {
				w.cut(node)
			}
		}
		clear(w.core.killed)
	case 8:
		if len(w.unsealed) > 0 {
			w.core.ready(w.unsealed[0])
			w.unsealed = w.unsealed[1:]
		}
		if w.core.stale {
			w.metadata()
		}
		if w.core.wantID {
			w.identify()
		}
	}
}

func (w *world) identify() {
	id := identity{known: true, producer: w.nextPID}
	if w.bump && w.core.id.known {
		id.producer, id.epoch = w.core.id.producer, w.core.id.epoch+1
	} else {
		w.nextPID++
	}
	w.core.identified(id)
}

func (w *world) mishap(node int32) {
	switch w.rng.IntN(6) {
	case 0, 1:
		w.cut(node)
	case 2: // a clean restart reloads a snapshot, which holds one batch a producer
		for _, p := range w.parts {
			for _, k := range p.producers {
				k.cache = k.cache[len(k.cache)-1:]
			}
		}
		w.cut(node)
	case 3:
		p := w.parts[w.rng.IntN(len(w.parts))]
		p.leader, p.epoch = 1-p.leader, p.epoch+1
	case 4:
		if len(w.late) > 0 {
			w.serve(w.late[0].req.node, w.late[0])
			w.late = w.late[1:]
		}
	case 5:
		w.now = w.now.Add(time.Duration(w.rng.IntN(3000)) * time.Millisecond)
	}
}

func (w *world) run(seed uint64) {
	interrupt := -1
	if w.rng.IntN(6) == 0 {
		interrupt = w.rng.IntN(3000)
	}
	for i := 0; ; i++ {
		w.step()
		if i == interrupt {
			w.core.now = w.now
			w.core.hurry()
			w.total = w.line
		}
		if (w.line == w.total || w.core.halting != nil) && w.core.done() {
			break
		}
		if i > 200_000 {
			w.t.Fatalf("seed %d: no end", seed)
		}
	}
	for _, tr := range w.late {
		w.serve(tr.req.node, tr)
	}
	w.check(seed)
}

func (w *world) check(seed uint64) {
	count := make(map[int64]int)
	for _, p := range w.parts {
		last := int64(0)
		for _, line := range p.log {
			count[line]++
			if w.fates[line] == "acked" && !w.plain {
				if line <= last {
					w.t.Fatalf("seed %d: %v out of order: %v", seed, p.tp, p.log)
				}
				last = line
			}
		}
	}
	for line := int64(1); line <= w.line; line++ {
		fate, n := w.fates[line], count[line]
		bad := fate == ""
		switch {
		case w.plain:
			bad = bad || fate == "acked" && n == 0 || fate == "refused" && n > 0
		default:
			bad = bad || fate == "acked" && n != 1 || fate == "refused" && n != 0 || n > 1
		}
		if bad {
			w.t.Fatalf("seed %d: line %d is %q and stands %d times", seed, line, fate, n)
		}
	}
	if w.storm == 0 && len(w.poison) == 0 && w.core.finish.IsZero() {
		for line, fate := range w.fates {
			if fate != "acked" {
				w.t.Fatalf("seed %d: line %d is %s in fair weather", seed, line, fate)
			}
		}
	}
}

func TestEveryRecordHasOneTrueFate(t *testing.T) {
	if *modelSeed != 0 {
		newWorld(t, *modelSeed).run(*modelSeed)
		return
	}
	fates := make(map[string]int)
	for seed := range uint64(*modelSeeds) {
		w := newWorld(t, seed+1)
		w.run(seed + 1)
		for _, fate := range w.fates {
			fates[fate]++
		}
		if t.Failed() {
			return
		}
	}
	t.Log(fmt.Sprint(fates))
}
