//go:build unix

package kafkatest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeJava puts a shell script in Java's place. It announces itself in the log,
// so that a test knows its traps are set.
func fakeJava(t *testing.T, trap string) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n" + trap + "\necho up\nwhile :; do sleep 0.05; done\n"
	if err := os.WriteFile(filepath.Join(home, "bin", "java"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JAVA_HOME", home)
}

// startFake starts the fake Java in dir and waits until it is up.
func startFake(t *testing.T, dir string) process {
	p := process{filepath.Join(dir, "node1")}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := p.start("none", nil, "Main", filepath.Join(p.dir, "file")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(0) })
	err := poll(t.Context(), func() error {
		if text, _ := os.ReadFile(filepath.Join(p.dir, "out.log")); !strings.Contains(string(text), "up") {
			return errors.New("not up")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStopEndsAProcessThatObeys(t *testing.T) {
	fakeJava(t, "")
	p := startFake(t, t.TempDir())
	if p.pid() == 0 {
		t.Fatal("a running process counts as gone")
	}
	if err := p.stop(time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "pid")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its number is still on file: %v", err)
	}
}

func TestStopKillsAProcessThatIgnoresSIGTERM(t *testing.T) {
	fakeJava(t, "trap '' TERM")
	p := startFake(t, t.TempDir())
	if err := p.stop(200 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if pid := p.pid(); pid != 0 {
		t.Errorf("process %d survived", pid)
	}
}

func TestStopLeavesAProcessAloneThatTookTheNumberOver(t *testing.T) {
	p := process{t.TempDir()}
	if err := os.WriteFile(filepath.Join(p.dir, "pid"), fmt.Appendln(nil, os.Getpid()), 0o644); err != nil {
		t.Fatal(err)
	}
	if pid := p.pid(); pid != 0 {
		t.Fatalf("process %d, which is this test, counts as the broker", pid)
	}
	if err := p.stop(0); err != nil {
		t.Fatal(err)
	}
}

// TestGuardCleansUpAfterAKilledProgram kills a program (this test again, as a
// child) that holds a cluster, and wants its process and its directory gone.
func TestGuardCleansUpAfterAKilledProgram(t *testing.T) {
	const childVar = "KAFKATEST_GUARD_CHILD"
	if dir := os.Getenv(childVar); dir != "" {
		if _, err := guard(dir); err != nil {
			t.Fatal(err)
		}
		fmt.Println("pid", startFake(t, dir).pid())
		select {}
	}
	fakeJava(t, "trap '' TERM")
	dir := filepath.Join(t.TempDir(), "cluster")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), childVar+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill()
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "pid "); ok {
			pid, _ = strconv.Atoi(text)
		}
	}
	if pid == 0 {
		t.Fatal("the child held no process")
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	err = poll(t.Context(), func() error {
		if (process{filepath.Join(dir, "node1")}).pid() != 0 {
			return fmt.Errorf("process %d is alive", pid)
		}
		if isDir(dir) {
			return errors.New("the directory is there")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
