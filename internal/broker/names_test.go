package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// nameServer answers every name with ::1 and 127.0.0.1, after late. It is all that
// a resolver needs: the question comes back with an answer behind it.
func nameServer(t *testing.T, late time.Duration) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		for {
			b := make([]byte, 1500)
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			answer := answerTo(b[:n])
			time.AfterFunc(late, func() { _, _ = pc.WriteTo(answer, from) })
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func answerTo(q []byte) []byte {
	end := 12
	for q[end] != 0 {
		end += 1 + int(q[end])
	}
	kind := binary.BigEndian.Uint16(q[end+1:])
	r := append([]byte{}, q[:end+5]...)
	r[2], r[3] = 0x81, 0x80
	copy(r[6:12], make([]byte, 6))
	ip := net.IPv4(127, 0, 0, 1).To4()
	if kind == 28 {
		ip = net.IPv6loopback
	} else if kind != 1 {
		return r
	}
	r[7] = 1
	r = append(r, 0xc0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 60, 0, byte(len(ip)))
	return append(r, ip...)
}

// Nobody listens on ::1 where our broker is, and IPv6 comes first; and a name
// server may take its time.
func TestNamesThatAreLateOrLeadToADeadAddressFirst(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, told)
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, late := range []time.Duration{0, 300 * time.Millisecond} {
		d := net.Dialer{Resolver: nameServer(t, late)}
		client, err := New(Config{
			Seeds: []string{net.JoinHostPort("broker.example", port)}, Timeout: 10 * time.Second,
			Dial: func(ctx context.Context, addr string) (net.Conn, error) { return d.DialContext(ctx, "tcp", addr) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		var resp wire.ListOffsetsResponse
		if _, err := client.Do(t.Context(), Any(), ask(1), &resp); err != nil {
			t.Errorf("%v late: %v", late, err)
		}
	}
}

// A name server that never answers ends with the time there is, and others of -b
// are tried beside it.
func TestNameThatIsNeverAnsweredHoldsNobodyBack(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, told)
	mute := net.Dialer{Resolver: nameServer(t, time.Hour)}
	client, err := New(Config{
		Seeds: []string{"broker.example:9092", s.Addr()}, Timeout: 10 * time.Second,
		Dial: func(ctx context.Context, addr string) (net.Conn, error) { return mute.DialContext(ctx, "tcp", addr) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var resp wire.ListOffsetsResponse
	if _, err := client.Do(t.Context(), Any(), ask(1), &resp); err != nil {
		t.Error(err)
	}
}

// Metadata may name anything for a host. What cannot be one is not dialled, and
// shown so that it does no harm.
func TestAHostThatCannotBeOneIsNotDialled(t *testing.T) {
	for host, want := range map[string]string{
		"\x1b[2Jevil\r\nerror: x":  `"[\x1b[2Jevil\r\nerror: x]:9092"`,
		"a b":                      `"a b:9092"`,
		strings.Repeat("h", 10000): `"` + strings.Repeat("h", 60) + `"...`,
		"\xff":                     `"\xff:9092"`,
	} {
		s := brokertest.New(t)
		s.Handle(wire.Metadata, func(*brokertest.Request) brokertest.Reply {
			resp := wire.Default[wire.MetadataResponse]()
			resp.Brokers = []wire.MetadataBroker{{NodeID: 1, Host: host, Port: 9092}}
			return brokertest.Answer(&resp)
		})
		client, err := New(Config{Seeds: []string{s.Addr()}, Timeout: 10 * time.Second, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			if addr != s.Addr() {
				t.Errorf("dialled %q", addr)
			}
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		_, err = client.Open(t.Context(), 1)
		var dial *DialError
		if !errors.As(err, &dial) || dial.Addr != want || !dial.Advertised || !strings.Contains(err.Error(), errNoAddress.Error()) {
			t.Errorf("%.80q: %v", host, err)
		}
	}
}
