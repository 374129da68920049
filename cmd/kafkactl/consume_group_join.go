package main

import (
	"context"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/group"
	"kafkactl/internal/offsets"
)

// membership is of the group, by the protocol asked for or else its own.
func (o *consumeOptions) membership(ctx context.Context, client *broker.Client) (consume.Group, error) {
	tune := o.cfg.tuning
	cfg := group.Config{
		Group: o.group, Instance: o.instance, Rack: client.Config().Rack, Persist: o.follow,
		Topics: o.named(), Assignors: o.assignors(), Log: o.verbose, SessionTimeout: tune.sessionTimeout,
		HeartbeatInterval: tune.heartbeatInterval, RebalanceTimeout: tune.rebalanceTimeout,
	}
	if o.regexes() {
		cfg.Match = func(topic string) bool {
			return slices.ContainsFunc(o.targets, func(t offsets.Target) bool { return t.Regex != nil && t.Matches(topic) })
		}
	}
	protocol := group.Auto
	switch o.protocol {
	case "classic":
		protocol = group.ClassicProtocol
	case "consumer":
		protocol = group.ConsumerProtocol
	}
	g, err := group.Join(ctx, client, protocol, cfg)
	if is[*broker.VersionError](err) && protocol != group.ConsumerProtocol {
		err = &hintError{err: err, hint: "--standalone reads from the group's offsets without joining"}
	}
	return g, err
}
