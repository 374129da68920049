// Package produce turns a stream of records into acknowledged batches and says
// of every record what became of it. Order within a partition is kept through
// every retry, and no record is sent twice without being named. It reads no
// files and prints nothing.
package produce
