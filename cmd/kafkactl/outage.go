package main

import (
	"errors"
	"sync"

	"kafkactl/internal/broker"
	"kafkactl/internal/consume"
)

// outages makes one outage of what several layers make of it: that addresses let
// nobody in, and that partitions are neither read nor written. It is told once
// when it begins and once when it is over; -v has the rest.
type outages struct {
	mu   sync.Mutex
	told bool // and not of the end
	// by is who told it: an address, or one of those below.
	by string
	// work are those whose work stands still. While there are any, an address that
	// is back ends nothing, and one that never comes back is nothing once they go on.
	work map[string]bool
}

// Whose work may stand still.
const (
	readers = "readers"
	writers = "writers"
)

func isWork(who string) bool { return who == readers || who == writers }

// begins says whether to tell of it.
func (o *outages) begins(who string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if isWork(who) {
		if o.work == nil {
			o.work = make(map[string]bool)
		}
		o.work[who] = true
	}
	if o.told {
		return false
	}
	o.told, o.by = true, who
	return true
}

// ends says whether to tell of it.
func (o *outages) ends(who string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.work, who)
	if !o.told || len(o.work) > 0 || !isWork(who) && who != o.by {
		return false
	}
	o.told = false
	return true
}

// on says that there is one, of which the user knows.
func (o *outages) on() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.told
}

// logged passes on what the client and those who work with it say: level 0 to
// whoever waits for it.
func (e *env) logged(level int, format string, args ...any) {
	if level == 0 && e.heard(format, args) {
		e.troubled.Store(true)
		e.note(format, args...)
		return
	}
	e.verbose(max(level, 1), format, args...)
}

// heard knows the words that outages begin and end with, and says whether the user
// is to hear them.
func (e *env) heard(format string, args []any) bool {
	switch format {
	case "waiting for %v":
		var dial *broker.DialError
		if err, ok := args[0].(error); ok && errors.As(err, &dial) {
			return e.outages.begins(dial.Addr)
		}
	case "%s is back after %v":
		if addr, ok := args[0].(string); ok {
			return e.outages.ends(addr)
		}
	case "%v; trying again":
		return e.outages.begins(writers)
	case "back after %v":
		return e.outages.ends(writers)
	}
	return true
}

// noted passes on what a session that reads says.
func (e *env) noted(err error) {
	tell := true
	switch {
	case errors.As(err, new(*consume.RetryNote)):
		tell = e.outages.begins(readers)
	case errors.As(err, new(*consume.BackNote)):
		tell = e.outages.ends(readers)
	}
	if !tell {
		e.verbose(1, "%v", err)
		return
	}
	e.troubled.Store(true)
	e.note("%v", err)
}
