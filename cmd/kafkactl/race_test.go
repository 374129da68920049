//go:build race

package main

// The race detector takes several times the memory of what it watches.
const raceEnabled = true
