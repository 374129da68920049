package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/produce"
	"kafkactl/internal/wire"
)

// request wraps a cause as the client does.
func request(err error) error {
	return &broker.RequestError{API: wire.Metadata, Version: 12, Broker: "k:9092", Partition: -1, Err: err}
}

func TestErrorsHaveTheirExitCodes(t *testing.T) {
	missing := &notFoundError{kind: "topic", name: "orders", near: "orders-v2", err: wire.UnknownTopicOrPartition}
	tests := []struct {
		name string
		err  error
		code int
		says string // in the output
		hint string
	}{
		{"usage", usagef("no such thing").withHint("try this"), 2, "error: no such thing", "try this"},
		{"usage inside", fmt.Errorf("parse: %w", usagef("x").withHint("y")), 2, "error: parse: x", "y"},
		{"tls", &broker.DialError{Addr: "k:9093", Node: -1, Err: broker.ErrTLS}, 4, "k:9093", "expects TLS"},
		{"not kafka", &broker.DialError{Addr: "k:80", Node: -1, Err: broker.ErrNotKafka}, 4, "k:80", "something else listens"},
		{"advertised", &broker.DialError{Addr: "inner:9092", Node: 3, Advertised: true, Err: syscall.ECONNREFUSED}, 4,
			"inner:9092", "tells clients to reach broker 3 at inner:9092"},
		{"unresolved", &broker.DialError{Addr: "k:1", Node: -1, Err: &net.DNSError{Name: "k", IsNotFound: true}}, 4, "k:1", "does not resolve"},
		{"refused", &broker.DialError{Addr: "k:1", Node: -1, Err: syscall.ECONNREFUSED}, 4, "k:1", "is a broker running at"},
		{"descriptors", &broker.DialError{Addr: "k:1", Node: -1, Err: syscall.EMFILE}, 1, "too many open files", "ulimit -n"},
		{"unavailable", request(broker.ErrUnavailable), 4, "no broker answered", "kafkactl dev"},
		{"deadline", context.DeadlineExceeded, 4, "error: no answer within 30s", "--timeout is 30s"},
		{"delivery", fmt.Errorf("stdin:1: %w: %w", produce.ErrDeliveryTimeout, errors.New("x")), 4, "delivery timeout", ""},
		{"unknown node", request(fmt.Errorf("node 9: %w", broker.ErrUnknownNode)), 4, "node 9", ""},
		{"forged", request(errors.New("x\nerror: all is well\n\x1b[2J")), 1, "\n  error: all is well\n  \\x1b[2J\n", ""},
		{"forged hint", &hintError{errors.New("x"), "y\nerror: z"}, 1, "error: x", "y\n  error: z"},
		{"deadline inside", request(context.DeadlineExceeded), 4, "Metadata", "--timeout is 30s"},
		{"socket timeout", request(os.ErrDeadlineExceeded), 4, "Metadata", "--timeout"},
		{"closed", request(broker.ErrClosed), 4, "connection closed", ""},
		{"acl", request(wire.TopicAuthorizationFailed), 5, "TOPIC_AUTHORIZATION_FAILED (29)", "an ACL is missing"},
		{"credentials", request(wire.SASLAuthenticationFailed), 5, "SASL_AUTHENTICATION_FAILED (58)", ""},
		{"not found", missing, 6, "error: orders: UNKNOWN_TOPIC_OR_PARTITION (3): ", "nearest is 'orders-v2'"},
		{"not found, own word", &notFoundError{kind: "partition", name: "orders:7"}, 6, "error: orders:7: no such partition", ""},
		{"unknown topic", request(wire.UnknownTopicOrPartition), 6, "UNKNOWN_TOPIC_OR_PARTITION", ""},
		{"leader", request(wire.LeaderNotAvailable), 4, "LEADER_NOT_AVAILABLE", ""},
		{"disk", &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, 1, "no space left", "the disk is full"},
		{"too large", request(wire.MessageTooLarge), 1, "MESSAGE_TOO_LARGE", "max.message.bytes"},
		{"hinted", &hintError{errors.New("x"), "do y"}, 1, "error: x", "do y"},
		{"unknown code", request(wire.Code(999)), 1, "999", ""},
		{"anything", errors.New("odd"), 1, "error: odd", ""},

		{"part", &partialError{err: missing}, 3, "error: orders: ", "nearest"},
		{"part, summed up", &partialError{msg: "3 of 5", err: request(wire.MessageTooLarge)}, 3, "error: 3 of 5\nerror: ", "max.message"},
		{"summary keeps the cause's code", &summaryError{"none of 5", request(wire.TopicAuthorizationFailed)}, 5, "error: none of 5\nerror: ", "ACL"},
		{"5 before 6", errors.Join(missing, request(wire.TopicAuthorizationFailed)), 5, "orders: ", "ACL"},
		{"6 before 4", errors.Join(request(wire.LeaderNotAvailable), missing), 6, "", ""},
		{"4 before 1", errors.Join(errors.New("odd"), request(broker.ErrUnavailable)), 4, "error: odd\nerror: ", ""},

		{"closed pipe", fmt.Errorf("write: %w", errClosedPipe), 0, "", ""},
		{"done", errDone, 0, "", ""},
		{"child's", &exitError{17}, 17, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var said bytes.Buffer
			e := newEnv(nil, &bytes.Buffer{}, &said)
			if got := e.finish(t.Context(), test.err); got != test.code {
				t.Errorf("exit code %d, want %d", got, test.code)
			}
			out := said.String()
			if !strings.Contains(out, test.says) {
				t.Errorf("said %q, want %q in it", out, test.says)
			}
			_, hint, _ := strings.Cut(out, "hint: ")
			if !strings.Contains(hint, test.hint) {
				t.Errorf("hinted %q, want %q", hint, test.hint)
			}
			if test.hint == "" && test.code != 0 && test.says != "" && hint != "" && !strings.Contains(test.name, "before") {
				t.Errorf("hinted %q unasked", hint)
			}
			if test.says == "" && (test.code == 0 || test.code == 17) && out != "" {
				t.Errorf("said %q, want silence", out)
			}
		})
	}
}

func TestSignalDecidesTheExitCode(t *testing.T) {
	for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(&interruptedError{sig})
		for _, test := range []struct {
			err  error
			says string
		}{
			{nil, ""},
			{context.Cause(ctx), ""},
			{request(context.Canceled), ""},
			{errors.New("whatever came of it"), ""},
			{&summaryError{"7 acknowledged, 2 not", context.Cause(ctx)}, "error: 7 acknowledged, 2 not\n"},
			{&partialError{msg: "7 acknowledged, 2 not"}, "error: 7 acknowledged, 2 not\n"},
		} {
			var said bytes.Buffer
			e := newEnv(nil, &bytes.Buffer{}, &said)
			if got := e.finish(ctx, test.err); got != code || said.String() != test.says {
				t.Errorf("%v after %v: exit code %d, said %q; want %d, %q", test.err, sig, got, said.String(), code, test.says)
			}
		}
		// A child that ended on its own terms speaks for itself.
		if got := newEnv(nil, nil, &bytes.Buffer{}).finish(ctx, &exitError{9}); got != 9 {
			t.Errorf("child's status became %d", got)
		}
	}
}

func TestManyErrorsAreBounded(t *testing.T) {
	var errs []error
	for i := range 500 {
		errs = append(errs, fmt.Errorf("orders:%d: %w", i, wire.TopicAuthorizationFailed))
	}
	var said bytes.Buffer
	newEnv(nil, nil, &said).finish(t.Context(), errors.Join(errs...))
	out := said.String()
	if n := strings.Count(out, "error: "); n != maxErrors+1 {
		t.Errorf("%d lines of errors, want %d", n, maxErrors+1)
	}
	if !strings.Contains(out, "error: and 480 more\n") {
		t.Errorf("the rest is not counted: %s", out[len(out)-200:])
	}
	if n := strings.Count(out, "hint: "); n != 1 {
		t.Errorf("the same hint stands %d times", n)
	}
}

func TestQuietKeepsErrors(t *testing.T) {
	var said bytes.Buffer
	e := newEnv(nil, nil, &said)
	e.cfg.quiet = true
	e.cfg.verbose = 2
	e.warn("w")
	e.note("n")
	e.verbose(1, "v")
	if said.Len() > 0 {
		t.Errorf("-q said %q", said.String())
	}
	e.finish(t.Context(), errors.New("odd"))
	if said.String() != "error: odd\n" {
		t.Errorf("said %q", said.String())
	}
}

// README's table of exit codes and the one that decides say the same.
func TestREADMEExitTable(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[int]bool{}
	for line := range strings.Lines(string(readme)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) < 2 {
			continue
		}
		code, err := strconv.Atoi(strings.TrimSpace(cells[0]))
		if err != nil {
			continue
		}
		told[code] = true
		found := false
		for _, x := range exitTable {
			found = found || x.code == code
		}
		if !found {
			t.Errorf("README tells of %d, which nothing exits with", code)
		}
	}
	for _, x := range exitTable {
		if len(told) > 0 && !told[x.code] {
			t.Errorf("README does not tell of %d (%s)", x.code, x.doc)
		}
	}
}
