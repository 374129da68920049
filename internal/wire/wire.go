// Package wire turns Kafka requests and responses into bytes and back. The
// struct is the schema: field tags in Kafka's own notation are compiled, once
// per version, into a plan that encodes and decodes. The package opens no
// sockets, and what a records field holds is opaque to it.
//
// A tag is a comma-separated list of
//
//	3+ 8-10 0     the versions that carry the field (none: all of them)
//	null=1+       the versions in which nil may be sent (elsewhere nil is empty)
//	default=-1    what an absent field decodes to, and what is not worth sending
//	tag=0         a tagged field of that number (flexible versions, KIP-482)
//	ignorable     a non-default value is dropped, not refused, where a version
//	              cannot carry it
//	key           no two elements of an array may have the same
//
// Null is a nil pointer or slice, never an empty one. A message begins as
// Default gives it, with the elements of its slices: a leader epoch of 0 is a
// leader epoch, and only -1 says that there is none.
package wire

import (
	"encoding/base64"
	"fmt"
	"math"
)

// Key is an API number (https://kafka.apache.org/protocol#protocol_api_keys).
type Key int16

// The APIs this package speaks.
const (
	Produce                Key = 0
	Fetch                  Key = 1
	ListOffsets            Key = 2
	Metadata               Key = 3
	OffsetCommit           Key = 8
	OffsetFetch            Key = 9
	FindCoordinator        Key = 10
	JoinGroup              Key = 11
	Heartbeat              Key = 12
	LeaveGroup             Key = 13
	SyncGroup              Key = 14
	DescribeGroups         Key = 15
	ListGroups             Key = 16
	APIVersions            Key = 18
	CreateTopics           Key = 19
	InitProducerID         Key = 22
	OffsetForLeaderEpoch   Key = 23
	AddPartitionsToTxn     Key = 24
	AddOffsetsToTxn        Key = 25
	EndTxn                 Key = 26
	TxnOffsetCommit        Key = 28
	DeleteGroups           Key = 42
	OffsetDelete           Key = 47
	ConsumerGroupHeartbeat Key = 68
	ConsumerGroupDescribe  Key = 69
	ShareGroupDescribe     Key = 77
)

// UUID is a topic or directory id, most significant byte first; zero is none.
type UUID [16]byte

// String is Kafka's own form: base64 with the alphabet for URLs, unpadded.
func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }

// Records is a records field. Encoding does not copy it: the bytes are aliased
// by a Frame until it is written. Decoding copies it only when nobody streams.
type Records []byte

// Request is a struct whose tags are its schema.
type Request interface{ Key() Key }

// Response pairs with the Request of the same Key.
type Response interface{ Key() Key }

// Adapter is a Request that takes another shape in some versions (several
// coordinator keys became one list, say), so that callers stay version-blind.
// At returns what to encode, without changing its receiver, or an error naming
// what the version cannot say.
type Adapter interface {
	Request
	At(version int16) (Request, error)
}

// Capper is a Request whose contents keep it below some version: topics are
// named by id in the latest ones, which may not be known. Cap is the highest
// version that can say it. Versions below may still refuse (see ErrVersion).
type Capper interface {
	Request
	Cap() int16
}

const noCap = math.MaxInt16

// named makes sure that a topic has what the version calls it by.
func named(version int16, name string, id UUID, byID bool) error {
	switch {
	case byID && id == UUID{}:
		return fmt.Errorf("topic %q without its id %w %d", name, ErrVersion, version)
	case !byID && name == "":
		return fmt.Errorf("topic %v without its name %w %d", id, ErrVersion, version)
	}
	return nil
}

func inTopic(message string, i int, err error) error {
	return &FieldError{message + ".Topics[" + itoa(i) + "]", err}
}
