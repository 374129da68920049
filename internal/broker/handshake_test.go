package broker

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kversion"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

func TestHandshakeTellsWhoWeAreAndLearnsVersionsAndFeatures(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.APIVersions, func(r *brokertest.Request) brokertest.Reply {
		resp := wire.Default[wire.ApiVersionsResponse]()
		resp.APIKeys = []wire.APIVersionRange{{APIKey: wire.Fetch, MinVersion: 4, MaxVersion: 17}, {APIKey: 77, MaxVersion: 2}}
		resp.FinalizedFeatures = []wire.FinalizedFeature{{Name: "transaction.version", MaxVersionLevel: 2}}
		return brokertest.Answer(&resp)
	})
	c := connect(t, s, func(cfg *Config) { cfg.Software = "v1.2.3+dirty/x" })
	if v, err := c.Version(wire.Fetch, -1); v != 17 {
		t.Errorf("Fetch version %d, %v, want 17", v, err)
	}
	if w := c.Versions()[77]; w != [2]int16{0, 2} {
		t.Errorf("API 77 is spoken in %v, want 0 to 2", w)
	}
	if level, ok := c.Feature("transaction.version"); !ok || level != 2 {
		t.Errorf("transaction.version %d, %v, want 2", level, ok)
	}
	if _, ok := c.Feature("share.version"); ok {
		t.Error("share.version is known")
	}
	req := s.Requests(wire.APIVersions)[0].Body.(*wire.ApiVersionsRequest)
	if req.ClientSoftwareName != "kafkactl" || req.ClientSoftwareVersion != "v1.2.3-dirty-x" {
		t.Errorf("we are %q %q", req.ClientSoftwareName, req.ClientSoftwareVersion)
	}
}

func TestSoftwareVersionFitsWhatBrokersAccept(t *testing.T) {
	for in, want := range map[string]string{"": "unknown", "(devel)": "devel", "-.-": "unknown", "1.0": "1.0", "ä1": "1"} {
		if got := softwareVersion(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestHandshakeFallsBackToTheVersionTheBrokerNames(t *testing.T) {
	for name, tt := range map[string]struct {
		low, high int16
		want      []int16
	}{
		"Kafka 0.10":       {0, 0, []int16{3, 0}},
		"Kafka 2.3":        {0, 2, []int16{3, 0}}, // names no window in its refusal
		"Kafka 2.4":        {0, 3, []int16{3}},
		"a Kafka to come":  {4, 9, []int16{3, 5}},
		"a far-off future": {8, 9, []int16{3, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := brokertest.New(t)
			s.Window(wire.APIVersions, tt.low, tt.high)
			_, err := tryConnect(t, s.Addr())
			if (err != nil) != (tt.low > 5) {
				t.Errorf("got %v", err)
			}
			var asked []int16
			for _, r := range s.Requests(wire.APIVersions) {
				asked = append(asked, r.Version)
			}
			if len(asked) != len(tt.want) || asked[len(asked)-1] != tt.want[len(tt.want)-1] {
				t.Errorf("asked with %v, want %v", asked, tt.want)
			}
		})
	}
}

func TestBrokersOfBefore010AreFoundOutAndRemembered(t *testing.T) {
	for name, age := range map[string]oldBroker{
		"0.8 hangs up on ApiVersions":   {(*brokertest.Server).Old, 0, 1, false},
		"0.9 never answers ApiVersions": {(*brokertest.Server).OldMute, 1, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testOld(t, age) })
		})
	}
}

// oldBroker is what a broker of before 0.10 speaks.
type oldBroker struct {
	make          func(*brokertest.Server)
	fetch, commit int16
	groups        bool
}

func testOld(t *testing.T, age oldBroker) {
	s := brokertest.NewPipe(t)
	age.make(s)
	s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply {
		return brokertest.Answer(&wire.ListOffsetsResponse{})
	})
	cfg := Config{Seeds: []string{s.Addr()}, Dial: s.Dial}.withDefaults()
	d := &dialer{cfg: &cfg}
	start := time.Now()
	c, err := d.dial(t.Context(), s.Addr(), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if took := time.Since(start); took > 2*patience {
		t.Errorf("took %v to find out", took)
	}
	if v, err := c.Version(wire.Fetch, -1); v != age.fetch || err != nil {
		t.Errorf("Fetch version %d, %v, want %d", v, err, age.fetch)
	}
	if v, err := c.Version(wire.OffsetCommit, -1); v != age.commit || err != nil {
		t.Errorf("OffsetCommit version %d, %v, want %d, which keeps offsets in Kafka", v, err, age.commit)
	}
	if _, err := c.Version(wire.InitProducerID, -1); !errors.Is(err, wire.UnsupportedVersion) {
		t.Errorf("InitProducerId: %v, want a version error", err)
	}
	v, err := c.Version(wire.DescribeGroups, -1)
	if age.groups && (v != 0 || err != nil) {
		t.Errorf("DescribeGroups version %d, %v, want 0", v, err)
	}
	if !age.groups && (err == nil || !strings.Contains(err.Error(), "Kafka 0.9.0 or later does")) {
		t.Errorf("DescribeGroups version %d, %v, want an error that names 0.9.0", v, err)
	}
	if v, err := c.Roundtrip(t.Context(), ask(1), &wire.ListOffsetsResponse{}, -1); v != 0 || err != nil {
		t.Errorf("ListOffsets v%d: %v", v, err)
	}
	asked := s.Count(wire.APIVersions)
	c2, err := d.dial(t.Context(), s.Addr(), -1)
	if err != nil {
		t.Fatal(err)
	}
	c2.Close()
	if n := s.Count(wire.APIVersions); n != asked {
		t.Errorf("asked for versions %d times more", n-asked)
	}
}

// In a long pause a broker answers nobody, and everybody afterwards.
func TestBrokerThatIsSlowToTellItsVersionsIsNotTakenForAnOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		pause := make(chan struct{})
		time.AfterFunc(7*time.Second, func() { close(pause) })
		s.Handle(wire.APIVersions, func(r *brokertest.Request) brokertest.Reply {
			resp := wire.Default[wire.ApiVersionsResponse]()
			resp.APIKeys = []wire.APIVersionRange{{APIKey: wire.Fetch, MinVersion: 4, MaxVersion: 17}}
			return brokertest.Answer(&resp).After(pause)
		})
		s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply {
			return brokertest.Answer(&wire.ListOffsetsResponse{}).After(pause)
		})
		c := connect(t, s, over(s))
		if v, err := c.Version(wire.Fetch, -1); v != 17 {
			t.Errorf("Fetch version %d, %v: taken for an old broker", v, err)
		}
	})
}

// A broker on its way down hangs up on ApiVersions too. Taking it for an old one
// would silently cost headers and timestamps for as long as we run.
func TestBrokerThatHangsUpOnceIsNotTakenForAnOldOne(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.APIVersions, func(r *brokertest.Request) brokertest.Reply {
		if r.Conn == 1 {
			return brokertest.Hangup()
		}
		return brokertest.Reply{}
	})
	c := connect(t, s)
	if v, err := c.Version(wire.Fetch, -1); v < 4 {
		t.Errorf("Fetch version %d, %v: taken for an old broker", v, err)
	}
}

// A network that cuts connections can do what a broker of 0.8 does: what does not
// fit one age is asked again.
func TestBrokerThatHangsUpTwiceButKnowsGroupsIsNotTakenForAnOldOne(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.APIVersions, func(r *brokertest.Request) brokertest.Reply {
		if r.Conn <= 2 {
			return brokertest.Hangup()
		}
		return brokertest.Reply{}
	})
	c := connect(t, s)
	if v, err := c.Version(wire.Fetch, -1); v < 4 {
		t.Errorf("Fetch version %d, %v: taken for an old broker", v, err)
	}
}

// A connection that the network has lost says nothing about the broker's age.
func TestConnectionThatGotLostIsNotTakenForAnOldBroker(t *testing.T) {
	for name, change := range map[string]func(*brokertest.Server){
		"a broker that answers requests of 0.8": func(*brokertest.Server) {},
		"a broker that hangs up on requests of 0.8": func(s *brokertest.Server) {
			s.Handle(wire.ListOffsets, func(*brokertest.Request) brokertest.Reply { return brokertest.Hangup() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := brokertest.NewPipe(t)
				change(s)
				s.Handle(wire.APIVersions, func(r *brokertest.Request) brokertest.Reply {
					if r.Conn == 1 {
						return brokertest.Silence()
					}
					return brokertest.Reply{}
				})
				start := time.Now()
				c := connect(t, s, over(s))
				if v, err := c.Version(wire.Fetch, -1); v < 4 {
					t.Errorf("Fetch version %d, %v: taken for an old broker", v, err)
				}
				if took := time.Since(start); took > 2*patience {
					t.Errorf("took %v to find out", took)
				}
			})
		})
	}
}

func TestPeersThatAreNotBrokersAreNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		want   error
		text   string
	}{
		"TLS alert":     {"\x15\x03\x03\x00\x02\x02\x0a", ErrTLS, "plaintext"},
		"HTTP":          {"HTTP/1.1 400 Bad Request\r\n\r\n", ErrNotKafka, "HTTP/1.1 400"},
		"SSH":           {"SSH-2.0-OpenSSH_9.2\r\n", ErrNotKafka, "SSH-2.0"},
		"mail":          {"220 mail.example.org ESMTP\r\n", ErrNotKafka, "220 mail"},
		"garbage size":  {"\x7f\xff\xff\xff\x00\x00\x00\x00", ErrNotKafka, "2147483647 bytes"},
		"negative size": {"\xff\xff\xff\xfe\x00\x00\x00\x00", ErrNotKafka, "-2 bytes"},
		"zeroes":        {strings.Repeat("\x00", 64), ErrNotKafka, "0 bytes"},
		"our own bytes": {"\x00\x00\x00\x25\x00\x12\x00\x03\x00\x00\x00\x01" + strings.Repeat("x", 29), ErrMalformed, "correlation"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := tryConnect(t, brokertest.Stranger(t, []byte(tt.answer)))
			runtime.ReadMemStats(&after)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %v with %q", err, tt.want, tt.text)
			}
			if grew := after.TotalAlloc - before.TotalAlloc; grew > 8<<20 {
				t.Errorf("took %d bytes of memory on the peer's word", grew)
			}
		})
	}
}

// lines is the Dial of a server that reads a line before it says anything, and
// hangs up after its answer. It hears what connections were opened with.
func lines(answer string, heard *sync.Map) func(context.Context, string) (net.Conn, error) {
	var n atomic.Int32
	return func(context.Context, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer ours.Close()
			line, err := bufio.NewReader(ours).ReadString('\n')
			heard.Store(n.Add(1), line)
			if err == nil {
				_, _ = ours.Write([]byte(answer))
			}
		}()
		return theirs, nil
	}
}

func TestPeerThatWaitsForALineOfTextIsNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		want   error
		text   string
	}{
		"HTTP":          {"HTTP/1.1 400 Bad Request\r\n\r\n", ErrNotKafka, `it answers "HTTP/1.1 400 Bad Request", as web servers do`},
		"HTTP before 1": {"<!DOCTYPE HTML>\n<html>", ErrNotKafka, `it answers "<!DOCTYPE HTML>", as web servers do`},
		"text":          {"-ERR unknown command\r\n", ErrNotKafka, `it answers "-ERR unknown command"`},
		"TLS alert":     {"\x15\x03\x03\x00\x02\x02\x0a", ErrTLS, "plaintext"},
		"bytes":         {"\x00\x00\x00\x08abcdefgh", os.ErrDeadlineExceeded, "no answer to ApiVersions within 10s"},
		"hang-up":       {"", os.ErrDeadlineExceeded, "no answer to ApiVersions within 10s"},
		"three letters": {"OK\n", os.ErrDeadlineExceeded, "no answer to ApiVersions within 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := tryConnect(t, "pipe:9092", func(cfg *Config) { cfg.Dial = lines(tt.answer, new(sync.Map)) })
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("got %v, want %v with %q", err, tt.want, tt.text)
				}
				took := time.Since(start)
				if want := suspicion; tt.want != os.ErrDeadlineExceeded && took != want {
					t.Errorf("took %v, want %v", took, want)
				}
			})
		})
	}
}

// A broker takes text for a request larger than it allows, and logs that. It
// hears none where it answers, nor where a broker is known to be.
func TestTextIsSentToNobodyWhoIsKnownToBeABroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := brokertest.NewPipe(t)
		cfg := Config{Seeds: []string{s.Addr()}, Dial: s.Dial}.withDefaults()
		d := &dialer{cfg: &cfg}
		c, err := d.dial(t.Context(), s.Addr(), -1)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		var heard sync.Map
		cfg.Dial = lines("HTTP/1.1 502 Bad Gateway\r\n\r\n", &heard) // the proxy, while the broker restarts
		if _, err := d.dial(t.Context(), s.Addr(), -1); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want no answer", err)
		}
		synctest.Wait()
		heard.Range(func(_, line any) bool {
			if line == "kafkactl?\r\n" {
				t.Error("a broker's address was sent text")
			}
			return true
		})
	})
}

func TestTLSListenerThatHangsUpIsNamed(t *testing.T) {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}})
	if err != nil {
		t.Fatal(err)
	}
	// Java's engine answers plaintext with an alert, others with silence: this one
	// is made to say nothing, whatever Go's would.
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			raw := nc.(*tls.Conn).NetConn()
			first := make([]byte, 1)
			if _, err := raw.Read(first); err == nil && first[0] == 0x16 {
				server := tls.Server(&replayed{raw, bytes.NewReader(first)}, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}})
				_ = server.Handshake()
			}
			raw.Close()
		}
	}()
	defer func() {
		l.Close()
		<-done
	}()
	if _, err := tryConnect(t, l.Addr().String()); !errors.Is(err, ErrTLS) {
		t.Errorf("got %v, want ErrTLS", err)
	}
}

// replayed reads first before the connection.
type replayed struct {
	net.Conn
	first *bytes.Reader
}

func (r *replayed) Read(p []byte) (int, error) {
	if r.first.Len() > 0 {
		return r.first.Read(p)
	}
	return r.Conn.Read(p)
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestPeerThatHangsUpOnEverythingIsNeitherOldNorTLS(t *testing.T) {
	addr := brokertest.Stranger(t, nil)
	_, err := tryConnect(t, addr)
	if !errors.Is(err, ErrClosed) || errors.Is(err, ErrTLS) || !strings.Contains(err.Error(), "SASL") {
		t.Errorf("got %v, want a hang-up with what it may be", err)
	}
}

func TestSilentPeerIsGivenUpAfterAnAttemptsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := muteServer(t)
		start := time.Now()
		_, err := tryConnect(t, s.Addr(), over(s))
		if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "Kafka listener?") {
			t.Errorf("got %v, want a deadline that asks whether this is Kafka", err)
		}
		if took := time.Since(start); took != maxAttempt {
			t.Errorf("took %v, want %v", took, maxAttempt)
		}
	})
}

func TestAttemptsShareTheTimeout(t *testing.T) {
	for _, tt := range []struct {
		timeout time.Duration
		tries   int
		want    time.Duration
	}{
		{30 * time.Second, 1, 10 * time.Second},
		{5 * time.Second, 1, 5 * time.Second},
		{30 * time.Second, 6, 5 * time.Second},
		{30 * time.Second, 100, 3750 * time.Millisecond},
	} {
		d := &dialer{cfg: &Config{Timeout: tt.timeout}, tries: tt.tries}
		if got := d.limit(); got != tt.want {
			t.Errorf("%v over %d seeds: %v each, want %v", tt.timeout, tt.tries, got, tt.want)
		}
	}
}

func TestStepsRunInOrderAndTheirErrorsEndTheConnection(t *testing.T) {
	s := brokertest.New(t)
	refused := errors.New("authentication: refused")
	var ran []string
	steps := func(cfg *Config) {
		cfg.Steps = []Step{
			NegotiateVersions,
			func(_ context.Context, c *Conn) error {
				if _, err := c.Version(wire.Metadata, -1); err != nil {
					return err
				}
				ran = append(ran, "second")
				return refused
			},
			func(context.Context, *Conn) error {
				ran = append(ran, "third")
				return nil
			},
		}
	}
	if _, err := tryConnect(t, s.Addr(), steps); !errors.Is(err, refused) {
		t.Errorf("got %v, want the step's error", err)
	}
	if len(ran) != 1 || ran[0] != "second" {
		t.Errorf("steps ran: %v", ran)
	}
}

// The table of releases is compared with an independent one, release by release.
func TestReleasesAreThoseOfKafka(t *testing.T) {
	ordered := []struct {
		name string
		v    *kversion.Versions
	}{
		{"0.8.0", kversion.V0_8_0()}, {"0.8.1", kversion.V0_8_1()}, {"0.8.2", kversion.V0_8_2()}, {"0.9.0", kversion.V0_9_0()},
		{"0.10.0", kversion.V0_10_0()}, {"0.10.1", kversion.V0_10_1()}, {"0.10.2", kversion.V0_10_2()}, {"0.11.0", kversion.V0_11_0()},
		{"1.0", kversion.V1_0_0()}, {"1.1", kversion.V1_1_0()}, {"2.0", kversion.V2_0_0()}, {"2.1", kversion.V2_1_0()},
		{"2.2", kversion.V2_2_0()}, {"2.3", kversion.V2_3_0()}, {"2.4", kversion.V2_4_0()}, {"2.5", kversion.V2_5_0()},
		{"2.6", kversion.V2_6_0()}, {"2.7", kversion.V2_7_0()}, {"2.8", kversion.V2_8_0()}, {"3.0", kversion.V3_0_0()},
		{"3.1", kversion.V3_1_0()}, {"3.2", kversion.V3_2_0()}, {"3.3", kversion.V3_3_0()}, {"3.4", kversion.V3_4_0()},
		{"3.5", kversion.V3_5_0()}, {"3.6", kversion.V3_6_0()}, {"3.7", kversion.V3_7_0()}, {"3.8", kversion.V3_8_0()},
		{"3.9", kversion.V3_9_0()}, {"4.0", kversion.V4_0_0()}, {"4.1", kversion.V4_1_0()}, {"4.2", kversion.V4_2_0()}, {"4.3", kversion.V4_3_0()}, {"4.4", kversion.V4_4_0()},
	}
	for _, api := range wire.APIs() {
		for version := api.Min; version <= api.Max; version++ {
			switch {
			case api.Key == wire.OffsetFetch && version == 2:
				continue // there it has 0.11.0, but a 0.10.2.2 broker says it speaks it
			case version == 0 && (api.Key == wire.JoinGroup || api.Key == wire.Heartbeat):
				continue // there it has 0.8.2, which reserves the numbers and has no groups
			}
			want := ""
			for _, o := range ordered {
				if high, ok := o.v.LookupMaxKeyVersion(int16(api.Key)); ok && high >= version {
					want = o.name
					break
				}
			}
			if got := Release(api.Key, version); got != want {
				t.Errorf("%v v%d came in %q, the other table says %q", api.Key, version, got, want)
			}
		}
	}
}

// Brokers from 4.0 on hang up on requests of 0.8, by which older brokers are told:
// one reset in the handshake says nothing about them.
func TestOneResetInTheHandshakeEndsNothing(t *testing.T) {
	s := brokertest.New(t)
	s.Handle(wire.ListOffsets, func(r *brokertest.Request) brokertest.Reply { return brokertest.Hangup() })
	s.Handle(wire.APIVersions, func(r *brokertest.Request) brokertest.Reply {
		if r.Conn == 1 {
			return brokertest.Hangup()
		}
		return brokertest.Reply{}
	})
	c := connect(t, s)
	if v, err := c.Version(wire.Fetch, -1); v < 4 {
		t.Errorf("Fetch version %d, %v: taken for an old broker", v, err)
	}
}
