//go:build !unix

package main

// watchAsked has no signal to wait for here.
func watchAsked(*env) (stop func()) { return func() {} }
