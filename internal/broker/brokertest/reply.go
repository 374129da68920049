package brokertest

import (
	"bytes"
	"net"

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
