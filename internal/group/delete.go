package group

import (
	"context"
	"errors"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// Delete deletes groups and all they have stored (KIP-229, brokers from 1.1). It
// gives one error for each, in order, nil where the group is gone:
// wire.NonEmptyGroup where it has members, wire.GroupIDNotFound where there was
// none.
func Delete(ctx context.Context, c *broker.Client, groups []string) []error {
	inner, cancel := context.WithTimeout(ctx, c.Config().Timeout)
	defer cancel()
	errs := make([]error, len(groups))
	for i, name := range groups { // each has a coordinator of its own
		for try := 1; ; try++ {
			errs[i] = deleteOne(inner, c, name)
			var code wire.Code
			if !errors.As(errs[i], &code) || !code.Retriable() || c.Pause(inner, try) != nil {
				break
			}
			if _, err := c.Coordinator(inner, wire.CoordinatorGroup, name); err != nil {
				break
			}
		}
	}
	return errs
}

func deleteOne(ctx context.Context, c *broker.Client, name string) error {
	req := wire.DeleteGroupsRequest{GroupsNames: []string{name}}
	resp := wire.Default[wire.DeleteGroupsResponse]()
	version, err := c.Do(ctx, broker.GroupCoordinator(name), &req, &resp)
	if err != nil {
		return err
	}
	for _, r := range resp.Results {
		if r.GroupID == name && r.ErrorCode == wire.None {
			return nil
		}
		if r.GroupID == name {
			return &broker.RequestError{API: wire.DeleteGroups, Version: version, Partition: -1, Err: r.ErrorCode}
		}
	}
	return &broker.RequestError{API: wire.DeleteGroups, Version: version, Partition: -1, Err: broker.ErrMalformed}
}
