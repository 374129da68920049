package group

import (
	"context"
	"errors"
	"fmt"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// link is a connection of a member's own to its coordinator: a JoinGroup may be
// held for minutes, and whatever is sent behind it waits. One goroutine at a time
// uses it.
type link struct {
	client *broker.Client
	group  string
	conn   *broker.Conn
	node   broker.Broker
}

// open asks who coordinates and connects, unless there is a connection.
func (l *link) open(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	b, err := l.client.Coordinator(ctx, wire.CoordinatorGroup, l.group)
	if err != nil {
		return err
	}
	conn, err := l.client.Open(ctx, b.ID)
	if errors.Is(err, broker.ErrUnknownNode) {
		return fmt.Errorf("the coordinator of group %s: %w", l.group, err)
	}
	if err != nil {
		return err
	}
	l.conn, l.node = conn, b
	return nil
}

// ask sends one request. What the coordinator says against the request as a whole
// is an error as well: code gives it apart from those of the way there. After
// errors that say that somebody else coordinates, and those of the connection,
// the next ask begins anew.
func (l *link) ask(ctx context.Context, req wire.Request, resp wire.Response, code func() wire.Code) (version int16, err error) {
	if err := l.open(ctx); err != nil {
		return -1, err
	}
	version, err = l.conn.Roundtrip(ctx, req, resp, -1)
	if err != nil {
		l.close()
		return version, err
	}
	said := code()
	if said == wire.None {
		return version, nil
	}
	err = &broker.RequestError{
		API: req.Key(), Version: version, Broker: fmt.Sprintf("%s (node %d)", l.conn.Addr(), l.node.ID), Partition: -1, Err: said,
	}
	if said == wire.NotCoordinator || said == wire.CoordinatorNotAvailable {
		l.close()
	}
	return version, err
}

func (l *link) close() {
	if l.conn != nil {
		_ = l.conn.Close() // nothing is lost with it that anybody waits for
		l.conn = nil
	}
}

// isAny says that err is one of codes.
func isAny(err error, codes ...wire.Code) bool {
	for _, c := range codes {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}
