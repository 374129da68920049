package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// targeting is what says which partitions to look at, and where in them: the
// TARGETs of a command and the flags that go with them.
type targeting struct {
	from, to  string
	isolation string
	strict    bool
	keepGoing bool

	targets []offsets.Target
	def     offsets.Window // of targets without a range of their own
	at      time.Time      // what "now" and "-30s" mean
	whose   string         // the group that "stored" means, "" for none
	kept    offsets.Storage
}

// addIsolationFlag gives a command --isolation; committed is its default.
func (t *targeting) addIsolationFlag(cmd *cobra.Command, committed bool) {
	t.isolation = "read_uncommitted"
	if committed {
		t.isolation = "read_committed"
	}
	cmd.Flags().Var(choice(&t.isolation, "read_committed", "read_uncommitted"), "isolation", "whether records of open and aborted transactions count")
	_ = cmd.RegisterFlagCompletionFunc("isolation", cobra.FixedCompletions(
		[]string{"read_committed", "read_uncommitted"}, cobra.ShellCompDirectiveNoFileComp))
}

// level is --isolation as brokers count it.
func (t *targeting) level() int8 {
	if t.isolation == "read_committed" {
		return offsets.ReadCommitted
	}
	return offsets.ReadUncommitted
}

// parse reads the TARGETs and --from and --to.
func (t *targeting) parse(args []string, now time.Time) error {
	t.at = now
	for _, arg := range args {
		target, err := offsets.ParseTarget(arg, now)
		if err != nil {
			return targetUsage("", err)
		}
		t.targets = append(t.targets, target)
	}
	var err error
	if t.from != "" {
		if t.def.From, err = offsets.ParsePosition(t.from, now); err != nil {
			return targetUsage("--from ", err)
		}
	}
	if t.to != "" {
		if t.def.To, err = offsets.ParseTo(t.to, t.def.From, now); err != nil {
			return targetUsage("--to ", err)
		}
	}
	if t.def.Backward() {
		return usagef("--from %s --to %s: the range ends before it begins", t.from, t.to)
	}
	return nil
}

// noGroup refuses "stored" where there is no group to have stored anything.
func (t *targeting) noGroup(hint string) error {
	windows := []offsets.Window{t.def}
	for i := range t.targets {
		windows = append(windows, t.targets[i].Window)
	}
	for _, w := range windows {
		if w.From.Base == offsets.Committed || w.To.Base == offsets.Committed {
			return usagef("stored means a group's offset").withHint("%s", hint)
		}
	}
	return nil
}

// targetUsage makes wrong usage of a fault in a target or position.
func targetUsage(where string, err error) error {
	var bad *offsets.SyntaxError
	if !errors.As(err, &bad) {
		return usagef("%s%v", where, err)
	}
	u := usagef("%s%v", where, err)
	if bad.Hint != "" {
		return u.withHint("did you mean %s?", bad.Hint)
	}
	return u.withHint("kafkactl help positions has the whole grammar")
}

// regexes says that at least one target is a ^REGEX.
func (t *targeting) regexes() bool {
	return slices.ContainsFunc(t.targets, func(o offsets.Target) bool { return o.Regex != nil })
}

// metadata asks for the topics of the targets. One that is being created has no
// leader yet; that is waited for.
func (t *targeting) metadata(ctx context.Context, client *broker.Client, stale *broker.Snapshot) (*broker.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, client.Config().Timeout)
	defer cancel()
	topics := offsets.Topics(t.targets)
	for try := 1; ; try++ {
		snap, err := client.Refresh(ctx, stale, topics...)
		if err != nil {
			return nil, err
		}
		if !t.newborn(snap) || client.Pause(ctx, try) != nil {
			return snap, nil
		}
		stale = snap
	}
}

// newborn says that a topic is there but not ready.
func (t *targeting) newborn(snap *broker.Snapshot) bool {
	for _, topic := range snap.Topics() {
		if topic.Err != wire.LeaderNotAvailable {
			continue
		}
		for i := range t.targets {
			if t.targets[i].Matches(topic.Name) {
				return true
			}
		}
	}
	return false
}

// absent is what a target names and the cluster has not.
type absent struct {
	topic     string // or ^REGEX
	partition int32  // -1: the topic itself
	err       error
}

func errorsOf(list []absent) []error {
	var errs []error
	for _, a := range list {
		errs = append(errs, a.err)
	}
	return errs
}

// find gives the partitions the targets mean now. fill is what open sides come
// to; wait lets a ^REGEX mean nothing yet.
func (t *targeting) find(ctx context.Context, e *env, client *broker.Client, fill offsets.Window, wait bool) ([]offsets.Want, []absent, error) {
	snap, err := t.metadata(ctx, client, client.Metadata())
	if err != nil {
		return nil, nil, err
	}
	wants, missing, err := offsets.Select(t.targets, t.def, fill, snap)
	if err != nil {
		return nil, nil, usagef("%v", err)
	}
	if missesTopic(missing) {
		// Asked for by name, and not there: perhaps the broker that answered has
		// not heard of it yet. All topics are asked for, which also tells the name
		// that may have been meant.
		if all, err := client.Refresh(ctx, snap); err == nil {
			snap = all
			if wants, missing, err = offsets.Select(t.targets, t.def, fill, snap); err != nil {
				return nil, nil, usagef("%v", err)
			}
		}
	}
	var gone []absent
	for _, m := range missing {
		var none *offsets.MissingError
		var topic *offsets.TopicError
		a := absent{partition: -1, err: missingError(snap, m)}
		switch {
		case errors.As(m, &none) && none.Regex && wait:
			e.note("%v yet: waiting for one", none)
			continue
		case errors.As(m, &none):
			a.topic, a.partition = none.Topic, none.Partition
		case errors.As(m, &topic):
			a.topic = topic.Topic
		}
		gone = append(gone, a)
	}
	return wants, gone, nil
}

// missesTopic says that a topic that was named is not there.
func missesTopic(missing []error) bool {
	return slices.ContainsFunc(missing, func(err error) bool {
		var none *offsets.MissingError
		return errors.As(err, &none) && !none.Regex && none.Partition < 0
	})
}

// missingError words a target that means nothing.
func missingError(snap *broker.Snapshot, err error) error {
	var none *offsets.MissingError
	var topic *offsets.TopicError
	switch {
	case errors.As(err, &topic) && errors.Is(err, wire.InvalidTopic):
		return &notFoundError{kind: "topic", name: topic.Topic, err: wire.InvalidTopic}
	case !errors.As(err, &none):
		return err
	case none.Regex:
		return &hintError{
			err:  &notFoundError{kind: "topic", name: none.Topic, err: errors.New("no topic matches")},
			hint: "kafkactl metadata lists topics; those that begin with __ match only ^__",
		}
	case none.Partition >= 0:
		has := "partitions 0 to " + fmt.Sprint(none.Count-1)
		if none.Count == 1 {
			has = "partition 0 only"
		}
		return &hintError{
			err:  &notFoundError{kind: "partition", name: fmt.Sprintf("%s:%d", none.Topic, none.Partition)},
			hint: none.Topic + " has " + has,
		}
	}
	return &notFoundError{kind: "topic", name: none.Topic, near: nearest(none.Topic, topicNames(snap)), err: wire.UnknownTopicOrPartition}
}

// look resolves wants and tells of what it found. failed are the partitions that could not be looked up.
func (t *targeting) look(ctx context.Context, e *env, client *broker.Client, wants []offsets.Want, follow bool) (ranges []offsets.Resolved, failed []error, err error) {
	all, err := offsets.Resolve(ctx, client, wants, offsets.Options{
		Isolation: t.level(), Follow: follow, Group: t.whose, Storage: t.kept, Now: t.at,
	})
	if err != nil {
		return nil, nil, err
	}
	return t.tell(e, all)
}

// tell warns of what was clamped and notes what ends early.
func (t *targeting) tell(e *env, all []offsets.Resolved) (ranges []offsets.Resolved, failed []error, err error) {
	var outside []error
	held, coarse := tpNames{}, false
	for _, r := range all {
		if r.Err != nil {
			failed = append(failed, r.Err)
			continue
		}
		ranges = append(ranges, r)
		coarse = coarse || r.Coarse
		if r.Held {
			held.add(r.TP)
		}
		for _, o := range r.Outside {
			outside = append(outside, o)
		}
	}
	failed = uniqueErrors(failed)
	if err := t.tellOutside(e, outside); err != nil {
		return nil, nil, err
	}
	if coarse {
		e.note("a broker is older than Kafka 0.10.1: times are as fine as its log segments, so records from outside them come too")
	}
	if held.n > 0 {
		e.note("%v: an open transaction holds back what follows; --isolation read_uncommitted shows it", &held)
	}
	return ranges, failed, nil
}

// tellOutside warns of offsets that the log does not hold, or under --strict
// makes an error of them.
func (t *targeting) tellOutside(e *env, outside []error) error {
	if t.strict {
		for i, o := range outside {
			outside[i] = &hintError{err: o, hint: "without --strict this is a warning"}
		}
		return errors.Join(outside...)
	}
	for _, o := range outside {
		e.warn("%v", o)
	}
	return nil
}

// uniqueErrors drops what was said before: one broker's silence fails all its
// partitions alike.
func uniqueErrors(errs []error) []error {
	said := map[string]bool{}
	var unique []error
	for _, err := range errs {
		if !said[err.Error()] {
			said[err.Error()] = true
			unique = append(unique, err)
		}
	}
	return unique
}

// tpNames lists partitions in a message, a few of them by name.
type tpNames struct {
	n    int
	text []string
}

func (l *tpNames) add(tp broker.TP) {
	if l.n++; l.n <= 5 {
		l.text = append(l.text, tpName(tp))
	}
}

// String is "a:0, a:1 and 3 more".
func (l *tpNames) String() string {
	s := strings.Join(l.text, ", ")
	if more := l.n - len(l.text); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

func tpName(tp broker.TP) string { return tp.Topic + ":" + id(tp.Partition) }
