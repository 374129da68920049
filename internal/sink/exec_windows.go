package sink

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// shell makes the child for a command line, which cmd reads with its own rules of
// quoting. A process group of its own keeps a Ctrl-C meant for us from it.
func shell(command string) *exec.Cmd {
	cmd := exec.Command("cmd")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CmdLine:       `cmd /S /C "` + command + `"`,
		CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP,
	}
	return cmd
}

// killGroup kills a child and what it started.
func killGroup(pid int) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(pid)).Run()
}

func deathSignal(*os.ProcessState) (string, bool) { return "", false }

func signalName(int) (string, bool) { return "", false }
