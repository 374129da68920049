package journal

import (
	"os"
	"path/filepath"
)

// Dir is where journals belong: kafkactl\journal below %XDG_STATE_HOME%, or
// below %LOCALAPPDATA%.
func Dir() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		var err error
		if dir, err = os.UserCacheDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "kafkactl", "journal"), nil
}
