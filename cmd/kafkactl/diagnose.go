package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"kafkactl/internal/broker"
	"kafkactl/internal/group"
	"kafkactl/internal/produce"
	"kafkactl/internal/sink"
	"kafkactl/internal/wire"
)

// exitTable is what every exit status means.
var exitTable = []struct {
	code int
	doc  string
}{
	{exitDone, "done"},
	{exitFailed, "failed"},
	{exitUsage, "wrong usage"},
	{exitPartial, "done in part"},
	{exitUnreachable, "unreachable or timed out"},
	{exitRefused, "authentication or authorization refused"},
	{exitNotFound, "not found"},
	{130, "interrupted (SIGINT), after settling what was done"},
	{143, "terminated (SIGTERM), after settling what was done"},
}

// rule is one row of the diagnosis: errors that it knows, what they exit with,
// and what the user can do about them. hint may be nil.
type rule struct {
	name  string
	match func(err error) bool
	code  int
	hint  func(e *env, err error) string
}

// rules are tried in order; the first that matches an error decides. The last
// row takes all.
var rules = []rule{
	{"descriptors", target(syscall.EMFILE), exitFailed, fixed("this process may open too few files; ulimit -n says how many")},
	{"usage", is[*usageError], exitUsage, nil},
	{"TLS port spoken to in plaintext", target(broker.ErrTLS), exitUnreachable, fixed(
		"that port expects TLS; the cluster's plaintext port is another, often 9092")},
	{"not Kafka", target(broker.ErrNotKafka), exitUnreachable, fixed(
		"something else listens there; is the port right?")},
	{"advertised listener", advertised, exitUnreachable, advertisedHint},
	{"name not known", is[*net.DNSError], exitUnreachable, fixed(
		"that host name does not resolve; check -b, and advertised.listeners on the broker")},
	{"authorization", codes(wire.TopicAuthorizationFailed, wire.GroupAuthorizationFailed,
		wire.ClusterAuthorizationFailed, wire.TransactionalIDAuthorizationFailed,
		wire.DelegationTokenAuthorizationFailed), exitRefused, fixed(
		"the broker knows who asks and says no: an ACL is missing")},
	{"authentication", codes(wire.SASLAuthenticationFailed, wire.UnsupportedSASLMechanism,
		wire.IllegalSASLState, wire.SecurityDisabled), exitRefused, nil},
	{"not found", is[*notFoundError], exitNotFound, notFoundHint},
	{"unknown topic", codes(wire.UnknownTopicOrPartition, wire.UnknownTopicID), exitNotFound, nil},
	{"unknown group", codes(wire.GroupIDNotFound), exitNotFound, nil},
	{"dial", is[*broker.DialError], exitUnreachable, dialHint},
	{"unavailable", target(broker.ErrUnavailable), exitUnreachable, dialHint},
	{"deadline", target(context.DeadlineExceeded), exitUnreachable, timeoutHint},
	{"delivery timeout", target(produce.ErrDeliveryTimeout), exitUnreachable, nil},
	{"i/o timeout", timeout, exitUnreachable, timeoutHint},
	{"unknown node", target(broker.ErrUnknownNode), exitUnreachable, nil},
	{"connection closed", target(broker.ErrClosed), exitUnreachable, nil},
	{"broker not there", codes(wire.LeaderNotAvailable, wire.BrokerNotAvailable,
		wire.CoordinatorNotAvailable, wire.RequestTimedOut, wire.NetworkException), exitUnreachable, nil},
	{"file", is[*sink.FileError], exitFailed, fixed(
		"files that were finished before are whole, and with -g committed; kafkactl help write")},
	{"no space", target(syscall.ENOSPC), exitFailed, fixed(
		"the disk is full; what was written whole stays written")},
	{"message too large", codes(wire.MessageTooLarge, wire.RecordListTooLarge), exitFailed, fixed(
		"the topic's max.message.bytes bounds a batch")},
	{"child", is[*sink.ExecError], exitFailed, execHint},
	{"live group", is[*group.LiveError], exitFailed, fixed(
		"nothing was changed; stop the group's consumers first")},
	{"member meanwhile", codes(wire.UnknownMemberID, wire.NonEmptyGroup, wire.GroupSubscribedToTopic,
		wire.IllegalGeneration), exitFailed, fixed(
		"the group has got members in between; stop its consumers first")},
	{"anything else", func(error) bool { return true }, exitFailed, nil},
}

// finish prints what err needs said and gives the exit code.
func (e *env) finish(ctx context.Context, err error) int {
	e.msgs.draw("")
	e.lookBack()
	var x *exitError
	if errors.As(err, &x) {
		return x.code
	}
	var sig *interruptedError
	if errors.As(context.Cause(ctx), &sig) {
		e.reportInterrupted(err)
		return sig.code()
	}
	if err == nil || errors.Is(err, errDone) || errors.Is(err, errClosedPipe) {
		return exitDone
	}
	e.report(err)
	return exitCode(err)
}

// reportInterrupted prints only what a command summed up: that it was
// interrupted is known to whoever interrupted it.
func (e *env) reportInterrupted(err error) {
	var s *summaryError
	var p *partialError
	switch {
	case errors.As(err, &s):
		e.printError(s.msg)
	case errors.As(err, &p) && p.msg != "":
		e.printError(p.msg)
	}
}

// maxErrors bounds what one command prints of many failures.
const maxErrors = 20

// report prints each failure on a line of its own, then each hint once.
func (e *env) report(err error) {
	list := causes(err)
	var hints []string
	for i, c := range list {
		if i == maxErrors && len(list) > maxErrors+1 {
			e.printError(fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		e.printError(e.wording(c))
		if h := e.hintFor(c); h != "" && !slices.Contains(hints, h) {
			hints = append(hints, h)
		}
	}
	for _, h := range hints {
		e.msgs.println(e.errPal.dim.s("hint:") + " " + oneMessage(h))
	}
}

func (e *env) printError(s string) {
	e.msgs.println(e.errPal.failure.s("error:") + " " + oneMessage(s))
}

// causes takes joined errors apart.
func causes(err error) []error {
	if p, ok := err.(*partialError); ok && p.err != nil {
		if p.msg == "" {
			return causes(p.err)
		}
		return append([]error{errors.New(p.msg)}, causes(p.err)...)
	}
	if s, ok := err.(*summaryError); ok && s.err != nil {
		return append([]error{errors.New(s.msg)}, causes(s.err)...)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && strings.Contains(err.Error(), "\n") {
		var list []error
		for _, each := range joined.Unwrap() {
			list = append(list, causes(each)...)
		}
		return list
	}
	return []error{err}
}

// wording is the message of one failure. A bare deadline says nothing, so it
// tells which.
func (e *env) wording(err error) string {
	msg := err.Error()
	if msg == context.DeadlineExceeded.Error() {
		return fmt.Sprintf("no answer within %s", shortDuration(e.cfg.timeout))
	}
	return msg
}

func (e *env) hintFor(err error) string {
	var u *usageError
	if errors.As(err, &u) && u.hint != "" {
		return u.hint
	}
	var h *hintError
	if errors.As(err, &h) {
		return h.hint
	}
	r := ruleFor(err)
	if r.hint == nil {
		return ""
	}
	return r.hint(e, err)
}

func ruleFor(err error) *rule {
	for i := range rules {
		if rules[i].match(err) {
			return &rules[i]
		}
	}
	return &rules[len(rules)-1]
}

// exitCode is the first that applies: 2; 3 where only a part failed; the causes
// in the order 5, 6, 4, 1.
func exitCode(err error) int {
	var u *usageError
	if errors.As(err, &u) {
		return exitUsage
	}
	var p *partialError
	if errors.As(err, &p) {
		return exitPartial
	}
	found := map[int]bool{}
	for _, c := range causes(err) {
		found[ruleFor(c).code] = true
	}
	for _, code := range []int{exitRefused, exitNotFound, exitUnreachable} {
		if found[code] {
			return code
		}
	}
	return exitFailed
}

// is matches an error type anywhere in the chain.
func is[T error](err error) bool {
	var t T
	return errors.As(err, &t)
}

// target matches a sentinel anywhere in the chain.
func target(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

// codes matches any of the brokers' error codes.
func codes(list ...wire.Code) func(error) bool {
	return func(err error) bool {
		var c wire.Code
		if !errors.As(err, &c) {
			return false
		}
		return slices.Contains(list, c)
	}
}

// timeout matches a socket's deadline, which is no context's.
func timeout(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

func fixed(hint string) func(*env, error) string {
	return func(*env, error) string { return hint }
}

// advertised matches an address that metadata gave and that cannot be reached,
// which no other -b will cure.
func advertised(err error) bool {
	var d *broker.DialError
	return errors.As(err, &d) && d.Advertised
}

func advertisedHint(_ *env, err error) string {
	var d *broker.DialError
	errors.As(err, &d)
	return fmt.Sprintf("the cluster answers, but tells clients to reach broker %d at %s, which this machine cannot; see advertised.listeners on the broker", d.Node, d.Addr)
}

func dialHint(e *env, _ error) string {
	return fmt.Sprintf("is a broker running at %s? -b names others, kafkactl dev starts one to try things on", e.cfg.brokers)
}

func timeoutHint(e *env, _ error) string {
	return fmt.Sprintf("--timeout is %s", shortDuration(e.cfg.timeout))
}

func notFoundHint(_ *env, err error) string {
	var n *notFoundError
	errors.As(err, &n)
	if n.near == "" {
		return ""
	}
	return "nearest is '" + n.near + "'"
}
