package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageOf makes a usageError of what cobra refused: a command that is not there,
// too many arguments or too few.
func usageOf(cmd *cobra.Command, args []string, err error) error {
	if !cmd.HasParent() {
		// kafkactl -C -t orders: the flags say more than "unknown command".
		for _, arg := range args {
			if hint := foreignHint(arg); hint != "" && flagOfArg(cmd, arg) == nil {
				return usagef("unknown flag %s", flagText(arg)).withHint("%s", hint)
			}
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		if word := quoted(first); word != "" {
			return noSuchCommand(cmd, word)
		}
		return usagef("%s", first)
	}
	return usagef("%s: %s", cmd.Name(), argsError(cmd, err)).withHint("usage: %s", cmd.UseLine())
}

// argsError says in our words what cobra says of arguments in its own.
func argsError(cmd *cobra.Command, err error) string {
	msg := err.Error()
	need := "an argument"
	if words := strings.Fields(cmd.Use); len(words) > 1 {
		need = strings.TrimRight(words[1], ".")
	}
	switch {
	case strings.HasSuffix(msg, "received 0"):
		return need + " is missing"
	case strings.HasPrefix(msg, "unknown command"):
		return "takes no arguments, not even " + quoted(msg)
	case strings.HasPrefix(msg, "accepts "):
		return "too many arguments"
	case strings.HasPrefix(msg, "invalid argument"):
		return quoted(msg) + ": want " + need
	}
	return msg
}

// unknownChild says that args name a command below cmd that is not there, nil
// where they do not. Without it, offsets gett --at now would complain of --at.
func unknownChild(cmd *cobra.Command, args []string) error {
	if !cmd.HasParent() || !cmd.HasSubCommands() {
		return nil
	}
	at := slices.Index(args, cmd.Name())
	for _, arg := range args[at+1:] {
		if !strings.HasPrefix(arg, "-") {
			return noSuchCommand(cmd, arg)
		}
	}
	return nil
}

func noSuchCommand(cmd *cobra.Command, word string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	u := usagef("%s has no command %s", cmd.CommandPath(), word)
	if near := nearest(word, names); near != "" {
		return u.withHint("nearest is '%s'", near)
	}
	return u.withHint("it has %s", strings.Join(names, ", "))
}

// quoted is the first thing in double quotes.
func quoted(s string) string {
	if parts := strings.SplitN(s, `"`, 3); len(parts) == 3 {
		return parts[1]
	}
	return ""
}

// flagError explains a flag that does not parse.
func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	if errors.As(err, &missing) {
		return unknownFlag(cmd, missing)
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		f := invalid.GetFlag()
		u := usagef("%s %s: %v", dashed(f), invalid.GetValue(), invalidCause(invalid))
		if f.Name == "output" && kcatPosition(invalid.GetValue()) {
			u.hint = foreignFlags["-o"]
		}
		return u
	}
	var bare *pflag.ValueRequiredError
	if errors.As(err, &bare) {
		f := bare.GetFlag()
		kind, _ := pflag.UnquoteUsage(f)
		return usagef("%s needs a value, %s", dashed(f), kind)
	}
	return usagef("%v", err)
}

// kcatPosition says that kcat's -o would take the value.
func kcatPosition(value string) bool {
	return slices.Contains([]string{"beginning", "end", "stored", "earliest", "latest", "smallest", "largest"}, value) ||
		strings.Trim(value, "-0123456789") == "" || strings.HasPrefix(value, "s@") || strings.HasPrefix(value, "e@")
}

// invalidCause is what the flag's value said of itself.
func invalidCause(err *pflag.InvalidValueError) error {
	if err.GetFlag().Value.Type() == "duration" {
		if bad := durationError(err.GetValue()); bad != nil {
			return bad
		}
	}
	if cause := err.Unwrap(); cause != nil {
		return cause
	}
	return errors.New("not understood")
}

// dashed is a flag as one types it.
func dashed(f *pflag.Flag) string {
	if f.Shorthand != "" && f.Name != f.Shorthand {
		return "-" + f.Shorthand + "/--" + f.Name
	}
	if len(f.Name) == 1 {
		return "-" + f.Name
	}
	return "--" + f.Name
}

func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	name := err.GetSpecifiedName()
	if group := err.GetSpecifiedShortnames(); group != "" {
		u := usagef("unknown flag -%s", name)
		if group != name {
			u.msg += " in -" + group
		}
		u.hint = foreignFlags["-"+name]
		if u.hint == "" {
			u.hint = "usage: " + cmd.UseLine()
		}
		return u
	}
	u := usagef("unknown flag --%s", name)
	if hint := foreignFlags["--"+name]; hint != "" {
		u.hint = hint
		return u
	}
	var have []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden || tuningFlag(f.Name) {
			have = append(have, f.Name)
		}
	})
	if near := nearest(name, have); near != "" {
		u.hint = "nearest is --" + near
	} else {
		u.hint = cmd.CommandPath() + " --help lists the flags"
	}
	return u
}

// foreignHint is the hint for a whole argument, "" where it is no flag of
// another tool.
func foreignHint(arg string) string {
	if !strings.HasPrefix(arg, "-") {
		return ""
	}
	return foreignFlags[flagText(arg)]
}

// flagText is the flag in an argument: --topic in --topic=x, -t in -torders.
func flagText(arg string) string {
	if strings.HasPrefix(arg, "--") {
		name, _, _ := strings.Cut(arg, "=")
		return name
	}
	return arg[:min(2, len(arg))]
}

// flagOfArg is the flag of ours an argument names, nil for none.
func flagOfArg(cmd *cobra.Command, arg string) *pflag.Flag {
	name := flagText(arg)
	if strings.HasPrefix(name, "--") {
		return cmd.Flag(strings.TrimPrefix(name, "--"))
	}
	if len(name) != 2 {
		return nil
	}
	return cmd.Flags().ShorthandLookup(name[1:])
}

// foreignFlags are what users of kcat and of Apache Kafka's scripts type from
// habit, with what we call it. A command that has a flag of that name never
// comes here.
var foreignFlags = map[string]string{
	"-C": "kafkactl consume TOPIC reads a topic",
	"-P": "kafkactl produce TOPIC writes one",
	"-G": "kafkactl consume TOPIC...; several topics and ^REGEX are arguments",
	"-L": "kafkactl metadata [TOPIC...] lists brokers, topics and partitions",
	"-Q": "kafkactl offsets get TOPIC[:PARTITION] --at TIME looks offsets up",
	"-M": "kafkactl dev runs a broker to try things on",
	"-t": "the topic is an argument: kafkactl consume TOPIC",
	"-c": "-n N ends after N records",
	"-e": "not needed: a range ends by itself, --follow goes on",
	"-E": "not needed: --keep-going skips what fails",
	"-u": "not needed: a pipe sees every record at once",
	"-o": "positions follow the topic: TOPIC@start, TOPIC@-10, TOPIC@100..200, TOPIC@-1h; or --from POS",
	"-p": "partitions follow the topic: TOPIC:0 or TOPIC:0,2-4",
	"-d": "-v tells more, -vv names every request",
	"-F": "--config FILE names the configuration file",
	"-T": "pipe through tee",
	"-l": "files are arguments: kafkactl produce TOPIC FILE...",
	"-V": "kafkactl version says which this is",
	"-O": "positions follow the topic: TOPIC@start, TOPIC@-10",

	"--version":                  "kafkactl version says which this is",
	"--topic":                    "the topic is an argument: kafkactl consume TOPIC",
	"--from-beginning":           "not needed: consume begins at the start; tail shows the end",
	"--bootstrap-server":         "-b HOST[:PORT],... names the brokers",
	"--bootstrap-servers":        "-b HOST[:PORT],... names the brokers",
	"--broker":                   "-b HOST[:PORT],... names the brokers",
	"--broker-list":              "-b HOST[:PORT],... names the brokers",
	"--max-messages":             "-n N ends after N records",
	"--partition":                "partitions follow the topic: TOPIC:0 (consume); -p 0 (produce)",
	"--partitions":               "partitions follow the topic: TOPIC:0,2-4",
	"--property":                 "-K SEP shows or reads keys; -X KEY=VALUE sets client properties",
	"--reader-property":          "-K SEP reads keys, -H NAME=VALUE adds headers",
	"--formatter-property":       "-K SEP shows keys",
	"--producer-property":        "-X KEY=VALUE sets client properties",
	"--consumer-property":        "-X KEY=VALUE sets client properties",
	"--command-property":         "-X KEY=VALUE sets client properties",
	"--producer.config":          "--config FILE names the configuration file",
	"--consumer.config":          "--config FILE names the configuration file",
	"--command-config":           "--config FILE names the configuration file",
	"--offset":                   "positions follow the topic: TOPIC:0@100; or --from POS",
	"--timeout-ms":               "--idle DUR ends a run after silence, with exit 0",
	"--isolation-level":          "--isolation read_committed|read_uncommitted",
	"--compression-codec":        "-z none|gzip|snappy|lz4|zstd compresses",
	"--request-required-acks":    "--acks all|0|1|N",
	"--message-send-max-retries": "--retries N",
	"--batch-size":               "--batch-bytes N",
	"--zookeeper":                "-b HOST[:PORT],... names the brokers, not ZooKeeper",
	"--list":                     "kafkactl metadata lists topics",
	"--describe":                 "kafkactl metadata TOPIC describes a topic",
	"--time":                     "kafkactl offsets get TOPIC --at end|start|TIME",
	"--debug":                    "-v tells more, -vv names every request",
}
