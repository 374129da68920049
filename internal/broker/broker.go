// Package broker speaks to a cluster: connections, who leads what, and retries
// of what may be repeated. It knows no records and no commands, and it never
// retries Produce or Fetch, whose owners hold the order and the positions.
//
// A Conn is one connection without a goroutine of its own: Kafka answers each
// connection in the order it was asked, so callers read their responses in turn.
// A Client shares one Conn per broker for ordinary requests, keeps metadata and
// coordinators, and gives out Conns of the caller's own to who streams.
package broker

import (
	"context"
	"net"
	"time"
)

// TP is a topic-partition, usable as a map key.
type TP struct {
	Topic     string
	Partition int32
}

// Config is all a Client needs. The zero value of a field means its default.
type Config struct {
	Seeds    []string      // host:port, from ParseSeeds
	Shuffle  bool          // begin with a random seed
	ClientID string        // default "kafkactl"
	Software string        // our version, as brokers are told it (KIP-511); default "unknown"
	Timeout  time.Duration // bounds one Do with all its retries; default 30 s
	// SocketTimeout bounds one read or write on a connection; default 0, none but Timeout's.
	// It must be longer than what a broker may hold a request open, such as a fetch's max wait.
	SocketTimeout time.Duration
	RetryBackoff  time.Duration // first pause, doubled up to 1 s with jitter; default 100 ms
	Retries       int           // -1 (default by New when 0) retries until Timeout
	Rack          string
	// Steps run on each new connection after dialling; nil means NegotiateVersions alone.
	Steps []Step
	// Dial is the network seam: TLS, proxies, net.Pipe. Default net.Dialer. It
	// must return when ctx ends.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Log gets one line an outage (level 0), a retry (level 1) and a request (level
	// 2); nil is silence.
	// It is called from several goroutines.
	Log func(level int, format string, args ...any)

	ordeal *Ordeal
}

// Step is one part of a handshake. It may send requests on c; which versions the
// broker speaks is known after NegotiateVersions only.
type Step func(ctx context.Context, c *Conn) error

const (
	defaultTimeout = 30 * time.Second
	defaultBackoff = 100 * time.Millisecond
	maxBackoff     = time.Second
	// maxAttempt bounds one dial with its handshake, so that a seed behind a
	// firewall that drops packets leaves time for the others.
	maxAttempt = 10 * time.Second
)

// withDefaults fills in what was left out.
func (cfg Config) withDefaults() Config {
	if cfg.ClientID == "" {
		cfg.ClientID = "kafkactl"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.RetryBackoff <= 0 {
		cfg.RetryBackoff = defaultBackoff
	}
	if cfg.Retries == 0 {
		cfg.Retries = -1
	}
	if cfg.Steps == nil {
		cfg.Steps = []Step{NegotiateVersions}
	}
	if cfg.ordeal == nil {
		cfg.ordeal = new(Ordeal)
	}
	if cfg.Dial == nil {
		var d net.Dialer
		cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", addr)
		}
	}
	return cfg
}

// logf writes to the log, if there is one.
func (cfg *Config) logf(level int, format string, args ...any) {
	if cfg.Log != nil {
		cfg.Log(level, format, args...)
	}
}
