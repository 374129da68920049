package main

import (
	"os"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kafkactl/internal/input"
)

// shapes are the inputs whose records are no lines: rows of CSV and whole files.
type shapes struct {
	csv      bool
	csvKey   string
	csvDelim string
	whole    bool
	named    bool

	comma rune
}

func (s *shapes) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.csv, "csv", false, "read rows of CSV, the first naming the columns, as JSON objects of text")
	f.StringVar(&s.csvKey, "csv-key", "", "with --csv, the column `NAME` is the key")
	f.StringVar(&s.csvDelim, "csv-delim", ",", "with --csv, `SEP` stands between fields; takes \\t")
	f.BoolVar(&s.whole, "file-per-record", false, "each FILE is one record, byte for byte")
	f.BoolVar(&s.named, "key-from-name", false, "with --file-per-record, a FILE's name without directories is its key")
}

// check completes s; way is how input becomes records.
func (s *shapes) check(flags *pflag.FlagSet, way string) error {
	s.csv, s.whole = way == "csv", way == "file-per-record"
	typed := typedNames(flags)
	for name, with := range map[string]bool{"csv-key": s.csv, "csv-delim": s.csv, "key-from-name": s.whole} {
		if typed[name] && !with {
			return usagef("--%s has no meaning without %s", name, map[string]string{
				"csv-key": "--csv", "csv-delim": "--csv", "key-from-name": "--file-per-record"}[name])
		}
	}
	if !s.csv && !s.whole {
		return nil
	}
	for _, name := range []string{"key-as", "value-as", "null", "Z", "skip-empty"} {
		if typed[name] {
			return usagef("--%s and %s exclude each other", way, dashed(flags.Lookup(name)))
		}
	}
	if flags.Changed("key") && (s.csvKey != "" || s.named) {
		return usagef("-k/--key and --%s exclude each other", map[bool]string{true: "csv-key", false: "key-from-name"}[s.csv])
	}
	if typed["csv-key"] && s.csvKey == "" {
		return usagef("--csv-key: a column has a name")
	}
	if !s.csv {
		return nil
	}
	sep, err := input.Unescape(s.csvDelim)
	if err != nil {
		return usagef("--csv-delim %v", err)
	}
	r, n := utf8.DecodeRune(sep)
	if n != len(sep) || r == utf8.RuneError || r == '"' || r == '\r' || r == '\n' || r == 0 {
		return usagef("--csv-delim %q: it is one character, and no quote and no line end", s.csvDelim)
	}
	s.comma = r
	return nil
}

// wholeFiles holds that names are files which can be records.
func wholeFiles(names []string) error {
	if len(names) == 0 {
		return usagef("--file-per-record needs FILEs")
	}
	for _, name := range names {
		if name == "-" {
			return usagef("--file-per-record reads files, not standard input")
		}
		if info, err := os.Stat(name); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			return usagef("--file-per-record: %s is not a regular file", name)
		}
	}
	return nil
}

// opened makes the source of the records of files, and what tells how far it is.
func (o *produceOptions) opened(cmd *cobra.Command, names []string) (input.Source, []input.File, *input.Progress, error) {
	how := o.decompress
	if o.whole {
		if err := wholeFiles(names); err != nil {
			return nil, nil, nil, err
		}
		if !cmd.Flags().Changed("decompress") {
			how = "none"
		}
	}
	if how == "auto" {
		for _, name := range names {
			if unpack := input.Foreign(name); unpack != "" {
				return nil, nil, nil, usagef("%s: that compression is not known, and its bytes are hardly records", name).withHint(
					"%s %s | kafkactl produce …, or --decompress none for the bytes as they stand", unpack, name)
			}
		}
	}
	files, err := input.Files(names, o.in)
	if err != nil {
		return nil, nil, nil, err
	}
	counted, progress := input.Counted(files)
	return o.source(input.Decompress(counted, how)), files, progress, nil
}
