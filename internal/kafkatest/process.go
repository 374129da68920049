//go:build unix

package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// java is the Java to run: that of JAVA_HOME, or the first on the PATH.
func java() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java"), nil
	}
	path, err := exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("java is not installed: %w", err)
	}
	return path, nil
}

// process is one Java program with a directory of its own, which holds its
// output (out.log) and, while it may be alive, its number (pid).
type process struct{ dir string }

// start runs a Java class and leaves it running. It gets a process group of its
// own, so that a Ctrl-C meant for us does not reach it before we stop it in order.
func (p process) start(classPath string, flags []string, class string, args ...string) error {
	bin, err := java()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(p.dir, "out.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer out.Close()
	tmp := filepath.Join(p.dir, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	// A killed Java leaves its performance data and unpacked native libraries
	// behind: the first is turned off, the second kept where we clean up.
	argv := append([]string{"-XX:-UsePerfData", "-Djava.io.tmpdir=" + tmp}, flags...)
	argv = append(append(argv, class), args...)
	cmd := exec.Command(bin, argv...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "CLASSPATH="+classPath)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start java: %w", err)
	}
	go cmd.Wait() // only reaps: whether it lives is asked by number, as another program would
	return os.WriteFile(filepath.Join(p.dir, "pid"), fmt.Appendln(nil, cmd.Process.Pid), 0o644)
}

// pid is the number of the living process, or 0. A number is believed only if
// that process was started with our directory on its command line, since the
// system gives numbers out again.
func (p process) pid() int {
	text, err := os.ReadFile(filepath.Join(p.dir, "pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return 0
	}
	if syscall.Kill(pid, 0) != nil {
		return 0
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if errors.Is(err, os.ErrNotExist) && !isDir("/proc/self") {
		line, err = exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	}
	// A process that has ended and waits to be reaped has no command line.
	if err != nil || !bytes.Contains(line, []byte(p.dir)) {
		return 0
	}
	return pid
}

// stop ends the process with SIGTERM and, after grace, with SIGKILL. A grace of
// zero kills at once.
func (p process) stop(grace time.Duration) error {
	if grace > 0 {
		if err := p.signal(syscall.SIGTERM, grace); err == nil {
			return p.forget()
		}
	}
	if err := p.signal(syscall.SIGKILL, 30*time.Second); err != nil {
		return err
	}
	return p.forget()
}

// signal sends sig and waits for the process to be gone.
func (p process) signal(sig syscall.Signal, wait time.Duration) error {
	if pid := p.pid(); pid != 0 {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("send %v to process %d: %w", sig, pid, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	return poll(ctx, func() error {
		if pid := p.pid(); pid != 0 {
			return fmt.Errorf("process %d is still alive", pid)
		}
		return nil
	})
}

func (p process) forget() error {
	err := os.Remove(filepath.Join(p.dir, "pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// tail is the end of the process's output, for a message.
func (p process) tail() string {
	text, err := os.ReadFile(filepath.Join(p.dir, "out.log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}

// guardScript waits until whoever started it is gone, then ends the processes
// whose numbers lie in the cluster's directory and removes that. After an
// orderly stop it finds nothing to do.
const guardScript = `
trap '' HUP INT TERM
cat >/dev/null
alive() { for f in "$0"/*/pid; do [ -f "$f" ] && kill -0 "$(cat "$f")" 2>/dev/null && return; done; return 1; }
send() { for f in "$0"/*/pid; do [ -f "$f" ] && kill "-$1" "$(cat "$f")" 2>/dev/null; done; }
send TERM
i=0
while [ $i -lt 50 ] && alive; do sleep 0.1; i=$((i + 1)); done
send KILL
rm -rf "$0"
`

// guard starts the guardian of a directory. It reads a pipe whose only writer
// is this program, so that even a SIGKILL of ours wakes it.
func guard(dir string) (release func(), err error) {
	cmd := exec.Command("/bin/sh", "-c", guardScript, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return func() {
		pipe.Close()
		cmd.Wait()
	}, nil
}
