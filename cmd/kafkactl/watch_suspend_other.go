//go:build !unix

package main

import "os"

// suspension never is asked for here.
type suspension struct{ asked chan os.Signal }

func watchSuspend() *suspension { return &suspension{} }

func (*suspension) stop() {}

func (*suspension) end() {}

// inFront is always true here: a console has no background.
func inFront(any) bool { return true }
