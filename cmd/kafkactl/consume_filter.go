package main

import (
	"github.com/spf13/cobra"

	"kafkactl/internal/filter"
	"kafkactl/internal/record"
)

// filtering is which records consume and tail print.
type filtering struct {
	greps []string
	grep  *filter.Grep
}

func (f *filtering) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.greps, "grep", nil, "only records whose value matches `REGEX`; [!][v:|k:|t:|h:NAME=]REGEX for other parts, repeatable")
}

// check completes f from the flags as they came.
func (f *filtering) check() error {
	if len(f.greps) == 0 {
		return nil
	}
	var err error
	if f.grep, err = filter.NewGrep(f.greps); err != nil {
		return usagef("--grep %v", err).withHint("kafkactl help filters")
	}
	return nil
}

// wanted says which records count, nil for all.
func (f *filtering) wanted() func(*record.Record) bool {
	if f.grep == nil {
		return nil
	}
	return f.grep.Keep
}
