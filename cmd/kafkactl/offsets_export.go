package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"kafkactl/internal/offsets"
)

// offsetLine is one stored offset as export writes and import reads it.
type offsetLine struct {
	Group       string  `json:"group"`
	Topic       string  `json:"topic"`
	Partition   *int32  `json:"partition"`
	Offset      *int64  `json:"offset"`
	LeaderEpoch *int32  `json:"leaderEpoch"` // null: unknown
	Metadata    *string `json:"metadata"`
}

type offsetsExportOptions struct {
	*env
	group   string
	storage offsets.Storage
}

func newOffsetsExportCmd(e *env) *cobra.Command {
	o := &offsetsExportOptions{env: e}
	cmd := &cobra.Command{
		Use:   "export -g GROUP",
		Short: "Write a group's offsets as JSON lines",
		Example: `  kafkactl offsets export -g billing > billing.offsets
  kafkactl offsets import < billing.offsets                            # and back
  kafkactl offsets export -g billing | kafkactl offsets import -g audit --yes`,
		Long: `Writes each stored offset of a group as a JSON object on a line of its own, sorted, with the
fields group, topic, partition, offset, leaderEpoch (null where none is known) and metadata:
what offsets import reads.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.group == "" {
				return noGroupGiven()
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&o.group, "group", "g", "", "the `GROUP` whose offsets to write")
	addStorageFlag(cmd, &o.storage)
	return cmd
}

func (o *offsetsExportOptions) run(ctx context.Context) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	got, err := offsets.FetchStored(ctx, client, o.group, o.storage, nil, true)
	if err != nil {
		return err
	}
	var lines []any
	var errs []error
	for _, tp := range slices.SortedFunc(maps.Keys(got), compareTP) {
		s := got[tp]
		switch {
		case s.Err != nil:
			errs = append(errs, s.Err)
			continue
		case s.Offset == offsets.NoOffset:
			continue
		}
		line := offsetLine{Group: o.group, Topic: tp.Topic, Partition: &tp.Partition, Offset: &s.Offset, Metadata: s.Metadata}
		if s.LeaderEpoch >= 0 {
			line.LeaderEpoch = &s.LeaderEpoch
		}
		lines = append(lines, line)
	}
	if err := o.encodeJSON(false, lines...); err != nil {
		return err
	}
	errs = uniqueErrors(errs)
	switch {
	case len(errs) > 0 && len(lines) > 0:
		return &partialError{err: errors.Join(errs...)}
	case len(errs) > 0:
		return errors.Join(errs...)
	case len(lines) == 0:
		return &notFoundError{kind: "group", name: o.group, err: errNoOffsets}
	}
	return nil
}

// errNoOffsets is a group that has nothing stored.
var errNoOffsets = errors.New("the group has stored no offsets")
