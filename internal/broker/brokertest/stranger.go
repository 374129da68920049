package brokertest

import (
	"net"
	"testing"
)

// Stranger listens on 127.0.0.1 and is no broker: it waits for a first byte and
// writes answer, whatever was asked, then hangs up. The address is returned.
func Stranger(t testing.TB, answer []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 64<<10) // all of a request, or closing would reset the connection
			if _, err := nc.Read(buf); err == nil {
				_, _ = nc.Write(answer)
			}
			nc.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// Dead is an address of 127.0.0.1 that refuses connections.
func Dead(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	return addr
}
