package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kafkactl/internal/broker"
)

// completion may cost a keystroke this much, no more.
const completionPatience = 1500 * time.Millisecond

// forCompletion is the cluster's topics for a shell that waits for a keystroke:
// quick, silent, and empty where anything goes wrong.
func (e *env) forCompletion(cmd *cobra.Command, topics ...string) *broker.Snapshot {
	e.cfg.quiet = true
	if err := e.load(cmd); err != nil {
		return nil
	}
	e.cfg.timeout = min(e.cfg.timeout, completionPatience)
	ctx, cancel := context.WithTimeout(cmd.Context(), e.cfg.timeout)
	defer cancel()
	client, err := e.connect(ctx)
	if err != nil {
		return nil
	}
	snap, err := client.Refresh(ctx, nil, topics...)
	if err != nil {
		return nil
	}
	return snap
}

// completeTopics completes topic names that are not there yet among args.
func (e *env) completeTopics(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	return e.topicsFrom(e.forCompletion(cmd), args, word), cobra.ShellCompDirectiveNoFileComp
}

// completeTopic completes one topic name as the first argument, files after it.
func (e *env) completeTopic(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return e.completeTopics(cmd, args, word)
}

// completeGroups completes names of groups that are not there yet among args.
func (e *env) completeGroups(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	e.cfg.quiet = true
	if err := e.load(cmd); err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	e.cfg.timeout = min(e.cfg.timeout, completionPatience)
	ctx, cancel := context.WithTimeout(cmd.Context(), e.cfg.timeout)
	defer cancel()
	client, err := e.connect(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, name := range e.groupNames(ctx, client) {
		// A group's name may be anything; what would steer the terminal of whoever
		// presses Tab is not offered.
		if strings.HasPrefix(name, word) && !slices.Contains(args, name) && printable(name) == name {
			words = append(words, name)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// topicsFrom lists topics with a word about each. Internal ones show once their
// underscores are typed.
func (e *env) topicsFrom(snap *broker.Snapshot, args []string, word string) []string {
	if snap == nil {
		return nil
	}
	var words []string
	for _, name := range topicNames(snap) {
		if strings.HasPrefix(name, "__") && !strings.HasPrefix(word, "__") || !strings.HasPrefix(name, word) || slices.Contains(args, name) {
			continue
		}
		t, _ := snap.Topic(name)
		words = append(words, name+"\t"+plural(len(t.Partitions), "partition"))
	}
	return words
}

// completeFlags teaches the shell the values of flags that take a few words, and
// the profiles of the file.
func (e *env) completeFlags(root *cobra.Command) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		learn := func(f *pflag.Flag) {
			if c, ok := f.Value.(choiceValue); ok {
				// An error says that the command has seen to it already.
				_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(c.from, cobra.ShellCompDirectiveNoFileComp))
			}
			if complete := e.valuesOf(cmd, f.Name); complete != nil {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
					return complete(cmd, nil, word)
				})
			}
			if !takesFile(f.Name) { // the shell would offer files
				_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
			}
		}
		cmd.PersistentFlags().VisitAll(learn)
		cmd.LocalNonPersistentFlags().VisitAll(learn)
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	_ = root.RegisterFlagCompletionFunc("profile", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return e.profiles(), cobra.ShellCompDirectiveNoFileComp
	})
	_ = root.RegisterFlagCompletionFunc("X", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var words []string
		for _, k := range knobs {
			words = append(words, k.flag+"=\t"+k.doc)
		}
		return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	visit(root)
}

// takesFile says whether a flag's value is a file's name, or begins a command.
func takesFile(flag string) bool {
	switch flag {
	case "checkpoint", "config", "data", "write", "exec":
		return true
	}
	return false
}

// valuesOf completes the values of flags that name something of the cluster, or a
// position; nil for others.
func (e *env) valuesOf(cmd *cobra.Command, flag string) cobra.CompletionFunc {
	switch flag {
	case "group", "to-group":
		return e.completeGroups
	case "dead-letter":
		return e.completeTopics
	case "from", "to":
		if cmd.Name() != "copy" {
			return completePositions
		}
	}
	return nil
}

func newCompletionCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Example: `  source <(kafkactl completion bash)
  kafkactl completion zsh > "${fpath[1]}/_kafkactl"
  kafkactl completion fish > ~/.config/fish/completions/kafkactl.fish`,
		Long: `Commands, flags, and topics and partitions of the cluster that -b, the environment or the
configuration file name. A cluster that does not answer at once completes nothing.`,
		Args:                  cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs:             []string{"bash", "zsh", "fish", "powershell"},
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return patched(e.out, func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }, bashPatches)
			case "zsh":
				return patched(e.out, root.GenZshCompletion, zshPatches)
			case "fish":
				return patched(e.out, func(w io.Writer) error { return root.GenFishCompletion(w, true) }, fishPatches)
			default:
				return root.GenPowerShellCompletionWithDesc(e.out)
			}
		},
	}
	return cmd
}
