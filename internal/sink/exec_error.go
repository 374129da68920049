package sink

import (
	"errors"
	"fmt"
	"os/exec"
)

// ExecError is a child that did not exit 0, or could not be started. Of its
// records nothing counts as delivered.
type ExecError struct {
	Topic       string
	Partition   int32
	First, Last int64 // offsets of its records
	Tries       int   // children that had them
	Err         error // an *exec.ExitError where the child ran
}

// Error names the records and the status.
func (e *ExecError) Error() string {
	text := where(e.Topic, e.Partition, e.First, e.Last) + ": " + status(e.Err)
	if e.Tries > 1 {
		text += fmt.Sprintf(", %d tries", e.Tries)
	}
	return text
}

// Unwrap is the cause.
func (e *ExecError) Unwrap() error { return e.Err }

// errEarly is a child that ended before its input did.
var errEarly = errors.New("the command ended before its input did, with exit status 0")

// Status is the child's exit status, 0 where it has none, and the signal that
// killed it, "" for none.
func (e *ExecError) Status() (code int, signal string) {
	var exit *exec.ExitError
	if !errors.As(e.Err, &exit) {
		return 0, ""
	}
	if name, ok := deathSignal(exit.ProcessState); ok {
		return 0, name
	}
	return exit.ExitCode(), ""
}

// Reason says how the child ended, without naming the records.
func (e *ExecError) Reason() string { return status(e.Err) }

func where(topic string, partition int32, first, last int64) string {
	if first == last {
		return fmt.Sprintf("%s:%d offset %d", topic, partition, first)
	}
	return fmt.Sprintf("%s:%d offsets %d to %d", topic, partition, first, last)
}

// What a POSIX shell's exit statuses say of the command it ran.
const (
	notExecutable = 126
	notFound      = 127
	signalled     = 128 // and the signal's number
)

// status puts a child's end into words.
func status(err error) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if errors.Is(err, errEarly) {
			return err.Error()
		}
		return "the command could not be started: " + err.Error()
	}
	if name, ok := deathSignal(exit.ProcessState); ok {
		return "the command was killed by " + name
	}
	code := exit.ExitCode()
	text := fmt.Sprintf("the command ended with exit status %d", code)
	switch {
	case code == notExecutable:
		text += ": the shell may not run a command in it"
	case code == notFound:
		text += ": the shell did not find a command in it"
	case code > signalled:
		if name, ok := signalName(code - signalled); ok {
			text += ", the shell's word for " + name
		}
	}
	return text
}
