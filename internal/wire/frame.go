package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"reflect"
)

// MaxFrame is the longest frame worth believing, 1 GiB without the length
// prefix. Brokers refuse requests over socket.request.max.bytes (100 MiB unless
// changed) and answer fetches within what was asked for, save that a first batch
// comes whole, so a larger length is a peer that speaks something else: the
// first four bytes of "HTTP/1.1" read as 1.2 GB.
const MaxFrame = 1 << 30

var errFrame = errors.New("message longer than 1 GiB")

// Frame is an encoded request or response, length prefix included. Head holds
// everything but record bytes; Parts are written in between, uncopied.
type Frame struct {
	Head  []byte
	Parts []Part
}

// Part is a run of the caller's record bytes that stands after Head[:At].
type Part struct {
	At    int
	Bytes []byte
}

// Buffers appends f's bytes, in order, to dst for one writev.
func (f *Frame) Buffers(dst net.Buffers) net.Buffers {
	from := 0
	for _, p := range f.Parts {
		dst = append(dst, f.Head[from:p.At], p.Bytes)
		from = p.At
	}
	return append(dst, f.Head[from:])
}

// AppendRequest encodes size, header (v1, or v2 in flexible versions) and body
// over f's old contents. f's Parts alias req's Records until the frame is
// written. A value that version cannot carry is an error naming the field
// (ErrVersion), unless the field is ignorable. Adapter requests are adapted
// first. After an error f is empty.
func AppendRequest(f *Frame, req Request, version int16, correlation int32, clientID string) error {
	e := begin(f)
	api, err := speak(req.Key(), version)
	if err != nil {
		return err
	}
	if a, ok := req.(Adapter); ok {
		if req, err = a.At(version); err != nil {
			return err
		}
	}
	e.b = binary.BigEndian.AppendUint16(e.b, uint16(api.Key))
	e.b = binary.BigEndian.AppendUint16(e.b, uint16(version))
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(correlation))
	if err := e.string(clientID); err != nil { // never compact, not even in header v2
		return under("ClientID", err)
	}
	if version >= api.Flex {
		e.b = append(e.b, 0)
	}
	return e.finish(f, api, version, req)
}

// AppendResponse encodes size, header and body; it serves scripted brokers.
func AppendResponse(f *Frame, resp Response, version int16, correlation int32) error {
	e := begin(f)
	api, err := speak(resp.Key(), version)
	if err != nil {
		return err
	}
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(correlation))
	if version >= api.Flex && api.Key != APIVersions {
		e.b = append(e.b, 0)
	}
	return e.finish(f, api, version, resp)
}

// begin empties f, which also lets go of the records of the frame before, and
// leaves room for its length.
func begin(f *Frame) encoder {
	clear(f.Parts)
	f.Head, f.Parts = f.Head[:0], f.Parts[:0]
	return encoder{b: append(f.Head, 0, 0, 0, 0), parts: f.Parts}
}

// finish encodes the body and fills the frame's length in.
func (e *encoder) finish(f *Frame, api API, version int16, message any) error {
	v := reflect.ValueOf(message).Elem()
	p, err := planOf(v.Type(), version, api.Flex)
	if err != nil {
		return err
	}
	e.flex = p.flex
	if err := e.message(p, v); err != nil {
		return under(p.name, err)
	}
	size := len(e.b) - 4
	for _, part := range e.parts {
		size += len(part.Bytes)
	}
	if size > MaxFrame {
		return fmt.Errorf("%s: %w", p.name, errFrame)
	}
	binary.BigEndian.PutUint32(e.b, uint32(size))
	f.Head, f.Parts = e.b, e.parts
	return nil
}

// speak finds the API and makes sure that we speak the version.
func speak(key Key, version int16) (API, error) {
	api, ok := Lookup(key)
	if !ok {
		return API{}, fmt.Errorf("%v is not spoken", key)
	}
	if version < api.Min || version > api.Max {
		return api, fmt.Errorf("%v version %d is not spoken, %d to %d are", key, version, api.Min, api.Max)
	}
	return api, nil
}

// RequestHeader is what stands before a request's body.
type RequestHeader struct {
	Key         Key
	Version     int16
	Correlation int32
	ClientID    *string
}

// DecodeRequest reads header and body; it serves scripted brokers. The request
// has the shape the version gave it, unadapted. Where API or version are not
// spoken, the error comes with the header, as far as its fixed part goes.
func DecodeRequest(r *Reader) (RequestHeader, Request, error) {
	h := RequestHeader{Key: Key(r.Int16()), Version: r.Int16(), Correlation: r.Int32()}
	if r.err != nil {
		return h, nil, under("RequestHeader", r.err)
	}
	api, err := speak(h.Key, h.Version)
	if err != nil {
		return h, nil, err
	}
	d := decoder{r: r}
	if err := d.stringPtr(true, false, reflect.ValueOf(&h.ClientID).Elem()); err != nil {
		return h, nil, under("RequestHeader.ClientID", err)
	}
	if h.Version >= api.Flex {
		if err := d.tagged(&plan{}, reflect.Value{}); err != nil {
			return h, nil, under("RequestHeader", err)
		}
	}
	req := api.Request()
	return h, req, decode(r, api, h.Version, req, nil)
}

// RecordsFunc receives a records field where it stands, also a null or empty
// one. path is the enclosing structs, outermost first (say *FetchResponse,
// *FetchTopicResult, *FetchPartitionResult), decoded up to this field and no
// further: tagged fields come later. path and its pointers hold until the
// function returns. What it leaves unread is skipped.
type RecordsFunc func(path []any, body *Body) error

// DecodeResponseHeader reads the header of a response to key in version.
func DecodeResponseHeader(r *Reader, key Key, version int16) (correlation int32, err error) {
	api, err := speak(key, version)
	if err != nil {
		return 0, err
	}
	correlation = r.Int32()
	err = r.err
	if err == nil && version >= api.Flex && key != APIVersions {
		d := decoder{r: r}
		err = d.tagged(&plan{}, reflect.Value{})
	}
	if err != nil {
		return correlation, under("ResponseHeader", err)
	}
	return correlation, nil
}
