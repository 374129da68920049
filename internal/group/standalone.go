package group

import (
	"context"
	"fmt"
	"strings"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
)

// Standalone stands beside a group: it reads and stores the group's offsets and
// never joins, so nobody gives it partitions. Brokers refuse what it stores
// while the group has members.
type Standalone struct {
	client  *broker.Client
	group   string
	storage offsets.Storage
}

var _ consume.Group = (*Standalone)(nil)

// NewStandalone asks nobody yet; see Vacant.
func NewStandalone(client *broker.Client, group string, storage offsets.Storage) *Standalone {
	return &Standalone{client: client, group: group, storage: storage}
}

// Run waits for ctx to end: there is no membership.
func (s *Standalone) Run(ctx context.Context, _ consume.Handler) error {
	<-ctx.Done()
	return ctx.Err()
}

// Stored reads the group's offsets; see offsets.FetchStored.
func (s *Standalone) Stored(ctx context.Context, tps []broker.TP) (map[broker.TP]offsets.Stored, error) {
	return offsets.FetchStored(ctx, s.client, s.group, s.storage, tps, s.storage == offsets.Kafka)
}

// Commit stores offsets as nobody of the group; see offsets.Commit.
func (s *Standalone) Commit(ctx context.Context, at map[broker.TP]offsets.Stored) (map[broker.TP]error, error) {
	return offsets.Commit(ctx, s.client, offsets.Outside(s.group), s.storage, at)
}

// Leave has nothing to give up.
func (s *Standalone) Leave(context.Context) error { return nil }

// LiveError is a group that must not be changed from outside: it has members.
type LiveError struct {
	Group   string
	Members []MemberDescription
}

// namedMembers is how many members an error names.
const namedMembers = 5

// Error names the members, the first few of many.
func (e *LiveError) Error() string {
	var names []string
	for i := range min(len(e.Members), namedMembers) {
		names = append(names, e.Members[i].Name())
	}
	more, noun := "", "member"
	if n := len(e.Members) - namedMembers; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	if len(e.Members) != 1 {
		noun += "s"
	}
	return fmt.Sprintf("group %s has %d live %s: %s%s", e.Group, len(e.Members), noun, strings.Join(names, ", "), more)
}

// Vacant asks a group's coordinator whether it has members, which makes a
// *LiveError. It causes no rebalance. Brokers before 0.9 know no members.
func Vacant(ctx context.Context, client *broker.Client, group string) error {
	members, err := LiveMembers(ctx, client, group)
	if err != nil {
		return err
	}
	if len(members) > 0 {
		return &LiveError{Group: group, Members: members}
	}
	return nil
}
