package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCmd(e *env) *cobra.Command {
	l := &listing{}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which kafkactl this is",
		Example: `  kafkactl version
  kafkactl version -o json
  kafkactl version -J | jq -r .commit`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := l.check(); err != nil {
				return err
			}
			v := builtVersion()
			if l.kind(e) == "json" {
				return e.writeJSON(v)
			}
			_, err := fmt.Fprintln(e.out, v)
			return err
		},
	}
	addListingFlags(cmd, l)
	return cmd
}

// versionDoc is what the Go tool noted when it built this program.
type versionDoc struct {
	Version string  `json:"version"`
	Commit  *string `json:"commit"`
	Time    *string `json:"time"`
	Dirty   bool    `json:"dirty"` // built with changes that no commit has
	Go      string  `json:"go"`
	OS      string  `json:"os"`
	Arch    string  `json:"arch"`
}

func builtVersion() versionDoc {
	v := versionDoc{Version: "(devel)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = orNull(s.Value)
		case "vcs.time":
			v.Time = orNull(s.Value)
		case "vcs.modified":
			v.Dirty = s.Value == "true"
		}
	}
	return v
}

// String is one line.
func (v versionDoc) String() string {
	s := "kafkactl " + v.Version
	if v.Commit != nil {
		s += " " + (*v.Commit)[:min(12, len(*v.Commit))]
		if v.Dirty {
			s += "+changes"
		}
	}
	return fmt.Sprintf("%s %s %s/%s", s, v.Go, v.OS, v.Arch)
}
