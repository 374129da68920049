package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// tuning is what the hidden flags set. The table below has a row for each.
type tuning struct {
	fetchWait              time.Duration
	fetchMinBytes          int
	fetchMaxBytes          int
	maxPartitionBytes      int
	maxPartitionBytesLimit int

	linger          time.Duration
	batchBytes      int
	batchN          int // 0: no limit
	maxInFlight     int
	retries         int // -1: until deliveryTimeout
	retryBackoff    time.Duration
	retryOnTimeout  bool
	queueRecords    int           // 0: no limit
	stopTimeout     time.Duration // 0: as --timeout
	deliveryTimeout time.Duration
	ackTimeout      time.Duration
	snappyFraming   string // xerial or raw
	snappyBlock     int
	randomStart     bool

	sessionTimeout    time.Duration
	heartbeatInterval time.Duration
	rebalanceTimeout  time.Duration

	socketTimeout    time.Duration // 0: none
	noShuffleBrokers bool
	rack             string
	clientID         string
}

// knob is one row: the flag, the -X names that mean it, and where it is kept.
// The default is what defaultTuning says.
type knob struct {
	flag  string
	names string // blank-separated: Java, librdkafka, kafka-python
	doc   string
	value func(t *tuning) pflag.Value
}

// knobs is the one table of tuning: flags, -X, the file and `help tuning` are
// all made from it. A duration's -X names count milliseconds.
var knobs = []knob{
	{"fetch-wait", "fetch.max.wait.ms fetch.wait.max.ms fetch_wait_max_ms fetch_max_wait_ms",
		"how long a broker may hold a fetch back for fetch-min-bytes",
		func(t *tuning) pflag.Value { return span(&t.fetchWait) }},
	{"fetch-min-bytes", "fetch.min.bytes fetch_min_bytes fetch_size_bytes",
		"what a fetch waits for",
		func(t *tuning) pflag.Value { return size(&t.fetchMinBytes, 0) }},
	{"fetch-max-bytes", "fetch.max.bytes fetch_max_bytes",
		"bound of one fetch response",
		func(t *tuning) pflag.Value { return size(&t.fetchMaxBytes, 1) }},
	{"max-partition-bytes", "max.partition.fetch.bytes fetch.message.max.bytes fetch_message_max_bytes max_partition_fetch_bytes buffer_size",
		"bound of one partition in a fetch response; Java has 1 MiB, which fetches big batches twice",
		func(t *tuning) pflag.Value { return size(&t.maxPartitionBytes, 1) }},
	{"max-partition-bytes-limit", "max_buffer_size",
		"how far it may double for a record that an old broker cut short",
		func(t *tuning) pflag.Value { return size(&t.maxPartitionBytesLimit, 1) }},
	{"linger", "linger.ms queue.buffering.max.ms linger_ms batch_send_every_t",
		"how long an open batch waits for more records",
		func(t *tuning) pflag.Value { return span(&t.linger) }},
	{"batch-bytes", "batch.size batch_size",
		"bound of one batch before compression; Java has 16 KiB, which costs four times the time",
		func(t *tuning) pflag.Value { return size(&t.batchBytes, 1) }},
	{"batch-n", "batch.num.messages batch_send_every_n",
		"records in one batch, 0 for no limit",
		func(t *tuning) pflag.Value { return count(&t.batchN, 0, math.MaxInt32) }},
	{"max-in-flight", "max.in.flight.requests.per.connection max.in.flight max_in_flight_requests_per_connection",
		"produce requests to one broker without an answer yet; an idempotent producer may have 5",
		func(t *tuning) pflag.Value { return count(&t.maxInFlight, 1, 1000) }},
	{"retries", "message.send.max.retries async_retry_limit",
		"how often one batch is sent again, -1 for as long as delivery-timeout allows",
		func(t *tuning) pflag.Value { return count(&t.retries, -1, math.MaxInt32) }},
	{"retry-backoff", "retry.backoff.ms retry_backoff_ms refresh_leader_backoff_ms async_retry_backoff_ms",
		"first pause before trying again; doubles up to 1s",
		func(t *tuning) pflag.Value { return span(&t.retryBackoff) }},
	{"retry-on-timeout", "async_retry_on_timeouts",
		"send a batch again that a broker says its replicas did not take in time",
		func(t *tuning) pflag.Value { return toggle(&t.retryOnTimeout) }},
	{"queue-records", "queue.buffering.max.messages async_queue_maxsize",
		"records taken and not acknowledged yet, 0 for what memory allows",
		func(t *tuning) pflag.Value { return count(&t.queueRecords, 0, math.MaxInt32) }},
	{"stop-timeout", "async_stop_timeout",
		"how long what is on its way may take when a run is cut short, 0 for --timeout",
		func(t *tuning) pflag.Value { return span(&t.stopTimeout) }},
	{"delivery-timeout", "delivery.timeout.ms message.timeout.ms",
		"how long a record may take from the input to its acknowledgement",
		func(t *tuning) pflag.Value { return span(&t.deliveryTimeout) }},
	{"ack-timeout", "request.timeout.ms request_timeout_ms ack_timeout",
		"how long a broker may wait for its replicas",
		func(t *tuning) pflag.Value { return span(&t.ackTimeout) }},
	{"session-timeout", "session.timeout.ms session_timeout_ms",
		"a member of a group that is silent for so long is taken for dead; brokers before 0.10.1 allow 30s",
		func(t *tuning) pflag.Value { return span(&t.sessionTimeout) }},
	{"heartbeat-interval", "heartbeat.interval.ms heartbeat_interval_ms",
		"how often a member of a group says that it is alive",
		func(t *tuning) pflag.Value { return span(&t.heartbeatInterval) }},
	{"rebalance-timeout", "max.poll.interval.ms max_poll_interval_ms",
		"how long a member may take to give partitions up",
		func(t *tuning) pflag.Value { return span(&t.rebalanceTimeout) }},
	{"socket-timeout", "socket.timeout.ms socket_timeout_ms",
		"bound of one read or write on a connection, 0 for none",
		func(t *tuning) pflag.Value { return span(&t.socketTimeout) }},
	{"snappy-framing", "",
		"xerial, as Java clients read and write it, or raw",
		func(t *tuning) pflag.Value { return choice(&t.snappyFraming, "xerial", "raw") }},
	{"snappy-block", "",
		"uncompressed bytes in one xerial block",
		func(t *tuning) pflag.Value { return size(&t.snappyBlock, 1) }},
	{"random-start", "random_start",
		"the round-robin partitioner begins anywhere, rather than at partition 0",
		func(t *tuning) pflag.Value { return toggle(&t.randomStart) }},
	{"no-shuffle-brokers", "",
		"try the brokers of -b in the order given",
		func(t *tuning) pflag.Value { return toggle(&t.noShuffleBrokers) }},
	{"rack", "client.rack client_rack",
		"where this client stands, so that it may fetch from a replica near it",
		func(t *tuning) pflag.Value { return text(&t.rack) }},
	{"client-id", "client.id client_id",
		"what brokers call this client in their logs and quotas",
		func(t *tuning) pflag.Value { return text(&t.clientID) }},
}

func defaultTuning() tuning {
	return tuning{
		fetchWait:              500 * time.Millisecond,
		fetchMinBytes:          1,
		fetchMaxBytes:          50 << 20,
		maxPartitionBytes:      4 << 20,
		maxPartitionBytesLimit: 256 << 20,
		linger:                 5 * time.Millisecond,
		batchBytes:             1_000_000,
		maxInFlight:            5,
		retries:                -1,
		retryBackoff:           100 * time.Millisecond,
		retryOnTimeout:         true,
		deliveryTimeout:        2 * time.Minute,
		ackTimeout:             30 * time.Second,
		snappyFraming:          "xerial",
		snappyBlock:            32 << 10,
		randomStart:            true,
		sessionTimeout:         45 * time.Second,
		heartbeatInterval:      3 * time.Second,
		rebalanceTimeout:       5 * time.Minute,
		socketTimeout:          2 * time.Minute,
		clientID:               "kafkactl",
	}
}

// addTuningFlags makes a hidden flag of every row.
func addTuningFlags(fs *pflag.FlagSet, t *tuning) {
	for _, k := range knobs {
		f := fs.VarPF(k.value(t), k.flag, "", k.doc)
		f.Hidden = true
		if f.Value.Type() == "bool" {
			f.NoOptDefVal = "true"
		}
	}
}

// check refuses what no single row's parser can.
func (t *tuning) check() error {
	if t.maxPartitionBytesLimit < t.maxPartitionBytes {
		return usagef("--max-partition-bytes-limit %d is less than --max-partition-bytes %d",
			t.maxPartitionBytesLimit, t.maxPartitionBytes)
	}
	return nil
}

// tuningNames lists the flags of the table.
func tuningNames() []string {
	names := make([]string, len(knobs))
	for i, k := range knobs {
		names[i] = k.flag
	}
	return names
}

func tuningFlag(name string) bool { return slices.Contains(tuningNames(), name) }

// tuningPage is the table as `help tuning` and -X list print it.
func tuningPage() string {
	var b strings.Builder
	b.WriteString(`Every row is a flag (--linger 20ms), a variable (KAFKACTL_LINGER), a key of the file
(linger: 20ms) and a key of -X (-X linger=20ms; KAFKACTL_X takes several, with blanks
between). The other names are those of Java, librdkafka and kafka-python, for -X and the
file; their durations count milliseconds. A typed flag wins over -X.

    kafkactl produce orders --linger 20ms --batch-bytes 4MB big.txt
    kafkactl consume orders -X fetch.max.bytes=10485760 -X client.id=audit
    KAFKACTL_X='acks=1 linger.ms=20' kafkactl produce orders big.txt
`)
	t := defaultTuning()
	for _, k := range knobs {
		fmt.Fprintf(&b, "\n%s  (%s)\n    %s\n", k.flag, defaultText(k.value(&t)), k.doc)
		if k.names != "" {
			fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(k.names, " ", ", "))
		}
	}
	b.WriteString("\nThese set several rows at once, each as long as nothing else does:\n")
	for _, c := range compounds {
		fmt.Fprintf(&b, "    %s=true   %s\n    %s=false  %s\n", c.name, orNothing(c.on), c.name, orNothing(c.off))
	}
	b.WriteString("\nThese names set ordinary flags:\n")
	width := 0
	for _, p := range flagProperties {
		width = max(width, len(p.flag))
	}
	for _, p := range flagProperties {
		fmt.Fprintf(&b, "    --%-*s  %s\n", width, p.flag, strings.ReplaceAll(p.names, " ", ", "))
	}
	return b.String()
}

func orNothing(settings map[string]string) string {
	var list []string
	for _, key := range sortedKeys(settings) {
		list = append(list, key+"="+settings[key])
	}
	if len(list) == 0 {
		return "what is the case anyway"
	}
	return strings.Join(list, " ")
}

func defaultText(v pflag.Value) string {
	if s := v.String(); s != "" {
		return s
	}
	return "none"
}
