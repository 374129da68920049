package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
