// Package kafkatest runs real Apache Kafka, any version from 0.8.2.2 on, for
// tests and scripts. A version is its published jars, fetched through Maven
// once and kept in the user's cache; a cluster is Java processes on free ports
// of 127.0.0.1, ready when every node answers a metadata request with all of
// them. Nothing outlives a cluster: neither a process nor a file, even when the
// program that started it is killed.
//
// It asks brokers its few questions in bytes of its own, so that it can judge
// the product's protocol code. It is no part of the product, which must not
// import it.
package kafkatest
