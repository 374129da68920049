package offsets

import (
	"cmp"
	"fmt"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Want is one partition of a target and what to read of it.
type Want struct {
	TP     broker.TP
	Window Window
}

// MissingError is a target that means nothing the cluster has.
type MissingError struct {
	Topic     string // or ^REGEX, as typed
	Partition int32  // -1: the topic itself, or all of ^REGEX
	Count     int    // of the topic's partitions, where one is missing
	Regex     bool
}

// Error says what is not there.
func (e *MissingError) Error() string {
	switch {
	case e.Regex:
		return e.Topic + ": no topic matches"
	case e.Partition >= 0 && e.Count == 1:
		return fmt.Sprintf("%s:%d: no such partition: the topic has only 0", e.Topic, e.Partition)
	case e.Partition >= 0:
		return fmt.Sprintf("%s:%d: no such partition: the topic has 0 to %d", e.Topic, e.Partition, e.Count-1)
	}
	return e.Topic + ": " + wire.UnknownTopicOrPartition.Error()
}

// Is makes a missing topic or partition Kafka's own error for it.
func (e *MissingError) Is(target error) bool { return target == wire.UnknownTopicOrPartition }

// ConflictError is a partition that two targets mean, with different ranges.
type ConflictError struct {
	TP   broker.TP
	A, B string // the targets
}

// Error names both targets.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s and %s both mean %s:%d, and their ranges differ", e.A, e.B, e.TP.Topic, e.TP.Partition)
}

// TopicError is what the cluster says of a topic as a whole.
type TopicError struct {
	Topic string
	Err   error
}

// Error names the topic first.
func (e *TopicError) Error() string { return e.Topic + ": " + e.Err.Error() }

// Unwrap is the cause.
func (e *TopicError) Unwrap() error { return e.Err }

// Topics lists the topics to ask metadata of; none means all, which a regular
// expression needs.
func Topics(targets []Target) []string {
	var names []string
	for i := range targets {
		if targets[i].Regex != nil {
			return nil
		}
		names = append(names, targets[i].Topic)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Select finds the partitions that targets mean, sorted by topic and partition;
// one that several mean is there once. def is the window of targets without one
// of their own, and fill what an unset side comes to, so that "orders" and
// "orders@start.." agree. missing holds a *MissingError or *TopicError for each
// target, or named topic, that cannot be had; err is a *ConflictError.
func Select(targets []Target, def, fill Window, snap *broker.Snapshot) (wants []Want, missing []error, err error) {
	said := map[broker.TP]int{} // by which target
	for i := range targets {
		t := &targets[i]
		w := t.Window.Or(def).filled(fill)
		tps, errs := t.partitions(snap)
		missing = append(missing, errs...)
		for _, tp := range tps {
			if j, dup := said[tp]; dup {
				if targets[j].Window.Or(def).filled(fill) != w {
					return nil, nil, &ConflictError{TP: tp, A: targets[j].Text, B: t.Text}
				}
				continue
			}
			said[tp] = i
			wants = append(wants, Want{tp, w})
		}
	}
	slices.SortFunc(wants, func(a, b Want) int { return compareTP(a.TP, b.TP) })
	return wants, missing, nil
}

// filled puts fill's sides where w has none.
func (w Window) filled(fill Window) Window {
	if !w.From.IsSet() {
		w.From = fill.From
	}
	if !w.To.IsSet() {
		w.To = fill.To
	}
	return w
}

func compareTP(a, b broker.TP) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// partitions are those of snap that the target means.
func (t *Target) partitions(snap *broker.Snapshot) (tps []broker.TP, missing []error) {
	if t.Regex == nil {
		topic, ok := snap.Topic(t.Topic)
		switch {
		case !ok, topic.Err == wire.UnknownTopicOrPartition:
			return nil, []error{&MissingError{Topic: t.Topic, Partition: -1}}
		case topic.Err != wire.None:
			return nil, []error{&TopicError{t.Topic, topic.Err}}
		}
		return t.of(topic)
	}
	for _, topic := range snap.Topics() {
		if topic.Err == wire.UnknownTopicOrPartition || !t.Matches(topic.Name) {
			continue
		}
		if topic.Err != wire.None {
			missing = append(missing, &TopicError{topic.Name, topic.Err})
			continue
		}
		// A partition that only some of many topics have is no mistake.
		some, _ := t.of(topic)
		tps = append(tps, some...)
	}
	if len(tps) == 0 && len(missing) == 0 {
		missing = append(missing, &MissingError{Topic: t.Text, Partition: -1, Regex: true})
	}
	return tps, missing
}

// of are the target's partitions of one topic. A span is checked by its ends:
// it may claim two thousand million partitions.
func (t *Target) of(topic *broker.Topic) (tps []broker.TP, missing []error) {
	for i := range topic.Partitions {
		if id := topic.Partitions[i].ID; t.Holds(id) {
			tps = append(tps, broker.TP{Topic: topic.Name, Partition: id})
		}
	}
	for _, s := range t.Parts {
		for id := s.First; ; id++ {
			if _, ok := topic.Partition(id); !ok {
				missing = append(missing, &MissingError{Topic: topic.Name, Partition: id, Count: len(topic.Partitions)})
				break
			}
			if id == s.Last {
				break
			}
		}
	}
	return tps, missing
}
