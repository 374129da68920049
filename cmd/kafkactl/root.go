package main

import (
	"context"

	"github.com/spf13/cobra"
)

// execute parses args and runs the command they name.
func execute(ctx context.Context, e *env, args []string) error {
	root := newRoot(e)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

func newRoot(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:           "kafkactl",
		Short:         "A kcat-style suite for Apache Kafka",
		SilenceErrors: true,
		SilenceUsage:  true,
		CompletionOptions: cobra.CompletionOptions{
			DisableDefaultCmd: true,
		},
	}
	root.SetIn(e.in)
	root.SetOut(e.out)
	root.SetErr(e.errOut)
	root.AddCommand(commands(e)...)
	return root
}
