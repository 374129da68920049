package group

import (
	"context"
	"errors"
	"slices"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Config is what a member is told. The zero value of a field means its default.
type Config struct {
	Group    string
	Instance string // makes a static member of it (KIP-345): it may be away for a session timeout
	// Topics are subscribed to by name, beside all that Match says yes to.
	Topics []string
	Match  func(topic string) bool
	// Assignors a classic member can work with, in its order of preference;
	// default range, roundrobin, cooperative-sticky, sticky. Only where all of
	// them are cooperative are partitions kept during rebalances.
	Assignors []string
	// ServerAssignor is uniform or range for the KIP-848 protocol; default the
	// broker's.
	ServerAssignor string
	// SessionTimeout is how long the coordinator waits for heartbeats of a classic
	// member; default 45 s, at most 30 s on brokers before 0.10.1. With KIP-848 the group
	// has it.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long others wait for this member to give partitions
	// up; default 5 min. Brokers before 0.10.1 take the session timeout for it.
	RebalanceTimeout  time.Duration
	HeartbeatInterval time.Duration // of a classic member; default 3 s
	MetadataEvery     time.Duration // how often new topics and partitions are looked for; default 10 s
	Rack              string
	// Persist makes a member wait for its coordinator for ever, once it has
	// joined. Else Run ends when there was none for the client's timeout.
	Persist bool
	// Log gets one line a step of the protocol (level 1) and what the user should
	// know in any case (level 0); nil is silence.
	Log func(level int, format string, args ...any)
}

const (
	defaultSession   = 45 * time.Second
	oldSession       = 30 * time.Second // the most that brokers before 0.10.1 take
	defaultRebalance = 5 * time.Minute
	defaultHeartbeat = 3 * time.Second
	defaultMetadata  = 10 * time.Second
)

func (cfg Config) withDefaults() Config {
	if cfg.SessionTimeout <= 0 {
		cfg.SessionTimeout = defaultSession
	}
	if cfg.RebalanceTimeout <= 0 {
		cfg.RebalanceTimeout = defaultRebalance
	}
	if cfg.HeartbeatInterval <= 0 {
		cfg.HeartbeatInterval = defaultHeartbeat
	}
	cfg.HeartbeatInterval = min(cfg.HeartbeatInterval, cfg.SessionTimeout/3) // a lost one or two do not end it
	if cfg.MetadataEvery <= 0 {
		cfg.MetadataEvery = defaultMetadata
	}
	if cfg.Log == nil {
		cfg.Log = func(int, string, ...any) {}
	}
	return cfg
}

// instance is the group instance id as requests want it.
func (cfg *Config) instance() *string { return optional(cfg.Instance) }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func word(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// subscribed asks which topics the member is to be subscribed to, sorted.
func (cfg *Config) subscribed(ctx context.Context, client *broker.Client) ([]string, error) {
	topics := slices.Clone(cfg.Topics)
	if cfg.Match != nil {
		snap, err := client.Refresh(ctx, client.Metadata())
		if err != nil {
			return nil, err
		}
		for _, t := range snap.Topics() {
			if (t.Err == wire.None || t.Err == wire.LeaderNotAvailable) && cfg.Match(t.Name) {
				topics = append(topics, t.Name)
			}
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics), nil
}

// patience counts tries at reaching the coordinator, and says when to give up.
type patience struct {
	client *broker.Client
	limit  time.Duration // zero: for ever
	since  time.Time     // the first failure in a row
	tries  int
	last   error // the newest that is not just the time running out
}

// fresh begins anew: the coordinator answered.
func (p *patience) fresh() { p.tries, p.last = 0, nil }

// over is the end of ctx: where its time is up, with what it was spent on.
func (p *patience) over(ctx context.Context) error {
	if p.last != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return p.last
	}
	return ctx.Err()
}

// wait pauses before the next try, or gives back what the last one failed of:
// because it will not go away, or because there was enough of it.
func (p *patience) wait(ctx context.Context, err error) error {
	if p.last == nil || !errors.Is(err, context.DeadlineExceeded) {
		p.last = err
	}
	if ctx.Err() != nil {
		return p.over(ctx)
	}
	if !passing(err) {
		return err
	}
	return p.pause(ctx, err)
}

// pause is wait for an error that is known to go away.
func (p *patience) pause(ctx context.Context, err error) error {
	now := time.Now()
	if p.tries == 0 {
		p.since = now
	}
	p.tries++
	if p.limit > 0 && now.Sub(p.since) >= p.limit {
		return err
	}
	if p.client.Pause(ctx, p.tries) != nil {
		return p.over(ctx)
	}
	return nil
}

// passing says that an error can go away by itself: the coordinator is moving,
// loading, or out of reach.
func passing(err error) bool {
	var (
		code    wire.Code
		version *broker.VersionError
		dial    *broker.DialError
	)
	switch {
	case errors.As(err, &version), errors.Is(err, wire.ErrVersion), errors.Is(err, broker.ErrMalformed),
		errors.Is(err, broker.ErrTLS), errors.Is(err, broker.ErrNotKafka):
		return false
	case errors.As(err, &code):
		switch code {
		case wire.NotCoordinator, wire.CoordinatorNotAvailable, wire.CoordinatorLoadInProgress, wire.RebootstrapRequired:
			return true
		}
		return code.Retriable()
	}
	return errors.As(err, &dial) || errors.Is(err, broker.ErrClosed) || errors.Is(err, broker.ErrUnknownNode) || errors.Is(err, broker.ErrUnavailable) ||
		errors.Is(err, context.DeadlineExceeded)
}
