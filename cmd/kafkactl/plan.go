package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kafkactl/internal/offsets"
)

// show prints what shall be done, or what was.
func (o *changing) show(revs []*revision) error {
	return o.print(o.env, o.planTable(revs), planDocument(revs, o.dryRun))
}

func offsetText(n int64) string {
	if n == offsets.NoOffset {
		return "none"
	}
	return strconv.FormatInt(n, 10)
}

// failureText is why a change failed, without where and whom it was asked.
func failureText(err error) string {
	var forget *offsets.ForgetError
	var storage *offsets.StorageError
	switch {
	case errors.As(err, &forget):
		return forget.Error()
	case errors.As(err, &storage):
		return storage.Error()
	}
	return rootOf(err).Error()
}

// effect says in a few words what a change does, or that it was not done.
func (r *revision) effect(c offsets.Change) string {
	switch n := c.Records(); {
	case r.failed[c.TP] != nil:
		return "failed"
	case c.New() && c.Deletes():
		return "nothing stored"
	case c.Deletes():
		return "deleted"
	case c.New() && r.newGroup:
		return "new group"
	case c.New():
		return "new"
	case n > 0:
		return fmt.Sprintf("%d skipped", n)
	case n < 0:
		return fmt.Sprintf("%d replayed", -n)
	case c.Same():
		return "unchanged"
	}
	return "metadata or epoch"
}

func (o *changing) planTable(revs []*revision) *table {
	// A column of its own only where groups are not on the command line alone:
	// pipes count fields.
	several := revs[0].operation == operationImport || revs[0].operation == operationDeleteGroup
	var heads []string
	if several {
		heads = append(heads, "GROUP")
	}
	heads = append(heads, "TOPIC", ">PARTITION", ">FROM", ">TO", "EFFECT")
	failed := slices.ContainsFunc(revs, func(r *revision) bool { return len(r.failed) > 0 })
	if failed {
		heads = append(heads, "ERROR")
	}
	t := newTable(heads...)
	t.paint("TOPIC", o.pal.topic)
	t.paint("FROM", o.pal.number)
	t.paint("TO", o.pal.number)
	t.paint("ERROR", o.pal.failure)
	n, skips, replays := 0, int64(0), int64(0)
	for _, r := range revs {
		if len(r.changes) == 0 && r.apply != nil {
			t.row(r.group, "-", "-", "none", "none", "deleted")
		}
		for _, c := range r.changes {
			var cells []string
			if several {
				cells = append(cells, r.group)
			}
			cells = append(cells, c.TP.Topic, id(c.TP.Partition), offsetText(c.From.Offset), offsetText(c.To.Offset), r.effect(c))
			if failed {
				text := ""
				if err := r.failed[c.TP]; err != nil {
					text = failureText(err)
				}
				cells = append(cells, text)
			}
			t.row(cells...)
			n++
			skips, replays = skips+max(c.Records(), 0), replays-min(c.Records(), 0)
		}
	}
	t.totals = []string{plural(n, "partition"), "", "", "", sumText(skips, replays)}
	if several {
		t.totals = append([]string{plural(len(revs), "group")}, t.totals...)
	}
	return t
}

func sumText(skips, replays int64) string {
	var parts []string
	if skips > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", skips))
	}
	if replays > 0 {
		parts = append(parts, fmt.Sprintf("%d replayed", replays))
	}
	return strings.Join(parts, ", ")
}

// The JSON document, an array of one object a group. Offsets are null where
// nothing is stored, records is positive where some are skipped and negative
// where some are replayed.
type (
	planDoc struct {
		Group     string      `json:"group"`
		Operation string      `json:"operation"`
		DryRun    bool        `json:"dryRun"`
		NewGroup  bool        `json:"newGroup"`
		Changes   []changeDoc `json:"changes"`
		Errors    []string    `json:"errors,omitempty"` // of what could not be planned for
	}
	changeDoc struct {
		Topic     string  `json:"topic"`
		Partition int32   `json:"partition"`
		From      *int64  `json:"from"`
		To        *int64  `json:"to"`
		Records   *int64  `json:"records"`
		Error     *string `json:"error,omitempty"`
	}
)

func planDocument(revs []*revision, dryRun bool) []planDoc {
	docs := []planDoc{}
	for _, r := range revs {
		doc := planDoc{Group: r.group, Operation: r.operation, DryRun: dryRun, NewGroup: r.newGroup, Changes: []changeDoc{}}
		for _, err := range r.skipped {
			doc.Errors = append(doc.Errors, err.Error())
		}
		for _, c := range r.changes {
			d := changeDoc{Topic: c.TP.Topic, Partition: c.TP.Partition}
			if !c.New() {
				d.From = &c.From.Offset
			}
			if !c.Deletes() {
				d.To = &c.To.Offset
			}
			if n := c.Records(); !c.New() && !c.Deletes() {
				d.Records = &n
			}
			if err := r.failed[c.TP]; err != nil {
				text := failureText(err)
				d.Error = &text
			}
			doc.Changes = append(doc.Changes, d)
		}
		docs = append(docs, doc)
	}
	return docs
}
