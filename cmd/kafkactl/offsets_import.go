package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

type offsetsImportOptions struct {
	changing

	group string
	files []string
	want  map[string]map[broker.TP]offsets.Stored // by group
}

func newOffsetsImportCmd(e *env) *cobra.Command {
	o := &offsetsImportOptions{changing: changing{env: e}}
	cmd := &cobra.Command{
		Use:   "import [-g GROUP] [FILE...]",
		Short: "Store offsets from JSON lines",
		Example: `  kafkactl offsets import billing.offsets                # what offsets export wrote
  kafkactl offsets import -g audit billing.offsets       # for another group
  jq -c '.offset -= 10' billing.offsets | kafkactl offsets import --yes`,
		Long: `Reads what offsets export writes, from files or standard input, and stores it: group, topic,
partition and offset, and where given leaderEpoch and metadata. -g overrides every line's
group. All lines are read before anything is changed; partitions that no line names stay as
they are. Offsets are stored as they stand, with a warning where the log does not hold them.

Plans and asks as offsets seek does; with the offsets on standard input it cannot ask.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.listing.check(); err != nil {
				return err
			}
			o.files = args
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.group, "group", "g", "", "the `GROUP` to store them for, whatever the lines say")
	f.BoolVar(&o.strict, "strict", false, "an offset outside the log is an error")
	o.addChangeFlags(cmd, true)
	return cmd
}

func (o *offsetsImportOptions) run(ctx context.Context) error {
	o.want = map[string]map[broker.TP]offsets.Stored{}
	if len(o.files) == 0 {
		o.files = []string{"-"}
	}
	for _, name := range o.files {
		if err := o.readFile(name); err != nil {
			return err
		}
	}
	if len(o.want) == 0 {
		return errors.New("no offsets to import")
	}
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	var revs []*revision
	for _, name := range sortedKeys(o.want) {
		r := &revision{operation: operationImport, group: name}
		if err := o.exact(ctx, client, r, o.want[name]); err != nil {
			return err
		}
		revs = append(revs, r)
	}
	return o.perform(ctx, client, revs, true)
}

func (o *offsetsImportOptions) readFile(name string) error {
	in := o.in
	if name == "-" {
		name = "standard input"
	} else {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	return o.read(in, name)
}

// maxOffsetLine bounds a line: metadata is at most 4096 bytes by default, and
// 32767 whatever the broker was told.
const maxOffsetLine = 1 << 20

func (o *offsetsImportOptions) read(in io.Reader, name string) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxOffsetLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := o.take(lines.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// take reads one line.
func (o *offsetsImportOptions) take(data []byte) error {
	var line offsetLine
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&line); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one object on the line")
	}
	if o.group != "" {
		line.Group = o.group
	}
	switch {
	case line.Group == "":
		return errors.New("no group; -g GROUP gives one")
	case line.Topic == "":
		return errors.New("no topic")
	case line.Partition == nil || *line.Partition < 0:
		return errors.New("no partition")
	case line.Offset == nil || *line.Offset < 0:
		return errors.New("no offset")
	}
	s := offsets.Stored{Offset: *line.Offset, LeaderEpoch: -1, Metadata: line.Metadata}
	if line.LeaderEpoch != nil {
		s.LeaderEpoch = *line.LeaderEpoch
	}
	tp := broker.TP{Topic: line.Topic, Partition: *line.Partition}
	if o.want[line.Group] == nil {
		o.want[line.Group] = map[broker.TP]offsets.Stored{}
	}
	if _, twice := o.want[line.Group][tp]; twice {
		return fmt.Errorf("%s of group %s is there twice", tpName(tp), line.Group)
	}
	o.want[line.Group][tp] = s
	return nil
}

type offsetsCopyOptions struct {
	changing

	from, to string
	maps     []string
}

func newOffsetsCopyCmd(e *env) *cobra.Command {
	o := &offsetsCopyOptions{changing: changing{env: e}}
	cmd := &cobra.Command{
		Use:   "copy -g FROM --to-group TO",
		Short: "Give one group the offsets of another",
		Example: `  kafkactl offsets copy -g billing --to-group billing-v2
  kafkactl offsets copy -g billing --to-group audit --map orders=orders-copy
  kafkactl offsets copy -g billing --to-group billing-v2 --dry-run`,
		Long: `Stores every offset that one group has for another group too, leader epochs and metadata
included. --map A=B stores what the first has of topic A for topic B, without a leader epoch.
Other offsets of the second group stay.

Plans and asks as offsets seek does.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			mapping, err := o.check()
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), mapping)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.from, "group", "g", "", "the `GROUP` to copy from")
	f.StringVar(&o.to, "to-group", "", "the `GROUP` to copy to")
	f.StringArrayVar(&o.maps, "map", nil, "store topic A's offsets for topic B, `A=B`; may be given more than once")
	f.BoolVar(&o.strict, "strict", false, "an offset outside the log is an error")
	o.addChangeFlags(cmd, true)
	return cmd
}

func (o *offsetsCopyOptions) check() (map[string]string, error) {
	switch err := o.listing.check(); {
	case err != nil:
		return nil, err
	case o.from == "":
		return nil, noGroupGiven()
	case o.to == "":
		return nil, usagef("--to-group GROUP is missing")
	case o.from == o.to && len(o.maps) == 0:
		return nil, usagef("%s is the same group", o.to)
	}
	mapping := map[string]string{}
	for _, m := range o.maps {
		a, b, ok := strings.Cut(m, "=")
		if !ok || a == "" || b == "" {
			return nil, usagef("--map %s: want TOPIC=TOPIC", m)
		}
		if mapping[a] != "" {
			return nil, usagef("--map %s: %s is mapped twice", m, a)
		}
		mapping[a] = b
	}
	return mapping, nil
}

func (o *offsetsCopyOptions) run(ctx context.Context, mapping map[string]string) error {
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	have, err := o.allStored(ctx, client, o.from)
	if err != nil {
		return err
	}
	topics := offsets.StoredTopics(have)
	for _, a := range sortedKeys(mapping) {
		if !slices.Contains(topics, a) {
			return &notFoundError{kind: "topic", name: a, near: nearest(a, topics), err: fmt.Errorf("group %s has stored no offsets of it", o.from)}
		}
	}
	want := map[broker.TP]offsets.Stored{}
	from := map[broker.TP]broker.TP{}
	for tp, s := range have {
		b, mapped := mapping[tp.Topic]
		if o.from == o.to && !mapped {
			continue // they stay
		}
		aim := tp
		if mapped && b != tp.Topic {
			aim.Topic, s.LeaderEpoch = b, -1
		}
		if other, twice := from[aim]; twice {
			return usagef("%s and %s would both become %s", tpName(other), tpName(tp), tpName(aim))
		}
		from[aim], want[aim] = tp, s
	}
	r := &revision{operation: operationCopy, group: o.to}
	if err := o.exact(ctx, client, r, want); err != nil {
		return err
	}
	return o.perform(ctx, client, []*revision{r}, true)
}
