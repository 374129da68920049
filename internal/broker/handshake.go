package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"kafkactl/internal/wire"
)

// trust is what is believed of a broker before it is asked for its versions.
//
// Brokers up to 0.9 know no ApiVersions request: 0.8 hangs up on it, as brokers
// that are just being stopped do, and 0.9 never answers it, as brokers in a long
// pause seem to. Mistaking a newer broker for one of them would cost record
// headers and timestamps, so it takes proof from the broker itself, on one and the
// same connection, since another may have got lost in the network: it answers a
// request of 0.8 and then hangs up on ApiVersions, or leaves it unanswered, as it
// has on a connection before.
type trust int8

const (
	trustNew   trust = iota // ask ApiVersions
	trustDoubt              // it hung up on that once: see whether it answers anything else
	trustProbe              // a second connection, to see whether it answers anything
	trustAsk                // a third, to see whether it tells its versions
	trustOld                // it is of before 0.10: see whether it knows groups
	trust08                 // it does not
	trust09                 // it does
)

// known says that a broker need not be asked anything.
func (t trust) known() bool { return t == trust08 || t == trust09 }

// errOld is NegotiateVersions' way to say that a broker is of before 0.10, errMute
// that it keeps silent as 0.9 does, where errOld alone says that it hangs up as 0.8
// does, and errOlder that it is of before 0.9. The connection is lost over it; the next one
// need not ask.
var (
	errOld   = errors.New("the broker is older than Kafka 0.10")
	errMute  = fmt.Errorf("%w: it does not answer ApiVersions", errOld)
	errOlder = errors.New("the broker is older than Kafka 0.9")
)

// errStalled ends a connection that nothing comes back on, while others of the
// same broker do well.
var errStalled = &timeoutError{"no answer to ApiVersions, while other connections to it are answered", os.ErrDeadlineExceeded}

// patience is how long ApiVersions may go unanswered before it is doubted that
// it ever will be, and how much longer once the doubt is confirmed.
const patience = 200 * time.Millisecond

// suspicion is how long ApiVersions may go unanswered before it is doubted that
// a broker was asked: longer than it takes to know an old one.
const suspicion = 1500 * time.Millisecond

// windows08 is what 0.8.2 speaks. Version 1 of the offset requests keeps offsets
// in Kafka, version 0 in ZooKeeper.
func windows08() map[wire.Key][2]int16 {
	return map[wire.Key][2]int16{
		wire.Produce:         {0, 0},
		wire.Fetch:           {0, 0},
		wire.ListOffsets:     {0, 0},
		wire.Metadata:        {0, 0},
		wire.OffsetCommit:    {0, 1},
		wire.OffsetFetch:     {0, 1},
		wire.FindCoordinator: {0, 0},
	}
}

// windows09 is what 0.9 speaks.
func windows09() map[wire.Key][2]int16 {
	w := windows08()
	maps.Copy(w, map[wire.Key][2]int16{
		wire.Produce:        {0, 1},
		wire.Fetch:          {0, 1},
		wire.OffsetCommit:   {0, 2},
		wire.JoinGroup:      {0, 0},
		wire.Heartbeat:      {0, 0},
		wire.LeaveGroup:     {0, 0},
		wire.SyncGroup:      {0, 0},
		wire.DescribeGroups: {0, 0},
		wire.ListGroups:     {0, 0},
	})
	return w
}

// firstAsked is the ApiVersions version to begin with: the lowest that tells
// finalized features and our name. Asking with the highest would cost a second
// round trip on each connection to any broker that does not know it yet.
const firstAsked = 3

// NegotiateVersions is the Step that asks a broker what it speaks (KIP-35,
// KIP-511).
func NegotiateVersions(ctx context.Context, c *Conn) error {
	switch c.speaks.trust {
	case trust08:
		c.speaks.windows = windows08()
		return nil
	case trust09:
		c.speaks.windows = windows09()
		return nil
	case trustOld:
		return c.findGroups(ctx)
	case trustProbe:
		return c.probe(ctx)
	case trustAsk:
		_, err := c.askVersions(ctx, firstAsked)
		return err
	case trustDoubt:
		if err := c.probe(ctx); err != nil {
			return err
		}
		resp, err := c.askVersions(ctx, 0)
		if errors.Is(err, errHungUp) {
			return errOld
		}
		if err != nil {
			return err
		}
		return c.learn(resp)
	}
	trusting := c.doubt(ctx)
	resp, err := c.askVersions(ctx, firstAsked)
	trusting()
	if err == nil && resp.ErrorCode == wire.UnsupportedVersion {
		resp, err = c.askVersions(ctx, secondAsked(resp))
	}
	if err != nil {
		return err
	}
	return c.learn(resp)
}

// doubt ends the Conn if ApiVersions goes unanswered while a rival connection is
// answered: with errStalled if it is there, too, and with errOld if it is not; and
// with what the peer is if it is no broker. The func it returns ends the doubt.
func (c *Conn) doubt(ctx context.Context) (trusting func()) {
	ctx, cancel := context.WithCancel(ctx)
	var doubts sync.WaitGroup
	if c.rival != nil {
		doubts.Go(func() {
			if sleep(ctx, patience) != nil {
				return
			}
			young, err := c.rival(ctx)
			switch {
			case err != nil || ctx.Err() != nil:
			case !young:
				c.fail(errMute)
			case sleep(ctx, patience) == nil:
				c.fail(errStalled)
			}
		})
	}
	if c.suspect != nil {
		doubts.Go(func() {
			if sleep(ctx, suspicion) != nil {
				return
			}
			if err := c.suspect(ctx); err != nil {
				c.fail(err)
			}
		})
	}
	return func() {
		cancel()
		doubts.Wait()
	}
}

// probe asks something that every Kafka since 0.8 answers, in a few bytes, and
// that does nothing: the offsets of no partitions.
func (c *Conn) probe(ctx context.Context) error {
	ca, err := c.send(ctx, &wire.ListOffsetsRequest{ReplicaID: -1}, 0)
	if err != nil {
		return err
	}
	var resp wire.ListOffsetsResponse
	return ca.Recv(ctx, &resp, nil)
}

// findGroups tells 0.9, which knows requests about groups, from 0.8, which hangs
// up on them: it asks to describe no groups, which needs no rights and does
// nothing. That a broker on its way down is not taken for an older one, it has to
// answer a request of 0.8 first.
func (c *Conn) findGroups(ctx context.Context) error {
	if err := c.probe(ctx); err != nil {
		return err
	}
	ca, err := c.send(ctx, &wire.DescribeGroupsRequest{}, 0)
	if err == nil {
		err = ca.Recv(ctx, &wire.DescribeGroupsResponse{}, nil)
	}
	if errors.Is(err, errHungUp) {
		return errOlder
	}
	if err == nil {
		c.speaks.trust, c.speaks.windows = trust09, windows09()
	}
	return err
}

func (c *Conn) askVersions(ctx context.Context, version int16) (*wire.ApiVersionsResponse, error) {
	req := wire.Default[wire.ApiVersionsRequest]()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "kafkactl", softwareVersion(c.software)
	ca, err := c.send(ctx, &req, version)
	if err != nil {
		return nil, err
	}
	resp := wire.Default[wire.ApiVersionsResponse]()
	return &resp, ca.Recv(ctx, &resp, nil)
}

// secondAsked is the version to ask with after the first was refused: the
// highest the broker names (2.4 and later do), else 0.
func secondAsked(refusal *wire.ApiVersionsResponse) int16 {
	api, _ := wire.Lookup(wire.APIVersions)
	for _, r := range refusal.APIKeys {
		if r.APIKey == wire.APIVersions && max(r.MinVersion, api.Min) <= min(r.MaxVersion, api.Max) {
			return min(r.MaxVersion, api.Max)
		}
	}
	return 0
}

// learn keeps what the broker said.
func (c *Conn) learn(resp *wire.ApiVersionsResponse) error {
	if err := resp.ErrorCode.Err(); err != nil {
		return c.fault(wire.APIVersions, -1, err, false)
	}
	c.speaks.windows = make(map[wire.Key][2]int16, len(resp.APIKeys))
	for _, r := range resp.APIKeys {
		c.speaks.windows[r.APIKey] = [2]int16{r.MinVersion, r.MaxVersion}
	}
	c.speaks.features = make(map[string]int16, len(resp.FinalizedFeatures))
	for _, f := range resp.FinalizedFeatures {
		c.speaks.features[f.Name] = f.MaxVersionLevel
	}
	return nil
}

// Versions gives the broker's version windows, lowest and highest, by API; they
// include APIs that this package does not speak.
func (c *Conn) Versions() map[wire.Key][2]int16 { return maps.Clone(c.speaks.windows) }

// softwareVersion makes v fit what brokers accept (KIP-511): letters, digits,
// dashes and dots, with a letter or digit at both ends.
func softwareVersion(v string) string {
	v = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-':
			return r
		}
		return '-'
	}, v)
	if v = strings.Trim(v, "-."); v == "" {
		return "unknown"
	}
	return v
}

// handshake runs the steps.
func (c *Conn) handshake(ctx context.Context, steps []Step) error {
	for _, step := range steps {
		if err := step(ctx, c); err != nil {
			return err
		}
	}
	if c.speaks.windows == nil && c.speaks.trust != trustProbe && c.speaks.trust != trustAsk {
		return fmt.Errorf("handshake: no step asked for versions")
	}
	return nil
}
