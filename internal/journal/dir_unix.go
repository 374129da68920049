//go:build !windows

package journal

import (
	"os"
	"path/filepath"
)

// Dir is where journals belong: kafkactl/journal below $XDG_STATE_HOME, or below
// ~/.local/state.
func Dir() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // relative ones are to be ignored, says the XDG specification
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "kafkactl", "journal"), nil
}
