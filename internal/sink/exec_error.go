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
