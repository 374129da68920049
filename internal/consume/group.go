package consume

import (
	"context"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// Group is how a session gets partitions from a consumer group and keeps its
// offsets there: by joining it, or by standing beside it.
type Group interface {
	// Run joins, tells h what is given and taken, and returns when ctx ends or the
	// membership is over for good. Heartbeats go on while h works.
	Run(ctx context.Context, h Handler) error
	// Stored reads the group's offsets; a partition's error stands in its Stored.
	Stored(ctx context.Context, tps []broker.TP) (map[broker.TP]offsets.Stored, error)
	// Commit stores positions, each the next offset to read, as the member that
	// Run made of us. A partition's error comes back under its name.
	Commit(ctx context.Context, at map[broker.TP]offsets.Stored) (map[broker.TP]error, error)
	// Leave gives everything up at once, so that others need not wait for the
	// session timeout. Static members (KIP-345) stay.
	Leave(ctx context.Context) error
}

// Handler is told of a member's partitions. Its methods are never called from
// two goroutines at once.
type Handler interface {
	// Assigned gives partitions that were not ours.
	Assigned(ctx context.Context, tps []broker.TP) error
	// Revoked takes partitions away and returns when nothing of them is in flight
	// any more: what was written is flushed and committed. With lost they are
	// someone else's already, and nothing may be committed.
	Revoked(ctx context.Context, tps []broker.TP, lost bool) error
	// Settled says that a rebalance is over and every partition that is to be ours
	// was assigned, perhaps none.
	Settled(ctx context.Context) error
}
