package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"kafkactl/internal/broker"
)

// text is a cell as people and tabs show it.
func (c *asked) text() string {
	if c.found.Err != nil {
		return "-"
	}
	if c.several != nil {
		list := make([]string, len(c.several))
		for i, n := range c.several {
			list[i] = strconv.FormatInt(n, 10)
		}
		return strings.Join(list, ",")
	}
	return strconv.FormatInt(c.found.Offset, 10)
}

// errorText joins what failed in a row.
func (r *partitionAsked) errorText() string {
	var list []string
	if r.missing != nil {
		list = append(list, rootOf(r.missing).Error())
	}
	for _, c := range r.cells {
		if c.found.Err != nil {
			if s := rootOf(c.found.Err).Error(); !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return strings.Join(list, "; ")
}

// rootOf is what something failed of, without where and whom it was asked.
func rootOf(err error) error {
	var req *broker.RequestError
	for errors.As(err, &req) {
		err = req.Err
	}
	var none *notFoundError
	switch {
	case errors.As(err, &none) && none.err != nil:
		return none.err
	case errors.As(err, &none):
		return errors.New("no such " + none.kind)
	}
	return err
}

func (o *offsetsGetOptions) table(rows []partitionAsked) *table {
	heads := []string{"TOPIC", ">PARTITION"}
	width := 0
	same := true
	for _, r := range rows {
		width = max(width, len(r.cells))
		for i, c := range r.cells {
			same = same && i < len(rows[0].cells) && c.head == rows[0].cells[i].head
		}
	}
	for i := range width {
		head := []string{"FROM", "TO"}[min(i, 1)]
		if same {
			head = strings.ToUpper(rows[0].cells[i].head)
		}
		heads = append(heads, ">"+head)
	}
	// A column of its own only where it says something: pipes count fields.
	failed := slices.ContainsFunc(rows, func(r partitionAsked) bool { return r.errorText() != "" })
	if failed {
		heads = append(heads, "ERROR")
	}
	t := newTable(heads...)
	t.paint("TOPIC", o.pal.topic)
	t.paint("ERROR", o.pal.failure)
	for i := range width {
		t.columns[2+i].paint = o.pal.number
	}
	for _, r := range rows {
		cells := []string{r.tp.Topic, "-"}
		if r.tp.Partition >= 0 {
			cells[1] = id(r.tp.Partition)
		}
		for i := range width {
			cell := ""
			if r.missing != nil {
				cell = "-"
			}
			if i < len(r.cells) {
				cell = r.cells[i].text()
			}
			cells = append(cells, cell)
		}
		if failed {
			cells = append(cells, r.errorText())
		}
		t.row(cells...)
	}
	t.totals = []string{plural(len(rows), "partition"), ""}
	if o.limit == 0 && !failed {
		for i := range width {
			t.totals = append(t.totals, strconv.FormatInt(sum(rows, i), 10))
		}
	}
	return t
}

// sum adds a column up.
func sum(rows []partitionAsked, i int) int64 {
	n := int64(0)
	for _, r := range rows {
		if i < len(r.cells) {
			n += r.cells[i].found.Offset
		}
	}
	return n
}

// The JSON document. error is what failed of a position; offset is then null.
type (
	offsetsDoc struct {
		Topic     string     `json:"topic"`
		Partition *int32     `json:"partition"`
		Offsets   []foundDoc `json:"offsets"`
		Error     *string    `json:"error,omitempty"`
	}
	foundDoc struct {
		At          string  `json:"at"`
		Offset      *int64  `json:"offset"`
		Timestamp   *int64  `json:"timestamp"`
		LeaderEpoch *int32  `json:"leaderEpoch"`
		Segments    []int64 `json:"segments,omitempty"`
		Error       *string `json:"error,omitempty"`
	}
)

func (o *offsetsGetOptions) document(rows []partitionAsked) []offsetsDoc {
	docs := make([]offsetsDoc, 0, len(rows))
	for _, r := range rows {
		doc := offsetsDoc{Topic: r.tp.Topic, Offsets: []foundDoc{}}
		if r.tp.Partition >= 0 {
			doc.Partition = &r.tp.Partition
		}
		if r.missing != nil {
			s := rootOf(r.missing).Error()
			doc.Error = &s
		}
		for _, c := range r.cells {
			f := foundDoc{At: c.head}
			switch {
			case c.found.Err != nil:
				s := rootOf(c.found.Err).Error()
				f.Error = &s
			case o.limit > 0:
				f.Segments = c.several
			default:
				f.Offset = &c.found.Offset
				if c.found.Time >= 0 {
					f.Timestamp = &c.found.Time
				}
				if c.found.LeaderEpoch >= 0 {
					f.LeaderEpoch = &c.found.LeaderEpoch
				}
			}
			doc.Offsets = append(doc.Offsets, f)
		}
		docs = append(docs, doc)
	}
	return docs
}
