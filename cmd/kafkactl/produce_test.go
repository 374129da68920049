//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	"github.com/twmb/franz-go/pkg/kfake"

	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// endless is an input without end.
type endless struct{ n int64 }

func (e *endless) Next(*record.Record) (int64, error) {
	if e.n++; e.n > 1000 {
		return e.n, io.EOF
	}
	return e.n, nil
}
func (*endless) Ready() <-chan struct{} { return nil }
func (*endless) Where(int64) string     { return "" }

func TestRateIsKept(t *testing.T) {
	for _, perSecond := range []float64{2, 100, 5000} {
		synctest.Test(t, func(t *testing.T) {
			o := &produceOptions{rate: rateValue(perSecond)}
			in := o.pace(&endless{})
			began := time.Now()
			for {
				var r record.Record
				_, err := in.Next(&r)
				if errors.Is(err, produce.ErrIdle) {
					<-in.Ready()
					continue
				}
				if err != nil {
					break
				}
			}
			took, want := time.Since(began).Seconds(), 1000/perSecond
			if took < want*0.9 || took > want*1.1 {
				t.Errorf("1000 records at %v/s took %vs, want %vs", perSecond, took, want)
			}
		})
	}
}

func TestCompressionAndAcksFlags(t *testing.T) {
	for in, want := range map[string]string{"none": "none", "gzip:9": "gzip:9", "zstd": "zstd", "lz4:12": "lz4:12", "snappy": "snappy"} {
		var v compressionValue
		if err := v.Set(in); err != nil || v.String() != want {
			t.Errorf("%s: %s %v", in, v.String(), err)
		}
	}
	for _, in := range []string{"", "brotli", "gzip:0", "gzip:10", "snappy:1", "zstd:x", "none:1", "gzip:-1"} {
		if err := new(compressionValue).Set(in); err == nil {
			t.Errorf("%q: no error", in)
		}
	}
	for in, want := range map[string]acksFlag{"all": -1, "-1": -1, "0": 0, "1": 1, "3": 3} {
		var v acksFlag
		if err := v.Set(in); err != nil || v != want {
			t.Errorf("%s: %d %v", in, v, err)
		}
	}
	for _, in := range []string{"", "-2", "some", "40000"} {
		if err := new(acksFlag).Set(in); err == nil {
			t.Errorf("%q: no error", in)
		}
	}
}

func TestProduceOnATerminalTellsHowToEnd(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	if err := fake.CreateTopic("typed", 1, nil); err != nil {
		t.Fatal(err)
	}
	ctrl, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ctrl.Close()
	defer tty.Close()
	if _, err := ctrl.WriteString("one\ntwo\n\x04"); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd := command(t, "produce", "typed", "-v", "-b", fake.ListenAddrs()[0])
	cmd.Stdin, cmd.Stderr = tty, &said
	if code := status(t, cmd.Run()); code != 0 {
		t.Fatalf("exit status %d: %s", code, said.String())
	}
	if !strings.Contains(said.String(), "Ctrl-D ends") || !strings.Contains(said.String(), "2 records acknowledged") {
		t.Errorf("stderr: %q", said.String())
	}
}

func TestProduceShowsProgressWhileItReadsAFile(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	if err := fake.CreateTopic("filed", 1, nil); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(strings.Repeat("line\n", 6)), 0o600); err != nil {
		t.Fatal(err)
	}
	tty, all := terminal(t, 120)
	cmd := command(t, "produce", "filed", file, "--rate", "10/s", "-b", fake.ListenAddrs()[0])
	cmd.Stderr = tty
	if code := status(t, cmd.Run()); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	if got := all(); !strings.Contains(got, "sent ") || !strings.Contains(got, " records/s") || !strings.HasSuffix(got, clearLine) {
		t.Errorf("stderr: %q", got)
	}
}
