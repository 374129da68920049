package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/checkpoint"
	"kafkactl/internal/input"
	"kafkactl/internal/produce"
	"kafkactl/internal/wire"
)

// shaping are the flags that decide which records an input becomes and where
// they go. An input half sent must be sent on with the same.
func shaping() []string {
	return []string{
		"key", "key-delim", "delim", "format", "json", "keep-partition", "csv", "csv-key", "csv-delim", "file-per-record",
		"key-from-name", "header", "partition", "timestamp", "key-as", "value-as", "null", "Z", "skip-empty", "decompress",
		"partitioner",
	}
}

// checkpointed holds that --checkpoint goes with the other flags, and gives
// those that shape records.
func (o *produceOptions) checkpointed(cmd *cobra.Command) (map[string]string, error) {
	f := cmd.Flags()
	if !f.Changed("checkpoint") {
		return nil, nil
	}
	switch {
	case o.checkpoint == "":
		return nil, usagef("--checkpoint: a file has a name")
	case o.acks != produce.AcksAll:
		return nil, usagef("--checkpoint needs --acks all: a transaction counts on every replica in sync")
	case o.receipts:
		return nil, usagef("--checkpoint and --receipts exclude each other: an offset would be printed before it is committed")
	}
	shape := make(map[string]string)
	for _, name := range shaping() {
		if flag := f.Lookup(name); flag != nil && flag.Value.String() != flag.DefValue {
			shape[name] = flag.Value.String()
		}
	}
	return shape, nil
}

// runCheckpointed is run with --checkpoint.
func (o *produceOptions) runCheckpointed(ctx context.Context, topic string, source input.Source, files []input.File, progress *input.Progress, shape map[string]string) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	if err := o.find(ctx, client, topic); err != nil {
		return cause(ctx, err)
	}
	inputs := []string{}
	for _, f := range files {
		name := f.Name
		if abs, err := filepath.Abs(name); err == nil && name != input.StdinName {
			name = abs
		}
		inputs = append(inputs, name)
	}
	if isTerminal(o.in) && readsStdin(files) {
		o.note("one record a line; Ctrl-D ends")
	}
	stop := o.watchProgress(files, progressOf(cfg.Stats, progress))
	defer stop()
	rep, err := checkpoint.Run(ctx, client, checkpoint.Config{
		Path: o.checkpoint, Cluster: client.Metadata().ClusterID, Topic: topic, Inputs: inputs, Shape: shape,
		Restamped: o.timestamp != "", KeepGoing: o.keepGoing, Produce: cfg, Pace: o.pace, Log: o.logged,
		Resumed: func(n int64) { o.note("%s %s; going on from there", plural(int(n), "record"), standing(n)) },
	}, source)
	stop()
	return o.checkpointOutcome(ctx, client, topic, source, rep, err)
}

func standing(n int64) string {
	if n == 1 {
		return "was committed before"
	}
	return "were committed before"
}

// checkpointOutcome says what was committed, and what to do about the rest.
func (o *produceOptions) checkpointOutcome(ctx context.Context, client *broker.Client, topic string, in produce.Input, rep checkpoint.Report, err error) error {
	summary := plural(int(rep.Committed), "record") + " committed"
	if rep.Doubtful > 0 {
		summary += fmt.Sprintf(", %d more perhaps", rep.Doubtful)
	}
	if rep.Last > 0 {
		summary += "; the last: " + in.Where(rep.Last)
	}
	if rep.Skipped > 0 {
		summary += fmt.Sprintf("; %d skipped", rep.Skipped)
	}
	if err == nil {
		if rep.Skipped > 0 {
			return &partialError{msg: summary, err: fmt.Errorf("%s: %w", in.Where(rep.Spoilt.Line), rep.Spoilt.Err)}
		}
		o.verbose(1, "%s", summary)
		return nil
	}
	var bad *produce.RecordError
	if errors.As(err, &bad) {
		err = fmt.Errorf("%s: %w", in.Where(bad.Line), bad.Err)
		if rep.Committed > 0 {
			return &partialError{msg: summary, err: err}
		}
		return err
	}
	if rep.Committed+rep.Doubtful == 0 && ctx.Err() == nil {
		if errors.Is(err, wire.UnknownTopicOrPartition) {
			return o.wordTopic(ctx, client, topic, err)
		}
		return err
	}
	return &summaryError{msg: summary + "; the same command goes on from there", err: err}
}
