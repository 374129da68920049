//go:build unix

package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be kafkactl too: scripts and terminal tests run
// the real main in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kafkactl": main})
}

// TestScripts runs testdata/script, whose README explains the commands. With
// KAFKACTL_TEST_BROKERS set, the same scripts run against that cluster.
func TestScripts(t *testing.T) {
	real := os.Getenv("KAFKACTL_TEST_BROKERS")
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			s := newStage(real)
			env.Values[stageKey{}] = s
			env.Setenv("TZ", "UTC")
			env.Setenv("TERM", "xterm")
			env.Setenv("XDG_CONFIG_HOME", env.WorkDir+"/.config")
			env.Setenv("XDG_STATE_HOME", env.WorkDir+"/.state")
			env.Defer(s.close)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "fake":
				return real == "", nil
			case "real":
				return real != "", nil
			case "hangup": // ignored under nohup, and so by what we start
				return !signal.Ignored(syscall.SIGHUP), nil
			}
			return false, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"cluster":  onStage(cmdCluster),
			"topic":    onStage(cmdTopic),
			"remake":   onStage(cmdRemake),
			"fail":     onStage(cmdFail),
			"cut":      onStage(cmdCut),
			"mute":     onStage(cmdMute),
			"await":    onStage(cmdAwait),
			"trim":     onStage(cmdTrim),
			"move":     onStage(cmdMove),
			"write":    onStage(cmdWrite),
			"read":     onStage(cmdRead),
			"listen":   onStage(cmdListen),
			"exits":    onStage(cmdExits),
			"start":    onStage(cmdStart),
			"send":     onStage(cmdSend),
			"ends":     onStage(cmdEnds),
			"expect":   onStage(cmdExpect),
			"envsubst": onStage(cmdEnvsubst),
		},
	})
}

// onStage finds the script's stage for a command that has no "!" form.
func onStage(f func(s *stage, ts *testscript.TestScript, args []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("there is no ! form")
		}
		f(ts.Value(stageKey{}).(*stage), ts, args)
	}
}

// varOf is the variable that holds a topic's real name.
func varOf(topic string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, topic)
}
