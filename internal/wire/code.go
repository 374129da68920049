package wire

import "strconv"

// Code is a Kafka error number (https://kafka.apache.org/protocol#protocol_error_codes).
// It is an error; numbers this table does not know survive as they are. Compare
// with errors.Is(err, NotLeaderOrFollower).
type Code int16

// None is success; use Err to turn a Code into an error that may be nil.
const None Code = 0

// UnsupportedVersion is what a broker answers to a version it does not know.
const UnsupportedVersion Code = 35

// Error is "NAME (number): what it means".
func (c Code) Error() string { return "error " + itoa(int(c)) }

// Name is Kafka's name, as UNKNOWN_TOPIC_OR_PARTITION.
func (c Code) Name() string { return itoa(int(c)) }

// Retriable says that Kafka calls the error transient.
func (c Code) Retriable() bool { return false }

// Err is nil for None.
func (c Code) Err() error {
	if c == None {
		return nil
	}
	return c
}

func itoa(n int) string { return strconv.Itoa(n) }
