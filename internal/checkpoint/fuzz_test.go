package checkpoint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFile has any bytes be a checkpoint: what is taken for one is of this
// cluster, topic and shape, and is the same once it was saved.
func FuzzFile(f *testing.F) {
	good := `{"version":1,"cluster":"c","topic":"t","transactionalId":"i","group":"i-position","inputs":["-"],"flags":{"json":"true"},"records":7,"sha256":"x","complete":false,"written":"2026-11-23T12:00:00Z"}`
	for _, s := range []string{good, strings.Replace(good, "7", "-7", 1), strings.Replace(good, `"c"`, `"d"`, 1), good[:90], "null", "{}", good + good, `{"version":1,"x":2}`} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg := &Config{Path: filepath.Join(dir, "checkpoint"), Cluster: "c", Topic: "t", Shape: map[string]string{"json": "true"}}
		if err := os.WriteFile(cfg.Path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := openFile(t.Context(), cfg)
		if err != nil {
			if !strings.Contains(err.Error(), "checkpoint") {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		s := c.state
		if s.Cluster != "c" || s.Topic != "t" || s.ID == "" || s.Group == "" || s.Records < 0 || s.Shape["json"] != "true" || len(s.Shape) != 1 {
			t.Fatalf("%q is taken for %+v", data, s)
		}
		if err := c.save(); err != nil {
			t.Fatal(err)
		}
		c.close()
		again, err := openFile(t.Context(), cfg)
		if err != nil {
			t.Fatalf("%q: saved, and then: %v", data, err)
		}
		again.close()
		if again.state.ID != s.ID || again.state.Records != s.Records || again.state.Sum != s.Sum {
			t.Fatalf("%q: %+v is read back as %+v", data, s, again.state)
		}
	})
}
