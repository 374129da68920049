//go:build !unix

package main

import "context"

// watchOut cannot see a reader go away here before something is written to it.
func (e *env) watchOut(parent context.Context) (ctx context.Context, stop func()) {
	return context.WithCancel(parent)
}

// unread cannot be known here.
func (e *env) unread() bool { return false }
