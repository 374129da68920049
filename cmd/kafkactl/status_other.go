//go:build !unix

package main

import "os"

// statusOf is a child's exit status.
func statusOf(p *os.ProcessState) int { return p.ExitCode() }

// inForeground says that Ctrl-C reaches our child too, as it does on a console.
func inForeground() bool { return true }
