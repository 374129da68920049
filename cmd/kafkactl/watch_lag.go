package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"kafkactl/internal/broker"
)

// watchLags looks again and again, until a signal or a closed pipe ends it. The
// first look must succeed; later ones that fail are told of and tried again.
func (o *offsetsGetOptions) watchLags(ctx context.Context, client *broker.Client) error {
	ctx, stop := o.watchOut(ctx)
	defer stop()
	v, err := o.lookAtGroups(ctx, client)
	if err == nil && (v.lost() || v.empty()) {
		err = v.failure()
	}
	if err != nil {
		return err
	}
	var live *screen
	if o.kind(o.env) == "table" && !o.sum && isTerminal(o.out) && os.Getenv("TERM") != "dumb" && os.Getenv("TERM") != "" {
		live = o.openScreen()
		defer live.close()
	}
	resized, unwatch := watchResize()
	defer unwatch()
	suspended := &suspension{}
	if live != nil {
		suspended = watchSuspend()
		defer suspended.end()
	}
	tick := time.NewTicker(o.watch)
	defer tick.Stop()
	trend := lagTrend{}
	trend.add(v)
	for first := true; ; first = false {
		if err := o.showLags(live, v, err, &trend, first); err != nil {
			return err
		}
		for redraw := true; redraw; {
			select {
			case <-resized:
				if live != nil {
					if err := o.showLags(live, v, err, &trend, false); err != nil {
						return err
					}
				}
			case <-suspended.asked:
				live.close()
				suspended.stop()
				live.show()
				if err := o.showLags(live, v, err, &trend, false); err != nil {
					return err
				}
			case <-tick.C:
				redraw = false
			case <-ctx.Done():
				return o.lastLags(ctx, live, v)
			}
		}
		next, failed := o.lookAtGroups(ctx, client)
		if ctx.Err() != nil {
			return o.lastLags(ctx, live, v)
		}
		if err = failed; err == nil && next.lost() {
			err = next.failure() // what is known stays on the screen
		}
		if err == nil {
			v = next
			trend.add(v)
		}
	}
}

// lastLags leaves on the terminal what was seen last.
func (o *offsetsGetOptions) lastLags(ctx context.Context, live *screen, v *lagView) error {
	if live != nil {
		live.close()
		_ = o.print(o.env, o.lagTable(v), nil)
	}
	return context.Cause(ctx)
}

// showLags shows one look: on a screen in place of the last, else below it. A
// look that failed is told of on standard error, or beside what is known.
func (o *offsetsGetOptions) showLags(live *screen, v *lagView, failed error, trend *lagTrend, first bool) error {
	if live != nil {
		return live.draw(o.lagFrame(v, failed, trend))
	}
	if failed != nil {
		o.warn("%s", o.wording(failed))
		return nil
	}
	if err := v.failure(); err != nil {
		for _, c := range causes(err) {
			o.warn("%s", o.wording(c))
		}
	}
	if o.kind(o.env) == "table" && !o.sum {
		head := v.at.Format("15:04:05") + "\n"
		if !first {
			head = "\n" + head
		}
		if _, err := fmt.Fprint(o.out, head); err != nil {
			return err
		}
	}
	if o.kind(o.env) == "json" && !o.sum {
		return o.writeJSONLine(v.document())
	}
	return o.printLags(v)
}

// lagFrame is what fills the screen: a line about the whole, and the table; of
// rows that do not fit those with the least lag go first.
func (o *offsetsGetOptions) lagFrame(v *lagView, failed error, trend *lagTrend) func(columns, rows int) string {
	return func(columns, rows int) string {
		what := "all groups"
		if !o.all {
			what = "group " + printable(o.group)
			if s := v.groups[0].desc.State; s != "" {
				what += " (" + printable(s) + ")"
			}
		}
		sum, _, unsure := v.total()
		head := fmt.Sprintf("%s  %s  lag %s", v.at.Format("15:04:05"), what, grouped(sum))
		if unsure {
			head += " or more"
		}
		head += trend.text()
		lines := []string{o.pal.header.s(truncate(head, columns))}
		if failed == nil {
			failed = v.failure()
		}
		if failed != nil {
			msg, _, _ := strings.Cut(o.wording(causes(failed)[0]), "\n")
			lines = append(lines, o.pal.failure.s(truncate(printable(msg), columns)))
		}
		t := o.lagTable(v)
		t.totals = nil
		room := rows - len(lines) - 2 // the heads, and what is left out
		left := 0
		if room < len(t.rows) {
			left = len(t.rows) - max(room, 0)
			t.rows = mostLag(t, max(room, 0))
		}
		body := strings.TrimSuffix(string(t.appendAligned(nil, o.pal, columns)), "\n")
		lines = append(lines, strings.Split(body, "\n")...)
		if left > 0 {
			lines = append(lines, o.pal.dim.s(truncate(fmt.Sprintf("and %d more with less lag", left), columns)))
		}
		return strings.Join(lines[:min(len(lines), rows)], "\n")
	}
}

// mostLag keeps the n rows with the most lag, in their order; one that failed
// counts most, and one without an offset least.
func mostLag(t *table, n int) [][]string {
	at := slices.IndexFunc(t.columns, func(c column) bool { return c.name == "LAG" })
	lag := func(i int) int64 {
		if slices.Contains(t.rows[i], none) {
			return -1
		}
		if v, err := strconv.ParseInt(t.rows[i][at], 10, 64); err == nil {
			return v
		}
		return math.MaxInt64
	}
	order := make([]int, len(t.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lag(b), lag(a)) })
	order = order[:n]
	slices.Sort(order)
	kept := make([][]string, 0, n)
	for _, i := range order {
		kept = append(kept, t.rows[i])
	}
	return kept
}

// lagTrend is how the whole lag changes.
type lagTrend struct {
	at        time.Time
	sum       int64
	perSecond float64
	known     bool
}

func (t *lagTrend) add(v *lagView) {
	sum, _, failed := v.total()
	if failed {
		t.known = false
		t.at = time.Time{}
		return
	}
	if d := v.at.Sub(t.at).Seconds(); !t.at.IsZero() && d > 0 {
		t.perSecond, t.known = float64(sum-t.sum)/d, true
	}
	t.at, t.sum = v.at, sum
}

// text is ", falling by 12/s"; nothing where nothing is known.
func (t *lagTrend) text() string {
	switch {
	case !t.known:
		return ""
	case t.perSecond >= 0.5:
		return fmt.Sprintf(", growing by %s/s", grouped(int64(t.perSecond+0.5)))
	case t.perSecond <= -0.5:
		return fmt.Sprintf(", falling by %s/s", grouped(int64(-t.perSecond+0.5)))
	}
	return ", steady"
}

// screen is the terminal while something is watched on it: the other buffer, as
// pagers use it, so that what was there before comes back.
type screen struct {
	e    *env
	open bool
}

func (o *offsetsGetOptions) openScreen() *screen {
	s := &screen{e: o.env}
	o.atKill(func() { s.close() })
	s.show()
	return s
}

func (s *screen) show() {
	s.open = true
	_, _ = fmt.Fprint(s.e.out, "\x1b[?1049h\x1b[?25l")
}

func (s *screen) close() {
	if s.open {
		s.open = false
		_, _ = fmt.Fprint(s.e.out, "\x1b[?25h\x1b[?1049l")
	}
}

// draw replaces what is shown by what frame makes for the size there is.
func (s *screen) draw(frame func(columns, rows int) string) error {
	columns, rows := 80, 24
	if f, ok := s.e.out.(interface{ Fd() uintptr }); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			columns, rows = w, h
		}
	}
	var b strings.Builder
	b.WriteString("\x1b[H")
	for i, line := range strings.Split(frame(columns, rows), "\n") {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line + "\x1b[K")
	}
	b.WriteString("\x1b[J")
	_, err := fmt.Fprint(s.e.out, b.String())
	return err
}
