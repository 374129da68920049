package group

import (
	"context"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
)

// Protocol is how a member joins.
type Protocol int8

const (
	// Auto is what the group speaks already, or the newest that its coordinator
	// does.
	Auto Protocol = iota
	// ClassicProtocol is JoinGroup and SyncGroup, brokers from 0.9 on.
	ClassicProtocol
	// ConsumerProtocol is ConsumerGroupHeartbeat (KIP-848), brokers from 4.0 on.
	ConsumerProtocol
)

// Join makes a member of cfg.Group that speaks protocol.
func Join(ctx context.Context, client *broker.Client, protocol Protocol, cfg Config) (consume.Group, error) {
	return NewClassic(client, cfg)
}
