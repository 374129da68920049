package main

import (
	"context"
	"errors"
)

// finish prints what err needs said and gives the exit code.
func (e *env) finish(ctx context.Context, err error) int {
	e.msgs.draw("")
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errClosedPipe) {
		return exitDone
	}
	e.msgs.println(e.errPal.failure.s("error:") + " " + err.Error())
	return exitFailed
}
