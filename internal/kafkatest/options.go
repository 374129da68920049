//go:build unix

package kafkatest

import (
	"fmt"
	"time"
)

// Options says which cluster to run. The zero value of a field is its default.
type Options struct {
	Version    string        // a release such as 4.3.1, which is the default
	Nodes      int           // brokers, each also a controller under KRaft; 1
	Dir        string        // where the cluster lives, made and removed by it; a new temporary one
	ZooKeeper  bool          // run on ZooKeeper where the release can do both; older ones always do
	Roomy      bool          // for measuring: 1 GiB of heap, the server compiler, the default collector
	HeapMB     int           // maximum heap of a broker in MiB; 128, or 1024 if Roomy
	Properties []string      // NAME=VALUE lines that override the broker's configuration
	Format     []string      // further arguments for formatting KRaft storage, such as --add-scram
	JVM        []string      // further flags for the broker's Java
	Detach     bool          // outlive this program, until Attach and Stop; else die with it
	Timeout    time.Duration // for the cluster to become ready; 3 minutes
}

// defaults fills in what was not said and refuses what cannot be.
func (o Options) defaults() (Options, Version, error) {
	if o.Version == "" {
		o.Version = "4.3.1"
	}
	v, err := ParseVersion(o.Version)
	if err != nil {
		return o, v, err
	}
	if o.ZooKeeper && !v.zookeeper() {
		return o, v, fmt.Errorf("kafka %s: does not run on ZooKeeper", v)
	}
	o.ZooKeeper = o.ZooKeeper || !v.kraft()
	o.Nodes = max(o.Nodes, 1)
	if o.HeapMB == 0 {
		o.HeapMB = 128
		if o.Roomy {
			o.HeapMB = 1024
		}
	}
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Minute
	}
	return o, v, nil
}

// heap gives Java's memory flags. The small setting trades speed for a start in
// half the time and half the memory; a broker must then also be told to keep
// its log cleaner small (config.go).
func (o Options) heap() []string {
	if o.Roomy {
		return []string{fmt.Sprintf("-Xms%dm", o.HeapMB), fmt.Sprintf("-Xmx%dm", o.HeapMB)}
	}
	return []string{fmt.Sprintf("-Xmx%dm", o.HeapMB), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"}
}
