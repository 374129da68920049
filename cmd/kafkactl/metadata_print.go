package main

import (
	"strconv"
	"strings"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// table lists what a terminal or a pipe shows.
func (o *metadataOptions) table(snap *broker.Snapshot, topics []*broker.Topic) printer {
	brokers := newTable(">BROKER", "ADDRESS", "RACK", "")
	for _, b := range snap.Brokers {
		role := ""
		if b.ID == snap.Controller {
			role = "controller"
		}
		brokers.row(id(b.ID), b.Addr(), b.Rack, role)
	}
	brokers.paint("BROKER", o.pal.number)
	parts := newTable("TOPIC", ">PARTITION", ">LEADER", "REPLICAS", "ISR", "ERROR")
	parts.paint("TOPIC", o.pal.topic)
	parts.paint("LEADER", o.pal.number)
	parts.paint("ERROR", o.pal.failure)
	count := 0
	for _, t := range topics {
		if t.Err != wire.None {
			parts.row(t.Name, "", "", "", "", t.Err.Name())
		}
		for _, p := range t.Partitions {
			count++
			parts.row(t.Name, id(p.ID), leaderText(p.Leader), ids(p.Replicas), ids(p.ISR), errName(p.Err))
		}
	}
	parts.totals = []string{plural(len(topics), "topic"), strconv.Itoa(count)}
	return &metadataPages{snap: snap, brokers: brokers, parts: parts, topics: topics}
}

// metadataPages is the two tables one below the other, or one line an item.
type metadataPages struct {
	snap           *broker.Snapshot
	brokers, parts *table
	topics         []*broker.Topic
}

func (m *metadataPages) appendAligned(b []byte, pal palette, columns int) []byte {
	if m.snap.ClusterID != "" {
		b = append(b, pal.header.s("CLUSTER")+" "+printable(m.snap.ClusterID)+"\n\n"...)
	}
	b = m.brokers.appendAligned(b, pal, columns)
	if len(m.topics) == 0 {
		return append(b, "\nno topics\n"...)
	}
	b = append(b, '\n')
	return m.parts.appendAligned(b, pal, columns)
}

func (m *metadataPages) appendTSV(b []byte) []byte {
	all := newTable()
	all.row("cluster", m.snap.ClusterID, id(m.snap.Controller))
	for _, n := range m.snap.Brokers {
		all.row("broker", id(n.ID), n.Host, id(n.Port), n.Rack)
	}
	for _, t := range m.topics {
		if t.Err != wire.None {
			all.row("topic", t.Name, t.Err.Name())
		}
		for _, p := range t.Partitions {
			all.row("partition", t.Name, id(p.ID), id(p.Leader), ids(p.Replicas), ids(p.ISR), errName(p.Err))
		}
	}
	return all.appendTSV(b)
}

// The JSON documents. Brokers, topics and partitions carry the names Kafka's
// clients have given them since 0.8.
type (
	metadataDoc struct {
		ClusterID    *string     `json:"clusterId"`
		ControllerID int32       `json:"controllerId"`
		Brokers      []brokerDoc `json:"brokers"`
		Topics       []topicDoc  `json:"topics"`
	}
	brokerDoc struct {
		NodeID int32   `json:"nodeId"`
		Host   string  `json:"host"`
		Port   int32   `json:"port"`
		Rack   *string `json:"rack"`
	}
	topicDoc struct {
		Topic      string         `json:"topic"`
		TopicID    *string        `json:"topicId"`
		Internal   bool           `json:"internal"`
		Error      *string        `json:"error"`
		Partitions []partitionDoc `json:"partitions"`
	}
	partitionDoc struct {
		Topic       string  `json:"topic"`
		Partition   int32   `json:"partition"`
		Leader      int32   `json:"leader"`
		LeaderEpoch int32   `json:"leaderEpoch"`
		Replicas    []int32 `json:"replicas"`
		ISR         []int32 `json:"isr"`
		Offline     []int32 `json:"offline"`
		Error       *string `json:"error"`
	}
	coordinatorDoc struct {
		Group  string `json:"group"`
		NodeID int32  `json:"nodeId"`
		Host   string `json:"host"`
		Port   int32  `json:"port"`
	}
)

func document(snap *broker.Snapshot, topics []*broker.Topic) metadataDoc {
	doc := metadataDoc{ClusterID: orNull(snap.ClusterID), ControllerID: snap.Controller,
		Brokers: []brokerDoc{}, Topics: []topicDoc{}}
	for _, b := range snap.Brokers {
		doc.Brokers = append(doc.Brokers, brokerDoc{b.ID, b.Host, b.Port, orNull(b.Rack)})
	}
	for _, t := range topics {
		topic := topicDoc{Topic: t.Name, Internal: t.Internal, Error: orNull(errName(t.Err)), Partitions: []partitionDoc{}}
		if t.ID != (wire.UUID{}) {
			topic.TopicID = orNull(t.ID.String())
		}
		for _, p := range t.Partitions {
			topic.Partitions = append(topic.Partitions, partitionDoc{t.Name, p.ID, p.Leader, p.LeaderEpoch,
				list(p.Replicas), list(p.ISR), list(p.Offline), orNull(errName(p.Err))})
		}
		doc.Topics = append(doc.Topics, topic)
	}
	return doc
}

func id(n int32) string { return strconv.Itoa(int(n)) }

// leaderText shows a partition without a leader as what it is.
func leaderText(n int32) string {
	if n < 0 {
		return "none"
	}
	return id(n)
}

func ids(list []int32) string {
	var b strings.Builder
	for i, n := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(id(n))
	}
	return b.String()
}

// errName is empty where nothing is wrong.
func errName(c wire.Code) string {
	if c == wire.None {
		return ""
	}
	return c.Name()
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// list is never null in JSON.
func list(l []int32) []int32 {
	if l == nil {
		return []int32{}
	}
	return l
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
