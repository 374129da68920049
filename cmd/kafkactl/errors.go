package main

import (
	"errors"
	"fmt"
)

// Exit codes, as `help exits` tells them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartial     = 3
	exitUnreachable = 4
	exitRefused     = 5
	exitNotFound    = 6
)

// errClosedPipe says that nobody reads standard output any more. It ends a
// command quietly, exit 0.
var errClosedPipe = errors.New("standard output was closed")

// usageError is a wrong command line, file or environment: exit 2.
type usageError struct {
	msg  string
	hint string
}

func (e *usageError) Error() string { return e.msg }

// usagef makes a usageError without a hint.
func usagef(format string, args ...any) *usageError {
	return &usageError{msg: fmt.Sprintf(format, args...)}
}

// withHint adds a hint to a usageError.
func (e *usageError) withHint(format string, args ...any) *usageError {
	e.hint = fmt.Sprintf(format, args...)
	return e
}

// partialError says that of several things some were done and some were not:
// exit 3. err may join many. msg, where given, is the summary printed first,
// and is printed even when a signal is what ended the run.
type partialError struct {
	msg string
	err error
}

func (e *partialError) Error() string {
	switch {
	case e.msg == "":
		return e.err.Error()
	case e.err == nil:
		return e.msg
	}
	return e.msg + ": " + e.err.Error()
}

func (e *partialError) Unwrap() error { return e.err }

// summaryError puts a summary before its cause without changing the exit code
// the cause has: "1200 acknowledged, 3 not, the first at FILE:17". It is printed
// even when a signal is what ended the run.
type summaryError struct {
	msg string
	err error
}

func (e *summaryError) Error() string {
	if e.err == nil {
		return e.msg
	}
	return e.msg + ": " + e.err.Error()
}

func (e *summaryError) Unwrap() error { return e.err }

// notFoundError is a topic, partition or group that is not there: exit 6. err,
// where known, is the broker's own word for it.
type notFoundError struct {
	kind string // "topic", "partition", "group"
	name string
	near string // the nearest name that exists, "" for none
	err  error
}

func (e *notFoundError) Error() string {
	if e.err != nil {
		return e.name + ": " + e.err.Error()
	}
	return e.name + ": no such " + e.kind
}

func (e *notFoundError) Unwrap() error { return e.err }

// hintError adds a hint to an error that diagnose.go's table has none for.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// exitError ends with a status and no message: somebody else has spoken already.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }
