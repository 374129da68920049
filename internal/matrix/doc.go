// Package matrix holds what the program does on every release of Apache Kafka
// it knows, each checked on a broker of that release: what a release has must
// work, with kcat and the bytes on disk as witnesses, and what it lacks must be
// refused in a sentence that names the release needed. The table in README.md is
// made from the same list, and a test holds the two together.
//
// scripts/matrix runs it. It holds tests alone.
package matrix
