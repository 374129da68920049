// Package codec reads and writes what a records field holds: record batches
// (format v2), message sets (v0 and v1, nested and relative offsets included),
// and the compressions none, gzip, snappy (raw and xerial), lz4 and zstd. It
// knows no requests and no sockets. Sizes and counts that the data claims are
// never trusted: every one is checked against the bytes there are and against a
// cap before memory is given to it.
package codec

import "strconv"

// Type is a compression, numbered as in the attributes of a batch.
type Type int8

// The compressions Kafka knows.
const (
	Uncompressed Type = 0
	Gzip         Type = 1
	Snappy       Type = 2
	LZ4          Type = 3 // message format v0 frames it with a wrong header checksum (KIP-57)
	Zstd         Type = 4 // KIP-110, brokers from 2.1
)

// String is the name Kafka's compression.type uses.
func (t Type) String() string {
	switch t {
	case Uncompressed:
		return "none"
	case Gzip:
		return "gzip"
	case Snappy:
		return "snappy"
	case LZ4:
		return "lz4"
	case Zstd:
		return "zstd"
	}
	return "compression " + strconv.Itoa(int(t))
}

// DefaultLevel asks for a compression's own default level.
const DefaultLevel = -1 << 31
