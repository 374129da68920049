package produce

import (
	"fmt"

	"kafkactl/internal/wire"
)

// fate is what an answer means for its batch.
type fate int8

const (
	stored   fate = iota // acknowledged
	again                // send the same bytes again
	sequence             // the broker's last sequence of ours is not the one before this
	tooLarge             // perhaps smaller
	unformed             // not with sequences, which the log's format has no place for
	refused              // never
)

// verdict reads an answer. doubt says that the batch may stand in the log all
// the same.
func (b *Batch) verdict() (f fate, doubt bool) {
	a := b.answer
	if a.lost {
		return again, !a.unsent
	}
	switch a.code {
	case wire.None, wire.DuplicateSequenceNumber: // a duplicate of what is stored is stored
		return stored, false
	case wire.OutOfOrderSequenceNumber, wire.UnknownProducerID, wire.InvalidProducerEpoch, wire.ProducerFenced:
		return sequence, false
	case wire.MessageTooLarge, wire.RecordListTooLarge:
		return tooLarge, false
	case wire.CorruptMessage:
		// Bytes may be hurt on their way; the same bytes hurt three times are ours.
		if b.damaged < 3 {
			return again, false
		}
		return refused, false
	case wire.UnsupportedForMessageFormat:
		// The topic keeps messages of before 0.11 (message.format.version).
		if b.id.sequenced() {
			return unformed, false
		}
		return refused, false
	case wire.UnknownServerError:
		return refused, true
	case wire.RequestTimedOut, wire.NotEnoughReplicasAfterAppend, wire.NotLeaderOrFollower, wire.KafkaStorageError, wire.NetworkException:
		// The leader may have appended before it timed out, lost its followers, its
		// office or its disk.
		return again, true
	}
	if a.code.Retriable() {
		return again, false
	}
	return refused, false
}

// stale says that the answer speaks of old metadata.
func (a *answer) stale() bool {
	if a.lost {
		return true
	}
	switch a.code {
	case wire.NotLeaderOrFollower, wire.UnknownTopicOrPartition, wire.LeaderNotAvailable, wire.UnknownTopicID,
		wire.KafkaStorageError, wire.FencedLeaderEpoch, wire.UnknownLeaderEpoch, wire.BrokerNotAvailable, wire.ReplicaNotAvailable:
		return true
	}
	return false
}

// because adds the cause, where one is known.
func because(why, cause error) error {
	if cause == nil {
		return why
	}
	return fmt.Errorf("%w: %w", why, cause)
}
