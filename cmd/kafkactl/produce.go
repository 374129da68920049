package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kafkactl/internal/broker"
	"kafkactl/internal/input"
	"kafkactl/internal/offsets"
	"kafkactl/internal/produce"
	"kafkactl/internal/wire"
	"kafkactl/internal/wire/codec"
)

type produceOptions struct {
	*env

	key         string
	keyDelim    string
	delim       string
	headers     []string
	partition   int32
	timestamp   string
	keyAs       string
	valueAs     string
	null        string
	z           bool
	skipEmpty   bool
	compression compressionValue
	acks        acksFlag
	partitioner string
	receipts    bool
	rate        rateValue
	waitTopic   time.Duration
	create      bool
	keepGoing   bool
	decompress  string
	checkpoint  string

	lines input.Options
	parsing
	delivery time.Duration
}

func newProduceCmd(e *env) *cobra.Command {
	cmd, _ := produceCmd(e)
	return cmd
}

func produceCmd(e *env) (*cobra.Command, *produceOptions) {
	o := &produceOptions{env: e, acks: produce.AcksAll, partition: -1}
	cmd := &cobra.Command{
		Use:   "produce TOPIC [FILE...]",
		Short: "Send lines to a topic, one record each",
		Example: `  seq 5 | kafkactl produce greetings --create      # lines of a pipe, making the topic
  kafkactl produce orders -K : -z zstd orders.txt  # KEY:VALUE lines of a file, compressed
  kafkactl consume a -J | kafkactl produce b -J     # records of another topic, with all they carry`,
		Long: `Sends each line of standard input, or of the FILEs, as a record; - is standard input. A last
line without a newline counts, a blank line is an empty value, \r is data. Records leave as
they arrive, in order within a partition, and are sent again safely when an answer is lost.

When the input cannot be read to its end or a record is refused, the message says how many
records were and were not acknowledged, and where the first stands that was not.

FILEs named .gz .zst .lz4 .bz2 .sz are read decompressed; --decompress none sends them as they
stand, and --decompress gzip reads such a pipe. One that is cut off or corrupt ends the run.
JSON arrays, CSV and whole files become records too: kafkactl help inputs. With --checkpoint FILE a
run that was interrupted is taken up without a repeat or a gap: kafkactl help checkpoint.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.completeTopic,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			shape, err := o.checkpointed(cmd)
			if err != nil {
				return err
			}
			source, files, progress, err := o.opened(cmd, args[1:])
			if err != nil {
				return err
			}
			defer source.Close()
			if o.checkpoint != "" {
				return o.runCheckpointed(cmd.Context(), args[0], source, files, progress, shape)
			}
			return o.run(cmd.Context(), args[0], source, files, progress)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.key, "key", "k", "", "give records that bring none the key `KEY`")
	f.StringVarP(&o.keyDelim, "key-delim", "K", "", "the first `SEP` in a line ends its key; takes \\t \\n \\0 \\xNN")
	f.StringVarP(&o.delim, "delim", "D", `\n`, "`SEP` ends a record")
	o.parsing.addFlags(cmd)
	f.StringArrayVarP(&o.headers, "header", "H", nil, "add the header `NAME=VALUE`, or NAME for a null one; repeatable")
	f.VarP(partitionValue{&o.partition}, "partition", "p", "send to partition `N`")
	f.StringVar(&o.timestamp, "timestamp", "", "give records the timestamp `TIME`, or now")
	f.VarP(&o.compression, "compression", "z", "compress with none, gzip, snappy, lz4 or zstd, at a level if given")
	f.Var(&o.acks, "acks", "wait for `all|0|1|N` replicas: those in sync, none, the leader, or so many")
	o.partitioner = produce.PartitionerNames()[0]
	f.Var(choice(&o.partitioner, produce.PartitionerNames()...), "partitioner", "how keys find their partition: `NAME` is "+orList(produce.PartitionerNames())+"; kcat's is crc32")
	f.BoolVar(&o.receipts, "receipts", false, "print topic, partition and offset of each record, in input order")
	f.Var(&o.rate, "rate", "send at most `N/s` records")
	f.Var(span(&o.waitTopic), "wait-topic", "wait so long for the topic to appear")
	f.Lookup("wait-topic").DefValue = ""
	f.BoolVar(&o.create, "create", false, "make the topic if it is missing")
	f.BoolVar(&o.skipEmpty, "skip-empty", false, "drop blank lines")
	f.StringVar(&o.null, "null", "", "a whole key or value equal to `TOKEN` is null")
	f.BoolVarP(&o.z, "Z", "Z", false, "the same as --null ''")
	o.keyAs, o.valueAs = "text", "text"
	f.Var(choice(&o.keyAs, "text", "hex", "base64", "json"), "key-as", "how the bytes of keys are written: `ENC` is text, hex, base64 or json")
	f.Var(choice(&o.valueAs, "text", "hex", "base64", "json"), "value-as", "how the bytes of values are written: `ENC` likewise")
	o.decompress = "auto"
	f.Var(choice(&o.decompress, input.Compressions()...), "decompress", "how the input is compressed: `HOW` is "+orList(input.Compressions())+"; auto goes by .gz .zst .lz4 .bz2 .sz of FILEs")
	f.StringVar(&o.checkpoint, "checkpoint", "", "send in transactions and keep in `FILE` how far: the same command goes on there")
	f.BoolVar(&o.keepGoing, "keep-going", false, "count and skip what fails, and exit 3")
	cmd.SetFlagErrorFunc(groupless("produce has no group"))
	return cmd, o
}

// check completes o from the flags as they came.
func (o *produceOptions) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	o.lines = input.Plain()
	l := &o.lines
	var err error
	if l.Delim, err = input.Unescape(o.delim); err != nil {
		return usagef("-D/--delim %v", err)
	}
	if len(l.Delim) == 0 {
		return usagef("-D/--delim: a record must end somehow")
	}
	if changed("key-delim") {
		if l.KeyDelim, err = input.Unescape(o.keyDelim); err != nil {
			return usagef("-K/--key-delim %v", err)
		}
		if len(l.KeyDelim) == 0 {
			return usagef("-K/--key-delim: a key must end somehow")
		}
	}
	if o.z {
		if changed("null") && o.null != "" {
			return usagef("-Z and --null exclude each other")
		}
		o.null = ""
	}
	if o.z || changed("null") {
		l.Null = []byte(o.null)
	}
	l.KeyAs, _ = input.Decoder(o.keyAs)     // the flag
	l.ValueAs, _ = input.Decoder(o.valueAs) // knows them
	if changed("key") {
		l.Key = []byte(o.key)
		if l.KeyAs != nil {
			if l.Key, err = l.KeyAs(nil, l.Key); err != nil {
				return usagef("-k/--key %s: %v", o.key, err)
			}
		}
	}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, "=")
		switch {
		case name == "":
			return usagef("-H/--header %s: a header needs a name", h)
		case ok:
			l.Headers = l.Headers.Append([]byte(name), []byte(value))
		default:
			l.Headers = l.Headers.Append([]byte(name), nil)
		}
	}
	l.Partition, l.SkipEmpty = o.partition, o.skipEmpty
	if err := o.parsing.check(cmd, o.keyAs, o.valueAs); err != nil {
		return err
	}
	o.delivery = o.cfg.tuning.deliveryTimeout
	if changed("timeout") && !changed("delivery-timeout") {
		o.delivery = min(o.delivery, o.cfg.timeout) // who bounds everything bounds this
	}
	if o.timestamp != "" && o.timestamp != "now" {
		at, err := offsets.ParsePosition(o.timestamp, o.now())
		if err == nil && at.Base != offsets.Time {
			err = errors.New("not a time")
		}
		if err != nil {
			return usagef("--timestamp %s: %v", o.timestamp, err).withHint("as in 2026-11-23T14:05, -1h, 1795442700000ms or now")
		}
		l.Timestamp = at.N
	}
	if err := codec.CheckLevel(o.compression.typ, o.compression.level); err != nil {
		return usagef("-z/--compression %s: %v", o.compression.String(), err)
	}
	return nil
}

func (o *produceOptions) run(ctx context.Context, topic string, source input.Source, files []input.File, progress *input.Progress) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	if err := o.find(ctx, client, topic); err != nil {
		return cause(ctx, err)
	}
	in := o.pace(source)
	if isTerminal(o.in) && readsStdin(files) {
		o.note("one record a line; Ctrl-D ends")
	}
	stop := o.watchProgress(files, progressOf(cfg.Stats, progress))
	defer stop()
	if o.receipts {
		var unwatch func()
		ctx, unwatch = o.watchOut(ctx)
		defer unwatch()
		cfg.Receipts = newReceiptWriter(o.out)
	}
	rep, err := produce.Run(ctx, client, cfg, topic, in)
	stop()
	return o.outcome(ctx, client, topic, in, rep, err)
}

// find sees to it that the topic is there, and the partition of -p.
func (o *produceOptions) find(ctx context.Context, client *broker.Client, topic string) error {
	err := produce.Find(ctx, client, topic, o.waitTopic, o.create)
	if err != nil {
		return o.wordTopic(ctx, client, topic, err)
	}
	if o.partition < 0 {
		return nil
	}
	if t, ok := client.Metadata().Topic(topic); ok {
		if _, ok := t.Partition(o.partition); !ok {
			return &notFoundError{kind: "partition", name: fmt.Sprintf("%s:%d", topic, o.partition)}
		}
	}
	return nil
}

// wordTopic words what is wrong with the topic as a whole.
func (o *produceOptions) wordTopic(ctx context.Context, client *broker.Client, topic string, err error) error {
	var code wire.Code
	if !errors.As(err, &code) {
		return err
	}
	err = o.topicError(ctx, client, topic, code)
	if code != wire.UnknownTopicOrPartition || o.create {
		return err
	}
	hint := "produce --create makes a new one"
	if missing, ok := err.(*notFoundError); ok && missing.near != "" {
		hint = "nearest is '" + missing.near + "'; " + hint
	}
	return &hintError{err: err, hint: hint}
}

// config is what flags and tuning say about producing.
func (o *produceOptions) config() (produce.Config, error) {
	t := o.cfg.tuning
	p, err := produce.NewPartitioner(o.partitioner, t.randomStart)
	if err != nil {
		return produce.Config{}, usagef("--partitioner: %v", err)
	}
	cfg := produce.DefaultConfig()
	cfg.Acks = int16(o.acks)
	cfg.Compression, cfg.Level = o.compression.typ, o.compression.level
	cfg.SnappyRaw, cfg.SnappyBlock = t.snappyFraming == "raw", t.snappyBlock
	cfg.Partitioner = p
	cfg.Linger, cfg.BatchBytes, cfg.BatchRecords = t.linger, t.batchBytes, t.batchN
	cfg.MaxInFlight, cfg.Retries, cfg.RetryBackoff = t.maxInFlight, t.retries, t.retryBackoff
	cfg.DeliveryTimeout, cfg.AckTimeout = o.delivery, t.ackTimeout
	cfg.TimeoutsFinal, cfg.QueueRecords = !t.retryOnTimeout, t.queueRecords
	cfg.FlushTimeout = o.cfg.timeout
	if t.stopTimeout > 0 {
		cfg.FlushTimeout = t.stopTimeout
	}
	cfg.KeepGoing = o.keepGoing
	cfg.Timestamps = o.timestamp != ""
	cfg.Stats = new(produce.Stats)
	cfg.Log = o.logged
	return cfg, nil
}

func readsStdin(files []input.File) bool {
	for _, f := range files {
		if f.Name == input.StdinName {
			return true
		}
	}
	return false
}

// watchProgress shows how far the run is, unless what is typed or printed has the
// terminal for itself.
func (o *produceOptions) watchProgress(files []input.File, read func() tally) (stop func()) {
	var data any
	switch {
	case readsStdin(files):
		data = o.in
	case o.receipts:
		data = o.out
	}
	return o.startProgress("sent", data, read)
}

func progressOf(s *produce.Stats, p *input.Progress) func() tally {
	return func() tally {
		t := tally{records: s.Acked.Load(), bytes: s.Bytes.Load()}
		t.input = share{done: p.Read(), total: p.Total(), file: p.Begun(), files: p.Files()}
		if open := s.Read.Load() - t.records; open > 0 {
			t.more = grouped(open) + " on their way"
		}
		return t
	}
}
