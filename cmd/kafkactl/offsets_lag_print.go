package main

import (
	"fmt"
	"strconv"
	"time"

	"kafkactl/internal/group"
	"kafkactl/internal/offsets"
)

// none is shown for a partition that a group has stored no offset for.
const none = "none"

// lagTable lists a view. What a pipe gets has every column, and the age in
// milliseconds.
func (o *offsetsGetOptions) lagTable(v *lagView) *table {
	piped := o.kind(o.env) == "tsv"
	heads := []string{"GROUP", "TOPIC", ">PARTITION", ">OFFSET", ">START", ">END", ">LAG", ">AGE", "CLIENT", "HOST", "MEMBER", "METADATA", "NOTE"}
	from := 0
	if piped && o.watch > 0 {
		heads = append([]string{"TIME"}, heads...)
	}
	if !piped && !o.all {
		from = 1 // the group is who was asked for
	}
	t := newTable(heads[from:]...)
	t.paint("TOPIC", o.pal.topic)
	t.paint("LAG", o.pal.number)
	t.paint("NOTE", o.pal.warning)
	parts := 0
	oldest := int64(-1)
	for i := range v.groups {
		g := &v.groups[i]
		for j := range g.lags {
			l := &g.lags[j]
			parts++
			if l.Oldest >= 0 && (oldest < 0 || l.Oldest < oldest) {
				oldest = l.Oldest
			}
			row := lagRow(g, l, v.at, piped)
			if piped && o.watch > 0 {
				row = append([]string{v.at.Format(time.RFC3339)}, row...)
			}
			t.row(row[from:]...)
		}
		if g.err != nil {
			row := []string{g.desc.Group, "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", rootOf(g.err).Error()}
			if piped && o.watch > 0 {
				row = append([]string{v.at.Format(time.RFC3339)}, row...)
			}
			t.row(row[from:]...)
		}
	}
	for _, a := range v.missing {
		cells := []string{dash(o.group), a.topic, "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", rootOf(a.err).Error()}
		if a.partition >= 0 {
			cells[2] = id(a.partition)
		}
		if piped && o.watch > 0 {
			cells = append([]string{v.at.Format(time.RFC3339)}, cells...)
		}
		t.row(cells[from:]...)
	}
	sum, _, failed := v.total()
	total, age := strconv.FormatInt(sum, 10), ageText(v.at, oldest)
	if failed {
		total, age = "", ""
	}
	t.totals = append([]string{plural(len(v.groups), "group")}, plural(parts, "partition"), "", "", "", "", total, age)[from:]
	return t
}

func lagRow(g *groupLag, l *offsets.Lag, now time.Time, piped bool) []string {
	row := []string{g.desc.Group, l.TP.Topic, id(l.TP.Partition), none, "-", "-", "-", "-", "", "", "", "", ""}
	switch {
	case l.Stored.Err != nil:
		row[3] = "-"
	case l.Stored.Offset != offsets.NoOffset:
		row[3] = strconv.FormatInt(l.Stored.Offset, 10)
	}
	if l.Bounds.Err == nil && l.Err == nil {
		row[4], row[5] = strconv.FormatInt(l.Bounds.Start, 10), strconv.FormatInt(l.End, 10)
	}
	if l.Records >= 0 {
		row[6] = strconv.FormatInt(l.Records, 10)
	}
	if row[7] = ageText(now, l.Oldest); piped && l.Oldest >= 0 {
		row[7] = strconv.FormatInt(ageOf(now, l.Oldest), 10)
	}
	if m := g.owners[l.TP]; m != nil {
		row[8], row[9], row[10] = m.ClientID, m.Host, m.ID
	} else if piped {
		row[8], row[9], row[10] = "-", "-", "-"
	}
	if l.Stored.Metadata != nil {
		row[11] = *l.Stored.Metadata
	}
	if l.Pending {
		row[12] = "pending"
	}
	if l.Err != nil {
		row[12] = rootOf(l.Err).Error()
	}
	return row
}

// ageOf is how long ago a timestamp was, in milliseconds, never less than none:
// clocks differ.
func ageOf(now time.Time, timestamp int64) int64 { return max(now.UnixMilli()-timestamp, 0) }

// ageText is an age in its two largest units, as a person reads it.
func ageText(now time.Time, timestamp int64) string {
	if timestamp < 0 {
		return "-"
	}
	s := ageOf(now, timestamp) / 1000
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 24*3600:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/(24*3600), s/3600%24)
}

// The JSON documents of groups' offsets. offset is null where none is stored, lag
// and lagMs where they are not known; error is what failed.
type (
	groupLagDoc struct {
		Group      string            `json:"group"`
		Type       *string           `json:"type"`
		State      *string           `json:"state"`
		Time       int64             `json:"time"` // of the look, in ms
		Lag        *int64            `json:"lag"`
		LagMs      *int64            `json:"lagMs"`
		Partitions []partitionLagDoc `json:"partitions"`
		Error      *string           `json:"error,omitempty"`
	}
	partitionLagDoc struct {
		Topic           string    `json:"topic"`
		Partition       *int32    `json:"partition"`
		Offset          *int64    `json:"offset"`
		LeaderEpoch     *int32    `json:"leaderEpoch"`
		Metadata        *string   `json:"metadata"`
		Pending         bool      `json:"pending"`
		Start           *int64    `json:"start"`
		End             *int64    `json:"end"`
		Lag             *int64    `json:"lag"`
		LagMs           *int64    `json:"lagMs"`
		OldestTimestamp *int64    `json:"oldestTimestamp"`
		Member          *ownerDoc `json:"member"`
		Error           *string   `json:"error,omitempty"`
	}
	ownerDoc struct {
		MemberID   string  `json:"memberId"`
		InstanceID *string `json:"instanceId"`
		ClientID   string  `json:"clientId"`
		Host       string  `json:"host"`
	}
)

func (v *lagView) document() []groupLagDoc {
	docs := make([]groupLagDoc, 0, len(v.groups))
	for i := range v.groups {
		docs = append(docs, v.groups[i].document(v.at))
	}
	for _, a := range v.missing {
		if len(docs) == 0 {
			break
		}
		p := partitionLagDoc{Topic: a.topic, Error: orNull(rootOf(a.err).Error())}
		if a.partition >= 0 {
			p.Partition = &a.partition
		}
		docs[0].Partitions = append(docs[0].Partitions, p)
		docs[0].Lag, docs[0].LagMs = nil, nil
	}
	return docs
}

func (g *groupLag) document(now time.Time) groupLagDoc {
	doc := groupLagDoc{Group: g.desc.Group, Type: orNull(g.desc.Type), State: orNull(g.desc.State), Time: now.UnixMilli(), Partitions: []partitionLagDoc{}}
	for _, err := range []error{g.err, g.fault()} {
		if err != nil && doc.Error == nil {
			doc.Error = orNull(rootOf(err).Error())
		}
	}
	one := &lagView{groups: []groupLag{*g}}
	if sum, none, failed := one.total(); !failed && none < len(g.lags) {
		doc.Lag = &sum
	}
	for i := range g.lags {
		p := lagDoc(&g.lags[i], g.owners[g.lags[i].TP], now)
		if p.LagMs != nil && doc.Lag != nil && (doc.LagMs == nil || *p.LagMs > *doc.LagMs) {
			doc.LagMs = p.LagMs
		}
		doc.Partitions = append(doc.Partitions, p)
	}
	return doc
}

func lagDoc(l *offsets.Lag, m *group.MemberDescription, now time.Time) partitionLagDoc {
	p := partitionLagDoc{Topic: l.TP.Topic, Partition: &l.TP.Partition, Metadata: l.Stored.Metadata, Pending: l.Pending}
	if l.Stored.Err == nil && l.Stored.Offset != offsets.NoOffset {
		p.Offset, p.LeaderEpoch = &l.Stored.Offset, epochOrNull(l.Stored.LeaderEpoch)
	}
	if l.Err == nil {
		p.Start, p.End = &l.Bounds.Start, &l.End
	} else {
		p.Error = orNull(rootOf(l.Err).Error())
	}
	if l.Records >= 0 {
		p.Lag = &l.Records
	}
	if l.Oldest >= 0 {
		age := ageOf(now, l.Oldest)
		p.LagMs, p.OldestTimestamp = &age, &l.Oldest
	}
	if m != nil {
		p.Member = &ownerDoc{MemberID: m.ID, InstanceID: orNull(m.InstanceID), ClientID: m.ClientID, Host: m.Host}
	}
	return p
}
