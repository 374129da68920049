package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

type metadataOptions struct {
	*env
	listing
	coordinator string
}

func newMetadataCmd(e *env) *cobra.Command {
	o := &metadataOptions{env: e}
	cmd := &cobra.Command{
		Use:   "metadata [TOPIC | ^REGEX]...",
		Short: "List brokers, topics and partitions",
		Example: `  kafkactl metadata                          # brokers, and every topic with its partitions
  kafkactl metadata orders users -o json     # two topics, for programs
  kafkactl metadata --coordinator billing    # which broker looks after a group`,
		Long: `Brokers, the controller, and of each topic the partitions with their leader, replicas and
in-sync replicas, as the cluster tells them. A topic that was named and is not there is
exit 6, or 3 among others that are. Topics are never created by asking.

A pipe gets one line an item, its kind first:

    cluster    ID CONTROLLER
    broker     ID HOST PORT RACK
    topic      TOPIC ERROR                                  one that could not be listed
    partition  TOPIC PARTITION LEADER REPLICAS ISR ERROR`,
		ValidArgsFunction: e.completeTopics,
		RunE: func(cmd *cobra.Command, topics []string) error {
			return o.run(cmd.Context(), topics)
		},
	}
	addListingFlags(cmd, &o.listing)
	cmd.Flags().StringVar(&o.coordinator, "coordinator", "", "the broker that looks after `GROUP`")
	return cmd
}

func (o *metadataOptions) run(ctx context.Context, topics []string) error {
	if err := o.listing.check(); err != nil {
		return err
	}
	if o.coordinator != "" {
		if len(topics) > 0 {
			return usagef("--coordinator and topics exclude each other")
		}
		return o.findCoordinator(ctx)
	}
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	ask := topics
	if slices.ContainsFunc(topics, isRegex) {
		ask = nil
	}
	snap, err := client.Refresh(ctx, nil, ask...)
	if err != nil {
		return err
	}
	topics, missing, err := o.expand(snap, topics)
	if err != nil {
		return err
	}
	if len(topics) == 0 && len(missing) == 0 {
		all := snap.Topics()
		if err := o.print(o.env, o.table(snap, all), document(snap, all)); err != nil {
			return err
		}
		return o.troubled(all)
	}
	named, failed := pick(snap, topics)
	if len(failed) == len(named) {
		return errors.Join(append(missing, o.explain(ctx, client, failed)...)...)
	}
	if err := o.print(o.env, o.table(snap, named), document(snap, named)); err != nil {
		return err
	}
	if missing = append(missing, o.explain(ctx, client, failed)...); len(missing) > 0 {
		return &partialError{err: errors.Join(missing...)}
	}
	return nil
}

// isRegex says that an argument means topics by ^REGEX.
func isRegex(topic string) bool { return strings.HasPrefix(topic, "^") }

// expand puts topics in the place of each ^REGEX, sorted, each once. One that
// matches nothing is missing.
func (o *metadataOptions) expand(snap *broker.Snapshot, args []string) (names []string, missing []error, err error) {
	for _, arg := range args {
		if !isRegex(arg) {
			names = append(names, arg)
			continue
		}
		t, err := offsets.ParseTarget(arg, o.now())
		if err != nil {
			return nil, nil, targetUsage("", err)
		}
		if t.Parts != nil || strings.Contains(arg, "@") {
			return nil, nil, usagef("%s: metadata lists whole topics", arg)
		}
		before := len(names)
		for _, name := range topicNames(snap) {
			if t.Matches(name) {
				names = append(names, name)
			}
		}
		if len(names) == before {
			missing = append(missing, &notFoundError{kind: "topic", name: arg})
		}
	}
	slices.Sort(names)
	return slices.Compact(names), missing, nil
}

// pick finds the topics that were named, and those of them that failed. One that
// has no leader yet is there.
func pick(snap *broker.Snapshot, names []string) (named, failed []*broker.Topic) {
	for _, name := range names {
		t, ok := snap.Topic(name)
		if !ok {
			t = &broker.Topic{Name: name, Err: wire.UnknownTopicOrPartition}
		}
		named = append(named, t)
		if t.Err != wire.None && t.Err != wire.LeaderNotAvailable {
			failed = append(failed, t)
		}
	}
	return named, failed
}

// explain makes the errors of topics that failed.
func (o *metadataOptions) explain(ctx context.Context, client *broker.Client, failed []*broker.Topic) []error {
	var errs []error
	for _, t := range failed {
		errs = append(errs, o.topicError(ctx, client, t.Name, t.Err))
	}
	return errs
}

// troubled says whether topics that nobody named came with errors of their own.
// One that is being created or deleted is merely noted.
func (o *metadataOptions) troubled(list []*broker.Topic) error {
	var errs []error
	for _, t := range list {
		switch t.Err {
		case wire.None:
		case wire.LeaderNotAvailable, wire.UnknownTopicOrPartition:
			o.warn("%s: %v", printable(t.Name), t.Err)
		default:
			errs = append(errs, fmt.Errorf("%s: %w", t.Name, t.Err))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &partialError{err: errors.Join(errs...)}
}

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

func (o *metadataOptions) findCoordinator(ctx context.Context) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	b, err := client.Coordinator(ctx, wire.CoordinatorGroup, o.coordinator)
	if err != nil {
		return err
	}
	t := newTable("GROUP", ">BROKER", "HOST", ">PORT")
	t.row(o.coordinator, id(b.ID), b.Host, id(b.Port))
	return o.print(o.env, t, coordinatorDoc{o.coordinator, b.ID, b.Host, b.Port})
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
