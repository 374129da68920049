package main

import (
	"github.com/spf13/cobra"

	"kafkactl/internal/format"
	"kafkactl/internal/input"
	"kafkactl/internal/jsonl"
)

// parsing is how produce takes records that bring fields of their own.
type parsing struct {
	format        string
	json          bool
	keepPartition bool
	shapes

	parser  *format.Parser // nil unless -f
	decoder jsonl.Decoder  // of -J
	stamp   bool           // --timestamp was given
}

func (r *parsing) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&r.format, "format", "f", "", "read records that consume -f `FMT` printed, see kafkactl help formats")
	f.BoolVarP(&r.json, "json", "J", false, "read lines of JSON as consume -J prints them")
	f.BoolVar(&r.keepPartition, "keep-partition", false, "with -J or -f, send records to the partition they name")
	r.shapes.addFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("format", completeFormat)
}

// readings are the ways to say how input becomes records, each with its flags.
func readings() [][]string {
	return [][]string{{"format"}, {"json"}, {"key-delim", "delim"}, {"csv"}, {"file-per-record"}}
}

// check completes r from the flags as they came.
func (r *parsing) check(cmd *cobra.Command, keyAs, valueAs string) error {
	flags := cmd.Flags()
	way, err := wording(flags, readings())
	if err != nil {
		return err
	}
	r.json = way == "json"
	if err := r.shapes.check(flags, way); err != nil {
		return err
	}
	r.stamp = flags.Changed("timestamp")
	r.decoder.KeyAs, _ = jsonl.EncodingOf(keyAs)
	r.decoder.ValueAs, _ = jsonl.EncodingOf(valueAs)
	if way == "format" {
		p, err := compileFormat(flags, r.format)
		if err != nil {
			return err
		}
		if r.parser, err = p.Parser(); err != nil {
			return formatError(r.format, err)
		}
	}
	typed := typedNames(flags)
	switch {
	case !r.keepPartition:
	case typed["keep-partition"] && !r.brings():
		return usagef("--keep-partition needs records that name one: -J, or -f with %%p")
	case flags.Changed("partition"):
		return usagef("-p/--partition and --keep-partition exclude each other")
	case r.parser != nil && !r.parser.Partitioned():
		return usagef("--keep-partition: -f/--format '%s' has no %%p", r.format)
	}
	return nil
}

// brings says that records bring fields of their own.
func (r *parsing) brings() bool { return r.json || r.parser != nil }

// source is where the records of files come from.
func (o *produceOptions) source(files []input.File) input.Source {
	out := input.Outside{
		Key: o.lines.Key, Headers: o.lines.Headers, Partition: o.lines.Partition,
		KeepPartition: o.keepPartition, Stamp: o.stamp, Timestamp: o.lines.Timestamp,
	}
	switch {
	case o.json:
		return input.NewJSON(input.Arrays(files), o.decoder, out, o.lines.SkipEmpty)
	case o.csv:
		return input.NewCSV(files, input.CSV{Comma: o.comma, Key: o.csvKey}, out)
	case o.whole:
		return input.NewWhole(files, out, o.named)
	case o.parser != nil:
		return input.NewFormatted(files, o.parser, out, o.lines.SkipEmpty)
	}
	return input.NewLines(files, o.lines)
}
