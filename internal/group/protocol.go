package group

import (
	"context"
	"errors"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/wire"
)

// Protocol is how a member joins.
type Protocol int8

const (
	// Auto is what the group's members speak; where it has none, the newest that
	// its coordinator does and the assignors asked for are of.
	Auto Protocol = iota
	// ClassicProtocol is JoinGroup and SyncGroup, brokers from 0.9 on.
	ClassicProtocol
	// ConsumerProtocol is ConsumerGroupHeartbeat (KIP-848), brokers from 4.0 on.
	ConsumerProtocol
)

// Join makes a member of cfg.Group that speaks protocol, and asks the
// coordinator where that is to be found out. A coordinator that does not speak it
// makes a *broker.VersionError. Assignors in cfg.Assignors may be of either
// protocol where it is Auto: one that only brokers have asks for the KIP-848
// protocol, one that only members have for the classic one.
func Join(ctx context.Context, client *broker.Client, protocol Protocol, cfg Config) (consume.Group, error) {
	if protocol == Auto {
		var err error
		if protocol, err = choose(ctx, client, cfg); err != nil {
			return nil, err
		}
	}
	if protocol == ClassicProtocol {
		return asGroup(NewClassic(client, cfg))
	}
	if err := speaks(ctx, client, cfg.Group); err != nil {
		return nil, err
	}
	if cfg.ServerAssignor == "" && len(cfg.Assignors) > 0 {
		cfg.ServerAssignor = cfg.Assignors[0]
	}
	return asGroup(NewModern(client, cfg))
}

// asGroup is g, or no Group at all where there is an error.
func asGroup[G consume.Group](g G, err error) (consume.Group, error) {
	if err != nil {
		return nil, err
	}
	return g, nil
}

// speaks asks whether a group's coordinator has the KIP-848 protocol.
func speaks(ctx context.Context, client *broker.Client, group string) error {
	ctx, cancel := context.WithTimeout(ctx, client.Config().Timeout)
	defer cancel()
	l := link{client: client, group: group}
	defer l.close()
	pt := patience{client: client, limit: client.Config().Timeout}
	for {
		err := l.open(ctx)
		if err == nil {
			version, err := l.conn.Version(wire.ConsumerGroupHeartbeat, -1)
			// Kafka 3.7 to 3.9 announce version 0 of a preview that is switched off,
			// and refuse to be asked.
			if level, ok := l.conn.Feature("group.version"); err == nil && (version < 1 || ok && level < 1) {
				err = &broker.VersionError{API: wire.ConsumerGroupHeartbeat, Cap: -1, Ours: [2]int16{1, 1}, Theirs: [2]int16{0, 0}}
			}
			if err != nil {
				var version *broker.VersionError
				if errors.As(err, &version) {
					version.Software = "4.0 or later"
				}
				return &broker.RequestError{API: wire.ConsumerGroupHeartbeat, Version: -1, Broker: l.conn.Addr(), Partition: -1, Err: err}
			}
			return nil
		}
		if err := pt.wait(ctx, err); err != nil {
			return err
		}
	}
}

// choose is what Auto comes to.
func choose(ctx context.Context, client *broker.Client, cfg Config) (Protocol, error) {
	classic := slices.ContainsFunc(cfg.Assignors, func(a string) bool {
		return a == RoundRobin || a == Sticky || a == CooperativeSticky
	})
	if classic {
		return ClassicProtocol, nil
	}
	err := speaks(ctx, client, cfg.Group)
	if errors.As(err, new(*broker.VersionError)) {
		return ClassicProtocol, nil
	}
	if err != nil {
		return Auto, err
	}
	list, err := Describe(ctx, client, []string{cfg.Group})
	if err != nil {
		return Auto, err
	}
	if d := &list[0]; d.Err == nil && d.Type == TypeClassic && len(d.Members) > 0 && !slices.Contains(cfg.Assignors, Uniform) {
		return ClassicProtocol, nil // its members decide; they can be upgraded one by one, and we are not to begin with it
	}
	return ConsumerProtocol, nil
}
