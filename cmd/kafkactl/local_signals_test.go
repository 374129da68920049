//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/badnet"
	"kafkactl/internal/wire"
)

// stageOf is a place where a command can be when a signal comes: waiting for the
// answer to a request, which never comes.
type stageOf struct {
	api  wire.Key
	skip int
	args []string
}

func stages() []stageOf {
	produce := []string{"produce", "-K", ":", "--batch-bytes", "1000"}
	consume := []string{"consume", "--fetch-max-bytes", "2000"}
	classic := []string{"consume", "-g", "GROUP", "--group-protocol", "classic"}
	modern := []string{"consume", "-g", "GROUP", "--group-protocol", "consumer"}
	return []stageOf{
		{wire.APIVersions, 0, consume},
		{wire.Metadata, 0, consume},
		{wire.ListOffsets, 0, consume},
		{wire.Fetch, 0, consume},
		{wire.Fetch, 1, consume},
		{wire.Fetch, 0, []string{"tail"}},
		{wire.Fetch, 0, []string{"consume", "--exec", "cat >/dev/null"}},
		{wire.Metadata, 0, produce},
		{wire.InitProducerID, 0, produce},
		{wire.Produce, 0, produce},
		{wire.Produce, 2, produce},
		{wire.FindCoordinator, 0, classic},
		{wire.JoinGroup, 0, classic},
		{wire.SyncGroup, 0, classic},
		{wire.OffsetFetch, 0, classic},
		{wire.OffsetCommit, 0, classic},
		{wire.LeaveGroup, 0, classic},
		{wire.ConsumerGroupHeartbeat, 0, modern},
		{wire.OffsetCommit, 0, modern},
		{wire.OffsetFetch, 0, []string{"offsets", "get", "-g", "GROUP"}},
		{wire.OffsetCommit, 0, []string{"offsets", "commit", "-g", "GROUP"}},
	}
}

// signalled starts the command, and gives it once it waits where it should. Its
// standard input has the cargo and then goes on for ever.
func (s *sea) signalled(t *testing.T, at stageOf, topic string) (cmd *exec.Cmd, said *bytes.Buffer, out *bytes.Buffer, ended <-chan error) {
	t.Helper()
	n := badnet.New(t)
	hits := n.Strike(badnet.Fault{Kind: badnet.BlackHole, API: at.api, Skip: at.skip})
	args := []string{"--timeout", "20s", "-b", n.Front(s.brokers)}
	group := s.name("signal")
	for _, a := range at.args {
		args = append(args, strings.ReplaceAll(a, "GROUP", group))
	}
	if at.args[0] == "offsets" && at.args[1] == "commit" {
		topic += ":0=1"
	}
	cmd = command(t, append(args, topic)...)
	said, out = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Error(err)
		return nil, nil, nil, nil
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return nil, nil, nil, nil
	}
	if at.args[0] == "produce" {
		go func() { _, _ = io.WriteString(in, cargo()) }()
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for hits() == 0 {
		select {
		case err := <-done:
			t.Errorf("%v at %v %d: it ended before: %v\n%s", at.args, at.api, at.skip+1, err, said)
			return nil, nil, nil, nil
		case <-time.After(2 * time.Millisecond):
		}
	}
	return cmd, said, out, done
}

// TestASignalEndsARunAtEveryStage has one signal come while a command waits for
// each of its requests in vain. Nothing that is on its way can be settled then,
// so a second one ends it at once, with the signal's own status.
func TestASignalEndsARunAtEveryStage(t *testing.T) {
	s := newSea(t)
	if s.real != "" {
		t.Skip("nothing of it depends on the broker")
	}
	full := s.topic(t)
	if got := s.sail(t, nil, cargo(), "produce", "-K", ":", full); got.code != exitDone {
		t.Fatalf("%+v", got)
	}
	slots := make(chan struct{}, 8)
	var all sync.WaitGroup
	for i, at := range stages() {
		for _, twice := range []bool{false, true} {
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				sig := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2]
				s.signal(t, at, full, sig, twice)
			})
		}
	}
	all.Wait()
}

// settles says that a stage has something to see to its end after one signal:
// what was read from the input, or commits.
func (at stageOf) settles() bool {
	return at.args[0] == "produce" && at.api != wire.Metadata || at.api == wire.OffsetCommit || at.api == wire.LeaveGroup
}

func (s *sea) signal(t *testing.T, at stageOf, full string, sig syscall.Signal, twice bool) {
	topic := full
	if at.args[0] == "produce" {
		topic = s.topic(t)
	}
	cmd, said, out, ended := s.signalled(t, at, topic)
	if cmd == nil {
		return
	}
	what := fmt.Sprintf("%v at %v %d", at.args, at.api, at.skip+1)
	if at.settles() && !twice { // it would take its --timeout: the other tests see to that
		twice = true
	}
	_ = cmd.Process.Signal(sig)
	late := time.After(patience / 2)
	for again := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-ended:
			if got := statusOf(cmd.ProcessState); got != 128+int(sig) {
				t.Errorf("%s: status %d, want %d\n%s", what, got, 128+int(sig), said)
			}
			if strings.Contains(said.String(), "goroutine ") || at.args[0] == "consume" && at.api != wire.OffsetCommit && at.api != wire.LeaveGroup && at.skip == 0 && out.Len() > 0 {
				t.Errorf("%s: it printed %d bytes and said %s", what, out.Len(), said)
			}
			again.Stop()
			return
		case <-again.C:
			if twice {
				_ = cmd.Process.Signal(sig)
			}
		case <-late:
			t.Errorf("%s: it has not ended, after one signal: %v", what, !twice)
			_ = cmd.Process.Kill()
			<-ended
			return
		}
	}
}
