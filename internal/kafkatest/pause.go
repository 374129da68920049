//go:build unix

package kafkatest

import (
	"fmt"
	"syscall"
)

// Pause stops the node's process where it stands, as a long pause of its Java or
// of the machine does; Resume lets it go on.
func (n *Node) Pause() error { return n.send(syscall.SIGSTOP) }

// Resume ends a Pause.
func (n *Node) Resume() error { return n.send(syscall.SIGCONT) }

func (n *Node) send(sig syscall.Signal) error {
	pid := n.pid()
	if pid == 0 {
		return fmt.Errorf("node %d does not run", n.ID)
	}
	return syscall.Kill(pid, sig)
}

// Running tells whether the node's process lives.
func (n *Node) Running() bool { return n.pid() != 0 }
