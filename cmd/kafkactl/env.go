package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"

	"kafkactl/internal/broker"
)

// env is a command's whole outside. Results go to out, every message to errOut
// by way of warn, note and verbose.
type env struct {
	in  io.Reader
	out io.Writer // a write to a closed pipe fails with errClosedPipe
	// errOut is for questions and what other tools' users expect raw; messages
	// go through warn and note, which keep clear of the progress line.
	errOut io.Writer

	cfg    config  // typed; complete once a command's run begins
	pal    palette // for out
	errPal palette // for errOut

	now func() time.Time

	msgs    *messages
	helpErr error // of printing --help, which cobra does not ask about

	mu     sync.Mutex
	client *broker.Client
	onKill []func()

	troubled atomic.Bool // the user was told of an outage
	outages  outages

	tells atomic.Pointer[func() tally] // how far the command has come; nil: it cannot say
}

func newEnv(in io.Reader, out, errOut io.Writer) *env {
	e := &env{in: in, out: &stdout{w: out, born: time.Now()}, errOut: errOut, cfg: defaultConfig(), now: time.Now}
	e.msgs = &messages{w: errOut, terminal: isTerminal(errOut) && steerable(os.Getenv("TERM"))}
	e.setColors("auto")
	return e
}

// stdout turns a write to a closed pipe into errClosedPipe, which no error of a
// socket can be taken for.
type stdout struct {
	w     io.Writer
	below atomic.Pointer[messages] // draws a line on the same terminal
	born  time.Time                // by the clock that never jumps
	since atomic.Int64             // when the write under way began, in ns after born; 0 none
}

func (s *stdout) Write(p []byte) (int, error) {
	s.since.Store(int64(time.Since(s.born)) + 1)
	defer s.since.Store(0)
	var n int
	var err error
	if m := s.below.Load(); m != nil {
		n, err = m.beside(s.w, p)
	} else {
		n, err = s.w.Write(p)
	}
	if err != nil && errors.Is(err, syscall.EPIPE) {
		err = errClosedPipe
	}
	return n, err
}

// waiting is how long the write under way has been, zero where there is none.
func (s *stdout) waiting() time.Duration {
	if at := s.since.Load(); at != 0 {
		return time.Since(s.born) - time.Duration(at)
	}
	return 0
}

// Fd is the descriptor below, or one that no file has.
func (s *stdout) Fd() uintptr {
	if f, ok := s.w.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// SyscallConn implements syscall.Conn where what is below does.
func (s *stdout) SyscallConn() (syscall.RawConn, error) {
	if c, ok := s.w.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// isTerminal says whether e.in, e.out or e.errOut is one.
func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is a terminal's width in columns; 0 where there is none to fit.
func width(stream any) int {
	if f, ok := stream.(interface{ Fd() uintptr }); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 0
}

// connect gives the command's client, made at the first call. Nothing is dialled
// before the client is asked for something. main closes it.
func (e *env) connect(ctx context.Context) (*broker.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		return e.client, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	cfg, err := e.brokerConfig()
	if err != nil {
		return nil, err
	}
	c, err := broker.New(cfg)
	if err != nil {
		return nil, err
	}
	e.client = c
	return c, nil
}

// brokerConfig is what flags, environment and file say about the cluster.
func (e *env) brokerConfig() (broker.Config, error) {
	seeds, err := broker.ParseSeeds(e.cfg.brokers)
	if err != nil {
		return broker.Config{}, usagef("--brokers %s: %v", e.cfg.brokers, err)
	}
	t := e.cfg.tuning
	if t.socketTimeout > 0 {
		// A broker that holds a fetch back is silent for so long, and not dead.
		t.socketTimeout = max(t.socketTimeout, t.fetchWait+10*time.Second)
	}
	return broker.Config{
		Seeds:         seeds,
		Shuffle:       !t.noShuffleBrokers,
		ClientID:      t.clientID,
		Software:      builtVersion().Version,
		Timeout:       e.cfg.timeout,
		SocketTimeout: t.socketTimeout,
		RetryBackoff:  t.retryBackoff,
		Rack:          t.rack,
		Log:           e.logged,
	}, nil
}

// lookBack says at the end how much had to be tried again: to everybody who was
// told of an outage, else with -v.
func (e *env) lookBack() {
	e.mu.Lock()
	client := e.client
	e.mu.Unlock()
	if client == nil {
		return
	}
	var parts []string
	o := client.Ordeal()
	switch n := o.Retries(); n {
	case 0:
	case 1:
		parts = append(parts, "1 retry")
	default:
		parts = append(parts, grouped(n)+" retries")
	}
	if d := o.Throttled(); d > 0 {
		parts = append(parts, "throttled for "+d.Round(time.Millisecond).String())
	}
	switch line := strings.Join(parts, ", "); {
	case line == "":
	case e.troubled.Load():
		e.note("%s", line)
	default:
		e.verbose(1, "%s", line)
	}
}

// close ends what connect began.
func (e *env) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		_ = e.client.Close()
		e.client = nil
	}
}

// atKill has f called when a second signal ends the program without further ado:
// for what must not be left behind, and what cannot hang.
func (e *env) atKill(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.onKill = append(e.onKill, f)
}

// waiting is how long standard output has kept us in one write.
func (e *env) waiting() time.Duration {
	if out, ok := e.out.(*stdout); ok {
		return out.waiting()
	}
	return 0
}

// kill does what atKill was told.
func (e *env) kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.onKill {
		f()
	}
}
