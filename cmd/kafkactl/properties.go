package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// property is one name of another client, for -X and the file.
type property struct {
	flag string
	// value translates; nil takes the value as it stands. ok false: the value
	// asks for what is the case anyway.
	value  func(name, v string) (out string, ok bool, err error)
	unused bool // taken, without effect
	// sets says what a property means that is several at once. It is weak: what
	// is said of a single one counts for more.
	sets *compound
}

// compound is a switch of kafka-python's producers that is several rows here.
type compound struct {
	name    string
	on, off map[string]string
}

// compounds are those switches. Without batch_send those producers sent a
// message a request, and without async they waited for each answer.
var compounds = []compound{
	{"async", nil, map[string]string{"batch-n": "1", "max-in-flight": "1"}},
	{"batch_send", map[string]string{"batch-n": "20", "linger": "20s"}, map[string]string{"batch-n": "1"}},
}

// flagProperties are names that mean an ordinary flag rather than tuning.
var flagProperties = []struct {
	flag, names string
	value       func(name, v string) (string, bool, error)
}{
	{"brokers", "bootstrap.servers metadata.broker.list bootstrap_servers metadata_broker_list", nil},
	{"group", "group.id group_id", nil},
	{"instance-id", "group.instance.id group_instance_id", nil},
	{"group-protocol", "group.protocol", nil},
	{"assignor", "partition.assignment.strategy", nil},
	{"offset-reset", "auto.offset.reset auto_offset_reset", nil},
	{"isolation", "isolation.level isolation_level", nil},
	{"consumer-timeout", "consumer_timeout_ms", millis},
	{"idle", "iter_timeout", seconds},
	{"workers", "num_procs", nil},
	{"partitions-per-worker", "partitions_per_proc", nil},
	{"commit-every-t", "auto.commit.interval.ms auto_commit_interval_ms auto_commit_every_t", millis},
	{"commit-every-n", "auto_commit_interval_messages auto_commit_every_n", nil},
	{"no-commit", "enable.auto.commit auto_commit_enable auto_commit", reversed},
	{"acks", "acks request.required.acks req_acks", acksValue},
	{"compression", "compression.type compression.codec compression_type codec", codecValue},
	{"keep-going", "sync_fail_on_error fail_on_error", reversed},
	{"partitioner", "partitioner", partitionerValue},
}

// unusedProperties are keys of kafka-python that never changed what its consumer
// did, or which records its producers sent, taken so that its configurations keep
// working.
var unusedProperties = strings.Fields(`socket_receive_buffer_bytes num_consumer_fetchers
	default_fetcher_backoff_ms queued_max_message_chunks rebalance_max_retries
	rebalance_backoff_ms deserializer_class async_queue_put_timeout
	async_log_messages_on_error`)

// propertyNames lists every name of another client that is understood.
func propertyNames() []string {
	names := slices.Clone(unusedProperties)
	for _, c := range compounds {
		names = append(names, c.name)
	}
	for _, k := range knobs {
		names = append(names, strings.Fields(k.names)...)
	}
	for _, p := range flagProperties {
		names = append(names, strings.Fields(p.names)...)
	}
	return names
}

// lookupProperty finds what another client's name means.
func lookupProperty(name string) (property, bool) {
	name = strings.ToLower(name)
	if slices.Contains(unusedProperties, name) {
		return property{unused: true}, true
	}
	for i := range compounds {
		if compounds[i].name == name {
			return property{sets: &compounds[i]}, true
		}
	}
	t := defaultTuning()
	for _, k := range knobs {
		if !slices.Contains(strings.Fields(k.names), name) {
			continue
		}
		p := property{flag: k.flag}
		switch name {
		case "batch_send_every_t":
			p.value = someSeconds
			return p, true
		case "batch_send_every_n":
			p.value = some
			return p, true
		case "async_stop_timeout":
			p.value = seconds
			return p, true
		case "async_retry_limit", "async_queue_maxsize":
			p.value = unlimited
			return p, true
		}
		if _, isSpan := k.value(&t).(spanValue); isSpan {
			p.value = millis
		}
		return p, true
	}
	for _, p := range flagProperties {
		if slices.Contains(strings.Fields(p.names), name) {
			bound := name
			conv := p.value
			out := property{flag: p.flag}
			if conv != nil {
				out.value = func(_, v string) (string, bool, error) { return conv(bound, v) }
			}
			return out, true
		}
	}
	return property{}, false
}

// commandsWith lists the sections of the commands that have a flag.
func (k *keys) commandsWith(flag string) []string {
	var sections []string
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.HasParent() && cmd.LocalNonPersistentFlags().Lookup(flag) != nil {
			sections = append(sections, sectionOf(cmd))
		}
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(k.root)
	return sections
}

// settings gives the keys that the property sets in every command that has its
// flag. A flag that no command has is an error: to take group.id and read
// without a group would be worse.
func (p property) settings(k *keys, value string) (map[string]string, error) {
	if p.unused {
		return nil, nil
	}
	if p.sets != nil {
		on, err := strconv.ParseBool(value)
		if err != nil {
			return nil, fmt.Errorf("want true or false")
		}
		if on {
			return p.sets.on, nil
		}
		return p.sets.off, nil
	}
	if p.value != nil {
		out, ok, err := p.value(p.flag, value)
		if err != nil || !ok {
			return nil, err
		}
		value = out
	}
	if k.root.PersistentFlags().Lookup(p.flag) != nil {
		return map[string]string{p.flag: value}, nil
	}
	sections := k.commandsWith(p.flag)
	if len(sections) == 0 {
		return nil, fmt.Errorf("it means --%s, which no command takes", p.flag)
	}
	set := map[string]string{}
	for _, section := range sections {
		set[section+delimiter+p.flag] = value
	}
	return set, nil
}

// seconds reads a count of seconds, or a duration with its unit. Nothing, or a
// negative one, means none.
func seconds(_, v string) (string, bool, error) {
	n, err := strconv.ParseFloat(v, 64)
	switch {
	case strings.EqualFold(v, "none"), err == nil && n < 0:
		return "", false, nil
	case err == nil:
		v += "s"
	}
	return v, true, nil
}

// someSeconds is seconds without none.
func someSeconds(name, v string) (string, bool, error) {
	if n, err := strconv.ParseFloat(v, 64); err == nil && n <= 0 {
		return "", false, fmt.Errorf("must be more than 0")
	}
	return seconds(name, v)
}

// some is a count without 0.
func some(_, v string) (string, bool, error) {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n <= 0 {
		return "", false, fmt.Errorf("must be more than 0")
	}
	return v, true, nil
}

// unlimited is a count that may be None, which is the case anyway.
func unlimited(_, v string) (string, bool, error) { return v, !strings.EqualFold(v, "none"), nil }

// millis reads a count of milliseconds, or a duration with its unit. A negative
// one means none.
func millis(name, v string) (string, bool, error) {
	n, err := strconv.ParseInt(v, 10, 64)
	switch {
	case err != nil:
		return v, true, nil
	case n < 0:
		return "", false, nil
	}
	return v + "ms", true, nil
}

// reversed turns the sense round: a group commits, and a failure ends a run,
// unless told otherwise.
func reversed(_, v string) (string, bool, error) {
	on, err := strconv.ParseBool(v)
	if err != nil {
		return "", false, fmt.Errorf("want true or false")
	}
	return "true", !on, nil
}

func acksValue(_, v string) (string, bool, error) {
	if v == "-1" {
		v = "all"
	}
	return v, true, nil
}

// codecValue knows kafka-python's numbers.
func codecValue(_, v string) (string, bool, error) {
	if n, err := strconv.ParseInt(v, 0, 8); err == nil && n >= 0 && n <= 2 {
		return []string{"none", "gzip", "snappy"}[n], true, nil
	}
	return v, true, nil
}

// partitionerValue knows the names that librdkafka and kafka-python have for
// those of ours.
func partitionerValue(_, v string) (string, bool, error) {
	for ours, theirs := range map[string][]string{
		"crc32":      {"consistent", "consistent_random"},
		"murmur2":    {"murmur2_random", "Murmur2Partitioner"},
		"fnv1a":      {"fnv1a_random"},
		"py2hash":    {"HashedPartitioner", "LegacyPartitioner"},
		"roundrobin": {"RoundRobinPartitioner"},
	} {
		if slices.Contains(theirs, v) {
			return ours, true, nil
		}
	}
	return v, true, nil
}
