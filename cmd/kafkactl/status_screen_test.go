//go:build unix

package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The line below the data says how following goes, keeps out of the data, and
// fits a window that is made narrow and wide again.
func TestTheStatusLineKeepsBelowTheDataAtEveryWidth(t *testing.T) {
	brokers := stageTopic(t, nil)
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	sent := 0
	send := func(n int) {
		for range n {
			sent++
			r := &kgo.Record{Value: fmt.Appendf(nil, "<%d>", sent)}
			if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	path, err := exec.LookPath("kafkactl")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, args, before string }{
		{"consume", " consume t --follow", ""},
		{"tail", " tail t -n 1000", ""},
		{"plain", " consume t --follow", "NO_COLOR=1 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newEmulator(t)
			s.tmux("new-session", "-d", "-x", "80", "-y", "40", "sleep 1000")
			s.tmux("respawn-pane", "-k", "-e", "KAFKACTL_BROKERS="+brokers, "-e", "HOME="+t.TempDir(),
				"stty -echoctl; trap : INT; echo BEGIN; "+c.before+path+c.args+"; echo CANARY; cat")
			send(3)
			s.until(fmt.Sprintf("<%d>", sent))
			s.until(" waiting")
			for _, columns := range []int{20, 120, 40, 80} {
				s.tmux("resize-window", "-x", fmt.Sprint(columns), "-y", "40")
				if columns >= 80 {
					s.until(" waiting") // as wide as that again
				}
				send(2)
				// In a narrow window a line of tail is cut before its value: count lines.
				screen := s.until(fmt.Sprintf("%d records", sent)[:min(columns-2, 4)])
				if columns >= 80 {
					s.until(fmt.Sprintf("<%d>", sent))
					screen = s.until(" waiting")
					if !regexp.MustCompile(`\n\d[\d,]* records?, .* · waiting$`).MatchString(strings.TrimRight(screen, "\n ")) {
						t.Errorf("%d columns: the line is not the last:\n%s", columns, screen)
					}
				}
				for line := range strings.Lines(screen) {
					if strings.Contains(line, "<") && strings.Contains(line, "records") {
						t.Errorf("%d columns: data and status in one line: %q", columns, line)
					}
				}
			}
			s.tmux("send-keys", "C-c")
			screen := s.until("CANARY")
			if strings.Contains(screen, "waiting") {
				t.Errorf("the line stays when all is over:\n%s", screen)
			}
		})
	}
}

// A run that ends by itself says how much there is to go, also before the first record.
func TestTheStatusLineSaysWhatIsToGo(t *testing.T) {
	brokers := stageTopic(t, []string{"one", "two", "three"})
	slow := []string{"-X", "fetch-min-bytes=1000000", "-X", "fetch-wait=30s"}
	for until, args := range map[string][]string{
		"0 records, 0 B · 0 records/s, 0 B/s · 3 to go": {"consume", "t"},
		"0 records, 0 B · 0 records/s, 0 B/s · 2 to go": {"consume", "t@..2", "--grep", "two"},
		"0 records, 0 B · 0 records/s, 0 B/s":           {"consume", "t", "--write", t.TempDir() + "/f"},
	} {
		if got := onTerminal(t, kafkactlCmd(t, brokers, append(args, slow...)...), 200, until); !strings.Contains(got, until) {
			t.Errorf("%v: %q never came: %q", args, until, got)
		}
	}
}

// A shell that stops it, or has it in the background, has the terminal to itself.
func TestTheStatusLineIsNotInTheShellsWay(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed: no shell to stop it")
	}
	s := newEmulator(t)
	brokers := stageTopic(t, []string{"<one>"})
	path, err := exec.LookPath("kafkactl")
	if err != nil {
		t.Fatal(err)
	}
	s.tmux("new-session", "-d", "-x", "100", "-y", "40", "sleep 1000")
	s.tmux("respawn-pane", "-k", "-e", "KAFKACTL_BROKERS="+brokers, "-e", "HOME="+t.TempDir(), bash+" --norc --noprofile")
	s.typed("PS1='$ '; clear")
	s.typed(path + " tail t; echo SHELL'-1'")
	s.until(" waiting")
	s.tmux("send-keys", "C-z")
	if screen := s.until("SHELL-1"); strings.Contains(screen, "records/s") || strings.Contains(screen, "^Z") {
		t.Errorf("the line stays when it is stopped:\n%s", screen)
	}
	s.typed("fg; echo SHELL'-2'")
	s.until(" waiting")
	s.tmux("send-keys", "C-z")
	s.until("SHELL-2")
	s.typed("bg; echo IN-THE-BACK'GROUND'")
	s.until("IN-THE-BACKGROUND")
	s.tmux("send-keys", "typed by somebody")
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Value: []byte("<two>")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if screen := s.until("<two>"); !strings.Contains(screen, "typed by somebody") || strings.Contains(screen, "records/s") {
		t.Errorf("in the background:\n%s", screen)
	}
	s.tmux("send-keys", "C-u")
	s.typed("fg")
	s.until(" waiting")
	s.tmux("send-keys", "C-c")
	s.typed("clear; " + path + " offsets commit -g g t:0=1; " + path + " offsets get -g g --watch; echo SHELL'-3'")
	s.until("steady")
	s.tmux("send-keys", "C-z")
	s.until("SHELL-3")
	if state := s.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}"); state != "0 1" {
		t.Errorf("stopped while it watches: alternate screen, cursor shown: %s", state)
	}
	s.typed("fg")
	s.until("steady")
}
