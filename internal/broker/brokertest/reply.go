package brokertest

import (
	"bytes"
	"net"
	"time"

	"kafkactl/internal/wire"
)

// Reply is what becomes of one request. The zero Reply is no decision.
type Reply struct {
	kind     kind
	resp     wire.Response
	raw      []byte
	as       int16 // version to answer in, -1: the request's
	shift    int32 // added to the correlation id
	short    int   // bytes after which to hang up, -1: all
	bytewise bool
	pace     time.Duration // a byte each so often, and then zeros without end
	after    <-chan struct{}
	last     bool
}

type kind int8

const (
	unset kind = iota
	answer
	raw
	silence
	hangup
)

// Answer encodes resp for the request's version and correlation id.
func Answer(resp wire.Response) Reply { return Reply{kind: answer, resp: resp, as: -1, short: -1} }

// Raw sends exactly these bytes: a whole frame, or something else.
func Raw(b []byte) Reply { return Reply{kind: raw, raw: b, short: -1} }

// Silence never answers, and goes on to the next request: acks 0, or a broker
// that has lost one.
func Silence() Reply { return Reply{kind: silence, short: -1} }

// Hangup closes the connection instead of answering.
func Hangup() Reply { return Reply{kind: hangup, short: -1} }

// WrongCorrelation answers some other request's id.
func (r Reply) WrongCorrelation() Reply {
	r.shift = 1000
	return r
}

// Short sends the first n bytes, length prefix included, then hangs up.
func (r Reply) Short(n int) Reply {
	r.short = n
	return r
}

// Dribble writes byte by byte.
func (r Reply) Dribble() Reply {
	r.bytewise = true
	return r
}

// Trickle writes a byte each pace, and when all are out goes on with zeros for
// as long as the connection lasts.
func (r Reply) Trickle(pace time.Duration) Reply {
	r.pace = pace
	return r
}

// Response is what the reply was made of by Answer, nil where it was not. Who
// alters it alters the reply.
func (r Reply) Response() wire.Response { return r.resp }

// Frame is what goes out for req: the length, the header and the body.
func (r Reply) Frame(req *Request) ([]byte, error) { return r.bytes(req) }

// After waits until release is closed, or the server ends, before anything else
// happens on the connection.
func (r Reply) After(release <-chan struct{}) Reply {
	r.after = release
	return r
}

// ThenHangup closes the connection when the reply is out.
func (r Reply) ThenHangup() Reply {
	r.last = true
	return r
}

// version answers in another version than the one asked with.
func (r Reply) version(v int16) Reply {
	r.as = v
	return r
}

// bytes is what goes out for req.
func (r Reply) bytes(req *Request) ([]byte, error) {
	if r.kind != answer {
		return r.raw, nil
	}
	version := r.as
	if version < 0 {
		version = req.Version
	}
	var f wire.Frame
	if err := wire.AppendResponse(&f, r.resp, version, req.Correlation+r.shift); err != nil {
		return nil, err
	}
	return bytes.Join(f.Buffers(nil), nil), nil
}

// send carries the reply out once it may; an error ends the connection.
func (r Reply) send(nc net.Conn, frame []byte, end <-chan struct{}) error {
	if r.after != nil {
		select {
		case <-r.after:
		case <-end:
			return net.ErrClosed
		}
	}
	if r.kind == hangup {
		return net.ErrClosed
	}
	if r.short >= 0 {
		frame = frame[:min(r.short, len(frame))]
	}
	if r.pace > 0 {
		return trickle(nc, frame, r.pace, end)
	}
	step := max(len(frame), 1)
	if r.bytewise {
		step = 1
	}
	for len(frame) > 0 {
		n, err := nc.Write(frame[:min(step, len(frame))])
		if err != nil {
			return err
		}
		frame = frame[n:]
	}
	if r.short >= 0 || r.last {
		return net.ErrClosed
	}
	return nil
}

func trickle(nc net.Conn, frame []byte, pace time.Duration, end <-chan struct{}) error {
	t := time.NewTicker(pace)
	defer t.Stop()
	for i := 0; ; i++ {
		b := byte(0)
		if i < len(frame) {
			b = frame[i]
		}
		if _, err := nc.Write([]byte{b}); err != nil {
			return err
		}
		select {
		case <-t.C:
		case <-end:
			return net.ErrClosed
		}
	}
}
