package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"kafkactl/internal/produce"
	"kafkactl/internal/wire/codec"
)

// parsed runs a command line through flags, -X, environment and file, without
// running its command, and gives the configuration that a command would see.
func parsed(t *testing.T, args ...string) (config, error) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var seen config
	err := probe(t, func(e *env) { seen = e.cfg }, append([]string{"version"}, args...)...)
	return seen, err
}

// probe runs a command line up to the command's own run, and run in its place.
func probe(t *testing.T, run func(e *env), args ...string) error {
	t.Helper()
	e := newEnv(strings.NewReader(""), discard{}, discard{})
	running := false
	root := newRoot(e, &running)
	root.SetArgs(args)
	cmd, flags, err := root.Find(args)
	if err != nil {
		return usageOf(root, args, err)
	}
	if err := cmd.ParseFlags(flags); err != nil {
		return flagError(cmd, err)
	}
	if err := e.load(cmd); err != nil {
		return err
	}
	run(e)
	return nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestEveryNameOfATuningRowSetsIt(t *testing.T) {
	values := map[string]string{ // as -X of other clients takes them
		"DUR": "1234", "BYTES": "123456", "N": "7", "bool": "false", "TEXT": "here", "xerial|raw": "raw",
	}
	want := map[string]string{"DUR": "1.234s", "BYTES": "123456", "N": "7", "bool": "false", "TEXT": "here", "xerial|raw": "raw"}
	for _, k := range knobs {
		def := defaultTuning()
		kind := k.value(&def).Type()
		limit := []string{"-X", "max-partition-bytes=1000", "-X", "max-partition-bytes-limit=123456"}
		for _, name := range strings.Fields(k.names) {
			c, err := parsed(t, append(limit, "-X", name+"="+values[kind])...)
			if err != nil {
				t.Errorf("-X %s: %v", name, err)
				continue
			}
			expect := want[kind]
			if name == "batch_send_every_t" || name == "async_stop_timeout" {
				expect = "20m34s" // those that count seconds
			}
			if got := k.value(&c.tuning).String(); got != expect {
				t.Errorf("-X %s=%s set %s to %s, want %s", name, values[kind], k.flag, got, expect)
			}
		}
		own := want[kind]
		for _, args := range [][]string{{"--" + k.flag + "=" + own}, {"-X", k.flag + "=" + own}, {"-X", strings.ToUpper(k.flag) + "=" + own}} {
			c, err := parsed(t, append(limit, args...)...)
			if err != nil {
				t.Errorf("%v: %v", args, err)
				continue
			}
			if got := k.value(&c.tuning).String(); got != own {
				t.Errorf("%v set %s to %s", args, k.flag, got)
			}
		}
	}
}

func TestTuningDefaults(t *testing.T) {
	c, err := parsed(t)
	if err != nil {
		t.Fatal(err)
	}
	if c.tuning != defaultTuning() {
		t.Errorf("nothing said, got %+v", c.tuning)
	}
	for _, k := range knobs {
		v := k.value(&c.tuning)
		if kept := v.String(); v.Set(kept) != nil {
			t.Errorf("%s does not take its own default %q", k.flag, kept)
		}
	}
	if c.tuning.linger != 5*time.Millisecond || c.timeout != 30*time.Second || c.brokers != "127.0.0.1:9092" {
		t.Errorf("defaults of the contract: %+v", c)
	}
}

// S21: the Python consumer's configuration, key by key; an unknown key fails.
func TestS21ConsumerKeysAreTaken(t *testing.T) {
	for _, kv := range []string{
		"client_id=me", "metadata_broker_list=a:1", "bootstrap_servers=a:1", "socket_timeout_ms=30000",
		"fetch_message_max_bytes=1048576", "fetch_min_bytes=1", "fetch_wait_max_ms=100",
		"refresh_leader_backoff_ms=200", "socket_receive_buffer_bytes=65536", "num_consumer_fetchers=1",
		"default_fetcher_backoff_ms=1000", "queued_max_message_chunks=10", "rebalance_max_retries=4",
		"rebalance_backoff_ms=2000", "deserializer_class=identity",
	} {
		if _, err := parsed(t, "-X", kv); err != nil {
			t.Errorf("-X %s: %v", kv, err)
		}
	}
	c, err := parsed(t, "-X", "socket_timeout_ms=30000", "-X", "metadata_broker_list=a:1")
	if err != nil || c.tuning.socketTimeout != 30*time.Second || c.brokers != "a:1" {
		t.Errorf("socket timeout %v, brokers %s, %v", c.tuning.socketTimeout, c.brokers, err)
	}
	if _, err := parsed(t, "-X", "fetch_message_maxbytes=1"); err == nil || !strings.Contains(err.Error(), "unknown key") {
		t.Errorf("a misspelt key: %v", err)
	}
}

// Each key of the Python consumer changes what it changed there, whatever its
// default was.
func TestS21ConsumerKeysHaveTheirEffect(t *testing.T) {
	var args []string
	for _, kv := range []string{
		"client_id=kafka.consumer.kafka", "socket_timeout_ms=30000", "fetch_message_max_bytes=1048576", "fetch_min_bytes=2",
		"fetch_wait_max_ms=100", "refresh_leader_backoff_ms=200",
	} {
		args = append(args, "-X", kv)
	}
	c, err := parsed(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	want := defaultTuning()
	want.clientID, want.socketTimeout, want.maxPartitionBytes = "kafka.consumer.kafka", 30*time.Second, 1<<20
	want.fetchMinBytes, want.fetchWait, want.retryBackoff = 2, 100*time.Millisecond, 200*time.Millisecond
	if c.tuning != want {
		t.Errorf("tuning is %+v, want %+v", c.tuning, want)
	}
}

// What is said of groups and positions reaches consume, too; not to commit counts
// only when typed, and must not be dropped where it is not.
func TestS21ConsumerKeysReachConsume(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for _, test := range []struct{ kv, flag, want string }{
		{"group_id=g", "group", "g"},
		{"auto_offset_reset=largest", "offset-reset", "largest"},
		{"auto_commit_interval_ms=60000", "commit-every-t", "1m"},
		{"auto_commit_interval_messages=7", "commit-every-n", "7"},
		{"consumer_timeout_ms=1500", "consumer-timeout", "1.5s"},
		{"consumer_timeout_ms=-1", "consumer-timeout", ""},
		{"auto_commit_enable=false", "no-commit", "true"},
		{"enable.auto.commit=true", "no-commit", "false"},
	} {
		e := newEnv(strings.NewReader(""), discard{}, discard{})
		running := false
		root := newRoot(e, &running)
		cmd, flags, err := root.Find([]string{"consume", "t", "-X", test.kv})
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.ParseFlags(flags); err != nil {
			t.Fatal(err)
		}
		if err := e.load(cmd); err != nil {
			t.Errorf("-X %s: %v", test.kv, err)
			continue
		}
		f := cmd.Flags().Lookup(test.flag)
		if got := f.Value.String(); got != test.want && (test.want != "" || f.Changed) {
			t.Errorf("-X %s: --%s is %q, want %q", test.kv, test.flag, got, test.want)
		}
	}
	t.Setenv("KAFKACTL_X", "auto_commit_enable=false")
	if err := probe(t, func(*env) {}, "consume", "t"); exitCode(err) != exitUsage {
		t.Errorf("KAFKACTL_X: %v", err)
	}
}

func TestS21UnknownKeyNamesTheNearest(t *testing.T) {
	for key, near := range map[string]string{
		"fetch_message_maxbytes": "fetch_message_max_bytes", "auto_comit_enable": "auto_commit_enable", "lingr": "linger",
	} {
		_, err := parsed(t, "-X", key+"=1")
		var u *usageError
		if !errors.As(err, &u) || !strings.Contains(u.hint, "'"+near+"'") || exitCode(err) != exitUsage {
			t.Errorf("%s: %v, want the nearest, %s", key, err, near)
		}
	}
}

func TestS01SnappyFlagsReachTheProducer(t *testing.T) {
	if c := produceConfig(t, "-z", "snappy"); c.Compression != codec.Snappy || c.SnappyRaw || c.SnappyBlock != 32<<10 {
		t.Errorf("by default %+v", c)
	}
	if c := produceConfig(t, "-z", "snappy", "--snappy-framing", "raw", "--snappy-block", "1000"); !c.SnappyRaw || c.SnappyBlock != 1000 {
		t.Errorf("as told %+v", c)
	}
}

// A socket may stand still for as long as was said, for ever with 0, and never
// for less than a fetch may be held back.
func TestS17SocketTimeoutReachesTheConnections(t *testing.T) {
	for args, want := range map[string]time.Duration{
		"": 2 * time.Minute, "--socket-timeout=40s": 40 * time.Second, "--socket-timeout=0s": 0, "--socket-timeout=1s": 10500 * time.Millisecond,
	} {
		err := probe(t, func(e *env) {
			cfg, err := e.brokerConfig()
			if err != nil || cfg.SocketTimeout != want {
				t.Errorf("%s: %v, %v; want %v", args, cfg.SocketTimeout, err, want)
			}
		}, append([]string{"metadata"}, strings.Fields(args)...)...)
		if err != nil {
			t.Error(err)
		}
	}
}

// Each key of the Python producers changes what it changed there.
func TestS35ProducerKeysHaveTheirEffect(t *testing.T) {
	base := produceConfig(t)
	for kv, change := range map[string]func(c *produce.Config){
		"async=true":                        func(*produce.Config) {},
		"async=false":                       func(c *produce.Config) { c.BatchRecords, c.MaxInFlight = 1, 1 },
		"batch_send=true":                   func(c *produce.Config) { c.BatchRecords, c.Linger = 20, 20*time.Second },
		"batch_send=false":                  func(c *produce.Config) { c.BatchRecords = 1 },
		"batch_send_every_n=50":             func(c *produce.Config) { c.BatchRecords = 50 },
		"batch_send_every_t=0.5":            func(c *produce.Config) { c.Linger = 500 * time.Millisecond },
		"batch_send_every_n=5 batch_send=1": func(c *produce.Config) { c.BatchRecords, c.Linger = 5, 20*time.Second },
		"batch_send=1 linger=1s":            func(c *produce.Config) { c.BatchRecords, c.Linger = 20, time.Second },
		"async_retry_limit=3":               func(c *produce.Config) { c.Retries = 3 },
		"async_retry_limit=None":            func(*produce.Config) {},
		"async_retry_backoff_ms=70":         func(c *produce.Config) { c.RetryBackoff = 70 * time.Millisecond },
		"async_retry_on_timeouts=false":     func(c *produce.Config) { c.TimeoutsFinal = true },
		"async_queue_maxsize=9":             func(c *produce.Config) { c.QueueRecords = 9 },
		"async_stop_timeout=7":              func(c *produce.Config) { c.FlushTimeout = 7 * time.Second },
		"req_acks=1":                        func(c *produce.Config) { c.Acks = 1 },
		"req_acks=-1":                       func(*produce.Config) {},
		"ack_timeout=1000":                  func(c *produce.Config) { c.AckTimeout = time.Second },
		"codec=2":                           func(c *produce.Config) { c.Compression = codec.Snappy },
		"codec=0x01":                        func(c *produce.Config) { c.Compression = codec.Gzip },
		"sync_fail_on_error=false":          func(c *produce.Config) { c.KeepGoing = true },
		"async_queue_put_timeout=0":         func(*produce.Config) {},
	} {
		want := base
		change(&want)
		var args []string
		for _, one := range strings.Fields(kv) {
			args = append(args, "-X", one)
		}
		got := produceConfig(t, args...)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("-X %s: %+v\nwant %+v", kv, got, want)
		}
	}
	for _, kv := range []string{"batch_send_every_n=0", "batch_send_every_t=0", "async_retry_limit=many", "async=perhaps", "async_queue_maxsize=-1"} {
		if err := probe(t, func(*env) {}, "produce", "t", "-X", kv); exitCode(err) != exitUsage {
			t.Errorf("-X %s: %v", kv, err)
		}
	}
}

// produceConfig is what the engine would be told, without what differs from run
// to run.
func produceConfig(t *testing.T, args ...string) produce.Config {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	e := newEnv(strings.NewReader(""), discard{}, discard{})
	running := false
	root := newRoot(e, &running)
	for _, old := range root.Commands() {
		if old.Name() == "produce" {
			root.RemoveCommand(old)
		}
	}
	cmd, o := produceCmd(e)
	root.AddCommand(cmd)
	if err := cmd.ParseFlags(append([]string{"t"}, args...)); err != nil {
		t.Fatal(err)
	}
	if err := e.load(cmd); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if err := o.check(cmd); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	cfg, err := o.config()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Partitioner, cfg.Stats, cfg.Log = nil, nil, nil
	return cfg
}

func TestTypedFlagWinsOverX(t *testing.T) {
	c, err := parsed(t, "--linger", "1s", "-X", "linger.ms=5")
	if err != nil || c.tuning.linger != time.Second {
		t.Errorf("linger %v, %v", c.tuning.linger, err)
	}
	c, err = parsed(t, "-X", "linger.ms=5", "-X", "linger=7ms")
	if err != nil || c.tuning.linger != 7*time.Millisecond {
		t.Errorf("the last -X does not count: %v, %v", c.tuning.linger, err)
	}
}

func TestBadTuningValues(t *testing.T) {
	for _, args := range [][]string{
		{"--linger", "-1s"}, {"--linger", "5"}, {"--linger", "soon"}, {"--fetch-max-bytes", "0"},
		{"--fetch-max-bytes", "3G"}, {"--fetch-max-bytes", "much"}, {"--max-in-flight", "0"}, {"--retries", "-2"},
		{"--snappy-framing", "square"}, {"--random-start=maybe"}, {"-X", "linger.ms=soon"}, {"-X", "retries=many"},
		{"--max-partition-bytes", "1G"}, {"-X", "linger.ms"}, {"-X", "=5"},
	} {
		_, err := parsed(t, args...)
		var u *usageError
		if err == nil || exitCode(err) != exitUsage {
			t.Errorf("%v: %v (%T)", args, err, u)
		}
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1048576": 1 << 20, "64K": 64 << 10, "64k": 64 << 10, "1M": 1 << 20, "1MiB": 1 << 20, "2MB": 2 << 20, "1G": 1 << 30, "5B": 5,
	} {
		if got, err := parseSize(in); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "K", "1.5M", "1T", "9999999999G", "M1", "1 2"} {
		if got, err := parseSize(in); err == nil {
			t.Errorf("%s: %d", in, got)
		}
	}
}

func TestNoTwoRowsShareAName(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range append(propertyNames(), tuningNames()...) {
		if seen[name] {
			t.Errorf("%s stands twice", name)
		}
		seen[name] = true
	}
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	tuned := defaultTuning()
	addTuningFlags(fs, &tuned)
	fs.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			t.Errorf("--%s shows in --help", f.Name)
		}
		if !strings.Contains(tuningPage(), "\n"+f.Name+"  (") {
			t.Errorf("--%s is missing from the page", f.Name)
		}
	})
}
