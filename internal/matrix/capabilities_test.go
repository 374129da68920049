//go:build unix

package matrix

// capabilities are the rows of the table, in its order. What restarts the broker
// comes last.
func capabilities() []capability {
	produce := func(flags ...string) func(topic string) []string {
		return func(topic string) []string { return append([]string{"produce", topic}, flags...) }
	}
	return []capability{
		{name: "messages of format 0: none, gzip, snappy, lz4", gone: "3.0", works: format(0, "0.9.0.0", "none", "gzip", "snappy", "lz4")},
		{name: "messages of format 1", since: "0.10.0", gone: "3.0", works: format(1, "0.10.0", "none", "gzip", "snappy", "lz4")},
		{name: "record batches (format 2)", since: "0.11.0", works: format(2, "", "none", "gzip", "snappy", "lz4")},
		{name: "zstd", since: "2.1", works: zstdWorks, lacks: refused("2.1", "a\n", produce("-z", "zstd"))},
		{name: "record headers", since: "0.11.0", works: headersWork, lacks: refused("0.11.0", "a\n", produce("-H", "a=1"))},
		{name: "record timestamps", since: "0.10.0", works: timestampsWork,
			lacks: refused("0.10.0", "a\n", produce("--timestamp", "now"))},
		{name: "idempotent producing", since: "0.11.0", works: idempotenceWorks, lacks: idempotenceLacks},
		{name: "acks 0, 1, all; receipts", works: acksWork},
		{name: "acks of N replicas", gone: "0.9.0", works: replicasWork, lacks: refused("0.9.0", "a\n", produce("--acks", "2"))},
		{name: "keys by murmur2, crc32, py2hash", works: keysWork},
		{name: "metadata, coordinators", works: metadataWorks},
		{name: "cluster id", since: "0.10.1", works: clusterIDWorks,
			lacks: absentAsNull("cluster id", func(l listing) *string { return l.ClusterID })},
		{name: "topic ids", since: "2.8", works: topicIDWorks,
			lacks: absentAsNull("topic id", func(l listing) *string { return l.Topics[0].TopicID })},
		{name: "positions by offset, ranges", works: positionsWork},
		{name: "positions by time, to the record", since: "0.10.1", works: timesWork, lacks: timesLack},
		{name: "position max-timestamp", since: "3.0", works: special("max-timestamp", "5"), lacks: specialRefused("3.0", "max-timestamp")},
		{name: "starts of segments (--max-offsets)", gone: "4.0", works: segmentsWork,
			lacks: refused("before 4.0", "", func(topic string) []string {
				return []string{"offsets", "get", topic, "--max-offsets", "5"}
			})},
		{name: "positions before the log's start", works: logStartWorks},
		{name: "offsets kept in Kafka: commit, get, seek, undo", works: offsetsWork("kafka")},
		{name: "offsets kept in ZooKeeper", gone: "4.0", works: offsetsWork("zookeeper"),
			lacks: refused("0.8.1 to 3.9", "", func(topic string) []string {
				return []string{"offsets", "commit", "-g", "old", topic + ":0=1", "--offset-storage", "zookeeper"}
			})},
		{name: "offsets deleted", since: "2.4", works: offsetsDelete, lacks: stays("2.4", "offsets", "delete", "-g", "stays", "^delete")},
		{name: "consume --exec: a failing child's record comes again", works: execWorks},
		{name: "joined groups, classic protocol", since: "0.9.0", works: joinWorks("classic"), lacks: joinRefused("0.9.0", "classic")},
		{name: "joined groups, KIP-848 protocol", since: "4.0", works: joinWorks("consumer"), lacks: joinRefused("3.7|4.0", "consumer")},
		{name: "groups listed and described", since: "0.9.0", works: groupsWork,
			lacks: refused("0.9.0", "", func(string) []string { return []string{"groups", "list"} })},
		{name: "groups deleted", since: "1.1", works: groupsDelete, lacks: stays("1.1", "groups", "delete", "stays")},
		{name: "tail and produce across a restart, truncation", works: restartWorks},
	}
}
