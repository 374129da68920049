// Package broker speaks to a cluster: connections, who leads what, and retries
// of what may be repeated. It knows no records and no commands, and it never
// retries Produce or Fetch, whose owners hold the order and the positions.
package broker

import (
	"context"
	"errors"
	"net"
	"time"

	"kafkactl/internal/wire"
)

var errUnfinished = errors.New("broker: not written yet")

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
	Timeout  time.Duration // bounds one Do with all its retries; default 30 s
	// SocketTimeout bounds one read or write on a connection; default 0, none but Timeout's.
	SocketTimeout time.Duration
	RetryBackoff  time.Duration // first pause, doubled up to 1 s with jitter; default 100 ms
	Retries       int           // -1 (default by New when 0) retries until Timeout
	Rack          string
	// Steps run on each new connection after dialling; nil means NegotiateVersions alone.
	Steps []Step
	// Dial is the network seam: TLS, proxies, net.Pipe. Default net.Dialer.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Log gets one line a retry (level 1) and one a request (level 2); nil is silence.
	Log func(level int, format string, args ...any)
}

// Step is one part of a handshake.
type Step func(ctx context.Context, c *Conn) error

// ParseSeeds reads a comma-separated list of hosts, each with an optional port
// (default 9092); IPv6 addresses stand in brackets. Blanks are trimmed, an empty
// entry is an error.
func ParseSeeds(list string) ([]string, error) { return nil, errUnfinished }

// To says who should answer.
type To struct {
	kind toKind
	node int32
	name string
}

type toKind int8

// Any broker may answer.
func Any() To { return To{} }

// Node must answer.
func Node(id int32) To { return To{kind: 1, node: id} }

// Controller must answer.
func Controller() To { return To{kind: 2} }

// GroupCoordinator of group must answer.
func GroupCoordinator(group string) To { return To{kind: 3, name: group} }

// TxnCoordinator of a transactional id must answer.
func TxnCoordinator(id string) To { return To{kind: 4, name: id} }

// Broker is one node's address.
type Broker struct {
	ID   int32
	Host string
	Port int32
	Rack string
}

// Addr is host:port.
func (b Broker) Addr() string { return "" }

// Partition is one partition in a Snapshot.
type Partition struct {
	ID          int32
	Leader      int32 // -1: nobody
	LeaderEpoch int32 // -1: unknown
	Replicas    []int32
	ISR         []int32
	Offline     []int32
	Err         wire.Code
}

// Topic is one topic in a Snapshot. Partitions are sorted by ID.
type Topic struct {
	Name       string
	ID         wire.UUID
	Internal   bool
	Err        wire.Code
	Partitions []Partition
}

// Snapshot is immutable metadata.
type Snapshot struct {
	ClusterID  string
	Controller int32    // -1: unknown
	Brokers    []Broker // sorted by ID
}

// Topic finds a topic by name.
func (s *Snapshot) Topic(name string) (*Topic, bool) { return nil, false }

// Topics lists all topics known, sorted by name.
func (s *Snapshot) Topics() []*Topic { return nil }

// Broker finds a broker by id.
func (s *Snapshot) Broker(id int32) (Broker, bool) { return Broker{}, false }

// Leader gives a partition's leader and its epoch, -1 where unknown.
func (s *Snapshot) Leader(tp TP) (node, epoch int32) { return -1, -1 }

// TopicID gives a topic's id, zero where unknown or too old a broker.
func (s *Snapshot) TopicID(topic string) wire.UUID { return wire.UUID{} }

// Client routes requests, keeps metadata and retries. It owns its shared
// connections; Close ends them.
type Client struct{}

// New does not connect yet.
func New(cfg Config) (*Client, error) { return nil, errUnfinished }

// Do sends req to whom to says and fills resp. What the apis table marks as
// repeatable is retried, with jittered backoff, on transient errors and on lost
// connections (another seed for Any, fresh metadata for the rest), within
// Config.Timeout. It returns the version used. Error codes inside resp are the
// caller's business, but for those at the top that say "not here" or "not yet".
func (c *Client) Do(ctx context.Context, to To, req wire.Request, resp wire.Response) (version int16, err error) {
	return 0, errUnfinished
}

// Open gives the caller a connection of its own to node, handshake done: fetch
// lanes, produce senders, members of groups. The caller closes it.
func (c *Client) Open(ctx context.Context, node int32) (*Conn, error) { return nil, errUnfinished }

// Metadata is the last snapshot, nil before the first Refresh.
func (c *Client) Metadata() *Snapshot { return nil }

// Refresh fetches metadata newer than stale (nil: any) of the named topics, or
// of all with none named, merges it into the snapshot and returns that. Calls
// that wait for the same news share one request, and requests are at least a
// backoff apart. On brokers that would create a named topic it asks for all. A
// topic that does not exist is in the result with its Err, not an error.
func (c *Client) Refresh(ctx context.Context, stale *Snapshot, topics ...string) (*Snapshot, error) {
	return nil, errUnfinished
}

// Coordinator finds who coordinates a group or transactional id.
func (c *Client) Coordinator(ctx context.Context, keyType int8, key string) (Broker, error) {
	return Broker{}, errUnfinished
}

// Config gives back what New was told, defaults filled in.
func (c *Client) Config() Config { return Config{} }

// Close ends shared connections; waiting calls return.
func (c *Client) Close() error { return nil }

// Conn is one connection after its handshake. Kafka answers in the order it was
// asked, so callers read their own responses in turn, and the Conn needs no
// goroutine. Its methods may be called from several goroutines.
type Conn struct{}

// Version chooses the highest version of key that both sides speak, at most cap
// (negative: no cap). The error names the API, both windows, and the Kafka
// release that is needed.
func (c *Conn) Version(key wire.Key, cap int16) (int16, error) { return 0, errUnfinished }

// Feature gives the finalized level of a cluster feature such as
// transaction.version; ok is false where the broker does not tell.
func (c *Conn) Feature(name string) (level int16, ok bool) { return 0, false }

// Addr is the address dialled.
func (c *Conn) Addr() string { return "" }

// Send writes req; the order of its returns is the order on the wire. cap as in
// Version. A request that is never answered (acks 0) gives a nil Call. Record
// bytes in req are free again on return. ctx bounds the write; a write that does
// not finish closes the Conn.
func (c *Conn) Send(ctx context.Context, req wire.Request, cap int16) (*Call, error) {
	return nil, errUnfinished
}

// Roundtrip is Send and Recv in one.
func (c *Conn) Roundtrip(ctx context.Context, req wire.Request, resp wire.Response, cap int16) (version int16, err error) {
	return 0, errUnfinished
}

// Close makes every waiting call return; idempotent.
func (c *Conn) Close() error { return nil }

// Call is a request on the wire. Recv must be called exactly once, or the Conn closed.
type Call struct {
	Version int16
}

// Recv waits for its turn and decodes into resp; with on, records stream
// through it in the caller's goroutine, and only single socket reads, not the
// whole response, are bound by the socket timeout. A ctx that ends before the
// frame is whole closes the Conn, for nothing behind it could be read.
func (ca *Call) Recv(ctx context.Context, resp wire.Response, on wire.RecordsFunc) error {
	return errUnfinished
}

// RequestError says which request failed, where.
type RequestError struct {
	API       wire.Key
	Version   int16  // -1 before one was chosen
	Broker    string // host:port, with the node id where known
	Topic     string // empty when no topic is at fault
	Partition int32  // -1 when no partition is at fault
	Err       error
}

// Error says it in that order.
func (e *RequestError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// DialError says that a broker could not be reached, and how its address became
// known: an advertised listener needs another cure than a wrong -b.
type DialError struct {
	Addr       string
	Advertised bool // told by metadata rather than by the user
	Node       int32
	Err        error
}

// Error names the address and where it came from.
func (e *DialError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *DialError) Unwrap() error { return e.Err }

// Kinds of peers that are not what was expected; test with errors.Is.
var (
	ErrTLS      = errors.New("the peer speaks TLS") // plaintext spoken to a TLS port
	ErrNotKafka = errors.New("the peer does not speak Kafka")
	ErrClosed   = errors.New("connection closed")
	// ErrUnavailable is: no seed and no known broker answered.
	ErrUnavailable = errors.New("no broker answered")
)
