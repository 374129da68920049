package offsets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kafkactl/internal/broker"
)

// Options say how positions are looked up.
type Options struct {
	Isolation int8
	// Follow makes an unset end Follow, and lets a set one lie in the future.
	Follow bool
	Group  string // whose offsets "stored" means
	// Storage is where the group keeps them.
	Storage Storage
	// Now is what positions were parsed with. To brokers that find times by
	// segments alone, times not before it are the end.
	Now time.Time
}

// ErrNoGroup is "stored" without a group to ask.
var ErrNoGroup = errors.New("\"stored\" needs a group")

// OutsideError is an absolute offset that the log does not hold, and what was
// taken in its place.
type OutsideError struct {
	TP    broker.TP
	Asked int64
	Taken int64
	Past  bool // the end, else below the start
}

// Error says what the log has, and, to a number as long as an epoch, what it may
// have been meant for.
func (e *OutsideError) Error() string {
	where := "below the start"
	if e.Past {
		where = "past the end"
	}
	s := fmt.Sprintf("%s:%d: offset %d is %s of the log, %d", e.TP.Topic, e.TP.Partition, e.Asked, where, e.Taken)
	if ms := e.meantMillis(); ms != "" {
		s += "; did you mean " + ms + "?"
	}
	return s
}

// meantMillis is the time that a number past the end may have been meant for: an
// offset of twelve digits or more hardly is one. Micro- and nanoseconds since
// 1970 are longer than that.
func (e *OutsideError) meantMillis() string {
	if !e.Past || e.Asked < 1e11 {
		return ""
	}
	ms := e.Asked
	for ms >= 1e14 {
		ms /= 1000
	}
	return fmt.Sprintf("%013dms", ms)
}

// Resolved is a Want looked up.
type Resolved struct {
	Want
	Range  Range
	Bounds Bounds
	// Until, unless 0, is a time in the future that ends the range: no record was
	// that late yet, and Range.To is Follow.
	Until int64
	// Held says that the range ends before the high watermark, at an open transaction.
	Held bool
	// Coarse says that the broker finds times no better than by whole segments
	// (before Kafka 0.10.1): the range has records from outside the times.
	Coarse  bool
	Outside []*OutsideError
	Err     error
}

// Resolve looks up what wants ask for. A partition's error stands in its
// Resolved; the error is ErrNoGroup, ctx's, or that of the group's coordinator.
func Resolve(ctx context.Context, c *broker.Client, wants []Want, o Options) ([]Resolved, error) {
	tps := make([]broker.TP, len(wants))
	var places []Place
	for i, w := range wants {
		tps[i] = w.TP
		places = append(places, Place{w.TP, w.Window.From}, Place{w.TP, w.Window.To})
	}
	f, err := lookUp(ctx, c, tps, places, o)
	if err != nil {
		return nil, err
	}
	all := make([]Resolved, len(wants))
	for i, w := range wants {
		all[i] = f.resolve(i, w, o)
	}
	return all, nil
}

// resolve makes one Resolved of what was found.
func (f *found) resolve(i int, w Want, o Options) Resolved {
	r := Resolved{Want: w, Bounds: f.bounds[i], Err: f.bounds[i].Err}
	if r.Err != nil {
		return r
	}
	if w.Window.From.IsSet() {
		raw := f.at(Place{w.TP, w.Window.From}, r.Bounds, o)
		r.Coarse, r.Err = raw.Coarse, raw.Err
		r.Range.From = r.clamp(w.Window.From, raw.Offset, r.Bounds.HighWatermark)
	} else {
		r.Range.From = r.Bounds.Start
	}
	if r.Err == nil {
		f.resolveEnd(&r, o)
	}
	return r
}

func (f *found) resolveEnd(r *Resolved, o Options) {
	to, end := r.Window.To, r.Bounds.End(o.Isolation)
	switch {
	case !to.IsSet() && o.Follow:
		r.Range.To = Follow
		return
	case !to.IsSet():
		r.Range.To = end
		r.Held = r.Bounds.Held()
		return
	}
	raw := f.at(Place{r.TP, to}, r.Bounds, o)
	if raw.Err != nil {
		r.Err = raw.Err
		return
	}
	offset := raw.Offset
	switch {
	case to.Base == Left:
		offset = add(r.left(), to.N)
	case to.Base == Time && raw.Coarse:
		offset = raw.after
	}
	r.Coarse = r.Coarse || raw.Coarse
	if o.Follow {
		if to.Base == Time && raw.None {
			r.Until, r.Range.To = to.N, Follow
			return
		}
		r.Range.To = r.clamp(to, offset, Follow)
		return
	}
	limit := r.Bounds.HighWatermark
	r.Range.To = min(r.clamp(to, offset, limit), end)
	r.Held = r.Bounds.Held() && min(offset, limit) > end
	if to.Base == End && to.N == 0 {
		r.Held = r.Bounds.Held()
	}
}

// left is what "+N" on the right counts from: an absolute offset as it was
// written, even where the log begins later, else what the left came to.
func (r *Resolved) left() int64 {
	if r.Window.From.Base == Absolute {
		return r.Window.From.N
	}
	return r.Range.From
}

// clamp keeps an offset within the log, and remembers if it had to move one
// that was written out.
func (r *Resolved) clamp(p Position, offset, limit int64) int64 {
	taken := min(max(offset, r.Bounds.Start), limit)
	absolute := p.Base == Absolute || p.Base == Left && r.Window.From.Base == Absolute
	if taken != offset && absolute {
		r.Outside = append(r.Outside, &OutsideError{TP: r.TP, Asked: offset, Taken: taken, Past: offset > limit})
	}
	return taken
}
