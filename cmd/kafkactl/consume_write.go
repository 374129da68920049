package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/format"
	"kafkactl/internal/offsets"
	"kafkactl/internal/sink"
)

// writing is consume's records going to files.
type writing struct {
	write string // the template, "" for standard output
	size  int64
	count int64
	every time.Duration

	template *sink.Template
	identity string
	files    *sink.Files // once it writes
}

// usualRotation is how long a file is written at most by a run that follows: what
// is in no finished file is neither there to be read nor committed.
const usualRotation = time.Hour

// writeFlags go with --write alone.
var writeFlags = []string{"rotate-size", "rotate-count", "rotate-time"}

func (w *writing) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.write, "write", "", "write to files named by `TEMPLATE`, as in 'out/%t-%p.jsonl.gz'; kafkactl help write")
	f.Var(bytesValue{&w.size}, "rotate-size", "finish a file at so many `BYTES`, as in 100MB, and begin the next")
	f.Var(amount(&w.count), "rotate-count", "finish a file at `N` records")
	f.Var(span(&w.every), "rotate-time", "finish a file so long after it was begun; 0s never, with --follow usually 1h")
	f.Lookup("rotate-size").DefValue, f.Lookup("rotate-count").DefValue, f.Lookup("rotate-time").DefValue = "", "", ""
}

// bytesValue is a number of bytes of any size.
type bytesValue struct{ p *int64 }

func (v bytesValue) Set(s string) error {
	n, err := parseSize(s)
	if err == nil && n <= 0 {
		err = errors.New("want 1 byte or more")
	}
	if err != nil {
		return err
	}
	*v.p = n
	return nil
}

func (v bytesValue) String() string {
	if *v.p == 0 {
		return ""
	}
	return fmt.Sprint(*v.p)
}
func (v bytesValue) Type() string { return "BYTES" }

// check refuses what does not go together. It comes after printing's, whose form
// it settles where nothing else does.
func (w *writing) check(cmd *cobra.Command, args []string, p *printing) error {
	changed := cmd.Flags().Changed
	typed := typedFlags(cmd)
	if w.write == "" {
		if changed("write") {
			return usagef("--write: there is no name of a file in it")
		}
		for _, name := range writeFlags {
			if typed[name] {
				return usagef("--%s needs --write", name)
			}
		}
		return nil
	}
	switch {
	case changed("exec"):
		return usagef("--write and --exec exclude each other").withHint("a command can write files too: --exec 'cat > \"$RECORD_TOPIC-$RECORD_OFFSET\"'")
	case changed("commit-every-n") && typed["commit-every-n"]:
		return usagef("--commit-every-n: with --write, what is in finished files is committed").withHint("--rotate-count N finishes one every N records")
	case changed("rotate-count") && w.count == 0:
		return usagef("--rotate-count must be 1 or more")
	case w.write == "-":
		return usagef("--write -: without --write, records go to standard output")
	}
	var err error
	if w.template, err = sink.ParseTemplate(w.write, time.Local); err != nil {
		u := usagef("--write '%s': %v", w.write, err)
		var se *format.SyntaxError
		if errors.As(err, &se) {
			u.hint = se.Hint
		}
		return u
	}
	if err := w.checkForm(cmd.Flags(), p); err != nil {
		return err
	}
	if follows := changed("follow") || changed("idle") || changed("consumer-timeout"); follows && !changed("rotate-time") {
		w.every = usualRotation
	}
	w.identity = identityOf(cmd.Flags(), w.write, args)
	return nil
}

// checkForm lets the suffix say what records look like where no flag does.
func (w *writing) checkForm(flags *pflag.FlagSet, p *printing) error {
	suffix := strings.ToLower(w.template.Suffix())
	for _, c := range []string{".bz2", ".xz", ".lz4", ".lzma", ".sz", ".snappy", ".br", ".zip", ".z", ".lzo", ".zstd", ".gzip"} {
		if strings.HasSuffix(suffix, c) {
			return usagef("--write '%s': files are compressed as .gz or .zst", w.write)
		}
	}
	way, err := wording(flags, wordings())
	if err != nil || way != "" {
		return err
	}
	if f := flags.Lookup("select"); f != nil && f.Changed {
		return nil
	}
	for _, c := range []string{".gz", ".zst"} {
		suffix = strings.TrimSuffix(suffix, c)
	}
	switch suffix {
	case ".json", ".jsonl", ".ndjson":
		p.json = true
	case ".csv", ".tsv", ".parquet", ".avro", ".orc":
		return usagef("--write '%s': consume has no form for %s files", w.write, suffix).
			withHint(`-f says what a record looks like, as in -f '%%p,%%o,%%s{json}\n'; .jsonl files are -J`)
	}
	return nil
}

// identityOf says whose records a run writes: those that it finished and did not
// commit are not written again by the next of the same.
func identityOf(flags *pflag.FlagSet, template string, args []string) string {
	if f := flags.Lookup("group"); f == nil || f.Value.String() == "" {
		return ""
	}
	id := []string{template}
	for _, name := range []string{"group", "brokers", "isolation", "from", "to", "grep", "where", "select"} {
		if f := flags.Lookup(name); f != nil && f.Changed {
			id = append(id, name+"="+f.Value.String())
		}
	}
	return strings.Join(append(id, slices.Sorted(slices.Values(args))...), "\n")
}

// fileSinks makes one sink of files for each worker of so many partitions.
func (o *consumeOptions) fileSinks(opts *consume.Options, partitions int, done func(consume.Mark)) []consume.Sink {
	c := sink.FilesConfig{
		Template: o.template, Format: func() sink.Append { return o.shown.counted(o.piped()) }, Done: done,
		Size: o.size, Count: o.count, Every: o.every,
		Note: o.note, Warn: o.warn,
	}
	if opts.Commit.To != nil {
		c.Identity = o.identity
	}
	o.files = sink.NewFiles(c)
	if opts.Commit.To != nil {
		opts.Commit.To = &heard{Committer: opts.Commit.To, e: o.env, files: o.files}
	}
	list := make([]consume.Sink, o.hands(partitions))
	for i := range list {
		s := o.files.Sink(len(list))
		list[i] = filing{o.guard(s, o.strict, o.keepGoing), s}
	}
	return list
}

// filing is a sink of files behind what looks at records first.
type filing struct {
	consume.Sink
	files *sink.FileSink
}

// Lull implements consume.Lingerer.
func (f filing) Lull(ctx context.Context) (time.Duration, error) { return f.files.Lull(ctx) }

// Release implements consume.Releaser.
func (f filing) Release(ctx context.Context) error { return f.files.Release(ctx) }

// heard tells files of what was committed.
type heard struct {
	consume.Committer
	e     *env
	files *sink.Files
}

// Commit implements consume.Committer.
func (h *heard) Commit(ctx context.Context, at map[broker.TP]offsets.Stored) (map[broker.TP]error, error) {
	failed, err := h.Committer.Commit(ctx, at)
	if err != nil && len(failed) == 0 {
		return failed, err
	}
	for tp, stored := range at {
		if failed[tp] != nil {
			continue
		}
		if ferr := h.files.Committed(tp.Topic, tp.Partition, stored.Offset); ferr != nil {
			h.e.warn("%v", ferr)
		}
	}
	return failed, err
}

// endWriting settles what is left of files and, if asked, says what was written.
func (o *consumeOptions) endWriting() {
	if o.files == nil {
		return
	}
	if err := o.files.Close(); err != nil {
		for _, each := range causes(err) {
			o.warn("%v", each)
		}
	}
	t := o.files.Total()
	if t.Again > 0 {
		o.note("%s left out, which files of an earlier run have", plural(int(t.Again), "record"))
	}
	o.verbose(1, "%s in %s finished, %s", plural(int(t.Records), "record"), plural(int(t.Files), "file"), plural(int(t.Bytes), "byte"))
}
