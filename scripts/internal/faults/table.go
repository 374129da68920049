//go:build unix

package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// row is one client's fate under one fault.
type row struct {
	verdict
	fault, run  string
	codec, acks string
	peer        bool // kcat's
	seed        uint64
	records     int
	acked       int // receipts, -1 where there are none
	broken      int // receipts that the log does not bear out
	recovery    time.Duration
	exit        int
	stuck       bool
	said        string // the last it wrote to stderr
}

// failed tells whether something was promised that was not held.
func (r row) failed() bool {
	switch {
	case r.peer:
		return false
	case r.stuck:
		return true
	case r.run == "produce" && r.acks != "all":
		// What these promise is that nothing is out of order within what is kept.
		return r.changed > 0
	case r.run == "consume" && r.fault == "topic-recreated":
		// What was to be read is no more: it says so, having printed what it had.
		return !r.clean() || r.exit != 3 || !strings.Contains(r.said, "made anew")
	case r.run == "checkpoint" && r.fault == "topic-recreated":
		// What it had committed is no more: it says so, and does not end as if it were.
		return r.duplicated+r.reordered+r.changed > 0 || r.exit != 1 || !strings.Contains(r.said, "made anew")
	case r.run == "tail", r.run == "group":
		return !r.clean() || r.exit != 143
	}
	return !r.clean() || r.broken > 0 || r.exit != 0
}

// who is the client of a row.
func (r row) who() string {
	if r.peer {
		return "kcat"
	}
	return "kafkactl"
}

// reported is what was said to be acknowledged, and whether that was so.
func (r row) reported() string {
	switch {
	case r.acked < 0:
		return "–"
	case r.broken > 0:
		return fmt.Sprintf("%d, %d of them not kept there", r.acked, r.broken)
	}
	return fmt.Sprint(r.acked)
}

// line prints the row for a person.
func (r row) line(w io.Writer) {
	mark := "ok  "
	if r.failed() {
		mark = "FAIL"
	} else if r.peer {
		mark = "    "
	}
	fmt.Fprintf(w, "%s %-18s %-8s %-8s acks %-3s %-6s lost %d dup %d reord %d changed %d gone %d recover %.1fs exit %d acked %s",
		mark, r.fault, r.run, r.who(), r.acks, r.codec, r.lost, r.duplicated, r.reordered, r.changed, r.gone,
		r.recovery.Seconds(), r.exit, r.reported())
	if r.stuck {
		fmt.Fprint(w, " STUCK")
	}
	if r.said != "" {
		fmt.Fprintf(w, "  | %.160s", r.said)
	}
	fmt.Fprintln(w)
}

// markdown prints rows as RELIABILITY.md shows them, ours beside kcat's.
func markdown(w io.Writer, rows []row) {
	fmt.Fprintln(w, "| fault | run | acks | codec | lost | duplicated | reordered | taken | acknowledged | exit | recovery | kcat: lost, duplicated, reordered; recovery |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		if r.peer {
			continue
		}
		theirs := "–"
		for _, k := range rows {
			if k.peer && k.fault == r.fault && k.run == r.run && k.acks == r.acks && k.codec == r.codec {
				theirs = fmt.Sprintf("%d, %d, %d; %.1f s", k.lost, k.duplicated, k.reordered, k.recovery.Seconds())
				if k.run == "produce" || k.run == "consume" {
					theirs += fmt.Sprintf("; exit %d", k.exit)
				}
				if k.stuck {
					theirs += ", hung"
				}
			}
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %d | %d | %d | %d | %s | %d | %.1f s | %s |\n", r.fault, r.run, r.acks, r.codec,
			r.lost, r.duplicated, r.reordered, r.gone, r.reported(), r.exit, r.recovery.Seconds(), theirs)
	}
}
