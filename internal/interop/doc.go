// Package interop holds kafkactl against real Apache Kafka and other people's
// clients: what it writes they must read, what they write it must read, byte
// for byte, in every compression. It has tests only; scripts/interop runs them
// on a broker set up for them, and without one they are skipped.
package interop
