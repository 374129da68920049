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
