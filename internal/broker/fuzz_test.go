package broker

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/wire"
)

// talker is a peer that says what it has to say, whatever it is told.
type talker struct{ io.Reader }

func (talker) Write(p []byte) (int, error)      { return len(p), nil }
func (talker) Close() error                     { return nil }
func (talker) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (talker) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (talker) SetDeadline(time.Time) error      { return nil }
func (talker) SetReadDeadline(time.Time) error  { return nil }
func (talker) SetWriteDeadline(time.Time) error { return nil }

// FuzzConversation has a peer say anything from the first byte on: to a
// handshake, and to the requests behind it. They end, and an error about a
// request says whose answer it was.
func FuzzConversation(f *testing.F) {
	frame := func(resp wire.Response, version int16, corr int32) []byte {
		var fr wire.Frame
		if err := wire.AppendResponse(&fr, resp, version, corr); err != nil {
			f.Fatal(err)
		}
		return bytes.Join(fr.Buffers(nil), nil)
	}
	versions, metadata := wire.Default[wire.ApiVersionsResponse](), wire.Default[wire.MetadataResponse]()
	for _, key := range []wire.Key{wire.Produce, wire.Fetch, wire.ListOffsets, wire.Metadata} {
		versions.APIKeys = append(versions.APIKeys, wire.APIVersionRange{APIKey: key, MaxVersion: 4})
	}
	metadata.Brokers = []wire.MetadataBroker{{NodeID: 1, Host: "h", Port: 9092}}
	hello := frame(&versions, 4, 1)
	f.Add(append(bytes.Clone(hello), frame(&metadata, 4, 2)...))
	f.Add(append(bytes.Clone(hello), 0, 0, 0, 4, 0, 0, 0, 9))
	f.Add(hello[:len(hello)-3])
	f.Add(append(frame(&wire.ApiVersionsResponse{ErrorCode: wire.UnsupportedVersion}, 0, 1), frame(&versions, 0, 2)...))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x46"))
	f.Add([]byte("\x7f\xff\xff\xff\x00\x00\x00\x01"))
	f.Add([]byte("220 mail ESMTP\r\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		cfg := (&Config{Seeds: []string{"peer:1"}}).withDefaults()
		c := newConn(talker{bytes.NewReader(said)}, "peer:1", -1, &cfg)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // it may ask for hours of rest
		defer cancel()
		if err := c.handshake(ctx, cfg.Steps); err != nil {
			_ = err.Error()
			return
		}
		for range 3 {
			req, resp := wire.Default[wire.MetadataRequest](), wire.Default[wire.MetadataResponse]()
			if _, err := c.Roundtrip(ctx, &req, &resp, -1); err != nil {
				if s := err.Error(); !strings.Contains(s, "peer:1") || !strings.Contains(s, "Metadata") {
					t.Fatalf("%x: %v", said, err)
				}
				return
			}
			_ = (*Snapshot)(nil).merge(&resp, nil, true)
		}
	})
}

// FuzzSeeds wants what is taken for a list of addresses to be one.
func FuzzSeeds(f *testing.F) {
	for _, s := range []string{"a", "a:1,b:2", "[::1]:9092, ::1", "k://a:1", "a:", ":9", "a,,b", "[fe80::1%eth0]", "a:65536", "\x1b[2J"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seeds, err := ParseSeeds(s)
		if err != nil {
			return
		}
		for _, seed := range seeds {
			host, port, err := net.SplitHostPort(seed)
			if err != nil || host == "" || port == "" {
				t.Fatalf("%q: %q: %v", s, seed, err)
			}
		}
		again, err := ParseSeeds(strings.Join(seeds, ","))
		if err != nil || strings.Join(again, ",") != strings.Join(seeds, ",") {
			t.Fatalf("%q is %q, and that is %q, %v", s, seeds, again, err)
		}
	})
}
