//go:build unix

package main

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"kafkactl/internal/broker/brokertest"
)

// TestAHundredThousandPartitionsFitInLittleMemory has every kind of command
// look at a cluster of 2,000 topics of 50 partitions.
func TestAHundredThousandPartitionsFitInLittleMemory(t *testing.T) {
	c := brokertest.NewCluster(t, 3)
	for i := range 2000 {
		c.Create(fmt.Sprintf("crowd-%04d", i), 50)
	}
	seeds := strings.Join(c.Seeds(), ",")
	for _, tt := range []struct {
		args []string
		in   string
		want int // lines
	}{
		{[]string{"metadata", "-o", "tsv"}, "", 100_000},
		{[]string{"produce", "crowd-1234"}, strings.Repeat("x\n", 1000), 0},
		{[]string{"consume", "crowd-1234"}, "", 1000},
		{[]string{"consume", "^crowd-.*"}, "", 1000},
		{[]string{"offsets", "get", "^crowd-1.*", "--at", "end"}, "", 50_000},
	} {
		cmd := command(t, append(tt.args, "-b", seeds)...)
		var out, said bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(tt.in), &out, &said
		if err := cmd.Run(); err != nil {
			t.Errorf("%v: %v\n%.500s", tt.args, err, said.String())
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n < tt.want || n > tt.want*102/100 {
			t.Errorf("%v: %d lines, want about %d", tt.args, n, tt.want)
		}
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			continue
		}
		t.Logf("%v: %d MB, %v", tt.args, usage.Maxrss>>10, cmd.ProcessState.UserTime())
		if usage.Maxrss>>10 > 512 {
			t.Errorf("%v took %d MB", tt.args, usage.Maxrss>>10)
		}
	}
}
