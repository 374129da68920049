package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpText is a command's --help: examples first, for they are what one looks for.
func helpText(cmd *cobra.Command, pal palette) string {
	var b strings.Builder
	head := func(s string) { b.WriteString("\n" + pal.header.s(s) + "\n") }
	if cmd.Example != "" {
		b.WriteString(pal.header.s("Examples:") + "\n" + strings.TrimRight(cmd.Example, "\n") + "\n\n")
	}
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	b.WriteString(strings.TrimSpace(about) + "\n")
	head("Usage:")
	if cmd.Runnable() && cmd.HasParent() {
		b.WriteString("  " + cmd.UseLine() + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("  " + cmd.CommandPath() + " COMMAND [flags]\n")
		head("Commands:")
		for _, c := range cmd.Commands() {
			if !c.Hidden {
				fmt.Fprintf(&b, "  %-11s %s\n", c.Name(), c.Short)
			}
		}
	}
	if own := flagUsages(cmd.LocalFlags()); own != "" && cmd.HasParent() {
		head("Flags:")
		b.WriteString(own)
	}
	head("Global flags:")
	b.WriteString(flagUsages(cmd.Root().PersistentFlags()))
	b.WriteString("\nMore: kafkactl help " + strings.Join(pageNames(), "|") + "\n")
	return b.String()
}

// helpWidth is what flags' descriptions are wrapped to.
const helpWidth = 100

// flagUsages prints visible flags; -h goes without saying.
func flagUsages(flags *pflag.FlagSet) string {
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	shown.SortFlags = flags.SortFlags
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		one := *f
		if len(one.Name) == 1 {
			one.Shorthand = "" // it has no long name, but pflag wants one
		}
		if one.DefValue == "0s" {
			one.DefValue = ""
		}
		shown.AddFlag(&one)
	})
	var b strings.Builder
	for line := range strings.Lines(shown.FlagUsagesWrapped(helpWidth)) {
		if rest, ok := strings.CutPrefix(line, "      --"); ok && rest[1] == ' ' {
			value := 1 + strings.Index(rest[1:], "  ")
			line = "  -" + rest[:value] + "     " + rest[value:]
		}
		b.WriteString(flagWords.Replace(line))
	}
	return b.String()
}

// flagWords undoes what pflag adds: the type of a count, quoted escapes.
var flagWords = strings.NewReplacer("--verbose count", "--verbose      ", `\\`, `\`)

// newHelpCmd prints a command's help or one of the pages that belong to none.
func newHelpCmd(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | " + strings.Join(pageNames(), " | ") + "]",
		Short: "Explain a command, or a subject of its own",
		Example: `  kafkactl help consume
  kafkactl help positions     # what may stand after a topic
  kafkactl help tuning        # flags too rare for --help`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			names := pageNames()
			for _, c := range cmd.Root().Commands() {
				if !c.Hidden {
					names = append(names, c.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if text, ok := page(args[0]); ok {
					_, err := io.WriteString(e.out, text)
					return err
				}
			}
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				name := strings.Join(args, " ")
				u := usagef("help %s: no such command or page", name)
				u.hint = "pages are " + strings.Join(pageNames(), ", ")
				return u
			}
			target.InitDefaultHelpFlag()
			_, err = io.WriteString(e.out, helpText(target, e.pal))
			return err
		},
	}
}
