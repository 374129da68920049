package main

import "time"

// tuning is what the hidden flags set; see the table below.
type tuning struct {
	fetchWait              time.Duration // broker's patience for fetchMinBytes
	fetchMinBytes          int
	fetchMaxBytes          int // of one fetch response
	maxPartitionBytes      int // of one partition in it
	maxPartitionBytesLimit int // how far an old broker's too-small answer may grow it

	linger          time.Duration
	batchBytes      int
	batchN          int // records in a batch, 0: no limit
	maxInFlight     int
	retries         int // of one batch; -1: until deliveryTimeout
	retryBackoff    time.Duration
	deliveryTimeout time.Duration
	ackTimeout      time.Duration // broker's patience for the replicas
	snappyFraming   string        // xerial or raw
	snappyBlock     int           // uncompressed bytes in a xerial block
	randomStart     bool          // round robin begins anywhere

	socketTimeout    time.Duration // of one socket operation, 0: none
	noShuffleBrokers bool
	rack             string
	clientID         string
}

func defaultTuning() tuning {
	return tuning{
		fetchWait:              500 * time.Millisecond,
		fetchMinBytes:          1,
		fetchMaxBytes:          50 << 20,
		maxPartitionBytes:      4 << 20,
		maxPartitionBytesLimit: 256 << 20,
		linger:                 5 * time.Millisecond,
		batchBytes:             1_000_000,
		maxInFlight:            5,
		retries:                -1,
		retryBackoff:           100 * time.Millisecond,
		deliveryTimeout:        2 * time.Minute,
		ackTimeout:             30 * time.Second,
		snappyFraming:          "xerial",
		snappyBlock:            32 << 10,
		randomStart:            true,
		socketTimeout:          2 * time.Minute,
		clientID:               "kafkactl",
	}
}
