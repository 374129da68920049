package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// errDone ends a command that has printed all it was asked for, exit 0.
var errDone = errors.New("done")

// execute parses args and runs the command they name. What goes wrong before
// the command's own run is wrong usage, whoever noticed.
func execute(ctx context.Context, e *env, args []string) error {
	running := false
	root := newRoot(e, &running)
	root.SetArgs(args)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		e.completeFlags(root)
	}
	cmd, err := root.ExecuteContextC(ctx)
	if e.helpErr != nil {
		return e.helpErr
	}
	if err == nil || running || errors.Is(err, errDone) || errors.Is(err, errClosedPipe) {
		return err
	}
	if u := unknownChild(cmd, args); u != nil {
		return u
	}
	var u *usageError
	if errors.As(err, &u) {
		return err
	}
	return usageOf(cmd, args, err)
}

func newRoot(e *env, running *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "kafkactl",
		Short: "A kcat-style suite for Apache Kafka",
		Example: `  seq 5 | kafkactl produce greetings --create     # lines into a topic
  kafkactl consume greetings                      # and out again
  kafkactl metadata -b kafka1:9092                # what the cluster looks like`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := e.prepare(cmd); err != nil {
				return err
			}
			*running = true
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetIn(e.in)
	root.SetOut(e.out)
	root.SetErr(e.errOut)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_, e.helpErr = io.WriteString(e.out, helpText(cmd, e.pal))
	})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	root.PersistentFlags().SortFlags = false
	addGlobalFlags(root.PersistentFlags(), &e.cfg)
	root.AddCommand(commands(e)...)
	for _, c := range root.Commands() {
		if c.HasSubCommands() && !c.Runnable() {
			// cobra would print the help of offsets comit, exit 0.
			c.Args = cobra.NoArgs
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	root.SetHelpCommand(newHelpCmd(e))
	return root
}

// without names commands that must run whatever state the configuration is in.
var without = []string{"help", "version", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

// prepare completes e for the command about to run.
func (e *env) prepare(cmd *cobra.Command) error {
	if slices.Contains(e.cfg.x, "list") {
		if _, err := io.WriteString(e.out, tuningPage()); err != nil {
			return err
		}
		return errDone
	}
	if !cmd.HasParent() || slices.Contains(without, topCommand(cmd)) {
		return e.cfg.checkFile()
	}
	// Warnings of load are painted already as asked for on the command line.
	e.setColors(e.cfg.color)
	if err := e.load(cmd); err != nil {
		return err
	}
	e.setColors(e.cfg.color)
	return nil
}

// topCommand is the name below kafkactl: offsets for kafkactl offsets get.
func topCommand(cmd *cobra.Command) string {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	if !cmd.HasParent() {
		return ""
	}
	return cmd.Name()
}
