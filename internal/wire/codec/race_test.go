//go:build race

package codec

// The race detector makes pools drop what they hold, which shows as allocation.
const raceEnabled = true
