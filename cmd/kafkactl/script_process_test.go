//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits CODE COMMAND ARGS... runs a command that must end with that status.
func cmdExits(_ *stage, ts *testscript.TestScript, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	want := number(ts, args[0])
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = statusOf(exit.ProcessState)
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// process is a command that runs beside the script, its output in files.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// start NAME COMMAND ARGS... runs a command beside the script. Its output goes
// to the files NAME.out and NAME.err, where expect sees it arrive. Its standard
// input is the file NAME.in, where there is one.
func cmdStart(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: start NAME COMMAND ARGS...")
	}
	name := args[0]
	if s.procs[name] != nil {
		ts.Fatalf("%s was started before", name)
	}
	out, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	defer out.Close()
	errOut, err := os.Create(ts.MkAbs(name + ".err"))
	ts.Check(err)
	defer errOut.Close()
	path := args[1]
	if found, err := exec.LookPath(path); err == nil {
		path = found
	}
	cmd := exec.Command(path, args[2:]...)
	cmd.Args[0] = args[1]
	cmd.Stdout, cmd.Stderr = out, errOut
	if in, err := os.Open(ts.MkAbs(name + ".in")); err == nil {
		defer in.Close()
		cmd.Stdin = in
	}
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"HOME", "PATH", "TMPDIR", "TZ", "TERM", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "KAFKACTL_BROKERS"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(cmd.Start())
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	s.procs[name] = p
}

func (s *stage) process(ts *testscript.TestScript, name string) *process {
	p := s.procs[name]
	if p == nil {
		ts.Fatalf("%s was never started", name)
	}
	return p
}

// send NAME INT|TERM|HUP|STOP|CONT|KILL|USR1 sends a signal.
func cmdSend(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: send NAME SIGNAL")
	}
	sig, ok := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP,
		"STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT, "KILL": syscall.SIGKILL, "USR1": syscall.SIGUSR1}[args[1]]
	if !ok {
		ts.Fatalf("no signal is called %s", args[1])
	}
	ts.Check(s.process(ts, args[0]).cmd.Process.Signal(sig))
}

// ends NAME CODE waits until a started command has ended, with that status. What
// it wrote is then stdout and stderr.
func cmdEnds(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: ends NAME CODE")
	}
	p := s.process(ts, args[0])
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("%s has not ended", args[0])
	}
	_, _ = io.WriteString(ts.Stdout(), ts.ReadFile(args[0]+".out"))
	_, _ = io.WriteString(ts.Stderr(), ts.ReadFile(args[0]+".err"))
	if got := strconv.Itoa(statusOf(p.cmd.ProcessState)); got != args[1] {
		ts.Fatalf("%s: exit status %s, want %s\n%s", args[0], got, args[1], ts.ReadFile(args[0]+".err"))
	}
}

// expect FILE REGEXP waits until a file that is being written matches.
func cmdExpect(_ *stage, ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: expect FILE REGEXP")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	late := time.After(patience)
	for {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && re.Match(text) {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			ts.Fatalf("expect: %s has\n%s", args[0], text)
		}
	}
}

// envsubst FILE... replaces $VAR and ${VAR} in files.
func cmdEnvsubst(_ *stage, ts *testscript.TestScript, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o666))
	}
}

// listen KIND VAR starts a peer that is no Kafka and sets VAR to its address:
// closed refuses, mute never says a word, http answers in HTTP, hangup closes
// each connection, tls speaks TLS.
func cmdListen(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: listen closed|mute|http|hangup|tls VAR")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[1], l.Addr().String())
	var serve func(c net.Conn)
	switch args[0] {
	case "closed":
		ts.Check(l.Close())
		return
	case "mute":
		serve = func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	case "http":
		serve = func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		}
	case "hangup":
		serve = func(net.Conn) {}
	case "tls":
		cert, err := selfSigned()
		ts.Check(err)
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
		serve = func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	default:
		ts.Fatalf("nothing listens %s", args[0])
	}
	s.closers = append(s.closers, func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
