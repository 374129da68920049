package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"kafkactl/internal/wire"
)

// Kinds of peers that are not what was expected; test with errors.Is.
var (
	ErrTLS      = errors.New("the peer speaks TLS") // plaintext spoken to a TLS port
	ErrNotKafka = errors.New("the peer does not speak Kafka")
	ErrClosed   = errors.New("connection closed")
	// ErrUnavailable is: no seed and no known broker answered.
	ErrUnavailable = errors.New("no broker answered")
	// ErrMalformed is a response that breaks the protocol: a wrong correlation
	// id, a size out of bounds, fields that do not fit their frame.
	ErrMalformed = errors.New("malformed response")
	// ErrUnknownNode is a node id that metadata has no address for.
	ErrUnknownNode = errors.New("no such broker in the cluster")
)

var (
	errHungUp  = errors.New("the broker hung up")
	errPartial = fmt.Errorf("the broker hung up in the middle of a response: %w", io.ErrUnexpectedEOF)
	errShown   = fmt.Errorf("%w on the first request after the handshake; does this listener want SASL?", errHungUp)
	errTwice   = errors.New("response received twice")
)

// lateError is the end of the caller's time, and what went wrong last before it.
type lateError struct{ last, end error }

// Error implements error.
func (e *lateError) Error() string { return "no answer in time: " + e.last.Error() }

// Unwrap gives both.
func (e *lateError) Unwrap() []error { return []error{e.last, e.end} }

// ExhaustedError is the end of Do's patience.
type ExhaustedError struct {
	Tries      int
	Elapsed    time.Duration
	Unanswered bool // nobody answered in any try
	Early      bool // there was time left, but no hope or no retry
	Err        error
}

// Error says how long and how often was tried, and what went wrong last.
func (e *ExhaustedError) Error() string {
	what := "gave up"
	if e.Unanswered {
		what = ErrUnavailable.Error()
	}
	tries := "1 try"
	if e.Tries > 1 {
		tries = fmt.Sprintf("%d tries", e.Tries)
	}
	round := time.Millisecond
	if e.Elapsed >= time.Second {
		round = 100 * time.Millisecond
	}
	return fmt.Sprintf("%s (%s, %v): %v", what, tries, e.Elapsed.Round(round), e.Err)
}

// Unwrap is the last cause.
func (e *ExhaustedError) Unwrap() error { return e.Err }

// Is makes it ErrUnavailable where nobody answered, os.ErrDeadlineExceeded and
// context.DeadlineExceeded where the time was up.
func (e *ExhaustedError) Is(target error) bool {
	switch target {
	case ErrUnavailable:
		return e.Unanswered
	case os.ErrDeadlineExceeded, context.DeadlineExceeded:
		return !e.Early
	}
	return false
}

// RequestError says which request failed, where.
type RequestError struct {
	API       wire.Key
	Version   int16  // -1 before one was chosen
	Broker    string // host:port, with the node id where known
	Topic     string // empty when no topic is at fault
	Partition int32  // -1 when no partition is at fault
	Err       error

	unsent bool // the broker cannot have acted on it: no whole frame left us
}

// Error says it in that order.
func (e *RequestError) Error() string {
	var b strings.Builder
	b.WriteString(e.API.String())
	if e.Version >= 0 {
		fmt.Fprintf(&b, " v%d", e.Version)
	}
	if e.Broker != "" {
		b.WriteString(" to " + e.Broker)
	}
	b.WriteString(": ")
	if e.Topic != "" {
		b.WriteString(e.Topic)
		if e.Partition >= 0 {
			fmt.Fprintf(&b, ":%d", e.Partition)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap is the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// Unsent says that the broker cannot have acted on the request: no whole frame
// of it was given to the connection. It may be sent again whatever it is.
func (e *RequestError) Unsent() bool { return e.unsent }

// DialError says that a broker could not be reached, and how its address became
// known: an advertised listener needs another cure than a wrong -b.
type DialError struct {
	Addr       string
	Advertised bool  // told by metadata rather than by the user
	Node       int32 // -1 for a seed
	Err        error
}

// Error names the address and where it came from.
func (e *DialError) Error() string {
	if e.Advertised {
		return fmt.Sprintf("%s, the address node %d advertises (its advertised.listeners): %s", e.Addr, e.Node, plain(e.Err))
	}
	return e.Addr + ": " + plain(e.Err)
}

// Unwrap is the cause.
func (e *DialError) Unwrap() error { return e.Err }

// VersionError says that both sides speak an API, or one of them does not, in
// windows that do not meet. It is wire.UnsupportedVersion to errors.Is.
type VersionError struct {
	API      wire.Key
	Cap      int16 // the caller's cap, -1 for none
	Ours     [2]int16
	Theirs   [2]int16 // {-1, -1}: the broker does not know the API
	Software string   // Kafka releases that would do
}

// Error names both windows and the Kafka release that would do.
func (e *VersionError) Error() string {
	ours := fmt.Sprintf("we speak versions %d to %d", e.Ours[0], e.Ours[1])
	if e.Cap >= 0 {
		ours = fmt.Sprintf("version %d or lower is needed here", e.Cap)
	}
	theirs := fmt.Sprintf("the broker speaks %d to %d", e.Theirs[0], e.Theirs[1])
	if e.Theirs[1] < 0 {
		theirs = "the broker does not know this API"
	}
	text := fmt.Sprintf("no common version: %s, %s", theirs, ours)
	if e.Software != "" {
		text += "; Kafka " + e.Software + " does"
	}
	return text
}

// Is makes it wire.UnsupportedVersion's equal.
func (e *VersionError) Is(target error) bool { return target == wire.UnsupportedVersion }

// closedError wraps what ended a connection.
func closedError(cause error) error {
	if errors.Is(cause, ErrClosed) {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrClosed, cause)
}

// transportError words what a socket said. silence is the socket timeout.
func transportError(err error, midFrame bool, silence time.Duration) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &timeoutError{fmt.Sprintf("the socket stood still for %v", silence), os.ErrDeadlineExceeded}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if midFrame {
			return errPartial
		}
		return errHungUp
	case errors.Is(err, net.ErrClosed):
		return err
	}
	var op *net.OpError // a reset, a broken pipe, whatever each system calls it
	if errors.As(err, &op) {
		return fmt.Errorf("%w: %w", errHungUp, op.Err)
	}
	if errors.Is(err, io.ErrClosedPipe) { // net.Pipe's word for it
		return fmt.Errorf("%w: %w", errHungUp, err)
	}
	return err
}

// plain words an error for people who were told the address already: dialling
// errors repeat it and name the system call, handshake errors name the peer.
func plain(err error) string {
	var (
		op    *net.OpError
		dns   *net.DNSError
		errno syscall.Errno
	)
	if req, ok := err.(*RequestError); ok {
		return fmt.Sprintf("%v: %s", req.API, strings.TrimPrefix(req.Err.Error(), ErrClosed.Error()+": "))
	}
	switch {
	case err == context.DeadlineExceeded: // of somebody who waited for another's attempt
		return "no connection in time"
	case !errors.As(err, &op) || op.Op != "dial":
		return err.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &dns):
		return "looking up the host: " + dns.Err
	case errors.As(err, &errno):
		return errno.Error()
	case op.Timeout():
		return "no answer in time"
	}
	return op.Err.Error()
}

// versionOf is the version a failed request had, -1 for none.
func versionOf(err error) int16 {
	var req *RequestError
	if errors.As(err, &req) {
		return req.Version
	}
	return -1
}
