package produce

import (
	"context"
	"errors"
	"math"
	"time"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// identify asks for a producer id: a first one, or one newer than old. Where
// brokers can, that is old's with a higher epoch (KIP-360). Without old, a
// broker that cannot or will not give one gets records without sequences.
func (e *engine) identify(ctx context.Context, old identity) {
	for attempt := 1; ; attempt++ {
		id, err := e.askIdentity(ctx, old)
		if err == nil {
			e.post(func(time.Time) { e.core.identified(id) })
			return
		}
		if !old.known && unidentified(err) {
			e.cfg.Log(1, "producing without idempotence: %v", err)
			e.post(func(time.Time) { e.core.identified(anonymous()) })
			return
		}
		if ctx.Err() != nil {
			return
		}
		var code wire.Code
		if errors.As(err, &code) && !code.Retriable() || errors.Is(err, broker.ErrMalformed) {
			e.post(func(now time.Time) {
				e.core.now = now
				e.ledger.blame(err)
				e.core.halt(err)
			})
			return
		}
		e.post(func(time.Time) { e.core.idErr = err })
		if !e.sleep(ctx, e.core.pause(attempt)) {
			return
		}
	}
}

func (e *engine) askIdentity(ctx context.Context, old identity) (identity, error) {
	req := wire.Default[wire.InitProducerIDRequest]()
	req.TransactionTimeoutMs = math.MaxInt32 // without a transactional id it means nothing
	req.ProducerID, req.ProducerEpoch = -1, -1
	if old.sequenced() && old.known && old.epoch < math.MaxInt16-1 {
		req.ProducerID, req.ProducerEpoch = old.producer, old.epoch
	}
	resp := wire.Default[wire.InitProducerIDResponse]()
	if _, err := e.client.Do(ctx, broker.Any(), &req, &resp); err != nil {
		return identity{}, err
	}
	switch resp.ErrorCode {
	case wire.None:
	case wire.InvalidProducerEpoch, wire.ProducerFenced, wire.InvalidProducerIDMapping, wire.UnknownProducerID:
		if req.ProducerID >= 0 {
			return e.askIdentity(ctx, identity{}) // the old one is worn out
		}
		fallthrough
	default:
		return identity{}, &broker.RequestError{API: wire.InitProducerID, Version: -1, Partition: -1, Err: resp.ErrorCode}
	}
	id := identity{known: true, producer: resp.ProducerID, epoch: resp.ProducerEpoch}
	if id.producer < 0 || id == old {
		return identity{}, &broker.RequestError{API: wire.InitProducerID, Version: -1, Partition: -1, Err: errNoIdentity}
	}
	return id, nil
}

var errNoIdentity = errors.New("the broker gave no producer id")

// unidentified says that a broker knows no producer ids, or gives us none.
func unidentified(err error) bool {
	for _, code := range []wire.Code{wire.UnsupportedVersion, wire.ClusterAuthorizationFailed, wire.TransactionalIDAuthorizationFailed} {
		if errors.Is(err, code) {
			return true
		}
	}
	return errors.Is(err, errNoIdentity)
}
