package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
	"kafkactl/internal/wire"
)

// beginnings finds where to read partitions from that begin where a group's
// offsets say, or else where --offset-reset says.
type beginnings struct {
	*env
	*targeting
	client *broker.Client
	group  consume.Group
	reset  consume.Reset
	follow bool
}

// from says what to read of wants that begin at "stored": claims are those whose
// beginning is to be committed though nothing before it was read.
func (b *beginnings) from(ctx context.Context, wants []offsets.Want) (all []offsets.Resolved, claims []broker.TP, err error) {
	var tps []broker.TP
	for _, w := range wants {
		if w.Window.From == storedPosition {
			tps = append(tps, w.TP)
		}
	}
	stored := map[broker.TP]offsets.Stored{}
	if len(tps) > 0 {
		if stored, err = b.group.Stored(ctx, tps); err != nil {
			return nil, nil, err
		}
	}
	return b.resolve(ctx, wants, stored)
}

// storedPosition is where a group begins.
var storedPosition = offsets.Position{Base: offsets.Committed}

// resolve is from with what the group has stored.
func (b *beginnings) resolve(ctx context.Context, wants []offsets.Want, stored map[broker.TP]offsets.Stored) (all []offsets.Resolved, claims []broker.TP, err error) {
	looked := make([]offsets.Want, len(wants))
	for i, w := range wants {
		if s, ok := stored[w.TP]; ok && w.Window.From == storedPosition {
			w.Window.From = b.position(s)
		}
		looked[i] = w
	}
	if err := b.await(ctx, wants); err != nil {
		return nil, nil, err
	}
	all, err = offsets.Resolve(ctx, b.client, looked, offsets.Options{
		Isolation: b.level(), Follow: b.follow, Group: b.whose, Storage: b.kept, Now: b.at,
	})
	if err != nil {
		return nil, nil, err
	}
	for i := range all {
		if s, ok := stored[all[i].TP]; ok && wants[i].Window.From == storedPosition && b.place(&all[i], s) {
			claims = append(claims, all[i].TP)
		}
	}
	return all, claims, nil
}

// await returns once metadata has all partitions of wants, or --timeout is over: a
// coordinator may give a member one that has just been made before the brokers
// that tell of it have heard, and that is no reason to end.
func (b *beginnings) await(ctx context.Context, wants []offsets.Want) error {
	bounded, cancel := context.WithTimeout(ctx, b.client.Config().Timeout)
	defer cancel()
	for try := 1; ; try++ {
		snap := b.client.Metadata()
		unknown := map[string]bool{}
		for _, w := range wants {
			if topic, ok := snap.Topic(w.TP.Topic); !ok || topic.Err != wire.None {
				unknown[w.TP.Topic] = true
			} else if _, ok := topic.Partition(w.TP.Partition); !ok {
				unknown[w.TP.Topic] = true
			}
		}
		if len(unknown) == 0 {
			return nil
		}
		_, err := b.client.Refresh(bounded, snap, slices.Sorted(maps.Keys(unknown))...)
		if err == nil && try > 1 {
			err = b.client.Pause(bounded, try)
		}
		if err != nil {
			return ctx.Err() // whoever looks them up says what is wrong
		}
	}
}

// position is where to begin as far as it is known without the log.
func (b *beginnings) position(s offsets.Stored) offsets.Position {
	switch {
	case s.Err == nil && s.Offset >= 0:
		return offsets.Position{Base: offsets.Absolute, N: s.Offset}
	case b.reset == consume.ResetEnd:
		return offsets.Position{Base: offsets.End}
	}
	return offsets.Position{Base: offsets.Start}
}

// place puts the beginning of r where the group left off, though the log does
// not hold that: the session then finds it lost, and says so. claim says that
// it is to be committed.
func (b *beginnings) place(r *offsets.Resolved, s offsets.Stored) (claim bool) {
	switch {
	case r.Err != nil:
		return false
	case s.Err != nil:
		r.Err = s.Err
		return false
	case s.Offset < 0 && b.reset == consume.ResetNone:
		r.Err = &offsets.NoStoredError{Group: b.whose, TP: r.TP}
		return false
	case s.Offset < 0:
		return b.reset == consume.ResetEnd
	}
	r.Outside = nil
	r.Range.From = s.Offset
	if s.Offset <= r.Bounds.HighWatermark {
		return false
	}
	// The log was cut off, or made anew: what was read is not in it any more.
	lost := &consume.LostError{TP: r.TP, Position: s.Offset, Resume: r.Bounds.HighWatermark, Lost: s.Offset - r.Bounds.HighWatermark, Err: errCutOff}
	if b.strict || b.reset == consume.ResetNone {
		r.Err = lost
		return false
	}
	b.warn("%v", lost)
	r.Range.From = r.Bounds.HighWatermark
	return true
}

// errCutOff is a stored offset past the end of the log.
var errCutOff = errors.New("the stored offset is past the end of the log")
