//go:build unix

package main

import (
	"bytes"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/badnet"
	"kafkactl/internal/wire"
)

// TestRealMembersStoppedForLongerThanTheirSessionComeBack stops a member of a
// group, as Ctrl-Z and laptop lids do, until the coordinator has taken it for
// dead. It joins again and reads what is left: nothing is lost, and what comes
// twice is only what no commit had told of.
func TestRealMembersStoppedForLongerThanTheirSessionComeBack(t *testing.T) {
	s := newSea(t)
	s.stopped(t, "classic") // the other protocol's session timeout, of 45s, is the broker's to say
}

func (s *sea) stopped(t *testing.T, protocol string) {
	topic, group := s.topic(t), s.name("stopped")
	n := badnet.New(t)
	cmd := command(t, "consume", "-g", group, "--group-protocol", protocol, "--follow", "-v", "-f", `%p %o %k:%s\n`,
		"--session-timeout", "6s", "--heartbeat-interval", "500ms", "--commit-every-t", "200ms", "-b", n.Front(s.brokers), topic)
	said := new(bytes.Buffer)
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 2*cargoLines)
	go func() {
		defer close(lines)
		var rest string
		page := make([]byte, 64<<10)
		for {
			k, err := out.Read(page)
			rest += string(page[:k])
			for {
				line, after, ok := strings.Cut(rest, "\n")
				if !ok {
					break
				}
				lines <- line
				rest = after
			}
			if err != nil {
				return
			}
		}
	}()
	half := cargo()
	cut := strings.Index(half[len(half)/2:], "\n") + len(half)/2 + 1
	var got []string
	read := func(until int) {
		t.Helper()
		late := time.After(patience)
		for len(got) < until {
			select {
			case line, ok := <-lines:
				if !ok {
					t.Fatalf("it ended after %d lines: %s", len(got), said)
				}
				got = append(got, line)
			case <-late:
				t.Fatalf("%d lines came", len(got))
			}
		}
	}
	s.sail(t, nil, half[:cut], "produce", "-K", ":", topic)
	first := strings.Count(half[:cut], "\n")
	read(first)
	before := n.Seen(wire.OffsetCommit)
	for deadline := time.Now().Add(patience); n.Seen(wire.OffsetCommit) == before && time.Now().Before(deadline); {
		if at, err := s.committed(group, topic); err == nil && stored(at) == int64(first) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.sail(t, nil, half[cut:], "produce", "-K", ":", topic)
	s.deserted(t, group)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if at, err := s.committed(group, topic); err == nil && stored(at) == cargoLines {
			break
		}
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	for line := range lines {
		got = append(got, line)
	}
	if code := status(t, cmd.Wait()); code != 130 {
		t.Errorf("status %d: %s", code, said)
	}
	if t.Logf("%d came twice", len(got)-cargoLines); len(got) > 2*cargoLines-first {
		t.Errorf("%d lines came, of which %d were not committed", len(got), cargoLines-first)
	}
	once := map[string]bool{}
	got = slices.DeleteFunc(got, func(line string) bool {
		was := once[line]
		once[line] = true
		return was
	})
	parts, next, err := printed(strings.Join(got, "\n") + "\n")
	if complaint := verdict(parts, err); complaint != "" {
		t.Errorf("%s\n%s", complaint, said)
	}
	if at, err := s.committed(group, topic); err != nil || !slices.Equal(at, next) {
		t.Errorf("committed is %v, %v, printed were the records before %v\n%s", at, err, next, said)
	}
}

func stored(list []int64) (n int64) {
	for _, v := range list {
		n += max(v, 0)
	}
	return n
}

// deserted waits until a group has no members.
func (s *sea) deserted(t *testing.T, group string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got := s.sail(t, nil, "", "groups", "describe", group, "-o", "tsv"); got.code == exitDone && strings.Contains(got.out, "Empty") {
			return
		}
	}
	got := s.sail(t, nil, "", "groups", "describe", group)
	t.Fatalf("the group still has members: %+v", got)
}
