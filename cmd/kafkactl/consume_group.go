package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
)

// grouping is what consume is told about a group.
type grouping struct {
	group      string
	standalone bool
	noCommit   bool
	everyT     time.Duration
	everyN     int64 // 0: not by count
	storage    string
	instance   string
	assignor   string
	protocol   string
}

// usualCommit is how often a group's offsets are committed.
const usualCommit = 5 * time.Second

// Flags that mean nothing without -g.
var groupFlags = []string{"standalone", "no-commit", "commit-every-t", "commit-every-n", "offset-storage",
	"instance-id", "assignor", "group-protocol"}

func (g *grouping) addFlags(cmd *cobra.Command) {
	g.everyT, g.storage, g.protocol = usualCommit, "kafka", "auto"
	f := cmd.Flags()
	f.StringVarP(&g.group, "group", "g", "", "read as a member of `GROUP`, from where its offsets say, and commit")
	f.BoolVar(&g.standalone, "standalone", false, "read from the group's offsets without joining it")
	f.BoolVar(&g.noCommit, "no-commit", false, "commit nothing")
	f.Var(span(&g.everyT), "commit-every-t", "commit what is done every so often; 0s never")
	f.Var(amount(&g.everyN), "commit-every-n", "commit after every `N` records; 0 never")
	f.Var(choice(&g.storage, "kafka", "zookeeper"), "offset-storage", "where the group's offsets are kept; zookeeper needs --standalone")
	f.StringVar(&g.instance, "instance-id", "", "be the static member `ID`, whose restart moves no partitions")
	f.StringVar(&g.assignor, "assignor", "", "share partitions out by `NAME`: range, roundrobin, sticky, cooperative-sticky; uniform")
	f.Var(choice(&g.protocol, "auto", "classic", "consumer"), "group-protocol", "how to be a member; consumer is KIP-848")
	f.Lookup("commit-every-n").DefValue = ""
	_ = cmd.RegisterFlagCompletionFunc("offset-storage", cobra.FixedCompletions([]string{"kafka", "zookeeper"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("group-protocol", cobra.FixedCompletions([]string{"auto", "classic", "consumer"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("assignor", cobra.FixedCompletions(append(slices.Clone(classicAssignors), uniform), cobra.ShellCompDirectiveNoFileComp))
}

// classicAssignors share partitions out on the member that leads; uniform, and
// range too, on a broker (KIP-848).
var classicAssignors = []string{"range", "roundrobin", "sticky", "cooperative-sticky"}

const uniform = "uniform"

// joins says that the group is joined, rather than stood beside.
func (g *grouping) joins() bool { return g.group != "" && !g.standalone }

// store is where the group's offsets are.
func (g *grouping) store() offsets.Storage {
	if g.storage == "zookeeper" {
		return offsets.ZooKeeper
	}
	return offsets.Kafka
}

// typedFlags are the flags of the command line alone: a file may say how often to
// commit without there being a group each time.
func typedFlags(cmd *cobra.Command) map[string]bool {
	typed := map[string]bool{}
	cmd.Flags().Visit(func(f *pflag.Flag) { typed[f.Name] = true })
	return typed
}

// check refuses what does not go together.
func (g *grouping) check(cmd *cobra.Command, t *targeting) error {
	changed := cmd.Flags().Changed
	if g.group == "" {
		if changed("group") {
			return usagef("--group: a group has a name")
		}
		typed := typedFlags(cmd)
		for _, name := range groupFlags {
			if typed[name] {
				return usagef("--%s needs a group", name).withHint("-g GROUP names it")
			}
		}
		return t.noGroup("-g GROUP --standalone reads from a group's offsets, here or at TARGET@stored")
	}
	if g.noCommit && (changed("commit-every-t") || changed("commit-every-n")) {
		typed := typedFlags(cmd)
		if typed["commit-every-t"] || typed["commit-every-n"] {
			return usagef("--no-commit and commit flags exclude each other")
		}
	}
	if typedFlags(cmd)["instance-id"] && g.instance == "" {
		return usagef("--instance-id is empty")
	}
	if g.standalone {
		for _, name := range []string{"instance-id", "assignor", "group-protocol"} {
			if typedFlags(cmd)[name] {
				return usagef("--%s is for members, and --standalone is none", name)
			}
		}
		return nil
	}
	if g.store() == offsets.ZooKeeper {
		return usagef("--offset-storage zookeeper: members keep their offsets in Kafka").
			withHint("--standalone reads and commits them without joining")
	}
	if err := g.checkAssignors(); err != nil {
		return err
	}
	return g.checkTargets(t)
}

// checkTargets refuses what the group decides: which partitions, and where they
// begin.
func (g *grouping) checkTargets(t *targeting) error {
	const hint = "--standalone reads from anywhere without joining; kafkactl offsets seek -g %s moves the group"
	if t.from != "" {
		return usagef("--from: in a group, its offsets say where to begin").withHint(hint, g.group)
	}
	for i := range t.targets {
		switch o := &t.targets[i]; {
		case o.Parts != nil:
			return usagef("%s: in a group, the group shares partitions out", o.Text).withHint(hint, g.group)
		case o.Window.From.IsSet():
			return usagef("%s: in a group, its offsets say where to begin", o.Text).withHint(hint, g.group)
		}
	}
	return nil
}

// assignors are the names of --assignor, the last part of Java's classes too.
func (g *grouping) assignors() []string {
	var names []string
	for _, name := range strings.Split(g.assignor, ",") {
		name = strings.TrimSpace(name)
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			name = name[i+1:]
		}
		switch name {
		case "":
			continue
		case "RangeAssignor":
			name = "range"
		case "RoundRobinAssignor":
			name = "roundrobin"
		case "StickyAssignor":
			name = "sticky"
		case "CooperativeStickyAssignor":
			name = "cooperative-sticky"
		}
		names = append(names, name)
	}
	return names
}

func (g *grouping) checkAssignors() error {
	names := g.assignors()
	for _, name := range names {
		classic := slices.Contains(classicAssignors, name)
		switch {
		case !classic && name != uniform:
			return usagef("--assignor %s: want %s or %s", name, strings.Join(classicAssignors, ", "), uniform)
		case g.protocol == "classic" && !classic:
			return usagef("--assignor %s belongs to --group-protocol consumer", name)
		case g.protocol == "consumer" && name != uniform && name != "range":
			return usagef("--assignor %s belongs to --group-protocol classic", name).
				withHint("in the consumer protocol the broker shares out: uniform or range")
		case name == uniform && len(names) > 1:
			return usagef("--assignor %s stands alone", name)
		}
	}
	return nil
}

// named are the topics that targets name, without those of a ^REGEX.
func (t *targeting) named() []string {
	var names []string
	for i := range t.targets {
		if o := &t.targets[i]; o.Regex == nil && !slices.Contains(names, o.Topic) {
			names = append(names, o.Topic)
		}
	}
	return names
}

// commit is where the session keeps what is done; nowhere without a group.
func (o *consumeOptions) commit(to consume.Group, progress *consume.Progress) consume.Commit {
	if to == nil || o.noCommit {
		return consume.Commit{}
	}
	return consume.Commit{To: to, Progress: progress, EveryT: o.everyT, EveryN: o.everyN}
}

// settled is a run's error with that of its last commit: whoever closed the pipe
// has to hear of offsets that were not stored.
func settled(report *consume.Report, err error) error {
	if report == nil || report.Commit == nil {
		return err
	}
	var sig *interruptedError
	switch {
	case err == nil, errors.Is(err, errClosedPipe):
		return report.Commit
	case errors.As(err, &sig):
		return &summaryError{msg: report.Commit.Error(), err: err}
	}
	return errors.Join(err, report.Commit)
}
