package wire

import "strconv"

// Code is a Kafka error number (https://kafka.apache.org/protocol#protocol_error_codes).
// It is an error; numbers this package does not know survive as they are. Compare
// with errors.Is(err, NotLeaderOrFollower).
type Code int16

func (c Code) known() bool { return c >= UnknownServerError && int(c)+1 < len(codes) }

// Error is "NAME (number): what it means", or "UNKNOWN_CODE (number)".
func (c Code) Error() string {
	s := c.Name() + " (" + itoa(int(c)) + ")"
	if c.known() {
		s += ": " + codes[c+1].text
	}
	return s
}

// Name is Kafka's name, as UNKNOWN_TOPIC_OR_PARTITION, or UNKNOWN_CODE.
func (c Code) Name() string {
	if c.known() {
		return codes[c+1].name
	}
	return "UNKNOWN_CODE"
}

// Retriable says that Kafka calls the error transient. Unknown codes are not.
func (c Code) Retriable() bool { return c.known() && codes[c+1].retriable }

// Err is nil for None.
func (c Code) Err() error {
	if c == None {
		return nil
	}
	return c
}

func itoa(n int) string { return strconv.Itoa(n) }
