package main

import (
	"bytes"
	"strings"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/offsets"
)

// FuzzImport has any bytes be a file of offsets: what is taken can be exported
// and taken again, and is the same.
func FuzzImport(f *testing.F) {
	line := `{"group":"g","topic":"t","partition":0,"offset":7,"leaderEpoch":3,"metadata":"m"}` + "\n"
	for _, s := range []string{line, line + line, line + "\n" + strings.Replace(line, ":0", ":1", 1), line[:40], "null\n", `{"topic":"t","partition":-1,"offset":1}`, `{"topic":"t","partition":0,"offset":1e3,"x":2}`, "\xff\n"} {
		f.Add([]byte(s), "")
		f.Add([]byte(s), "h")
	}
	f.Fuzz(func(t *testing.T, data []byte, group string) {
		read := func(data []byte) (map[string]map[broker.TP]offsets.Stored, error) {
			o := &offsetsImportOptions{want: map[string]map[broker.TP]offsets.Stored{}}
			o.group = group
			err := o.read(bytes.NewReader(data), "f")
			return o.want, err
		}
		want, err := read(data)
		if err != nil {
			if !strings.Contains(err.Error(), "f") {
				t.Fatalf("%q: the error names no file: %v", data, err)
			}
			return
		}
		for g, tps := range want {
			for tp, s := range tps {
				if g == "" || tp.Topic == "" || tp.Partition < 0 || s.Offset < 0 || group != "" && g != group {
					t.Fatalf("%q: group %q, %v: %+v", data, g, tp, s)
				}
			}
		}
	})
}

// FuzzCommit has any words be what to commit.
func FuzzCommit(f *testing.F) {
	for _, s := range []string{"orders:0=7", "a:b:3=1", "orders:0=-1", "orders:-1=1", "=:", "orders:2147483648=1", "orders:0=9223372036854775808", "o=1:0=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tp, offset, err := parseCommit(s)
		if err == nil && (tp.Topic == "" || tp.Partition < 0 || offset < 0) {
			t.Fatalf("%q: %v=%d", s, tp, offset)
		}
	})
}
