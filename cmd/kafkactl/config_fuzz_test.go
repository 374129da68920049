package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// FuzzConfigFile has any text be a configuration file, and any words be -X. What
// is refused is refused as wrong usage, in a message; what is taken makes a
// configuration that stands its own checks.
func FuzzConfigFile(f *testing.F) {
	f.Add([]byte("brokers: a:1,b:2\ntimeout: 5s\nconsume:\n  isolation: read_uncommitted\n"), "linger=5ms")
	f.Add([]byte("profile: p\nprofiles:\n  p:\n    fetch.max.wait.ms: 7\n"), "fetch.min.bytes=3")
	f.Add([]byte("profiles: 3\n"), "=")
	f.Add([]byte("a: &a [*a]\n"), "api.version.request")
	f.Add([]byte("? {x: y}\n: z\n"), "timeout=")
	f.Add([]byte("{]"), "acks=all")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, x string) {
		path := filepath.Join(dir, "kafkactl.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		e := newEnv(nil, &said, &said)
		cmd, _, err := newRoot(e, new(bool)).Find([]string{"consume"})
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"--config", path}
		if x != "" {
			args = append(args, "-X", x)
		}
		if cmd.ParseFlags(args) != nil {
			return
		}
		err = e.load(cmd)
		var u *usageError
		switch {
		case err == nil:
			if e.cfg.check() != nil {
				t.Fatalf("%q and -X %q make a configuration that does not stand", text, x)
			}
		case !errors.As(err, &u):
			t.Fatalf("%q and -X %q: not an error of usage: %v", text, x, err)
		}
		if err != nil {
			said.Reset()
			e.report(err)
			if !utf8.Valid(said.Bytes()) || bytes.ContainsAny(said.Bytes(), "\x1b\x07\x00") {
				t.Fatalf("%q and -X %q: the message is %q", text, x, said.Bytes())
			}
		}
	})
}
