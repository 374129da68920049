//go:build !linux

package sink

import "io"

// widen does nothing where pipes have one size.
func widen(io.Writer) {}
