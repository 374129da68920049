package main

import (
	"github.com/spf13/cobra"

	"kafkactl/internal/offsets"
)

// storageValue is --offset-storage.
type storageValue struct{ p *offsets.Storage }

func (v storageValue) Set(s string) error {
	storage, err := offsets.ParseStorage(s)
	if err == nil {
		*v.p = storage
	}
	return err
}
func (v storageValue) String() string { return v.p.String() }
func (v storageValue) Type() string   { return "kafka|zookeeper" }

// addStorageFlag gives a command --offset-storage.
func addStorageFlag(cmd *cobra.Command, p *offsets.Storage) {
	cmd.Flags().Var(storageValue{p}, "offset-storage", "where the group keeps its offsets; zookeeper as clients of Kafka 0.8 did")
	_ = cmd.RegisterFlagCompletionFunc("offset-storage", cobra.FixedCompletions([]string{"kafka", "zookeeper"}, cobra.ShellCompDirectiveNoFileComp))
}
