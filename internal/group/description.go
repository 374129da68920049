package group

import (
	"strings"

	"kafkactl/internal/broker"
)

// Types of groups, as brokers name them from ListGroups version 5 on (KIP-848).
// Older brokers know only classic ones.
const (
	TypeClassic  = "classic"
	TypeConsumer = "consumer"
	TypeShare    = "share"
	TypeStreams  = "streams"
)

// Listing is one group as the broker that coordinates it lists it.
type Listing struct {
	Group        string
	Type         string // classic, consumer, share, …; what else a newer broker says comes through
	State        string // empty: the broker is older than 2.6 and tells none
	ProtocolType string // "consumer" for consumers, "connect" for Connect's workers; empty where nobody ever joined
	Coordinator  broker.Broker
}

// Description is one group as its coordinator describes it.
type Description struct {
	Group        string
	Type         string
	State        string // Empty, Stable, PreparingRebalance, …; Dead: no such group, from brokers before 4.0
	ProtocolType string
	Assignor     string // the strategy agreed on; empty without members
	Epoch        int32  // group epoch (KIP-848); -1 in classic groups, whose generation brokers do not tell
	Coordinator  broker.Broker
	Members      []MemberDescription
	// Err is why there is no more than the name: wire.GroupIDNotFound for a group
	// that is not there, whatever the broker's age.
	Err error
}

// MemberDescription is one live member of a group.
type MemberDescription struct {
	ID         string
	InstanceID string // of a static member (KIP-345), or ""
	ClientID   string
	Host       string // as brokers know it, without their leading slash
	Rack       string
	Epoch      int32 // member epoch (KIP-848), -1 in classic groups
	// Classic says that a member of a consumer group speaks the classic protocol.
	Classic    bool
	Subscribed []string // topics it asks for, where it says
	Regex      string   // the RE2 pattern it subscribes to (KIP-848), or ""
	Assigned   []broker.TP
	Target     []broker.TP // what it shall have once the rebalance is over (KIP-848); nil in classic groups
	// Opaque says that the assignment is not a consumer's, so that Assigned cannot
	// be known: Connect's workers have formats of their own.
	Opaque bool
}

// Name is how messages call a member: "app-1 (10.0.0.7, app-1-9f2c)".
func (m *MemberDescription) Name() string {
	var b strings.Builder
	b.WriteString(m.ClientID)
	if m.ClientID == "" {
		b.WriteString("member")
	}
	b.WriteString(" (")
	if m.Host != "" {
		b.WriteString(m.Host + ", ")
	}
	if m.InstanceID != "" {
		b.WriteString(m.InstanceID + ", ")
	}
	b.WriteString(m.ID + ")")
	return b.String()
}
