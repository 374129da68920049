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
	{"commit-every-t", "auto.commit.interval.ms auto_commit_interval_ms", millis},
	{"commit-every-n", "auto_commit_interval_messages", nil},
	{"no-commit", "enable.auto.commit auto_commit_enable", autoCommit},
	{"acks", "acks request.required.acks", acksValue},
	{"compression", "compression.type compression.codec compression_type", nil},
	{"partitioner", "partitioner", partitionerValue},
}

// unusedProperties are keys of kafka-python that never changed what its consumer
// did, taken so that its configurations keep working.
var unusedProperties = strings.Fields(`socket_receive_buffer_bytes num_consumer_fetchers
	default_fetcher_backoff_ms queued_max_message_chunks rebalance_max_retries
	rebalance_backoff_ms deserializer_class`)

// propertyNames lists every name of another client that is understood.
func propertyNames() []string {
	names := slices.Clone(unusedProperties)
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
	t := defaultTuning()
	for _, k := range knobs {
		if !slices.Contains(strings.Fields(k.names), name) {
			continue
		}
		p := property{flag: k.flag}
		if name == "batch_send_every_t" {
			p.value = seconds
		} else if _, isSpan := k.value(&t).(spanValue); isSpan {
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

// seconds is the unit of batch_send_every_t alone.
func seconds(_, v string) (string, bool, error) {
	if _, err := strconv.ParseInt(v, 10, 64); err == nil {
		v += "s"
	}
	return v, true, nil
}

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

// autoCommit turns the sense round: a group commits unless told otherwise.
func autoCommit(_, v string) (string, bool, error) {
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

// partitionerValue knows librdkafka's names for the hashes we have.
func partitionerValue(_, v string) (string, bool, error) {
	for ours, theirs := range map[string][]string{
		"crc32":   {"consistent", "consistent_random"},
		"murmur2": {"murmur2_random"},
		"fnv1a":   {"fnv1a_random"},
	} {
		if slices.Contains(theirs, v) {
			return ours, true, nil
		}
	}
	return v, true, nil
}
